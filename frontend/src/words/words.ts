import type { Status } from 'umbler-hub-client';

const EN = {
  connecting: 'Connecting…',
  connected: 'Live',
  recovering: 'Reconnecting…',
  stale: 'Out of date',
  disconnected: 'Disconnected',
  unauthorized: 'Not signed in',
  contacts: 'Contacts',
  messages: 'Messages',
  open: 'Open chats',
  waiting: 'Waiting',
  noChats: 'No chat is open.',
  unnamed: 'Unnamed',
} satisfies Record<Status, string> & Record<string, string>;

const PT: typeof EN = {
  connecting: 'Conectando…',
  connected: 'Ao vivo',
  recovering: 'Reconectando…',
  stale: 'Desatualizado',
  disconnected: 'Desconectado',
  unauthorized: 'Não autenticado',
  contacts: 'Contatos',
  messages: 'Mensagens',
  open: 'Conversas abertas',
  waiting: 'Em espera',
  noChats: 'Nenhuma conversa aberta.',
  unnamed: 'Sem nome',
};

/** What the page says, in the browser's language. */
export const words = navigator.language.startsWith('pt') ? PT : EN;
