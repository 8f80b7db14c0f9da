import { Skeleton } from '@mantine/core';
import { Fragment, lazy, Suspense } from 'react';
import { NavLink, useParams } from 'react-router';

import { Lost } from '../app/Lost.tsx';
import { useWords } from '../words/words.ts';
import './settings.css';

// Each part is sent when it is opened: nobody needs all three at once.
const Directory = lazy(() => import('./Directory.tsx'));
const Rules = lazy(() => import('./Rules.tsx'));
const UmblerPart = lazy(() => import('./UmblerSetup.tsx'));

const PARTS = ['agents', 'rules', 'umbler'] as const;
const SECTIONS = [
  ['set-deadlines', 'deadlines'],
  ['set-idle', 'idleTitle'],
  ['set-hours', 'hours'],
  ['set-holidays', 'holidays'],
  ['set-report', 'dailyReport'],
] as const;

/** What an admin says once and everybody works by. Everybody else may read it. */
export default function SettingsPage() {
  const say = useWords();
  const { part = 'agents' } = useParams();
  const shown = PARTS.find((known) => known === part);
  if (shown === undefined) return <Lost />;
  return (
    <div className="page settings">
      <nav className="parts" aria-label={say('settings')}>
        <h1>{say('settings')}</h1>
        {PARTS.map((name) => (
          <Fragment key={name}>
            <NavLink
              to={`/settings/${name}`}
              aria-current={name === shown ? 'page' : undefined}
              className={name === shown ? 'active' : ''}
            >
              {say(name)}
            </NavLink>
            {name === 'rules' && shown === name && <Sections />}
          </Fragment>
        ))}
      </nav>
      <Suspense
        fallback={
          <div className="fields" role="status" aria-busy="true" aria-label={say('loading')}>
            <Skeleton height={220} />
          </div>
        }
      >
        {shown === 'agents' && (
          <div className="fields">
            <Directory />
          </div>
        )}
        {shown === 'rules' && <Rules />}
        {shown === 'umbler' && (
          <div className="fields">
            <UmblerPart />
          </div>
        )}
      </Suspense>
    </div>
  );
}

/** The parts of a long form, each a click away. */
function Sections() {
  const say = useWords();
  return (
    <ul className="sections">
      {SECTIONS.map(([id, name]) => (
        <li key={id}>
          <button
            type="button"
            onClick={() => document.getElementById(id)?.scrollIntoView({ block: 'start', behavior: 'smooth' })}
          >
            {say(name)}
          </button>
        </li>
      ))}
    </ul>
  );
}
