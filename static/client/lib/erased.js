// @ts-check
/** What is left on a screen once a person's data were erased (`contact_erased`): ids, times and what the team did. */

/** @import { Chat, Contact, Message, MessageSummary } from '../types.d.ts' */

/** @param {Contact} contact @returns {Contact} */
export function erasedContact(contact) {
  const { lastMessage } = contact;
  return {
    ...contact,
    name: null,
    phone: null,
    pictureUrl: null,
    blocked: false,
    tags: [],
    lastMessage: erasedSummary(lastMessage),
  };
}

/** @param {Chat} chat @returns {Chat} */
export function erasedChat(chat) {
  return { ...chat, contactName: null, contactPhone: null, lastMessage: erasedSummary(chat.lastMessage) };
}

/** @param {Message} message @returns {Message} */
export function erasedMessage(message) {
  const { author, source, text, file, location, contacts } = message;
  const hadContent = text !== null || file !== null || location !== null || contacts.length > 0;
  return {
    ...message,
    ...(hadContent && { erased: true }),
    text: null,
    editedAt: null,
    reactions: [],
    file: null,
    location: null,
    contacts: [],
    author: author !== null && source !== 'Member' ? { ...author, name: null } : author,
  };
}

/** @param {MessageSummary | null} summary @returns {MessageSummary | null} */
function erasedSummary(summary) {
  return summary && { ...summary, text: null };
}
