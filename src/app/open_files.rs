//! How many files and sockets the process may have open.

/// Raises the limit as far as the operating system lets it.
pub(super) fn raise_limit() {
    match rlimit::increase_nofile_limit(u64::MAX) {
        Ok(limit) => log::info!("up to {limit} open files"),
        Err(error) => log::warn!("the limit of open files stays as it is: {error}"),
    }
}
