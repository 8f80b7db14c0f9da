//! One socket, one actor.
