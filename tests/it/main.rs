//! Everything through the product's own doors: a real process, real HTTP, real sockets, a real file.

#![expect(
    unreachable_pub,
    reason = "a test binary exports nothing; `pub` tells what a helper offers to tests"
)]
#![expect(clippy::expect_used, clippy::panic, reason = "helpers fail a test as tests do")]

mod auth;
mod convergence;
mod durability;
mod edge;
mod house;
mod model;
mod key_sets;
mod limits;
mod origins;
mod parameters;
mod payloads;
mod presence;
mod process;
mod protocol;
mod recovery;
mod rest;
mod revocations;
mod rfc6455;
mod scopes;
mod scripts;
mod secrecy;
mod stream;
mod support;
mod token_life;
mod tools;
mod webhook;
