//! Umbler Hub: realtime for teams that work in WhatsApp through Umbler Talk.
//!
//! Umbler Talk posts what happens in chats to a webhook. The hub stores it in a journal, and only then acknowledges it.
//! It keeps the state of chats, contacts and messages, answers questions about them over REST, raises alerts where a
//! customer waits for too long, and sends every change to the screens that may see it.
//!
//! This crate is the whole program. From outside only [`facade`] can be reached, which names what `src/main.rs`, the tests
//! and the benchmarks use. `docs/glossary.md` explains the words.
//!
//! # The rooms
//!
//! The modules are called rooms. They are listed in reading order, and a room imports only from rooms before it; a test
//! checks that.
//!
//! 1. [`domain`]: what a conversation is, and what a delivery changes in it. Pure: no clock, no files.
//! 2. [`protocol`]: what may be said on the wire: events, requests, channels, codes and shapes.
//! 3. [`telemetry`]: the clock, Prometheus metrics, and how errors are logged.
//! 4. [`auth`]: tokens, keys and revocations, and the scope that a token gives.
//! 5. [`umbler`]: translates the provider's JSON into a delivery of the domain.
//! 6. [`sqlite`]: how database files are opened, locked, checkpointed and kept private.
//! 7. [`journal`]: stores records in one order, and in the same transaction all that follows from them.
//!    [`cluster`]: brings records into a stream that other hubs share, and back in its order.
//! 8. [`derived`]: threads that follow the journal: the search index, the facts of metrics, alerts posted elsewhere.
//! 9. [`reads`]: answers questions to what is stored, on threads of its own.
//! 10. [`hub`]: the one actor that knows who is connected and tells them what happens.
//! 11. [`session`]: one actor per WebSocket or event stream.
//! 12. [`http`]: routes: requests become typed messages and questions.
//! 13. [`link`] asks the provider's API, and [`backup`] sends copies to another machine, each on threads of its own.
//! 14. [`config`], [`app`] and [`tools`]: settings, how the rooms are put together, and the other subcommands.
//!
//! # A delivery's way
//!
//! 1. [`http::webhook`] checks the secret, reads the body within its bounds, and has it translated by [`umbler::read`]
//!    into a [`Delivery`](domain::Delivery). With the raw body that becomes a [`Record`](journal::Record).
//! 2. The hub's actor, [`UmblerHub`](hub::UmblerHub), puts it into the queue of the [`Journal`](journal::Journal).
//! 3. The journal's thread takes what waits as one batch ([`journal::batch`]). [`journal::apply`] gives each record its
//!    position; for a delivery, [`domain::absorb()`] decides what changes. One commit makes the batch durable.
//! 4. [`Committed`](journal::Committed) tells the hub. Nothing else reaches a screen.
//! 5. [`hub::updates`] encodes each update once per view of it, and hands it to the workers of the sessions whose
//!    [`Scope`](auth::Scope) sees it.
//! 6. [`session::worker_fan_out`] writes it to each socket of its worker. Then the provider gets its 200.
//!
//! A question over REST goes another way: a row of `routes!` in [`http::api`] names its handler, which asks a
//! [`Query`](reads::Query) of the readers.
//!
//! # Where to begin
//!
//! Read [`domain::absorb`](mod@domain::absorb) for what the hub is about, [`auth::scope`] for who sees what, and [`journal`] for what is
//! promised. Then follow the way above from [`http::webhook`].

mod domain;
mod protocol;
mod telemetry;
mod auth;
mod umbler;
mod sqlite;
mod journal;
mod cluster;
mod derived;
mod reads;
mod hub;
mod session;
mod http;
mod link;
mod backup;
mod config;
mod app;
mod tools;

pub mod facade;
