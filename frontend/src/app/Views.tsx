import { ActionIcon, Button, Radio, TextInput } from '@mantine/core';
import { useState, type FormEvent } from 'react';
import { Link, useLocation } from 'react-router';
import type { SavedView } from 'umbler-hub-client';

import { reasonOf } from '../hub/errors.ts';
import { settings } from '../hub/hub.tsx';
import { useRole } from '../hub/role.ts';
import { useStore } from '../hub/store.ts';
import { forTeam } from '../hub/team-view.ts';
import { changeTeam, keepOwn, NAME_MAX, ownViews, viewAddress, VIEWS_MAX, withView } from '../hub/views.ts';
import { Dialog } from '../parts/Dialog.tsx';
import { Icon } from '../parts/icons.tsx';
import { useWords, type Say } from '../words/words.ts';
import { PAGES } from './pages.ts';

/** Filters and layouts under names: one's own, and those of the team. */
export default function Views({ close }: { close: () => void }) {
  const say = useWords();
  const own = useStore(ownViews);
  const known = useStore(settings);
  const team = known.settings?.views ?? [];
  const isAdmin = useRole() === 'admin';
  const [failure, setFailure] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);

  async function inTeam(change: (views: SavedView[]) => SavedView[]): Promise<boolean> {
    setBusy(true);
    setFailure(null);
    try {
      await changeTeam(change);
      return true;
    } catch (error) {
      setFailure(reasonOf(error));
      return false;
    } finally {
      setBusy(false);
    }
  }
  const without = (name: string) => (views: SavedView[]) => views.filter((one) => one.name !== name);
  return (
    <Dialog title={say('views')} close={close}>
      <div className="views">
        <List title={say('viewsOwn')} empty={say('viewsOwnNone')} views={own} close={close}>
          {(name) => <Remove name={name} run={() => keepOwn(without(name)(own))} />}
        </List>
        <List title={say('viewsTeam')} empty={say('viewsTeamNone')} views={team} close={close}>
          {(name) => isAdmin && <Remove name={name} busy={busy} run={() => void inTeam(without(name))} />}
        </List>
        <SaveView
          busy={busy}
          // Settings that nobody has saved yet would begin to raise alerts with it.
          teamHurdle={!isAdmin ? say('viewsAdmins') : known.updatedAt === null ? say('viewsNoSettings') : null}
          save={async (view, isForTeam) => {
            if (isForTeam) return inTeam((views) => withView(views, view));
            keepOwn(withView(own, view).slice(-VIEWS_MAX));
            return true;
          }}
        />
        {failure !== null && (
          <p role="alert" className="refusal">
            {say('refused', { reason: failure })}
          </p>
        )}
      </div>
    </Dialog>
  );
}

interface ListProps {
  title: string;
  empty: string;
  views: SavedView[];
  close: () => void;
  children: (name: string) => React.ReactNode;
}

function List({ title, empty, views, close, children }: ListProps) {
  const say = useWords();
  return (
    <section>
      <h3>{title}</h3>
      {views.length === 0 && <p className="quiet">{empty}</p>}
      <ul>
        {views.map(({ name, address }) => (
          <li key={name}>
            <Link to={address} onClick={close}>
              {name}
            </Link>
            <span className="quiet">{pageOf(say, address)}</span>
            {children(name)}
          </li>
        ))}
      </ul>
    </section>
  );
}

function Remove({ name, busy = false, run }: { name: string; busy?: boolean; run: () => void }) {
  const say = useWords();
  const label = `${say('remove')}: ${name}`;
  return (
    <ActionIcon variant="subtle" color="gray" disabled={busy} onClick={run} aria-label={label} title={label}>
      <Icon name="close" />
    </ActionIcon>
  );
}

interface SaveViewProps {
  busy: boolean;
  /** Why nothing can be saved for the team; null: it can. */
  teamHurdle: string | null;
  /** True once it is saved. */
  save: (view: SavedView, isForTeam: boolean) => Promise<boolean>;
}

function SaveView({ busy, teamHurdle, save }: SaveViewProps) {
  const say = useWords();
  const { pathname, search } = useLocation();
  const address = viewAddress(pathname, search);
  const [name, setName] = useState('');
  const [whose, setWhose] = useState('own');
  const [done, setDone] = useState<string | null>(null);
  if (address === null) return <p className="quiet">{say('viewsNotHere')}</p>;

  async function submit(event: FormEvent) {
    event.preventDefault();
    if (address === null || !(await save({ name: name.trim(), address }, whose === 'team'))) return;
    setDone(name.trim());
    setName('');
  }
  return (
    <form onSubmit={(event) => void submit(event)}>
      <h3>{say('viewsSave')}</h3>
      <p className="quiet">{say('viewsSaveHint', { page: pageOf(say, address) })}</p>
      <TextInput
        label={say('viewsName')}
        value={name}
        maxLength={NAME_MAX}
        required
        withAsterisk={false}
        data-autofocus=""
        onChange={(event) => setName(event.currentTarget.value)}
      />
      <Radio.Group value={whose} onChange={setWhose} label={say('viewsWhose')}>
        <Radio value="own" label={say('viewsForMe')} />
        <Radio
          value="team"
          label={say('viewsForTeam')}
          disabled={teamHurdle !== null}
          description={teamHurdle ?? (forTeam({ name, address }).address !== address && say('viewsNoSearch'))}
        />
      </Radio.Group>
      <footer>
        <span className="quiet" role="status">
          {done !== null && say('viewsSaved', { name: done })}
        </span>
        <Button type="submit" loading={busy} disabled={name.trim() === ''}>
          {say('save')}
        </Button>
      </footer>
    </form>
  );
}

function pageOf(say: Say, address: string): string {
  const page = PAGES.find(({ path }) => address.startsWith(path));
  return address.startsWith('/live?wall') ? say('wall') : page === undefined ? '' : say(page.name);
}
