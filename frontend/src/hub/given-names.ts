/** What sectors, lines and tags are called: names from Umbler's lists, and names that an admin set, which win. */

import type { GivenName, Named, UmblerHubClient } from 'umbler-hub-client';

import { reasonOf } from './errors.ts';
import { Store } from './store.ts';
import { onStream } from './stream.ts';

export const PATH = '/api/umbler/names';

/** By kind and id. */
export type GivenNames = ReadonlyMap<string, GivenName>;

export const keyOf = (what: GivenName['what'], id: string): string => `${what}:${id}`;

export class GivenNameStore extends Store<GivenNames> {
  #client: UmblerHubClient;
  #reading = 0;
  failure: string | null = null;

  constructor(client: UmblerHubClient) {
    super(new Map());
    this.#client = client;
    onStream(client, () => void this.read());
    client.on('umbler_update', ({ type }) => {
      // It tells no names: not everybody may see them.
      if (type === 'names_updated') void this.read();
    });
    client.on('status', (status) => {
      if (status === 'unauthorized') this.set(new Map());
    });
  }

  async read() {
    const reading = ++this.#reading;
    try {
      const { names } = (await this.#client.get(PATH)) as { names: GivenName[] };
      this.failure = null;
      if (reading === this.#reading) this.set(new Map(names.map((name) => [keyOf(name.what, name.id), name])));
    } catch (error) {
      // Names then are those that chats have; the next beginning of the stream tries again.
      this.failure = reasonOf(error);
    }
  }
}

/** The name of a thing: the one that an admin set, else its own, else the one of Umbler's list; null where there is none. */
export function calledOf(given: GivenNames, what: GivenName['what'], named: Pick<Named, 'id' | 'name'>): string | null {
  const known = given.get(keyOf(what, named.id));
  if (known?.origin === 'admin') return known.name;
  return named.name ?? known?.name ?? null;
}
