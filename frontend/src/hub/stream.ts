/** Where the stream of updates begins, goes on after a loss, or has left something out. */

import type { UmblerHubClient } from 'umbler-hub-client';

/**
 * Tells at each of these whether updates were missed, so that what is held has to be read anew. Channels that are added
 * later in a session are answered as well, with neither a recovery nor a reason: nothing was missed then.
 */
export function onStream(client: UmblerHubClient, begun: (stream: { missed: boolean }) => void): () => void {
  const stops = [
    client.on('subscribed', ({ recovered, reason }) => {
      if (recovered || reason !== undefined) begun({ missed: !recovered });
    }),
    client.on('resync_required', () => begun({ missed: true })),
  ];
  return () => {
    for (const stop of stops) stop();
  };
}
