//! Everything through the product's own doors: a real process, real HTTP, real sockets, a real file.

mod auth;
mod convergence;
mod durability;
mod house;
mod key_sets;
mod limits;
mod origins;
mod payloads;
mod process;
mod protocol;
mod revocations;
mod rfc6455;
mod secrecy;
mod support;
mod token_life;
mod webhook;
