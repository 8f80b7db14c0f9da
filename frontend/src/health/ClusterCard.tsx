import { age, number } from '../words/format.ts';
import { type Say, useWords } from '../words/words.ts';
import { type Fact, Facts } from './Facts.tsx';
import type { Cluster, ClusterHub, Health } from './vitals.ts';

/** A hub tells of itself every five seconds. */
const SILENT_SECONDS = 15;

/** The hubs that share this journal, how each fares, and the servers that keep the journal; nothing where a hub is on its own. */
export function ClusterCard({ health }: { health: Health }) {
  const say = useWords();
  const { cluster } = health;
  if (!cluster) return null;
  const hubs = hubsOf(health, cluster);
  const ready = hubs.filter((hub) => hub.ready).length;
  const waits = hubs.some((hub) => hub.inbox > 0);
  return (
    <section className="card" aria-labelledby="cluster-title" data-testid="cluster">
      <h2 id="cluster-title">{say('cluster')}</h2>
      <p className="quiet">{say('clusterHubs', { ready, count: hubs.length })}</p>
      <ul className="nodes">
        {hubs.map((hub) => (
          <HubRow key={hub.node} hub={hub} isHere={hub.node === cluster.node} />
        ))}
      </ul>
      {waits && <p className="quiet">{say('inboxHint')}</p>}
      <ClusterFacts cluster={cluster} />
    </section>
  );
}

/** This hub and the others, by name. */
function hubsOf(health: Health, cluster: Cluster): ClusterHub[] {
  const { node, applied, ready, lagSeconds, inbox, duties, halted } = cluster;
  const { sessions, version } = health;
  const here = { node, applied, ready, lagSeconds, inbox, duties, halted, sessions, version, heardSecondsAgo: 0 };
  return [here, ...cluster.peers].sort((one, other) => one.node.localeCompare(other.node));
}

function HubRow({ hub, isHere }: { hub: ClusterHub; isHere: boolean }) {
  const say = useWords();
  const rows: Fact[] = [
    [say('nodeLag'), hub.lagSeconds > 0 ? age(hub.lagSeconds * 1000) : say('nodeLagNone'), hub.lagSeconds > 0],
    [say('nodeInbox'), number(hub.inbox), hub.inbox > 0],
    [say('nodeApplied'), number(hub.applied), false],
    [say('sessions'), number(hub.sessions), false],
    [say('version'), hub.version, false],
  ];
  return (
    <li className="node" data-node={hub.node} data-tone={hub.ready ? 'good' : 'bad'}>
      <h3>
        {say('nodeName', { name: hub.node })} {isHere && <em className="chip">{say('nodeHere')}</em>}
        {hub.duties && <em className="chip">{say('nodeDuties')}</em>}
      </h3>
      <p className="node-state">{stateOf(say, hub)}</p>
      <Facts rows={rows} />
    </li>
  );
}

function stateOf(say: Say, { ready, halted, heardSecondsAgo }: ClusterHub): string {
  if (halted) return say('nodeHalted', { reason: halted });
  if (heardSecondsAgo >= SILENT_SECONDS) return say('nodeSilent', { age: age(heardSecondsAgo * 1000) });
  return ready ? say('nodeReady') : say('nodeNotReady');
}

function ClusterFacts({ cluster: { connected, replicas, replicasCurrent, newest } }: { cluster: Cluster }) {
  const say = useWords();
  const known = replicas > 0;
  const values = { current: replicasCurrent, count: replicas };
  const rows: Fact[] = [
    [say('natsConnection'), connected ? say('natsConnected') : say('natsCutOff'), !connected],
    [
      say('natsReplicas'),
      known ? say('natsReplicasOf', values) : say('natsReplicasUnknown'),
      known && replicasCurrent < replicas,
    ],
    [say('streamNewest'), number(newest), false],
  ];
  return <Facts rows={rows} />;
}
