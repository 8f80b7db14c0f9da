/** What went wrong, in the words of the page. A hub and its client tell it in English, for whoever develops with them. */

import { faultInWords } from './faults.ts';
import { locale } from './language.ts';
import { problemsInWords } from './problems.ts';

/** By code. `({message})` stands where the hub's words tell something that the code does not. */
export const PT_REASONS: Record<string, string> = {
  bad_envelope: 'o hub não entendeu o pedido ({message})',
  bad_parameter: 'o hub não aceitou um valor ({message})',
  bad_request: 'o hub não aceitou o pedido ({message})',
  bad_url: 'o endereço do hub não é válido ({message})',
  body_timeout: 'o envio demorou demais; tente de novo',
  body_too_large: 'o conteúdo é grande demais',
  chat_closed: 'a conversa foi encerrada nesse meio-tempo',
  connection_lost: 'a conexão com o hub caiu',
  disconnected: 'esta página não está conectada ao hub',
  epoch_changed: 'o banco de dados do hub foi trocado; recarregue a página',
  forbidden: 'seu acesso não permite isto ({message})',
  headers_too_large: 'o navegador enviou cabeçalhos grandes demais',
  internal: 'houve uma falha no hub; o log dele diz qual',
  method_not_allowed: 'esta versão do hub não tem isto',
  not_found: 'não existe mais, ou seu acesso não permite ver ({message})',
  not_undelivered: 'a mensagem está a caminho ou já chegou',
  sending_off: 'este hub não envia mensagens ({message})',
  settings_changed: 'alguém salvou outras configurações enquanto isso',
  temp_id_used: 'esta mensagem já foi enviada com outro texto ou em outra conversa',
  token_expired: 'seu acesso venceu; entre de novo',
  token_unavailable: 'não foi possível obter um novo acesso',
  too_many_messages: 'você está enviando mais de 60 mensagens por minuto; espere um momento',
  too_many_requests: 'houve pedidos demais; espere um pouco',
  too_old: 'o hub não guarda mais o que veio depois; recarregue a página',
  unauthorized: 'é preciso entrar, ou entrar de novo ({message})',
  unavailable: 'o hub não consegue fazer isto agora ({message})',
  unreachable: 'o hub não responde',
  unsupported_encoding: 'o conteúdo está comprimido, e o hub não aceita isso',
  unsupported_event: 'esta versão do hub não tem isto',
  unsupported_type: 'o tipo do conteúdo não é aceito ({message})',
  updates_lost: 'faltaram atualizações; a página as busca de novo',
  upgrade_required: 'o navegador usa outra versão de WebSocket',
  webhook_not_created: 'o webhook não foi criado na Umbler ({message})',
  window_closed: 'as 24 horas após a última mensagem do cliente terminaram',
};

/** Where the hub's own words are for developers only. */
const EN_REASONS: Record<string, string> = {
  chat_closed: 'the chat was closed meanwhile',
  sending_off: 'this hub does not send messages ({message})',
  too_many_messages: 'you are sending more than 60 messages a minute; wait a moment',
  unreachable: 'the hub does not answer',
  window_closed: 'the 24 hours after the customer’s last message are over',
};

/** What a code of a newer hub means, where a page in Portuguese does not know it. */
const PT_UNKNOWN = 'o hub não aceitou o pedido';

/**
 * The reason with this code in the language of the page. `message` is the English one: on a page in Portuguese its meaning
 * stands in brackets where it is known, and nothing stands there where it is not. `parameter` is the field that it is about.
 */
export function reasonInWords(
  code: string,
  message: string,
  parameter: string | null = null,
  language = locale(),
): string {
  const problems = code === 'bad_parameter' ? problemsInWords(message, parameter, language) : null;
  if (problems !== null) return problems;
  const words = (language === 'pt-BR' ? PT_REASONS : EN_REASONS)[code];
  const meant = faultInWords(message, language);
  if (words === undefined) return meant ?? PT_UNKNOWN;
  return meant === null ? words.replace(' ({message})', '') : words.replace('{message}', () => meant);
}
