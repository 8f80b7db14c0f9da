//! The ways in which a request can be refused: one table, and one JSON shape.

use actix_web::http::{StatusCode, header};
use actix_web::{HttpResponse, HttpResponseBuilder, ResponseError};
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use crate::auth::AuthError;
use crate::reads::ReadError;

/// Most wrong parameters that one answer names.
pub const NAMED_MAX: usize = 50;

/// Why a request is refused.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// A parameter is unknown, given twice, out of range or malformed.
    #[error("{message}")]
    BadParameter {
        /// Name of the parameter, as the caller wrote it.
        parameter: String,
        /// What the parameter must be.
        message: String,
    },
    /// The request itself is wrong.
    #[error("{0}")]
    BadRequest(String),
    /// There is no token, or it is not valid.
    #[error("{0}")]
    Unauthorized(String),
    /// The token, or the origin of the page, does not allow this.
    #[error("{0}")]
    Forbidden(&'static str),
    /// Nothing has this id, or this path.
    #[error("{0}")]
    NotFound(&'static str),
    /// The path does not have this method.
    #[error("this path does not have that method")]
    MethodNotAllowed {
        /// The methods that the path has, separated by commas.
        allow: header::HeaderValue,
    },
    /// The position belongs to another epoch.
    #[error("the position belongs to another epoch; begin with a snapshot")]
    EpochChanged,
    /// What came after the position is no longer kept.
    #[error("the position is older than the kept updates; begin with a snapshot")]
    TooOld,
    /// Other settings were saved than those that the request is based on.
    #[error("other settings were saved meanwhile; read them and try again")]
    SettingsChanged,
    /// The head of the request is too large.
    #[error("the headers have more than {0} bytes")]
    HeadersTooLarge(usize),
    /// The body came too slowly.
    #[error("the body took longer than {0} s")]
    BodyTimeout(u64),
    /// The body is too large.
    #[error("the body has more than {0} bytes")]
    BodyTooLarge(usize),
    /// The body is encoded, for example with gzip.
    #[error("Content-Encoding is not supported; send the body as it is")]
    UnsupportedEncoding,
    /// The body is not declared as the type that it must be.
    #[error("send the body as Content-Type: {0}")]
    UnsupportedType(&'static str),
    /// The client speaks another version of the WebSocket protocol.
    #[error("the hub only speaks WebSocket version 13 (RFC 6455)")]
    UpgradeRequired,
    /// This address sends too many requests.
    #[error("too many requests from this address")]
    TooManyRequests {
        /// Seconds until another request is allowed.
        retry_after_seconds: u64,
    },
    /// This user sends too many messages.
    #[error("you send more messages than 60 a minute")]
    TooManyMessages {
        /// Seconds until another message is allowed.
        retry_after_seconds: u64,
    },
    /// The hub does not send messages.
    #[error("the hub does not send messages: {0}")]
    SendingOff(&'static str),
    /// The chat is closed, so nothing can be written into it.
    #[error("the chat is closed")]
    ChatClosed,
    /// The 24 hours after the customer's last message are over.
    #[error("the 24 hours after the customer's last message are over")]
    WindowClosed { closed_at: Timestamp },
    /// The id that the sender chose belongs to another message.
    #[error("another message has this tempId")]
    TempIdUsed,
    /// The message is on its way, or has arrived.
    #[error("only a message that failed or was not confirmed is sent again or dropped")]
    NotUndelivered,
    /// No webhook was created at Umbler.
    #[error("{0}")]
    WebhookNotCreated(String),
    /// The hub cannot do this at present.
    #[error("{message}")]
    Unavailable {
        message: &'static str,
        /// Seconds after which it is worth trying again.
        retry_after_seconds: u64,
    },
    /// An error of the hub. Details are only in its log.
    #[error("the hub failed to answer; its log says why")]
    Internal,
}

/// The body of every refusal: `{"error": {…}}`.
#[derive(Debug, Serialize, ToSchema)]
pub struct ErrorBody {
    /// What was wrong with the request.
    error: ErrorDetail,
}

/// What was wrong with a request.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct ErrorDetail {
    /// One of the error codes, for programs.
    #[schema(example = "bad_parameter")]
    code: &'static str,
    /// What was wrong, as a text for people.
    message: String,
    /// The parameter that is wrong, if it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    parameter: Option<String>,
    /// When the 24 hours were over, with `window_closed`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    closed_at: Option<Timestamp>,
}

/// Describes how every call under `/api/umbler` may be refused. A route that says more about one of these names
/// it afterwards.
#[derive(utoipa::IntoResponses)]
#[expect(dead_code, reason = "only described: refusals are made of `ApiError`")]
pub enum CallRefusals {
    /// A parameter is unknown, given twice, malformed or out of range; the error names it.
    #[response(status = 400)]
    BadParameter(ErrorBody),
    /// There is no valid token.
    #[response(status = 401, headers(("WWW-Authenticate" = String, description = "`Bearer`.")))]
    Unauthorized(ErrorBody),
    /// The hub has no JWT key and was asked under a host name that is not its own.
    #[response(status = 403)]
    Forbidden(ErrorBody),
    /// This address sends too many requests.
    #[response(status = 429, headers(("Retry-After" = u64, description = "Seconds until another request is allowed.")))]
    TooMany(ErrorBody),
    /// The hub cannot answer at present: it stops, or cannot store or look up in time. Try again.
    #[response(status = 503, headers(("Retry-After" = u64, description = "Seconds after which it is worth trying again.")))]
    Unavailable(ErrorBody),
}

/// Describes how a call about a single thing may be refused, besides.
#[derive(utoipa::IntoResponses)]
#[expect(dead_code, reason = "only described: refusals are made of `ApiError`")]
pub enum LookupRefusals {
    /// Nothing that the token sees has this id.
    #[response(status = 404)]
    NotFound(ErrorBody),
}

/// Describes how a call with a body may be refused, besides.
#[derive(utoipa::IntoResponses)]
#[expect(dead_code, reason = "only described: refusals are made of `ApiError`")]
pub enum BodyRefusals {
    /// The body came too slowly.
    #[response(status = 408)]
    Timeout(ErrorBody),
    /// The body is too large.
    #[response(status = 413)]
    TooLarge(ErrorBody),
    /// The body is not declared as the type that it must be, or it is encoded, for example with gzip.
    #[response(status = 415)]
    Unsupported(ErrorBody),
}

impl ApiError {
    /// The refusal of one wrong parameter.
    pub fn parameter(parameter: impl Into<String>, message: impl Into<String>) -> Self {
        Self::BadParameter { parameter: parameter.into(), message: message.into() }
    }

    /// Several parameters are wrong: each with its name and what it must be. There is at least one. The first
    /// one is the `parameter` of the answer.
    pub fn parameters(wrong: &[(String, String)]) -> Self {
        let named = wrong.iter().take(NAMED_MAX).map(|(name, what)| format!("{name} {what}"));
        let first = wrong.first().map(|(name, _)| name.clone());
        Self::parameter(first.unwrap_or_default(), named.collect::<Vec<_>>().join("; "))
    }

    /// The status and the code: the table of refusals.
    fn row(&self) -> (StatusCode, &'static str) {
        match self {
            Self::BadParameter { .. } => (StatusCode::BAD_REQUEST, "bad_parameter"),
            Self::BadRequest(_) => (StatusCode::BAD_REQUEST, "bad_request"),
            Self::Unauthorized(_) => (StatusCode::UNAUTHORIZED, "unauthorized"),
            Self::Forbidden(_) => (StatusCode::FORBIDDEN, "forbidden"),
            Self::NotFound(_) => (StatusCode::NOT_FOUND, "not_found"),
            Self::MethodNotAllowed { .. } => (StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed"),
            Self::EpochChanged => (StatusCode::GONE, "epoch_changed"),
            Self::TooOld => (StatusCode::GONE, "too_old"),
            Self::SettingsChanged => (StatusCode::PRECONDITION_FAILED, "settings_changed"),
            Self::HeadersTooLarge(_) => (StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "headers_too_large"),
            Self::BodyTimeout(_) => (StatusCode::REQUEST_TIMEOUT, "body_timeout"),
            Self::BodyTooLarge(_) => (StatusCode::PAYLOAD_TOO_LARGE, "body_too_large"),
            Self::UnsupportedEncoding => (StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_encoding"),
            Self::UnsupportedType(_) => (StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_type"),
            Self::UpgradeRequired => (StatusCode::UPGRADE_REQUIRED, "upgrade_required"),
            Self::TooManyRequests { .. } => (StatusCode::TOO_MANY_REQUESTS, "too_many_requests"),
            Self::TooManyMessages { .. } => (StatusCode::TOO_MANY_REQUESTS, "too_many_messages"),
            Self::SendingOff(_) => (StatusCode::CONFLICT, "sending_off"),
            Self::ChatClosed => (StatusCode::CONFLICT, "chat_closed"),
            Self::WindowClosed { .. } => (StatusCode::CONFLICT, "window_closed"),
            Self::TempIdUsed => (StatusCode::CONFLICT, "temp_id_used"),
            Self::NotUndelivered => (StatusCode::CONFLICT, "not_undelivered"),
            Self::WebhookNotCreated(_) => (StatusCode::CONFLICT, "webhook_not_created"),
            Self::Unavailable { .. } => (StatusCode::SERVICE_UNAVAILABLE, "unavailable"),
            Self::Internal => (StatusCode::INTERNAL_SERVER_ERROR, "internal"),
        }
    }

    /// Adds the headers that belong to the refusal.
    fn add_headers(&self, response: &mut HttpResponseBuilder) {
        match self {
            Self::Unauthorized(_) => {
                response.insert_header((header::WWW_AUTHENTICATE, "Bearer"));
            }
            Self::TooManyRequests { retry_after_seconds }
            | Self::TooManyMessages { retry_after_seconds }
            | Self::Unavailable { retry_after_seconds, .. } => {
                response.insert_header((header::RETRY_AFTER, *retry_after_seconds));
            }
            Self::MethodNotAllowed { allow } => {
                response.insert_header((header::ALLOW, allow.clone()));
            }
            Self::UpgradeRequired => {
                response.insert_header((header::SEC_WEBSOCKET_VERSION, "13"));
                response.insert_header((header::UPGRADE, "websocket"));
            }
            // The rest of the body is not read, so the connection cannot be used again.
            Self::BodyTimeout(_) | Self::BodyTooLarge(_) => {
                response.force_close();
            }
            Self::BadParameter { .. }
            | Self::BadRequest(_)
            | Self::Forbidden(_)
            | Self::NotFound(_)
            | Self::EpochChanged
            | Self::TooOld
            | Self::SettingsChanged
            | Self::HeadersTooLarge(_)
            | Self::UnsupportedEncoding
            | Self::UnsupportedType(_)
            | Self::SendingOff(_)
            | Self::ChatClosed
            | Self::WindowClosed { .. }
            | Self::TempIdUsed
            | Self::WebhookNotCreated(_)
            | Self::NotUndelivered
            | Self::Internal => {}
        }
    }
}

impl ResponseError for ApiError {
    fn status_code(&self) -> StatusCode {
        self.row().0
    }

    fn error_response(&self) -> HttpResponse {
        let (status, code) = self.row();
        let parameter =
            if let Self::BadParameter { parameter, .. } = self { Some(parameter.clone()) } else { None };
        let closed_at = if let Self::WindowClosed { closed_at } = self { Some(*closed_at) } else { None };
        let mut response = HttpResponse::build(status);
        response.insert_header((header::CACHE_CONTROL, "no-store"));
        self.add_headers(&mut response);
        response
            .json(ErrorBody { error: ErrorDetail { code, message: self.to_string(), parameter, closed_at } })
    }
}

impl From<ReadError> for ApiError {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::EpochChanged => Self::EpochChanged,
            ReadError::Expired => Self::TooOld,
            ReadError::PositionAhead => Self::parameter("after", "the journal has not reached this position"),
            ReadError::BadCursor => Self::parameter("cursor", error.to_string()),
            ReadError::TooFarBack => Self::parameter("at", error.to_string()),
            ReadError::Busy => {
                Self::Unavailable { message: "too many requests are waiting", retry_after_seconds: 1 }
            }
            ReadError::Search(_) => {
                log::warn!("a search failed: {}", crate::telemetry::causes::chain(&error));
                Self::Unavailable { message: "the search index cannot be read", retry_after_seconds: 5 }
            }
            ReadError::Database(_) => {
                log::error!("a query of stored data failed: {}", crate::telemetry::causes::chain(&error));
                Self::Internal
            }
        }
    }
}

impl From<AuthError> for ApiError {
    fn from(error: AuthError) -> Self {
        Self::Unauthorized(error.to_string())
    }
}
