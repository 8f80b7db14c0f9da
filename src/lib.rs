//! Umbler Hub: realtime for teams that work in WhatsApp through Umbler Talk.
//!
//! Rooms in reading order; a room imports only from rooms before it, and a test checks that.

pub mod domain;
pub mod protocol;
pub mod telemetry;
pub mod auth;
pub mod umbler;
pub mod sqlite;
pub mod journal;
pub mod derived;
pub mod reads;
pub mod hub;
pub mod session;
pub mod http;
pub mod link;
pub mod config;
pub mod app;
pub mod tools;
