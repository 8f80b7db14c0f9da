// @ts-check
/**
 * The client of Umbler Hub.
 *
 *     import hub from 'umbler-hub-client';
 *     hub.on('umbler_update', (update) => console.log(update.type));
 *     hub.subscribeToUpdates();
 *     await hub.connect();
 */

import { DEFAULT_CHANNELS, UmblerHubClient } from './lib/client.js';
import { HubError } from './lib/envelope.js';
import { erasedChat, erasedContact, erasedMessage } from './lib/erased.js';
import { compareMessages, momentOf } from './lib/message-order.js';
import { sortKey } from './lib/ordered-list.js';

/** The page's one connection. Nothing happens before `connect()`. */
const hub = new UmblerHubClient();

export default hub;
export {
  compareMessages,
  DEFAULT_CHANNELS,
  erasedChat,
  erasedContact,
  erasedMessage,
  HubError,
  momentOf,
  sortKey,
  UmblerHubClient,
};
