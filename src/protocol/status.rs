//! What `hub_status` says: whether the hub accepts deliveries, and if not, why. The words are shown on screens,
//! so they contain no path and no name of a file or host.

/// Whether the hub accepts deliveries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum HubState {
    Ok,
    /// Deliveries are refused, because they cannot be stored. What is shown is right, but gets no newer.
    Unwritable,
    /// The hub is cut off from its cluster, or behind it. What is shown may be older than what other hubs show.
    Behind,
    /// The hub is about to stop.
    Draining,
}

impl HubState {
    pub const ALL: [Self; 4] = [Self::Ok, Self::Unwritable, Self::Behind, Self::Draining];

    /// The state as it is written on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Unwritable => "unwritable",
            Self::Behind => "behind",
            Self::Draining => "draining",
        }
    }
}

/// Why deliveries cannot be stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FaultKind {
    DiskFull,
    /// The file, its folder or its disk is read-only.
    ReadOnly,
    /// Another process has locked the file.
    Locked,
    /// The disk does not read or write.
    IoError,
    /// The content of the file is damaged.
    Damaged,
    /// The file was moved, deleted or replaced while the hub ran.
    Moved,
    /// There is not enough memory.
    OutOfMemory,
    /// Another fault; the hub's log has the details.
    Other,
}

impl FaultKind {
    pub const ALL: [Self; 8] = [
        Self::DiskFull,
        Self::ReadOnly,
        Self::Locked,
        Self::IoError,
        Self::Damaged,
        Self::Moved,
        Self::OutOfMemory,
        Self::Other,
    ];

    /// The fault as it is written on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::DiskFull => "disk_full",
            Self::ReadOnly => "read_only",
            Self::Locked => "locked",
            Self::IoError => "io_error",
            Self::Damaged => "damaged",
            Self::Moved => "moved",
            Self::OutOfMemory => "out_of_memory",
            Self::Other => "other",
        }
    }
}
