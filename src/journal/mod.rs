//! The ordered, durable record of what happened. Everything else can be rebuilt from it.

pub mod fold;
