import { Button, NativeSelect, TextInput } from '@mantine/core';
import { useState } from 'react';

import { useWords } from '../words/words.ts';
import { beginning, KINDS, type Draft, type Kind, type Limits } from './draft.ts';
import { SectorField } from './SectorField.tsx';
import { useSectors } from './sectors.ts';

interface PartProps {
  draft: Draft;
  change: (change: Partial<Draft>) => void;
  problems: Map<string, string>;
}

/** From when a wait is an alert: for all, and where a sector differs. */
export function ThresholdForm({ draft, change, problems }: PartProps) {
  const say = useWords();
  const sectors = useSectors();
  const setSector = (id: string, limits: Limits) =>
    change({ sectors: draft.sectors.map((one) => (one.id === id ? { id, limits } : one)) });
  return (
    <section className="card" id="set-deadlines">
      <h2>{say('deadlines')}</h2>
      <p className="quiet">{say('deadlinesHint')}</p>
      <LimitFields
        legend={say('allSectors')}
        path="thresholds.default"
        limits={draft.limits}
        inherited={null}
        problems={problems}
        change={(limits) => change({ limits: limits as Draft['limits'] })}
      />
      {draft.sectors.map(({ id, limits }) => (
        <LimitFields
          key={id}
          legend={sectors.get(id) ?? id}
          path={`thresholds.sectors.${id}`}
          limits={limits}
          inherited={draft.limits}
          problems={problems}
          change={(changed) => setSector(id, changed)}
          remove={() => change({ sectors: draft.sectors.filter((one) => one.id !== id) })}
        />
      ))}
      <AddSector
        taken={draft.sectors.map(({ id }) => id)}
        add={(id) => change({ sectors: [...draft.sectors, { id, limits: {} }] })}
      />
    </section>
  );
}

function AddSector({ taken, add }: { taken: string[]; add: (id: string) => void }) {
  const say = useWords();
  const [id, setId] = useState('');
  const [round, setRound] = useState(0);
  const chosen = id.trim();
  return (
    <div className="add">
      <SectorField
        key={round}
        label={say('differs')}
        value={id}
        change={setId}
        none={say('chooseSector')}
        without={taken}
      />
      <Button
        variant="default"
        disabled={chosen === '' || taken.includes(chosen)}
        onClick={() => {
          add(chosen);
          setId('');
          setRound(round + 1);
        }}
      >
        {say('addSector')}
      </Button>
    </div>
  );
}

interface LimitFieldsProps {
  legend: string;
  path: string;
  limits: Limits;
  /** What counts where a sector says nothing; null: this is what counts. */
  inherited: Limits | null;
  problems: Map<string, string>;
  change: (limits: Limits) => void;
  remove?: () => void;
}

function LimitFields({ legend, path, limits, inherited, problems, change, remove }: LimitFieldsProps) {
  const say = useWords();
  const set = (kind: Kind, value: string | null | undefined) => {
    const { [kind]: _, ...others } = limits;
    change(value === undefined ? others : { ...others, [kind]: value });
  };
  return (
    <fieldset className="limits">
      <legend>
        {legend}{' '}
        {remove && (
          <Button
            size="compact-xs"
            variant="subtle"
            color="gray"
            onClick={remove}
            aria-label={`${say('remove')}: ${legend}`}
          >
            {say('remove')}
          </Button>
        )}
      </legend>
      {KINDS.map((kind) => {
        const value = limits[kind];
        const mode = value === undefined ? 'all' : value === null ? 'none' : 'own';
        const label = say(`limit_${kind}`);
        const all = inherited?.[kind];
        const id = `${path}.${kind}`;
        return (
          <div key={kind} className="limit">
            <label htmlFor={id}>{label}</label>
            <NativeSelect
              id={id}
              size="sm"
              value={mode}
              data={[
                ...(inherited === null
                  ? []
                  : [
                      {
                        value: 'all',
                        label: all === null || all === undefined ? say('asAllNone') : say('asAll', { minutes: all }),
                      },
                    ]),
                { value: 'own', label: say('afterMinutes') },
                { value: 'none', label: say('noAlert') },
              ]}
              onChange={({ currentTarget: { value: chosen } }) =>
                set(kind, chosen === 'all' ? undefined : chosen === 'none' ? null : (all ?? beginning(kind)))
              }
            />
            {mode === 'own' && (
              <TextInput
                size="sm"
                type="number"
                min={0}
                step="any"
                required
                withAsterisk={false}
                aria-label={`${label}, ${legend}: ${say('minutes')}`}
                value={value ?? ''}
                description={say('usualMinutes', { minutes: beginning(kind) })}
                inputWrapperOrder={['label', 'input', 'description', 'error']}
                error={problems.get(`${path}.${kind}`)}
                onChange={(event) => set(kind, event.currentTarget.value)}
                rightSection={
                  <span className="quiet" aria-hidden="true">
                    min
                  </span>
                }
              />
            )}
          </div>
        );
      })}
    </fieldset>
  );
}
