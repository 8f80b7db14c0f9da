// @ts-check
/** What the page says, in Portuguese and English. */

/** @typedef {keyof typeof EN} Word */

const EN = {
  skip: 'Skip to the chats',
  language: 'Português',
  languageLabel: 'Mudar para português',
  dark: 'Dark',
  light: 'Light',
  signOut: 'Sign out',
  signIn: 'Sign in',
  signInTitle: 'Sign in',
  signInHint: 'This hub asks for a token. It is kept in this tab only. The command “umbler-hub token” makes one.',
  token: 'Token',
  stats: 'Numbers',
  chats: 'Open chats',
  updates: 'Updates',
  pause: 'Pause',
  resume: 'Resume',
  codeTitle: 'How this page is made',
  codeHint: 'This page uses only the client that the hub serves. Eight lines are enough:',
  apiDocs: 'REST API',
  connecting: 'Connecting…',
  connected: 'Live',
  recovering: 'Reconnecting…',
  stale: 'Out of date',
  disconnected: 'Disconnected',
  unauthorized: 'Not signed in',
  overStream: 'by event stream',
  heardAgo: 'last signal {age} ago',
  asOfAgo: 'as of {age} ago',
  openChats: 'Open chats',
  waitingChats: 'On the waiting list',
  messagesToday: 'Messages today',
  totalChats: 'Chats',
  totalContacts: 'Contacts',
  totalMessages: 'Messages',
  loading: 'Loading…',
  noChats: 'No open chats. Chats from Umbler Talk show up here at once; “umbler-hub simulate” makes some.',
  noUpdates: 'Nothing has happened since this page was opened.',
  noConnection: 'No connection to the hub.',
  chooseChat: 'Messages',
  chooseChatHint: 'Choose a chat to read its messages.',
  noMessages: 'This chat has no messages yet.',
  messagesFailed: 'Could not load the messages: {reason}',
  chatGone: 'You can no longer see this chat.',
  more: '{count} more',
  waitingFor: 'waiting {age}',
  nobody: 'unassigned',
  unnamed: 'No name',
  edited: 'edited',
  deleted: 'This message was deleted.',
  note: 'private note',
  bot: 'Bot',
  agent: 'Agent',
  file: 'Open file',
  seconds: '{count} s',
  minutes: '{count} min',
  hours: '{count} h',
  days: '{count} d',
  unrecognized: 'Not understood',
  new_message: 'New message',
  chat_closed: 'Chat closed',
  chat_reopened: 'Chat reopened',
  chat_opened: 'Chat opened',
  chat_transferred: 'Transferred',
  chat_sector_changed: 'Sector changed',
  chat_tags_changed: 'Tags changed',
  chat_visibility_changed: 'Visibility changed',
  message_updated: 'Message updated',
  contact_updated: 'Contact updated',
  chat_updated: 'Chat updated',
  chat_entered: 'Chat became visible',
  chat_gone: 'Chat no longer visible',
  notification: 'Notification',
  member_updated: 'Agents renamed',
  alert_raised: 'Alert',
  alert_cleared: 'Alert over',
  alert_acknowledged: 'Alert taken',
  settings_updated: 'Settings changed',
  link_updated: 'Link to Umbler’s API changed',
  Image: 'Image',
  Video: 'Video',
  Audio: 'Audio',
  File: 'Document',
  Sticker: 'Sticker',
  Location: 'Location',
  Contact: 'Contact card',
  Contacts: 'Contact card',
  Call: 'Call',
  Unsupported: 'Unsupported message type',
  Processing: 'sending',
  Sent: 'sent',
  Delivered: 'delivered',
  Read: 'read',
  Failed: 'failed',
};

/** @type {Record<Word, string>} */
const PT = {
  skip: 'Ir para as conversas',
  language: 'English',
  languageLabel: 'Switch to English',
  dark: 'Escuro',
  light: 'Claro',
  signOut: 'Sair',
  signIn: 'Entrar',
  signInTitle: 'Entrar',
  signInHint: 'Este hub pede um token de acesso. Ele fica só nesta aba. O comando “umbler-hub token” cria um.',
  token: 'Token',
  stats: 'Números',
  chats: 'Conversas abertas',
  updates: 'Atualizações',
  pause: 'Pausar',
  resume: 'Continuar',
  codeTitle: 'Como esta página é feita',
  codeHint: 'Esta página usa só o cliente que o próprio hub serve. Oito linhas bastam:',
  apiDocs: 'API REST',
  connecting: 'Conectando…',
  connected: 'Ao vivo',
  recovering: 'Reconectando…',
  stale: 'Desatualizado',
  disconnected: 'Desconectado',
  unauthorized: 'Não autenticado',
  overStream: 'por fluxo de eventos',
  heardAgo: 'último sinal há {age}',
  asOfAgo: 'dados de {age} atrás',
  openChats: 'Conversas abertas',
  waitingChats: 'Na lista de espera',
  messagesToday: 'Mensagens hoje',
  totalChats: 'Conversas',
  totalContacts: 'Contatos',
  totalMessages: 'Mensagens',
  loading: 'Carregando…',
  noChats:
    'Nenhuma conversa aberta. As conversas do Umbler Talk aparecem aqui na hora; “umbler-hub simulate” cria algumas.',
  noUpdates: 'Nada aconteceu desde que esta página foi aberta.',
  noConnection: 'Sem conexão com o hub.',
  chooseChat: 'Mensagens',
  chooseChatHint: 'Escolha uma conversa para ler as mensagens.',
  noMessages: 'Esta conversa ainda não tem mensagens.',
  messagesFailed: 'Não foi possível carregar as mensagens: {reason}',
  chatGone: 'Você não tem mais acesso a esta conversa.',
  more: 'mais {count}',
  waitingFor: 'aguardando há {age}',
  nobody: 'sem atendente',
  unnamed: 'Sem nome',
  edited: 'editada',
  deleted: 'Esta mensagem foi apagada.',
  note: 'nota interna',
  bot: 'Bot',
  agent: 'Atendente',
  file: 'Abrir arquivo',
  seconds: '{count} s',
  minutes: '{count} min',
  hours: '{count} h',
  days: '{count} d',
  unrecognized: 'Evento não reconhecido',
  new_message: 'Nova mensagem',
  chat_closed: 'Conversa encerrada',
  chat_reopened: 'Conversa reaberta',
  chat_opened: 'Conversa aberta',
  chat_transferred: 'Transferida',
  chat_sector_changed: 'Setor alterado',
  chat_tags_changed: 'Etiquetas alteradas',
  chat_visibility_changed: 'Visibilidade alterada',
  message_updated: 'Mensagem atualizada',
  contact_updated: 'Contato atualizado',
  chat_updated: 'Conversa atualizada',
  chat_entered: 'Conversa ficou visível',
  chat_gone: 'Conversa deixou de ser visível',
  notification: 'Notificação',
  member_updated: 'Atendentes renomeados',
  alert_raised: 'Alerta',
  alert_cleared: 'Alerta encerrado',
  alert_acknowledged: 'Alerta assumido',
  settings_updated: 'Ajustes alterados',
  link_updated: 'Conexão com a API da Umbler alterada',
  Image: 'Imagem',
  Video: 'Vídeo',
  Audio: 'Áudio',
  File: 'Documento',
  Sticker: 'Figurinha',
  Location: 'Localização',
  Contact: 'Cartão de contato',
  Contacts: 'Cartão de contato',
  Call: 'Chamada',
  Unsupported: 'Mensagem de tipo não compatível',
  Processing: 'enviando',
  Sent: 'enviada',
  Delivered: 'entregue',
  Read: 'lida',
  Failed: 'falhou',
};

const DICTIONARIES = { en: EN, pt: PT };

/** @type {'en' | 'pt'} */
let language = 'en';

/** @param {'en' | 'pt'} chosen */
export function speak(chosen) {
  language = chosen;
  document.documentElement.lang = chosen === 'pt' ? 'pt-BR' : 'en';
  for (const element of document.querySelectorAll('[data-word]')) {
    element.textContent = word(/** @type {Word} */ (element.getAttribute('data-word')));
  }
}

export function spoken() {
  return language;
}

/** For dates and numbers. */
export function locale() {
  return language === 'pt' ? 'pt-BR' : 'en-GB';
}

/** @param {Word} key @param {Record<string, string | number>} [values] */
export function word(key, values = {}) {
  return DICTIONARIES[language][key].replace(/\{(\w+)\}/g, (_, name) => String(values[name] ?? ''));
}

/** The word for something that the provider names, or its own name. @param {string} name */
export function named(name) {
  return name in EN ? word(/** @type {Word} */ (name)) : name;
}
