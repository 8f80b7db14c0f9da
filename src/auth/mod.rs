//! Who speaks: tokens are checked here, and nowhere else.
