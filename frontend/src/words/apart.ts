/** Tells things of one name apart: two sectors called "Geral" are two rows, and a lead has to know which is which. */

import type { Named } from 'umbler-hub-client';

const SHOWN_MIN = 4;

export interface Labelled {
  id: string;
  label: string;
}

/**
 * A label for each id. Where several ids share one, what `hint` knows of them is put behind it, such as the line of a
 * sector; where that does not tell them apart, as much of the end of the id as does.
 */
export function tellApart(all: Labelled[], hint: (id: string) => string | null = () => null): Map<string, string> {
  const byLabel = new Map<string, Labelled[]>();
  for (const one of all) byLabel.set(one.label, [...(byLabel.get(one.label) ?? []), one]);
  return new Map(
    [...byLabel.values()].flatMap((same) => {
      if (same.length === 1) return same.map(({ id, label }): [string, string] => [id, label]);
      const hints = same.map(({ id }) => hint(id));
      const isPlain = hints.every((one) => one !== null) && new Set(hints).size === same.length;
      const ends = endings(same.map(({ id }) => id));
      return same.map(({ id, label }, at): [string, string] => [id, `${label} · ${isPlain ? hints[at] : ends[at]}`]);
    }),
  );
}

export function labelsOf(all: Named[], hint?: (id: string) => string | null): Map<string, string> {
  return tellApart(
    all.map(({ id, name }) => ({ id, label: name ?? id })),
    hint,
  );
}

/** The shortest ends of ids that differ. */
function endings(ids: string[]): string[] {
  const longest = Math.max(...ids.map((id) => id.length));
  for (let length = SHOWN_MIN; length < longest; length += 1) {
    const ends = ids.map((id) => id.slice(-length));
    if (new Set(ends).size === ids.length) return ends.map((end, at) => (end === ids[at] ? end : `…${end}`));
  }
  return ids;
}
