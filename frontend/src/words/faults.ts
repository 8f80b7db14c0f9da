/** What is wrong with a value, or why Umbler could not be asked, in the words of the page. A hub tells it in English. */

import { type Language, locale } from './language.ts';

interface Fault {
  /** As the hub says it; `{}` stands for what differs. */
  said: string;
  pt: string;
  /** In English, where the hub's own words are for developers only. */
  en?: string;
  /** What stands in for `{}` on the page, if it is not what the hub said. */
  of?: (given: string) => string;
}

const minutes = (seconds: string) => String(Number(seconds) / 60);

/** The test beside this file compares it with the texts in the hub's source. */
export const FAULTS: Fault[] = [
  // Values of fields.
  { said: 'is missing', pt: 'precisa ser preenchido' },
  { said: 'is not known here', pt: 'não é conhecido aqui' },
  { said: 'is there twice', pt: 'está repetido' },
  { said: 'is given twice', pt: 'está repetido' },
  { said: 'is in the future', pt: 'está no futuro' },
  { said: 'has ranges that overlap', pt: 'tem horários que se sobrepõem' },
  { said: 'must be an object', pt: 'precisa ser um objeto' },
  { said: 'must be a list', pt: 'precisa ser uma lista' },
  { said: 'must be a string', pt: 'precisa ser um texto' },
  { said: 'must be UTF-8', pt: 'precisa estar em UTF-8' },
  { said: 'must have at most {} items', pt: 'pode ter no máximo {} itens' },
  { said: 'must have at most {} sectors', pt: 'pode ter no máximo {} setores' },
  { said: 'must have at most {} characters', pt: 'pode ter no máximo {} caracteres' },
  { said: 'must have 1 to {} characters', pt: 'precisa ter de 1 a {} caracteres' },
  {
    said: 'must have 1 to {} characters and no spaces',
    pt: 'precisa ter de 1 a {} caracteres, sem espaços',
  },
  { said: 'must have ids of 1 to {} characters', pt: 'precisa ter ids de 1 a {} caracteres' },
  { said: 'must not contain control characters', pt: 'não pode conter caracteres de controle' },
  { said: 'must not begin or end with a space', pt: 'não pode começar nem terminar com espaço' },
  { said: 'must begin with https:// or http://', pt: 'precisa começar com https:// ou http://' },
  {
    said: 'must be an address like /chats?wait=late, of at most {} characters',
    pt: 'precisa ser um endereço como /chats?wait=late, de no máximo {} caracteres',
  },
  {
    said: 'must not contain a search, because it stays for good and may name a person',
    pt: 'não pode conter uma busca, porque fica guardada para sempre e pode ter o nome de uma pessoa',
  },
  { said: 'must be a time of day like 07:30', pt: 'precisa ser um horário como 07:30' },
  {
    said: 'must be two times of day like ["08:00","12:00"], the first one earlier',
    pt: 'precisa ter dois horários, o primeiro antes do segundo',
    en: 'must be two times of day, the first one earlier',
  },
  { said: 'must be a date like 2026-12-25', pt: 'precisa ser uma data', en: 'must be a date' },
  { said: 'must be pt-BR or en', pt: 'precisa ser pt-BR ou en' },
  { said: 'must be one of {}', pt: 'precisa ser um destes: {}' },
  { said: 'must be sector, channel or tag', pt: 'precisa ser setor, canal ou etiqueta' },
  { said: 'must be a whole number from {} to {}', pt: 'precisa ser um número inteiro de {} a {}' },
  {
    said: 'must be whole minutes from 1 to {}',
    pt: 'precisa ser um número inteiro de minutos, de 1 a {}',
  },
  {
    said: 'must be whole seconds from 0 to {}, or null',
    pt: 'precisa ser de 0 a {} minutos',
    en: 'must be 0 to {} minutes',
    of: minutes,
  },
  {
    said: 'must be a moment like 2026-03-02T13:00:00Z (RFC 3339)',
    pt: 'precisa ser um momento como 2026-03-02T13:00:00Z',
  },
  {
    said: 'is the setting TIMEZONE, {}, and cannot be changed here',
    pt: 'é a configuração TIMEZONE, {}, e não pode ser alterado aqui',
  },
  {
    said: "must not contain the person's name or phone, because it stays for good",
    pt: 'não pode conter o nome nem o telefone da pessoa, porque fica guardado para sempre',
  },
  {
    said: 'is refused by Umbler: it is wrong or has expired, or the plan has no API',
    pt: 'a Umbler recusou: está errado, venceu ou o plano não inclui a API',
  },
  // Lines of a table of agents.
  { said: 'is not UTF-8', pt: 'não está em UTF-8' },
  { said: 'the header is missing', pt: 'falta o cabeçalho' },
  { said: '{} is not a column; the columns are {}', pt: '{} não é uma coluna; as colunas são {}' },
  { said: 'the column {} is there twice', pt: 'a coluna {} está repetida' },
  { said: 'the column {} is missing', pt: 'falta a coluna {}' },
  { said: 'has a value in a column without a name', pt: 'tem um valor em uma coluna sem nome' },
  { said: 'the id is already on line {}', pt: 'o id já está na linha {}' },
  { said: 'there are more than {} entries', pt: 'há mais de {} cadastros' },
  // Why the hub may or can not.
  { said: 'only admins may do this', pt: 'só administradores podem fazer isto' },
  { said: 'files are withheld from viewers', pt: 'o perfil de visualizador não abre arquivos' },
  { said: 'viewers cannot acknowledge alerts', pt: 'o perfil de visualizador não assume alertas' },
  { said: 'viewers send no messages', pt: 'o perfil de visualizador não envia mensagens' },
  { said: "the token's user sends no messages", pt: 'este acesso não permite enviar mensagens' },
  {
    said: "a token with limits cannot export or erase all of a person's data",
    pt: 'um acesso limitado não pode exportar nem apagar todos os dados de uma pessoa',
  },
  { said: 'the token does not allow one of the channels', pt: 'o acesso não permite um dos canais' },
  {
    said: "this page's origin is not allowed; FRONTEND_URL lists those that are",
    pt: 'o endereço desta página não está entre os de FRONTEND_URL',
  },
  { said: 'Origin is sent twice', pt: 'Origin foi enviado duas vezes' },
  {
    said: 'UMBLER_API_TOKEN is set where the hub runs: change it there',
    pt: 'UMBLER_API_TOKEN está definido onde o hub roda: altere lá',
  },
  {
    said: 'a delivery has come, so the secret is not shown again',
    pt: 'um evento já chegou, por isso o segredo não é mostrado de novo',
  },
  { said: 'UMBLER_SEND is off', pt: 'UMBLER_SEND está desligado' },
  { said: "no token of Umbler's API is set", pt: 'não há token da API da Umbler' },
  {
    said: 'no token of its API is set, so Umbler cannot be asked',
    pt: 'não há token da API, por isso não é possível consultar a Umbler',
  },
  { said: 'nothing is at this address', pt: 'não há nada neste endereço' },
  { said: 'nothing of this kind has this id', pt: 'nada deste tipo tem este id' },
  { said: 'no message has this id', pt: 'nenhuma mensagem tem este id' },
  { said: 'the directory has no entry with this id', pt: 'não há cadastro com este id' },
  { said: 'the file cannot be had any more', pt: 'o arquivo não está mais disponível' },
  { said: 'the id is longer than ids can be', pt: 'o id é longo demais' },
  { said: 'the message has no file', pt: 'a mensagem não tem arquivo' },
  { said: 'there is no alert with this id', pt: 'não há alerta com este id' },
  { said: 'there is no chat with this id', pt: 'não há conversa com este id' },
  { said: 'there is no contact with this id', pt: 'não há contato com este id' },
  { said: 'there is no message with this id in the outbox', pt: 'não há mensagem com este id a enviar' },
  {
    said: 'there is no such delivery, or it was understood',
    pt: 'não há esse evento, ou ele foi reconhecido',
  },
  { said: 'there is no such file', pt: 'não há esse arquivo' },
  { said: 'this hub gives no copies', pt: 'este hub não dá cópias' },
  { said: 'Umbler cannot be asked for the file now', pt: 'não é possível pedir o arquivo à Umbler agora' },
  { said: 'a copy cannot be made now', pt: 'não é possível fazer uma cópia agora' },
  { said: 'the file has not come yet', pt: 'o arquivo ainda não chegou' },
  { said: 'the hub is starting', pt: 'o hub está iniciando' },
  { said: 'the hub is stopping', pt: 'o hub está sendo desligado' },
  { said: 'the log of reads did not answer', pt: 'o registro de consultas não respondeu' },
  { said: 'the metrics did not answer', pt: 'os números não responderam' },
  { said: 'the search index cannot be read', pt: 'o índice de busca não pode ser lido' },
  { said: 'this hub has not reached the position yet', pt: 'este hub ainda não chegou a esse ponto' },
  {
    said: 'this hub has not reached the position yet; another hub may have',
    pt: 'este hub ainda não chegou a esse ponto; outro pode ter chegado',
  },
  {
    said: 'too many large bodies arrive at the same time',
    pt: 'chegam conteúdos grandes demais ao mesmo tempo',
  },
  { said: 'too many requests are waiting', pt: 'há pedidos demais na fila' },
  { said: 'too many files are waited for', pt: 'há arquivos demais a caminho' },
  { said: 'too many messages wait to be sent', pt: 'há mensagens demais a enviar' },
  { said: 'another request of an admin is being carried out', pt: 'outro administrador está fazendo um pedido' },
  {
    said: 'Umbler does not answer; check the webhooks before you try again',
    pt: 'a Umbler não responde; confira os webhooks antes de tentar de novo',
  },
  {
    said: 'Umbler cannot be asked now whether the token is valid',
    pt: 'não é possível perguntar agora à Umbler se o token é válido',
  },
  {
    said: "the token cannot be stored; the hub's log says why",
    pt: 'não foi possível guardar o token; o log do hub diz por quê',
  },
  // Why no webhook was created.
  {
    said: "the webhook is paused: lift the pause in Umbler's panel",
    pt: 'o webhook está pausado: retire a pausa no painel da Umbler',
  },
  {
    said: "the webhook lacks types of events: add them in Umbler's panel",
    pt: 'faltam tipos de eventos no webhook: adicione-os no painel da Umbler',
  },
  { said: 'the organization has no lines', pt: 'a organização não tem canais' },
  { said: 'a webhook posts here already for all lines', pt: 'já há um webhook para todos os canais' },
  {
    said: 'UMBLER_WEBHOOK_URL is not set, so the hub does not know how Umbler reaches it',
    pt: 'UMBLER_WEBHOOK_URL não está definido, e o hub não sabe como a Umbler chega até ele',
  },
  {
    said: "the token's owner belongs to several organizations: set UMBLER_ORGANIZATION_ID",
    pt: 'o dono do token pertence a várias organizações: defina UMBLER_ORGANIZATION_ID',
  },
  {
    said: 'Umbler does not let this token see or create webhooks',
    pt: 'a Umbler não deixa este token ver nem criar webhooks',
  },
  { said: 'Umbler cannot be asked', pt: 'não é possível consultar a Umbler' },
  { said: 'Umbler refused the webhook: {}', pt: 'a Umbler recusou o webhook: {}' },
  // Tokens.
  { said: 'the token has expired', pt: 'o token venceu' },
  { said: 'the token is not valid yet', pt: 'o token ainda não é válido' },
  { said: 'the token was revoked', pt: 'o token foi revogado' },
  { said: 'the token is not valid: {}', pt: 'o token não é válido' },
  { said: "the token's claim {} is missing or wrong", pt: 'o dado {} do token falta ou está errado' },
  { said: 'the hub wants a token, and there is none', pt: 'o hub pede um token, e não há nenhum' },
  // How the link to Umbler is.
  {
    said: 'Umbler refused the token with status {}: it is wrong or has expired, or the plan has no API',
    pt: 'a Umbler recusou o token (status {}): ele está errado, venceu ou o plano não inclui a API',
  },
  { said: 'Umbler answered {} with status {}', pt: 'a Umbler respondeu a {} com o status {}' },
  { said: 'Umbler sent no usable answer to {}: {}', pt: 'a Umbler não deu uma resposta utilizável a {}: {}' },
  { said: 'the answer to {} cannot be trusted: {}', pt: 'a resposta a {} não é confiável: {}' },
  {
    said: "the hub could not compare its data with Umbler's: {}",
    pt: 'o hub não conseguiu comparar os seus dados com os da Umbler',
  },
  {
    said: "the token's owner belongs to {} organizations: set UMBLER_ORGANIZATION_ID",
    pt: 'o dono do token pertence a {} organizações: defina UMBLER_ORGANIZATION_ID',
  },
  {
    said: "the token's owner is in several organizations: set UMBLER_ORGANIZATION_ID",
    pt: 'o dono do token pertence a várias organizações: defina UMBLER_ORGANIZATION_ID',
  },
  { said: 'no answer in time', pt: 'nenhuma resposta a tempo' },
  { said: 'the host is not known', pt: 'o servidor não é conhecido' },
  { said: 'TLS failed', pt: 'falha de TLS' },
  { said: 'the connection failed', pt: 'a conexão falhou' },
  { said: 'status {}', pt: 'status {}' },
  { said: 'the answer has more than {} bytes', pt: 'a resposta tem mais de {} bytes' },
  {
    said: 'the answer has not the form that this route answers with: {}',
    pt: 'a resposta não tem a forma esperada',
  },
  {
    said: 'the list of chats is empty, although the hub knows chats',
    pt: 'a lista de conversas está vazia, embora o hub conheça conversas',
  },
  { said: 'the list of chats does not end', pt: 'a lista de conversas não termina' },
  {
    said: 'chats come to the top of the list faster than it can be read',
    pt: 'conversas sobem ao topo da lista mais rápido do que ela pode ser lida',
  },
  {
    said: 'the hub has a fault: it panicked when it was {}, and its log says where',
    pt: 'o hub tem um defeito: ele falhou ao executar uma tarefa, e o log dele diz onde',
  },
  {
    said: 'another hub of the cluster has the link to Umbler: ask the one with the duties',
    pt: 'outro hub do cluster tem a conexão com a Umbler: peça ao hub que executa as tarefas',
  },
  { said: 'the messages of a chat do not end', pt: 'as mensagens de uma conversa não terminam' },
  { said: 'the chat has no end', pt: 'a conversa não termina' },
  {
    said: 'the newest message of a chat is not among its messages',
    pt: 'a última mensagem de uma conversa não está entre as mensagens dela',
  },
  {
    said: 'a chat has more messages of one instant than fit on a page, so some may be missing',
    pt: 'uma conversa tem mais mensagens de um mesmo instante do que cabem em uma página; podem faltar algumas',
  },
  {
    said: 'the bounds of creation were ignored: all chats are listed',
    pt: 'os limites de data foram ignorados: todas as conversas são listadas',
  },
  // Why a delivery was not understood.
  {
    said: '{} is missing, or no text of 1 to {} bytes',
    pt: '{} falta ou não é um texto de 1 a {} bytes',
  },
  { said: 'the type {} is not known', pt: 'o tipo {} não é conhecido' },
  { said: '{} is missing or no object', pt: '{} falta ou não é um objeto' },
  { said: '{}.Content has more than {} KiB', pt: '{}.Content tem mais de {} KiB' },
  { said: 'Payload.Content.Id is missing', pt: 'falta Payload.Content.Id' },
];

const escaped = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
/** Those with most words of their own first: what differs may be anything. Made when something is wrong for the first time. */
let patterns: { fault: Fault; pattern: RegExp }[] | null = null;
const makePatterns = () =>
  FAULTS.map((fault) => ({
    fault,
    pattern: new RegExp(`^${fault.said.split('{}').map(escaped).join('(.+?)')}$`, 's'),
  })).sort((a, b) => b.fault.said.replaceAll('{}', '').length - a.fault.said.replaceAll('{}', '').length);

/**
 * A text of the hub in the language of the page. In English it is the hub's own where no better one is known; in
 * Portuguese null then, for nobody there wants to read half a sentence in English.
 */
export function faultInWords(said: string, language = locale()): string | null {
  const isPt = language === 'pt-BR';
  patterns ??= makePatterns();
  for (const { fault, pattern } of patterns) {
    const found = pattern.exec(said);
    if (found === null) continue;
    const words = isPt ? fault.pt : fault.en;
    if (words === undefined) return said;
    let at = 0;
    return words.replaceAll('{}', () => {
      at += 1;
      const given = found[at] ?? '';
      return fault.of?.(given) ?? nested(given, language);
    });
  }
  return isPt ? null : said;
}

/** What a text tells may be a text of the hub again. Names, numbers and quotations stay. */
function nested(given: string, language: Language): string {
  return /\s/.test(given) ? (faultInWords(given, language) ?? given) : given;
}
