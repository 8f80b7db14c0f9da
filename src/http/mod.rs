//! The edge: HTTP in, typed messages to the hub, JSON out.
