import { NativeSelect, TextInput } from '@mantine/core';
import { useState } from 'react';

import { useWords } from '../words/words.ts';
import { useSectors } from './sectors.ts';

const OTHER = '\u0000other';

interface SectorFieldProps {
  label: string;
  value: string;
  change: (id: string) => void;
  none: string;
  /** Ids that are not to be chosen again. */
  without?: string[];
  error?: string | undefined;
}

/** One of the sectors that are known here, or another by its id. */
export function SectorField({ label, value, change, none, without = [], error }: SectorFieldProps) {
  const say = useWords();
  const sectors = useSectors();
  const [other, setOther] = useState(value !== '' && !sectors.has(value));
  const known = [...sectors].filter(([id]) => !without.includes(id)).map(([id, name]) => ({ value: id, label: name }));
  return (
    <div className="sector-field">
      <NativeSelect
        label={label}
        value={other ? OTHER : value}
        data={[{ value: '', label: none }, ...known, { value: OTHER, label: say('otherSector') }]}
        {...(other ? {} : { error })}
        onChange={({ currentTarget }) => {
          setOther(currentTarget.value === OTHER);
          if (currentTarget.value !== OTHER) change(currentTarget.value);
        }}
      />
      {other && (
        <TextInput
          label={say('sectorId')}
          value={value}
          error={error}
          onChange={(event) => change(event.currentTarget.value)}
          autoComplete="off"
          spellCheck={false}
        />
      )}
    </div>
  );
}
