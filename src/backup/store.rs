//! Objects of a bucket: put, read in parts, listed, deleted. Whatever may help is tried again, within bounds.
//!
//! # Contract
//!
//! 1. The secret is in no address, no log and no error. Addresses are signed for a while, so they are in none either.
//! 2. Redirects are not followed.
//! 3. Bounds: a time for each request, [`TRIES_MAX`] tries, [`ANSWER_BYTES_MAX`] of a list or an error.

use std::time::Duration;

use rusty_s3::actions::{CreateMultipartUpload, ListObjectsV2, S3Action};
use rusty_s3::{Bucket, Credentials, Method};
use ureq::tls::TlsConfig;
use ureq::{Agent, Body, http};

use super::address::BucketAddress;
use crate::auth::Secret;
use crate::link::retry::is_temporary;
use crate::telemetry::clock;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a signed address is good for, by the server's clock, which may be off by minutes.
const SIGNED_FOR: Duration = Duration::from_mins(30);
/// How often one request is tried.
const TRIES_MAX: u32 = 5;
/// Pause after the first try that failed; each further one is twice as long.
const PAUSE_MIN: Duration = Duration::from_millis(250);
/// The largest list or error that is read.
const ANSWER_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// Where the bucket is, and who asks.
#[derive(Debug, Clone)]
pub struct BucketAccess {
    pub address: BucketAddress,
    pub key_id: Secret,
    pub secret: Secret,
    /// Whom to trust where the address is of https.
    pub tls: TlsConfig,
}

/// Why the bucket did not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BucketError {
    /// Trying again does not change it: wrong keys, no such bucket.
    #[error("the server answered {status}{code} to {what}")]
    Refused { what: &'static str, status: u16, code: String },
    /// No answer in time, or none but faults, however often it was tried.
    #[error("the server did not answer {what}: {reason}")]
    Unreachable { what: &'static str, reason: String },
    /// The answer is not what S3 answers.
    #[error("the answer to {what} cannot be understood")]
    Misled { what: &'static str },
    #[error("the object is not there")]
    Missing,
}

/// An object in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedObject {
    pub key: String,
    pub bytes: u64,
}

pub struct ObjectStore {
    agent: Agent,
    bucket: Bucket,
    credentials: Credentials,
}

/// An object that is put together of parts. What is not completed is taken away again.
pub struct Upload<'a> {
    store: &'a ObjectStore,
    key: &'a str,
    id: String,
    etags: Vec<String>,
    is_complete: bool,
}

struct Answer {
    etag: Option<String>,
    status: u16,
    bytes: Vec<u8>,
}

impl ObjectStore {
    /// `timeout` is how long one request may take.
    pub fn new(access: &BucketAccess, timeout: Duration) -> Result<Self, String> {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .timeout_global(Some(timeout))
            .timeout_connect(Some(CONNECT_TIMEOUT))
            .max_idle_connections_per_host(1)
            .tls_config(access.tls.clone())
            .build();
        Ok(Self {
            agent: config.new_agent(),
            bucket: access.address.bucket()?,
            credentials: Credentials::new(access.key_id.expose(), access.secret.expose()),
        })
    }

    /// Stores an object under this key, in the place of an earlier one.
    pub fn put(&self, key: &str, bytes: &[u8]) -> Result<(), BucketError> {
        let action = self.bucket.put_object(Some(&self.credentials), key);
        self.ask("a write", &action, Some(bytes), None, 0).map(|_answer| ())
    }

    /// Reads `length` bytes of an object from this place on.
    pub fn read(&self, key: &str, from: u64, length: u64) -> Result<Vec<u8>, BucketError> {
        let what = "a read";
        let action = self.bucket.get_object(Some(&self.credentials), key);
        let range = format!("bytes={from}-{}", (from + length).saturating_sub(1));
        let answer = self.ask(what, &action, None, Some(&range), length)?;
        // A server that does not know ranges sends all of it.
        let is_part = answer.status == 206 || from == 0;
        let is_whole = answer.bytes.len() as u64 == length;
        if is_part && is_whole { Ok(answer.bytes) } else { Err(BucketError::Misled { what }) }
    }

    pub fn delete(&self, key: &str) -> Result<(), BucketError> {
        let action = self.bucket.delete_object(Some(&self.credentials), key);
        match self.ask("a deletion", &action, None, None, 0) {
            Ok(_) | Err(BucketError::Missing) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// All objects whose keys begin like this and come after `after`, in the order of their keys.
    pub fn list(&self, prefix: &str, after: Option<&str>) -> Result<Vec<ListedObject>, BucketError> {
        let mut all = Vec::new();
        self.pages(prefix, after, None, |page| {
            let listed = |object: rusty_s3::actions::list_objects_v2::ListObjectsContent| ListedObject {
                key: object.key,
                bytes: object.size.unwrap_or_default(),
            };
            all.extend(page.contents.into_iter().map(listed));
        })?;
        Ok(all)
    }

    /// The folders in a folder, as prefixes of keys.
    pub fn folders(&self, prefix: &str) -> Result<Vec<String>, BucketError> {
        let mut all = Vec::new();
        self.pages(prefix, None, Some("/"), |page| {
            all.extend(page.common_prefixes.into_iter().map(|folder| folder.prefix));
        })?;
        Ok(all)
    }

    fn pages(
        &self,
        prefix: &str,
        after: Option<&str>,
        delimiter: Option<&str>,
        mut take: impl FnMut(rusty_s3::actions::ListObjectsV2Response),
    ) -> Result<(), BucketError> {
        let what = "a list";
        let mut token: Option<String> = None;
        loop {
            let mut action = self.bucket.list_objects_v2(Some(&self.credentials));
            action.with_prefix(prefix);
            if let Some(delimiter) = delimiter {
                action.with_delimiter(delimiter);
            }
            match (&token, after) {
                (Some(token), _) => action.with_continuation_token(token.as_str()),
                (None, Some(after)) => action.with_start_after(after),
                (None, None) => {}
            }
            let answer = self.ask(what, &action, None, None, ANSWER_BYTES_MAX)?;
            let text = String::from_utf8_lossy(&answer.bytes);
            let page =
                ListObjectsV2::parse_response(&text).map_err(|_foreign| BucketError::Misled { what })?;
            let next = page.next_continuation_token.clone();
            take(page);
            if next.is_none() || next == token {
                return Ok(());
            }
            token = next;
        }
    }

    /// Begins an object of parts.
    pub fn upload<'a>(&'a self, key: &'a str) -> Result<Upload<'a>, BucketError> {
        let what = "the beginning of an upload";
        let action = self.bucket.create_multipart_upload(Some(&self.credentials), key);
        let answer = self.ask(what, &action, Some(&[]), None, ANSWER_BYTES_MAX)?;
        let text = String::from_utf8_lossy(&answer.bytes);
        let begun =
            CreateMultipartUpload::parse_response(&text).map_err(|_foreign| BucketError::Misled { what })?;
        Ok(Upload {
            store: self,
            key,
            id: begun.upload_id().to_owned(),
            etags: Vec::new(),
            is_complete: false,
        })
    }

    /// Asks until there is an answer, or no hope of one. `range` is a header of a read; the answer has at most `bytes_max` bytes.
    fn ask<'a, A: S3Action<'a>>(
        &self,
        what: &'static str,
        action: &A,
        body: Option<&[u8]>,
        range: Option<&str>,
        bytes_max: u64,
    ) -> Result<Answer, BucketError> {
        let mut tries = 0;
        loop {
            let reason = match self.try_once(action, body, range, bytes_max) {
                Ok(answer) => match answer.status {
                    200..=299 => return Ok(answer),
                    404 if code_of(&answer.bytes) != "NoSuchBucket" => return Err(BucketError::Missing),
                    status if is_temporary(status) => format!("status {status}"),
                    status => {
                        let code = code_of(&answer.bytes);
                        let code = if code.is_empty() { code } else { format!(" ({code})") };
                        return Err(BucketError::Refused { what, status, code });
                    }
                },
                Err(reason) => reason,
            };
            tries += 1;
            if tries >= TRIES_MAX {
                return Err(BucketError::Unreachable { what, reason });
            }
            log::debug!("backup: {what} is tried again: {reason}");
            // At least half of it, so that many hubs do not come back together.
            let share: f64 = rand::random();
            std::thread::sleep((PAUSE_MIN * 2_u32.pow(tries - 1)).mul_f64(share.mul_add(0.5, 0.5)));
        }
    }

    fn try_once<'a, A: S3Action<'a>>(
        &self,
        action: &A,
        body: Option<&[u8]>,
        range: Option<&str>,
        bytes_max: u64,
    ) -> Result<Answer, String> {
        let address = action.sign_with_time(SIGNED_FOR, &clock::now());
        let address = address.as_str();
        let sent = match A::METHOD {
            Method::Put => self.agent.put(address).send(body.unwrap_or_default()),
            Method::Post => self.agent.post(address).send(body.unwrap_or_default()),
            Method::Delete => self.agent.delete(address).call(),
            Method::Get | Method::Head => match range {
                Some(range) => self.agent.get(address).header("range", range).call(),
                None => self.agent.get(address).call(),
            },
        };
        read(sent.map_err(|error| without_address(&error))?, bytes_max)
    }
}

fn read(mut answer: http::Response<Body>, bytes_max: u64) -> Result<Answer, String> {
    let status = answer.status().as_u16();
    let etag = answer.headers().get("etag").and_then(|etag| etag.to_str().ok()).map(str::to_owned);
    // An error says why in a few lines, whatever was asked for.
    let bytes_max = if answer.status().is_success() { bytes_max } else { ANSWER_BYTES_MAX };
    let read = answer.body_mut().with_config().limit(bytes_max.max(1)).read_to_vec();
    match read {
        Ok(bytes) => Ok(Answer { etag, status, bytes }),
        Err(error) => Err(without_address(&error)),
    }
}

impl Upload<'_> {
    /// Sends the next part.
    pub fn part(&mut self, bytes: &[u8]) -> Result<(), BucketError> {
        let what = "a part";
        let number = u16::try_from(self.etags.len() + 1).unwrap_or(u16::MAX);
        let credentials = Some(&self.store.credentials);
        let action = self.store.bucket.upload_part(credentials, self.key, number, &self.id);
        let answer = self.store.ask(what, &action, Some(bytes), None, 0)?;
        self.etags.push(answer.etag.ok_or(BucketError::Misled { what })?);
        Ok(())
    }

    /// Puts the parts together.
    pub fn complete(mut self) -> Result<(), BucketError> {
        let what = "the end of an upload";
        let etags = self.etags.iter().map(String::as_str);
        let credentials = Some(&self.store.credentials);
        let action = self.store.bucket.complete_multipart_upload(credentials, self.key, &self.id, etags);
        let body = action.clone().body();
        let answer = self.store.ask(what, &action, Some(body.as_bytes()), None, ANSWER_BYTES_MAX);
        // The server may have put them together although its answer was lost, and knows no such upload when it is asked again.
        // Whoever reads the object back notices if it did not.
        self.is_complete = matches!(answer, Ok(_) | Err(BucketError::Missing));
        let answer = match answer {
            Err(BucketError::Missing) => return Ok(()),
            answer => answer?,
        };
        // It answers before it knows how it went.
        if code_of(&answer.bytes).is_empty() { Ok(()) } else { Err(BucketError::Misled { what }) }
    }
}

impl Drop for Upload<'_> {
    fn drop(&mut self) {
        if self.is_complete {
            return;
        }
        let credentials = Some(&self.store.credentials);
        let action = self.store.bucket.abort_multipart_upload(credentials, self.key, &self.id);
        if let Err(reason) = self.store.try_once(&action, None, None, ANSWER_BYTES_MAX) {
            log::warn!("parts of an unfinished backup stay in the bucket: {reason}");
        }
    }
}

/// The code in an error of S3; empty where there is none.
fn code_of(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let code = text.split_once("<Code>").and_then(|(_, rest)| rest.split_once("</Code>"));
    code.map(|(code, _)| code.chars().take(64).collect()).unwrap_or_default()
}

/// What went wrong, in a word: the text of an error may hold the address.
#[expect(clippy::wildcard_enum_match_arm, reason = "the client's errors are many, and more come")]
fn without_address(error: &ureq::Error) -> String {
    if let ureq::Error::Io(error) = error {
        return error.kind().to_string();
    }
    let said = match error {
        ureq::Error::Timeout(_) => "no answer in time",
        ureq::Error::HostNotFound => "the host is not known",
        ureq::Error::Tls(_) | ureq::Error::Rustls(_) => "TLS failed",
        ureq::Error::BodyExceedsLimit(_) => "the answer is longer than what was asked for",
        _ => "the connection failed",
    };
    said.to_owned()
}
