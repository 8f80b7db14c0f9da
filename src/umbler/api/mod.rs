//! Umbler's REST API as data: the requests that the hub sends, and the answers that it reads. Pure: this module sends nothing.
//!
//! # Contract
//!
//! 1. The provider ignores parameters that it does not know and answers as if they were not there. So an answer alone does not show
//!    that it fits the request: the caller checks it.
//! 2. Each assumption about the API is an entry of [`Dialect`], which an operator can change without a new release.
//! 3. Answers are read like deliveries: keys match in any letter case, and a field of a wrong type counts as absent.

pub mod dialect;
pub mod routes;
pub mod answers;
pub mod sending;
pub mod registering;

pub use answers::{
    AnswerError, ChatItem, ChatsPage, Me, MessageItem, MessagesPage, NamesPage, Organization, WebhookItem,
};
pub use dialect::Dialect;
pub use routes::{ApiRequest, RequestBuilder, Route};
pub use sending::{ApiPost, ToSend};
