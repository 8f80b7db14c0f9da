//! The page for a person who asks for their data: its rows, in their language. Texts of the person become text, never markup.

use std::fmt::Write;

use jiff::Timestamp;
use serde::Serialize;

use crate::protocol::OutboxShape;
use crate::protocol::outbox::OutboxState;
use crate::protocol::shapes::{ChatShape, ContactShape, MessageShape};
use crate::telemetry::clock;

/// The language of the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    Portuguese,
    English,
}

/// An erasure, as the file tells it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ErasureLine<'a> {
    pub(super) erased_at: Timestamp,
    pub(super) erased_by: &'a str,
    pub(super) reason: &'a str,
    pub(super) blocked: bool,
}

/// A text as it may stand in a page.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe += "&amp;",
            '<' => safe += "&lt;",
            '>' => safe += "&gt;",
            '"' => safe += "&quot;",
            '\'' => safe += "&#39;",
            c => safe.push(c),
        }
    }
    safe
}

fn maybe(text: Option<&str>) -> String {
    text.map_or_else(|| "–".to_owned(), escaped)
}

fn moment(at: Option<Timestamp>) -> String {
    at.map_or_else(|| "–".to_owned(), |at| at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string())
}

pub(super) fn said(language: Language, portuguese: &'static str, english: &'static str) -> &'static str {
    match language {
        Language::Portuguese => portuguese,
        Language::English => english,
    }
}

fn yes_or_no(is_so: bool, language: Language) -> &'static str {
    if is_so { said(language, "sim", "yes") } else { said(language, "não", "no") }
}

pub(super) fn page_head(contact: &ContactShape, language: Language) -> String {
    let tags: Vec<&str> = contact.tags.iter().filter_map(|tag| tag.name.as_deref()).collect();
    let say = |portuguese, english| said(language, portuguese, english);
    let rows = [
        (say("Nome", "Name"), maybe(contact.name.as_deref())),
        (say("Telefone", "Phone"), maybe(contact.phone.as_deref())),
        (say("Foto", "Picture"), maybe(contact.picture_url.as_deref())),
        (say("Etiquetas", "Tags"), maybe((!tags.is_empty()).then(|| tags.join(", ")).as_deref())),
        (say("Bloqueado", "Blocked"), yes_or_no(contact.blocked, language).to_owned()),
        (say("Identificador", "Identifier"), escaped(&contact.id)),
        (say("Desde", "Since"), moment(contact.created_at)),
        (say("Última interação", "Last interaction"), moment(contact.last_interaction_at)),
    ];
    let mut text = String::from("<!doctype html>\n");
    let title = say("Seus dados pessoais", "Your personal data");
    let about = say(
        "Este arquivo contém o seu cadastro, as suas conversas e todas as mensagens guardadas neste sistema de atendimento. \
         Horários em UTC.",
        "This file contains your contact data, your conversations, and all messages that this customer service system stores. \
         Times are in UTC.",
    );
    let (lang, at) = (say("pt-BR", "en"), moment(Some(clock::now())));
    // Writing to a string does not fail.
    write!(
        text,
        "<html lang=\"{lang}\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><title>{title}</title>\
         <style>{STYLE}</style></head>\n<body><h1>{title}</h1><p>{about} {at}</p><table>\n"
    )
    .unwrap_or_default();
    for (name, value) in rows {
        writeln!(text, "<tr><th>{name}</th><td>{value}</td></tr>").unwrap_or_default();
    }
    let head = head_row(chat_columns(language));
    writeln!(text, "</table><h2>{}</h2><table>{head}", say("Conversas", "Conversations")).unwrap_or_default();
    text
}

/// On a phone each row is a block, and each value stands below the name of its column.
const STYLE: &str = "body{font-family:sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}\
    table{border-collapse:collapse;width:100%}th,td{border:1px solid #999;padding:.3rem .5rem;\
    text-align:left;vertical-align:top;white-space:pre-wrap}td:nth-last-child(-n+2){overflow-wrap:anywhere}\
    @media screen and (max-width:44rem){.head{display:none}\
    table,tbody,tr,th,td{display:block}th,td{border:0;padding:.1rem 0;overflow-wrap:anywhere}\
    tr{border-top:1px solid #999;padding:.5rem 0}\
    td[data-column]::before{content:attr(data-column);display:block;font-size:.8rem;color:#555}}";

fn chat_columns(language: Language) -> [&'static str; 5] {
    match language {
        Language::Portuguese => ["Identificador", "Setor", "Canal", "Aberta em", "Encerrada em"],
        Language::English => ["Identifier", "Sector", "Line", "Opened", "Closed"],
    }
}

pub(super) fn message_columns(language: Language) -> [&'static str; 5] {
    match language {
        Language::Portuguese => ["Quando", "Conversa", "De", "Texto", "Anexos"],
        Language::English => ["When", "Conversation", "From", "Text", "Attachments"],
    }
}

fn erasure_columns(language: Language) -> [&'static str; 4] {
    match language {
        Language::Portuguese => ["Quando", "Por", "Motivo", "Bloqueado"],
        Language::English => ["When", "By", "Reason", "Blocked"],
    }
}

pub(super) fn head_row<const N: usize>(columns: [&str; N]) -> String {
    format!("<tr class=\"head\"><th>{}</th></tr>", columns.join("</th><th>"))
}

/// A row of values that are written as markup.
fn row<const N: usize>(columns: [&str; N], values: [&str; N]) -> String {
    let mut text = "<tr>".to_owned();
    for (column, value) in columns.iter().zip(values) {
        write!(text, "<td data-column=\"{column}\">{value}</td>").unwrap_or_default();
    }
    text + "</tr>\n"
}

pub(super) fn chat_row(chat: &ChatShape, language: Language) -> String {
    let sector = maybe(chat.sector.as_ref().and_then(|sector| sector.name.as_deref()));
    let line = maybe(chat.channel.as_ref().and_then(|line| line.name.as_deref()));
    let (opened, closed) = (moment(chat.created_at), moment(chat.closed_at));
    row(chat_columns(language), [&escaped(&chat.id), &sector, &line, &opened, &closed])
}

pub(super) fn message_row(message: &MessageShape, language: Language) -> String {
    let who = match message.source.as_deref() {
        Some("Contact") => said(language, "Você", "You").to_owned(),
        Some("Bot") => said(language, "Robô", "Bot").to_owned(),
        _ => {
            let agent = message.author.as_ref().and_then(|author| author.name.as_deref()).map(escaped);
            agent.unwrap_or_else(|| said(language, "Atendimento", "Customer service").to_owned())
        }
    };
    let who = if message.private { who + said(language, " (nota interna)", " (private note)") } else { who };
    let text = maybe(message.text.as_deref());
    let more = attachments(message, language);
    let (at, chat) = (moment(Some(message.at)), escaped(&message.chat_id));
    row(message_columns(language), [&at, &chat, &who, &text, &more])
}

/// File, place, cards and reactions of a message.
fn attachments(message: &MessageShape, language: Language) -> String {
    let mut parts = Vec::new();
    if let Some(file) = &message.file {
        let name = file.name.as_deref().or(file.content_type.as_deref()).unwrap_or("?");
        parts.push(format!(
            "{}: {} {}",
            said(language, "Arquivo", "File"),
            name,
            file.url.as_deref().unwrap_or("")
        ));
        if let Some(words) = &file.transcription {
            parts.push(format!("{}: {words}", said(language, "Transcrição", "Transcription")));
        }
    }
    if let Some(place) = &message.location {
        let at =
            [place.latitude, place.longitude].map(|part| part.map_or_else(String::new, |n| n.to_string()));
        let name =
            [place.name.as_deref(), place.address.as_deref()].into_iter().flatten().collect::<Vec<_>>();
        parts.push(format!("{}: {} {}", said(language, "Local", "Place"), at.join(", "), name.join(", ")));
    }
    for card in &message.contacts {
        let lines = [card.name.clone().unwrap_or_default(), card.phones.join(", "), card.emails.join(", ")];
        parts.push(format!("{}: {}", said(language, "Contato", "Contact card"), lines.join(" ")));
    }
    for reaction in &message.reactions {
        parts.push(format!("{}: {}", said(language, "Reação", "Reaction"), reaction.emoji));
    }
    escaped(&parts.join("\n"))
}

/// A message that was sent through the hub, or was to be, and is not among the messages.
pub(super) fn outbox_row(entry: &OutboxShape, language: Language) -> String {
    let say = |portuguese, english| said(language, portuguese, english);
    let state = match entry.state {
        OutboxState::Queued | OutboxState::Sending => say("Aguardando envio", "Waiting to be sent"),
        OutboxState::Sent => say("Enviada", "Sent"),
        OutboxState::Failed => say("Falhou", "Failed"),
        OutboxState::Unclear | OutboxState::Unconfirmed => say("Envio não confirmado", "Not confirmed"),
        OutboxState::Discarded => say("Descartada", "Dropped"),
    };
    let text = maybe(entry.text.as_deref());
    let (at, chat, detail) =
        (moment(Some(entry.queued_at)), escaped(&entry.chat_id), maybe(entry.detail.as_deref()));
    row(outbox_columns(language), [&at, &chat, state, &text, &detail])
}

/// What stands between the messages and the first row of those that are not among them.
pub(super) fn outbox_head(language: Language) -> String {
    let title = said(language, "Mensagens que não chegaram", "Messages that did not arrive");
    format!("</table><h2>{title}</h2><table>{}\n", head_row(outbox_columns(language)))
}

fn outbox_columns(language: Language) -> [&'static str; 5] {
    match language {
        Language::Portuguese => ["Quando", "Conversa", "Situação", "Texto", "Detalhe"],
        Language::English => ["When", "Conversation", "State", "Text", "Detail"],
    }
}

pub(super) fn erasure_row(line: &ErasureLine<'_>, language: Language) -> String {
    let later = yes_or_no(line.blocked, language);
    let (at, by) = (moment(Some(line.erased_at)), escaped(line.erased_by));
    row(erasure_columns(language), [&at, &by, &escaped(line.reason), later])
}

pub(super) fn page_end(rows: &str, language: Language) -> String {
    if rows.is_empty() {
        return "</table></body></html>\n".to_owned();
    }
    let (title, head) =
        (said(language, "Dados apagados", "Erased data"), head_row(erasure_columns(language)));
    format!("</table><h2>{title}</h2><table>{head}\n{rows}</table></body></html>\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_never_becomes_markup() {
        assert_eq!(
            escaped("<script>alert(\"a\" & 'b')</script>"),
            "&lt;script&gt;alert(&quot;a&quot; &amp; &#39;b&#39;)&lt;/script&gt;"
        );
    }
}
