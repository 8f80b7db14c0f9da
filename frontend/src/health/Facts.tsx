/** A name, its value, whether that is bad, and what the hub itself says of it, for whoever looks into the log. */
export type Fact = [name: string, value: string, isBad: boolean, raw?: string];

/** A line for each thing that is known. */
export function Facts({ rows, testId }: { rows: Fact[]; testId?: string }) {
  return (
    <dl className="facts" data-testid={testId}>
      {rows.map(([name, value, isBad, raw]) => (
        <div key={name} data-bad={isBad || undefined}>
          <dt>{name}</dt>
          <dd title={isBad ? raw : undefined}>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
