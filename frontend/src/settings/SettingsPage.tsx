import { NavLink, useParams } from 'react-router';

import { Lost } from '../app/Lost.tsx';
import { useWords } from '../words/words.ts';
import { Directory } from './Directory.tsx';
import { Rules } from './Rules.tsx';
import './settings.css';

const PARTS = ['agents', 'rules'] as const;

/** What an admin says once and everybody works by. Everybody else may read it. */
export default function SettingsPage() {
  const say = useWords();
  const { part = 'agents' } = useParams();
  const shown = PARTS.find((known) => known === part);
  if (shown === undefined) return <Lost />;
  return (
    <div className="page settings">
      <header className="title">
        <h1>{say('settings')}</h1>
        <nav className="parts" aria-label={say('settings')}>
          {PARTS.map((name) => (
            <NavLink
              key={name}
              to={`/settings/${name}`}
              aria-current={name === shown ? 'page' : undefined}
              className={name === shown ? 'active' : ''}
            >
              {say(name)}
            </NavLink>
          ))}
        </nav>
      </header>
      {shown === 'agents' ? <Directory /> : <Rules />}
    </div>
  );
}
