//! How much memory and disk callers may fill, as an operator sets it. Bounds that no operator needs to set are in `limits.rs`.
//!
//! It stands apart from the other settings because the rooms that keep to it know none of those.

/// How much memory and disk callers may fill.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quotas {
    /// Bytes of arguments of all calls under way; past it a call is answered "busy". Default 64 MiB.
    pub arguments_bytes: usize,
    /// Bytes of the statuses of one module, names and values; past it a driver cannot set another or a larger one. Default 16 MiB.
    pub statuses_bytes: usize,
    /// Bytes of one entry of the building, as it is kept; an edit that makes it larger is refused. Default 1 MiB.
    pub entry_bytes: usize,
    /// Bytes of all metadata of one zone, system, module or user; an edit that makes it larger is refused. Default 8 MiB.
    pub metadata_bytes: usize,
}

impl Default for Quotas {
    fn default() -> Self {
        const MIB: usize = 1024 * 1024;
        Self {
            arguments_bytes: 64 * MIB,
            statuses_bytes: 16 * MIB,
            entry_bytes: MIB,
            metadata_bytes: 8 * MIB,
        }
    }
}
