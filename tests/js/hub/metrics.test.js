/** The client on the real hub: its tables of metrics are what REST answers, whatever happens in between. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Random } from '../support/random.js';
import { spawnHub } from '../support/hub.js';
import { next, screen } from '../support/screen.js';

/** Without what ticks. */
function still(rows) {
  return rows.map((row) =>
    Object.fromEntries(Object.entries(row).filter(([column]) => !column.endsWith('BusinessMs'))),
  );
}

/** Waits until the tables of a channel are as new as this position. */
async function reaches(client, channel, seq) {
  while ((client.metrics(channel)?.asOfSeq ?? -1) < seq) await next(client, 'metrics');
}

test('tables that are merged from what changed are those of REST, after a restart too', async (t) => {
  const hub = await spawnHub(t);
  const client = screen(t, hub);
  client.subscribeToUpdates(['metrics:live', 'metrics:agents']);
  await client.connect();
  const random = new Random(7);
  for (const round of [1, 2]) {
    for (let step = 0; step < 40; step += 1) {
      const agent = `agent-${random.below(3)}`;
      await hub.says(`chat-${random.below(5)}`, 'hello', (delivery, content) => {
        // Long enough ago to be counted now, and far from turning idle.
        const at = new Date(Date.now() - 60_000).toISOString();
        delivery.EventDate = content.LastMessage.EventAtUTC = at;
        if (random.chance(0.7)) content.OrganizationMember = { Id: agent };
        if (random.chance(0.4))
          Object.assign(content.LastMessage, { Source: 'Member', SentByOrganizationMember: { Id: agent } });
      });
    }
    const { seq } = await hub.json('/health');
    for (const [channel, live, today] of [
      ['metrics:live', '/live', '/summary'],
      ['metrics:agents', '/live?by=agent', '/agents'],
    ]) {
      await reaches(client, channel, seq);
      const asked = await hub.json(`/api/umbler/metrics${live}`);
      assert.deepEqual(still(client.metrics(channel).live), still(asked.rows), channel);
      assert.deepEqual(client.metrics(channel).today, (await hub.json(`/api/umbler/metrics${today}`)).rows, channel);
    }
    if (round === 1) {
      await hub.kill();
      await hub.start();
    }
  }
});
