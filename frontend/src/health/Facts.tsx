/** A name, its value, and whether that is bad. */
export type Fact = [name: string, value: string, isBad: boolean];

/** A line for each thing that is known. */
export function Facts({ rows, testId }: { rows: Fact[]; testId?: string }) {
  return (
    <dl className="facts" data-testid={testId}>
      {rows.map(([name, value, isBad]) => (
        <div key={name} data-bad={isBad || undefined}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
