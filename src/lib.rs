//! Umbler Hub.
