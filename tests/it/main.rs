//! Everything through the product's own doors: a real process, real HTTP, real sockets, a real file.

mod auth;
mod convergence;
mod durability;
mod house;
mod payloads;
mod process;
mod protocol;
mod rfc6455;
mod support;
mod webhook;
