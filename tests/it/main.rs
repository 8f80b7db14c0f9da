//! Everything through the product's own doors: a real process, real HTTP, real sockets, a real file.

#![expect(
    unreachable_pub,
    reason = "a test binary exports nothing; `pub` tells what a helper offers to tests"
)]
#![expect(clippy::expect_used, clippy::panic, reason = "helpers fail a test as tests do")]

mod alert_webhook;
mod alerts;
mod api_shape;
mod as_written;
mod asyncapi;
mod auth;
mod backup;
mod convergence;
mod described;
mod documents;
mod drain;
mod durability;
mod edge;
mod faults;
mod files;
mod heartbeat;
mod house;
mod lineage;
mod lines;
mod link;
mod link_sweep;
mod members;
mod metrics;
mod metrics_by;
mod metrics_equal;
mod metrics_long;
mod metrics_pushed;
mod model;
mod key_sets;
mod limits;
mod origins;
mod order;
mod past;
mod past_live;
mod parameters;
mod payloads;
mod power_loss;
mod placements;
mod presence;
mod process;
mod protocol;
mod records;
mod recorded_stream;
mod recovery;
mod replays;
mod replay_ends;
mod rest;
mod revocations;
mod rfc6455;
mod routes;
mod scopes;
mod scripts;
mod search;
mod search_written;
mod secrecy;
mod settings;
mod silence;
mod stream;
mod support;
mod timeline;
mod token_life;
mod tools;
mod webhook;
mod words;
