//! Umbler Hub: realtime for teams that work in WhatsApp through Umbler Talk.
//!
//! Rooms in reading order; a room imports only from rooms before it, and a test checks that.

mod domain;
mod protocol;
mod telemetry;
mod auth;
mod umbler;
mod sqlite;
mod journal;
mod derived;
mod reads;
mod hub;
mod session;
mod http;
mod config;
mod app;
mod tools;

pub mod facade;
