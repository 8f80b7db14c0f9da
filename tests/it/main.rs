//! Integration tests: the hub through its own doors.
