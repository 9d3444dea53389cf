//! What tests of embedded stores share: folders of their own, and a disk that fails.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use redb::StorageBackend;

/// A disk in memory that fails from a given step on; what was written before the failure is on it.
#[derive(Debug, Clone, Default)]
pub(super) struct FlakyDisk(Arc<Mutex<Disk>>);

#[derive(Debug, Default)]
struct Disk {
    bytes: Vec<u8>,
    /// How many writing steps still succeed.
    left: Option<usize>,
    /// Whether the step after the failure succeeds.
    heals_itself: bool,
    failed: bool,
}

impl FlakyDisk {
    pub(super) fn with(bytes: Vec<u8>) -> Self {
        let disk = Self::default();
        disk.0.lock().unwrap().bytes = bytes;
        disk
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        self.0.lock().unwrap().bytes.clone()
    }

    pub(super) fn fail_after(&self, steps: usize) {
        self.0.lock().unwrap().left = Some(steps);
    }

    /// Fails at one step alone.
    pub(super) fn fail_once_after(&self, steps: usize) {
        let mut disk = self.0.lock().unwrap();
        disk.left = Some(steps);
        disk.heals_itself = true;
    }

    /// Works again. Whether it has failed meanwhile.
    pub(super) fn heal(&self) -> bool {
        let mut disk = self.0.lock().unwrap();
        disk.left = None;
        disk.heals_itself = false;
        std::mem::take(&mut disk.failed)
    }
}

impl Disk {
    fn step(&mut self) -> Result<(), io::Error> {
        match &mut self.left {
            None => Ok(()),
            Some(0) => {
                self.failed = true;
                if self.heals_itself {
                    self.left = None;
                }
                Err(io::ErrorKind::StorageFull.into())
            }
            Some(left) => {
                *left -= 1;
                Ok(())
            }
        }
    }
}

impl StorageBackend for FlakyDisk {
    fn len(&self) -> Result<u64, io::Error> {
        Ok(self.0.lock().unwrap().bytes.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> Result<(), io::Error> {
        let disk = self.0.lock().unwrap();
        let start = usize::try_from(offset).unwrap();
        let bytes = disk.bytes.get(start..start + out.len());
        out.copy_from_slice(bytes.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn set_len(&self, len: u64) -> Result<(), io::Error> {
        let mut disk = self.0.lock().unwrap();
        disk.step()?;
        disk.bytes.resize(usize::try_from(len).unwrap(), 0);
        Ok(())
    }

    fn sync_data(&self) -> Result<(), io::Error> {
        self.0.lock().unwrap().step()
    }

    fn write(&self, offset: u64, data: &[u8]) -> Result<(), io::Error> {
        let mut disk = self.0.lock().unwrap();
        disk.step()?;
        let start = usize::try_from(offset).unwrap();
        disk.bytes[start..start + data.len()].copy_from_slice(data);
        Ok(())
    }
}

/// A folder of one test's own, gone with the test.
pub(super) struct Folder(PathBuf);

impl Folder {
    pub(super) fn empty() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("riser-store-{}-{count}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
