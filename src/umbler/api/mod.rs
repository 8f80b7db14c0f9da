//! Umbler's REST API as data: which routes are asked, with which parameters, and what their answers say. Pure: nothing is sent
//! from here.
//!
//! # Contract
//!
//! 1. The provider ignores parameters that it does not know, and answers as if nothing had been asked. So an answer says only
//!    what it holds, and never what the question wanted; whoever asks checks it.
//! 2. What is guessed about the API is an entry of [`Dialect`], which an operator may change without another
//!    release.
//! 3. Answers are read as deliveries are: keys match whatever their case, and a wrong type in a field counts as absent.

pub mod dialect;
pub mod routes;
pub mod answers;

pub use answers::{
    AnswerError, ChatItem, ChatsPage, Me, MessageItem, MessagesPage, Organization, WebhookItem,
};
pub use dialect::Dialect;
pub use routes::{ApiRequest, Asking, Route};
