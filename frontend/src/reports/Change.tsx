import { percent } from '../words/format.ts';
import { useWords } from '../words/words.ts';
import { changeOfCount, changeOfMedian, VALUES_MIN } from './compare.ts';
import type { Row } from './metrics.ts';

interface ChangeProps {
  row: Row | undefined;
  of: 'n' | 'median';
  show: (value: number | null) => string;
}

/** How far from the stretch before, in words too: a colour alone says nothing to some. Of durations less is better. */
export function Change({ row, of, show }: ChangeProps) {
  const say = useWords();
  if (row?.previousN === undefined) return null;
  const { n, medianMs, previousN, previousMedianMs = null } = row;
  const change =
    of === 'n'
      ? changeOfCount(n, previousN)
      : changeOfMedian({ medianMs, n }, { medianMs: previousMedianMs, n: previousN });
  const before = of === 'n' ? previousN : previousMedianMs;
  if (change.kind === 'nothing') return <span className="quiet">{say('nothingBefore')}</span>;
  const was = say('was', { value: show(before) });
  if (change.kind === 'few')
    return (
      <span className="change quiet few" title={say('tooFew', { count: VALUES_MIN })}>
        {was} · {say('few')}
      </span>
    );
  const tone = of === 'n' || change.kind === 'same' ? undefined : change.isMore ? 'bad' : 'good';
  return (
    <span className="change" data-tone={tone} title={was}>
      {change.kind === 'same' ? '=' : `${change.isMore ? '▲' : '▼'} ${percent(change.share, 1)}`}{' '}
      <span className="quiet">{was}</span>
    </span>
  );
}
