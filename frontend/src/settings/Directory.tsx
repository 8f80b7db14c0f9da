import { Button, NativeSelect, Skeleton, TextInput } from '@mantine/core';
import { useEffect, useMemo, useState } from 'react';
import { useSearchParams } from 'react-router';

import { hub, useHub } from '../hub/hub.tsx';
import { MemberStore, type ListedMember, type MemberFilter } from '../hub/members.ts';
import { useRole } from '../hub/role.ts';
import { useStore } from '../hub/store.ts';
import { Avatar } from '../parts/Avatar.tsx';
import { Missing } from '../parts/Missing.tsx';
import { Failure } from '../parts/Notice.tsx';
import { fullMoment, moment, number } from '../words/format.ts';
import { useWords } from '../words/words.ts';
import { ImportDialog } from './ImportDialog.tsx';
import { MemberDialog } from './MemberDialog.tsx';
import { useSectors } from './sectors.ts';

/** How long typing rests before the hub is asked. */
const TYPING_MS = 250;
const NEW: ListedMember = { id: '', name: null, photoUrl: null, sectorId: null, known: false, updatedAt: null };

/** Who is who: the provider tells ids of agents alone. */
export default function Directory() {
  const say = useWords();
  const isAdmin = useRole() === 'admin';
  // Who came for those without a name is shown these.
  const isForNameless = useSearchParams()[0].get('known') === 'false';
  const [filter, setFilter] = useState<MemberFilter>({ search: '', known: isForNameless ? 'false' : '' });
  const { store, again } = useMembers(filter);
  const list = useStore(store);
  const [edited, setEdited] = useState<ListedMember | null>(null);
  const [importing, setImporting] = useState(false);
  const { members, total, failure } = list;
  const narrowed = filter.search !== '' || filter.known !== '';
  if (list.missing)
    return (
      <section className="card">
        <Missing />
      </section>
    );
  return (
    <section className="card directory" aria-labelledby="directory-title">
      <header>
        <h2 id="directory-title">{say('directory')}</h2>
        {isAdmin && (
          <div className="tools">
            <Button size="compact-sm" variant="default" onClick={() => setImporting(true)}>
              {say('importCsv')}
            </Button>
            <Button size="compact-sm" onClick={() => setEdited(NEW)}>
              {say('newAgent')}
            </Button>
          </div>
        )}
      </header>
      <p className="quiet">
        {say('directoryHint')}
        {!isAdmin && ` ${say('adminsOnly')}`}
      </p>
      <Narrow filter={filter} change={setFilter} />
      <p className="count quiet" role="status">
        {members === null ? say('loading') : say('agentCount', { count: number(total) })}
      </p>
      {failure !== null && <Failure reason={failure} again={again} />}
      {members === null && failure === null && (
        <div aria-hidden="true">
          {[1, 2, 3, 4].map((row) => (
            <Skeleton key={row} height={48} className="bone" />
          ))}
        </div>
      )}
      {members?.length === 0 && <p className="blank">{say(narrowed ? 'noAgentMatch' : 'noAgents')}</p>}
      {members !== null && members.length > 0 && <Table members={members} edit={isAdmin ? setEdited : null} />}
      {list.hasMore && (
        <Button variant="default" loading={list.busy} onClick={() => void store.more()}>
          {say('more')}
        </Button>
      )}
      {edited !== null && <MemberDialog member={edited} close={() => setEdited(null)} />}
      {importing && <ImportDialog close={() => setImporting(false)} />}
    </section>
  );
}

function useMembers(filter: MemberFilter) {
  const { isConnected } = useHub();
  const store = useMemo(() => new MemberStore(hub, filter), [filter]);
  const [begun, setBegun] = useState(isConnected);
  if (isConnected && !begun) setBegun(true);
  useEffect(() => (begun ? store.open() : undefined), [store, begun]);
  return { store, again: () => void store.read() };
}

function Narrow({ filter, change }: { filter: MemberFilter; change: (filter: MemberFilter) => void }) {
  const say = useWords();
  const isViewer = useRole() === 'viewer';
  const [typed, setTyped] = useState(filter.search);
  useEffect(() => {
    if (typed.trim() === filter.search) return;
    const timer = setTimeout(() => change({ ...filter, search: typed.trim() }), TYPING_MS);
    return () => clearTimeout(timer);
  }, [typed, filter, change]);
  const label = say(isViewer ? 'searchViewer' : 'searchAgents');
  return (
    <div className="narrow" role="search" aria-label={say('directory')}>
      <TextInput
        type="search"
        size="sm"
        aria-label={label}
        placeholder={label}
        value={typed}
        disabled={isViewer}
        maxLength={100}
        onChange={(event) => setTyped(event.currentTarget.value)}
      />
      <NativeSelect
        size="sm"
        aria-label={say('entry')}
        value={filter.known}
        onChange={(event) => change({ ...filter, known: event.currentTarget.value as MemberFilter['known'] })}
        data={[
          { value: '', label: say('everybody') },
          { value: 'false', label: say('unnamedOnly') },
          { value: 'true', label: say('namedOnly') },
        ]}
      />
    </div>
  );
}

function Table({ members, edit }: { members: ListedMember[]; edit: ((member: ListedMember) => void) | null }) {
  const say = useWords();
  const sectors = useSectors();
  return (
    <table className="people">
      <thead>
        <tr>
          <th scope="col">{say('agent')}</th>
          <th scope="col" className="wide-only">
            {say('sector')}
          </th>
          <th scope="col" className="wide-only">
            {say('changedAt')}
          </th>
          {edit && (
            <th scope="col">
              <span className="hidden">{say('edit')}</span>
            </th>
          )}
        </tr>
      </thead>
      <tbody>
        {members.map((member) => (
          <tr key={member.id}>
            <th scope="row">
              <span className="person">
                <Avatar name={member.name} picture={member.photoUrl} />
                <span className="main">
                  <span className="name">
                    {member.name ?? <span className="quiet">{say('withoutName')}</span>}
                    {!member.known && member.name !== null && (
                      <em className="chip" data-urgency="attention">
                        {say('noEntry')}
                      </em>
                    )}
                  </span>
                  <code className="quiet small">{member.id}</code>
                </span>
              </span>
            </th>
            <td className="wide-only">
              {member.sectorId === null ? '–' : (sectors.get(member.sectorId) ?? member.sectorId)}
            </td>
            <td className="wide-only">
              {member.updatedAt === null ? (
                '–'
              ) : (
                <time dateTime={member.updatedAt} title={fullMoment(member.updatedAt)}>
                  {moment(member.updatedAt)}
                </time>
              )}
            </td>
            {edit && (
              <td>
                <Button
                  size="compact-sm"
                  variant="default"
                  onClick={() => edit(member)}
                  aria-label={`${say(member.known ? 'edit' : 'giveName')}: ${member.name ?? member.id}`}
                >
                  {say(member.known ? 'edit' : 'giveName')}
                </Button>
              </td>
            )}
          </tr>
        ))}
      </tbody>
    </table>
  );
}
