/** The declared types are those of the code: this file is only ever type-checked. */

import hub, {
  type HubError as DeclaredError,
  type UmblerHubClient as DeclaredClient,
} from '../../../static/client/index.js';
import { useWebSocket as declaredHook } from '../../../static/client/react.js';
import { UmblerHubClient as Client } from '../../../static/client/lib/client.js';
import { HubError } from '../../../static/client/lib/envelope.js';

export const client: DeclaredClient = new Client();
export const error: DeclaredError = new HubError('code', 'message');

// What is listened to has its types.
hub.on('umbler_update', (update, envelope) => `${update.type} ${update.chat?.contactName} ${envelope.seq}`);
hub.on('status', (status) => status === 'stale');
hub.on('data', (data) => data.stats?.totalContacts);
hub.on('metrics', ({ channel, live, today }) => `${channel} ${live[0]?.open} ${today[0]?.medianMs}`);
hub.on('metrics_update', ({ full, live }) => full && live.gone.length);
hub.metrics('metrics:agents')?.live.map((row) => row.id);
// @ts-expect-error there is no such channel
hub.metrics('metrics:everything');
// @ts-expect-error there is no such event
hub.on('umbler_updates', () => {});
// @ts-expect-error there is no such status
hub.on('status', (status) => status === 'open');

export function component() {
  const {
    umblerData,
    requestData,
    connectionStatus,
    isConnected,
    error: problem,
  } = declaredHook({ onMessage: (update) => update.changes });
  return [umblerData.stats?.totalContacts, requestData(), connectionStatus, isConnected, problem?.message];
}
