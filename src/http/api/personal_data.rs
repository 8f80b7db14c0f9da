//! `/contacts/{id}/personal-data`: everything that is stored of a person, as a file, and its erasure.

use std::time::Duration;

use actix_web::body::BoxBody;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE};
use actix_web::{HttpRequest, HttpResponse, Responder};
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa::openapi::schema::{Object, ObjectBuilder};

use super::Answer;
use super::person_file::{PersonFile, Written};
use super::person_page::Language;
use crate::domain::ContactId;
use crate::http::caller::{Admin, Caller, UserState};
use crate::http::error::ApiError;
use crate::http::extract::PathId;
use crate::http::question::{Mandatory, QueryString, Value, question};
use crate::http::route::{Call, HandlerPart, routes};
use crate::http::values::{of_length, string, words};
use crate::http::webhook::{record_of, store_within};
use crate::journal::{Ack, Erased, ErasureRequest, Payload, erasure_list};
use crate::reads::{FindPerson, GetContact, ListErasures, Person};
use crate::sqlite::files::kept_aside;
use crate::telemetry::clock;

/// Longest reason of an erasure, in characters: it stays for good.
pub const REASON_CHARS_MAX: usize = 200;
/// How long an erasure may take. A person with ten thousand messages takes about a second.
const ERASED_WITHIN: Duration = Duration::from_mins(1);

routes! {
    /// Everything that is stored of a contact, for a person who asks for their data: the contact, its chats and
    /// messages, messages of the outbox that are not among them, and erasures. A file that is sent while it is read.
    get "/contacts/{id}/personal-data" => export, "exportPersonalData";
    /// Erases everything that tells who a contact is, and what was written in its chats. Positions, counts and
    /// metrics stay. It cannot be taken back.
    write(DELETE) "/contacts/{id}/personal-data" => erase, "erasePersonalData";
}

question! {
    struct ExportQuestion {
        /// `json` where it is left out; `html` is a page for the person to read.
        format: Option<FileFormat>,
        /// The language of the page: `pt-BR` where it is left out.
        language: Option<Language>,
    }
}

question! {
    struct ErasureQuestion {
        /// Why, for example the number of the request. It stays for good, so it must not contain the person's name
        /// or phone.
        reason: Mandatory<Reason>,
        /// True to keep nothing that comes later of this contact either, but ids and times. Of several erasures
        /// the newest decides.
        block: Option<bool>,
    }
}

/// How the file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum FileFormat {
    Json,
    Html,
}

words!(FileFormat: "json" => Self::Json, "html" => Self::Html);
words!(Language: "pt-BR" => Self::Portuguese, "en" => Self::English);

/// The reason of an erasure.
#[derive(Debug)]
struct Reason(String);

impl Value for Reason {
    fn read(text: &str) -> Result<Self, String> {
        let text = of_length(text.trim(), REASON_CHARS_MAX)?;
        Ok(Self(text.to_owned()))
    }

    fn schema() -> ObjectBuilder {
        string().min_length(Some(1)).max_length(Some(REASON_CHARS_MAX))
    }
}

impl Reason {
    /// Refuses a reason that says who the person is.
    fn check(&self, person: &Person) -> Result<(), ApiError> {
        if person.is_told_by(&self.0) {
            return Err(ApiError::parameter(
                "reason",
                "must not contain the person's name or phone, because it stays for good",
            ));
        }
        Ok(())
    }
}

/// What was erased, and what the hub cannot erase.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ErasureAnswer {
    /// Id of the contact whose data were erased.
    contact_id: String,
    /// When the erasure was asked for. What was said up to then does not come back.
    #[schema(value_type = String, format = DateTime)]
    erased_at: Timestamp,
    /// The position of the update `contact_erased`.
    seq: Option<i64>,
    /// True where nothing that comes later of this contact is kept either.
    blocked: bool,
    /// Number of rows that were blanked, by table.
    blanked: BlankedShape,
    /// What the operator must see to.
    left: LeftShape,
}

/// Number of rows that were blanked, by table.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct BlankedShape {
    /// The contact: name, phone, picture, tags.
    contacts: usize,
    /// Its chats, whose list shows the contact's name.
    chats: usize,
    /// Messages that had content until now.
    messages: usize,
    /// Reactions to messages that are not known yet.
    parked_reactions: usize,
    /// Deliveries, of which ids, times and states are left.
    raw_deliveries: usize,
    /// Posted objects that were no deliveries.
    ignored_deliveries: usize,
    /// Updates that are kept for screens that come back.
    frames: usize,
    /// Messages of the outbox that went, or were to go, to its chats.
    outbox: usize,
}

impl From<Erased> for BlankedShape {
    fn from(erased: Erased) -> Self {
        let Erased { contacts, chats, messages, parked_reactions, .. } = erased;
        let Erased { raw_deliveries, ignored_deliveries, frames, outbox, .. } = erased;
        Self {
            contacts,
            chats,
            messages,
            parked_reactions,
            raw_deliveries,
            ignored_deliveries,
            frames,
            outbox,
        }
    }
}

/// What the hub cannot erase itself, so that the operator must.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct LeftShape {
    /// Older databases beside the present one. Delete them, or keep them as backups.
    files: Vec<String>,
    /// What else may hold the person's data.
    elsewhere: Vec<&'static str>,
}

/// Where else a person's data may be, in words for the operator.
const ELSEWHERE: [&str; 7] = [
    "backups: restoring one applies this erasure again, by the list beside the database (FILE.erasures)",
    "the bucket of BACKUP_S3_URL: snapshots and records of before, until they are deleted by their age",
    "a snapshot that is being sent to the bucket now, until it is sent",
    "the stream of a cluster: deliveries as they came, for CLUSTER_RETAIN_DAYS",
    "logs of the hub and of proxies: ids in paths, and addresses, until they are rotated",
    "Umbler Talk, and systems that alerts are posted to",
    "files that people exported or saved",
];

async fn erase(
    Admin(caller): Admin,
    QueryString(question): QueryString<ErasureQuestion>,
    PathId(id): PathId,
    state: UserState,
) -> Result<Answer<ErasureAnswer>, ApiError> {
    refuse_limits(&caller)?;
    let contact = String::from(id);
    let person = state.ask(FindPerson { contact: contact.clone() }).await?.ok_or_else(no_contact)?;
    let Mandatory(reason) = question.reason;
    reason.check(&person)?;
    let block = question.block.unwrap_or(false);
    let contact = ContactId::from(contact);
    let request = ErasureRequest {
        contact: contact.clone(),
        former_chats: person.former_chats,
        reason: reason.0,
        block,
    };
    let erased_at = clock::now();
    let id = erasure_list::event_id(&contact, erased_at);
    let mut record = record_of(&caller, Payload::Erasure(request), Some(id))?;
    record.entry.at = erased_at;
    let Ack { seq, erased, .. } = store_within(&state, record, ERASED_WITHIN).await?;
    Ok(Answer(ErasureAnswer {
        contact_id: contact.to_string(),
        erased_at,
        seq: seq.map(|seq| seq.0),
        blocked: block,
        blanked: erased.map(|erased| *erased).unwrap_or_default().into(),
        left: LeftShape { files: kept_aside(&state.settings.database_path), elsewhere: ELSEWHERE.to_vec() },
    }))
}

/// A token with limits would erase, or leave out, what it does not see.
fn refuse_limits(caller: &Caller) -> Result<(), ApiError> {
    if caller.scope.is_unlimited() {
        return Ok(());
    }
    Err(ApiError::Forbidden("a token with limits cannot export or erase all of a person's data"))
}

fn no_contact() -> ApiError {
    ApiError::NotFound("there is no contact with this id")
}

async fn export(
    Admin(caller): Admin,
    QueryString(question): QueryString<ExportQuestion>,
    PathId(id): PathId,
    state: UserState,
) -> Result<ExportedFile, ApiError> {
    refuse_limits(&caller)?;
    let id = String::from(id);
    let scope = caller.scope.clone();
    let contact = state.ask(GetContact { id: id.clone(), scope }).await?.ok_or_else(no_contact)?;
    let erasures = state.ask(ListErasures { contact: id }).await?;
    let written = match question.format.unwrap_or(FileFormat::Json) {
        FileFormat::Json => Written::Json,
        FileFormat::Html => Written::Html(question.language.unwrap_or(Language::Portuguese)),
    };
    Ok(ExportedFile { written, file: PersonFile::new(state, caller.scope, contact, erasures, written) })
}

/// A file with a person's data, sent while it is read.
struct ExportedFile {
    written: Written,
    file: PersonFile,
}

impl Responder for ExportedFile {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        let (media_type, name) = match self.written {
            Written::Json => ("application/json", "personal-data.json"),
            Written::Html(_) => ("text/html; charset=utf-8", "personal-data.html"),
        };
        HttpResponse::Ok()
            .insert_header((CACHE_CONTROL, "no-store"))
            .insert_header((CONTENT_TYPE, media_type))
            .insert_header((CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")))
            .streaming(self.file.into_stream())
    }
}

impl HandlerPart for ExportedFile {
    fn describe(call: &mut Call) {
        call.answers_with(200, "application/json", Object::new().into());
        call.answers_with(200, "text/html", string().into());
    }
}
