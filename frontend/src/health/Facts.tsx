import { AboutThis } from '../parts/AboutThis.tsx';

/**
 * A name, its value, whether that is bad, what the hub itself says of it, for whoever looks into the log, and what the name
 * means where that is not plain.
 */
export type Fact = [name: string, value: string, isBad: boolean, raw?: string | undefined, about?: string];

/** A line for each thing that is known. */
export function Facts({ rows, testId }: { rows: Fact[]; testId?: string }) {
  return (
    <dl className="facts" data-testid={testId}>
      {rows.map(([name, value, isBad, raw, about]) => (
        <div key={name} data-bad={isBad || undefined}>
          <dt>
            {name}
            {about && <AboutThis of={name}>{about}</AboutThis>}
          </dt>
          <dd title={isBad ? raw : undefined}>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
