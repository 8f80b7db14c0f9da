//! What `hub_status` says of the hub: whether deliveries are taken in, and if not, why. Words for screens: no path
//! and no name of a file or host is among them.

/// Whether deliveries are taken in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum HubState {
    /// They are.
    Ok,
    /// They are refused, because they cannot be stored. What is shown is true, and gets no newer.
    Unwritable,
    /// The hub goes down.
    Draining,
}

impl HubState {
    /// The whole table.
    pub const ALL: [Self; 3] = [Self::Ok, Self::Unwritable, Self::Draining];

    /// The word of the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Unwritable => "unwritable",
            Self::Draining => "draining",
        }
    }
}

/// Why deliveries cannot be stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FaultKind {
    /// The disk is full.
    DiskFull,
    /// The file, its folder or its disk may not be written.
    ReadOnly,
    /// Another process holds the file.
    Locked,
    /// The disk does not read or write.
    IoError,
    /// The file's content does not fit together.
    Damaged,
    /// The file was moved, deleted or replaced while the hub ran.
    Moved,
    /// Memory ran out.
    OutOfMemory,
    /// Anything else; the hub's log says what.
    Other,
}

impl FaultKind {
    /// The whole table.
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

    /// The word of the wire.
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
