//! What is seen of a file without reading it: whether it has changed since the last look.
//!
//! Looking works for every way of replacing a file, on every file system: written in place, renamed over,
//! or a link above it that points elsewhere, as Kubernetes does it.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// Every way of replacing a file's content changes one of these.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileLook {
    device: u64,
    inode: u64,
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl FileLook {
    /// Looks at a file, and through the links that lead to it; `None` where there is none. Blocks.
    pub fn at(path: &Path) -> Option<Self> {
        let metadata = fs::metadata(path).ok()?;
        Some(Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            size: metadata.size(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        })
    }
}
