//! Everything through the product's own doors: a real process, real HTTP, real sockets, a real file.

mod auth;
mod convergence;
mod durability;
mod house;
mod payloads;
mod presence;
mod process;
mod protocol;
mod recovery;
mod rfc6455;
mod scopes;
mod stream;
mod support;
mod webhook;
