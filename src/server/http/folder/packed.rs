//! Files that are compressed here, each once for as long as it stays as it is.

use std::collections::HashMap;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use actix_web::web::{self, Bytes};
use flate2::Compression;
use flate2::write::GzEncoder;
use tokio::sync::Semaphore;

use crate::model::lock;
use crate::server::limits::{PACKED_FILES_MAX_BYTES, PACKED_FROM_BYTES};

/// The encoding that every browser takes.
pub(super) const ENCODING: &str = "gzip";

/// Whether a file of this type and size is worth it.
pub(super) fn shrinks(kind: &str, bytes: u64) -> bool {
    let is_text = kind.starts_with("text/")
        || kind.contains("json")
        || kind.contains("xml")
        || ["application/wasm", "font/otf", "font/ttf", "image/x-icon"].contains(&kind);
    is_text && bytes >= PACKED_FROM_BYTES
}

/// What was compressed lately. When it is more than a bound, all of it is forgotten.
#[derive(Debug)]
pub(in crate::server) struct PackedFiles {
    files: Mutex<Files>,
    /// Held while a file is compressed, which takes a whole core.
    turn: Semaphore,
}

#[derive(Debug, Default)]
struct Files {
    /// The tag and the content of each.
    by_path: HashMap<PathBuf, (String, Bytes)>,
    bytes: usize,
}

impl Default for PackedFiles {
    fn default() -> Self {
        Self {
            files: Mutex::default(),
            turn: Semaphore::new(1),
        }
    }
}

impl PackedFiles {
    /// The compressed content of a file whose content has this tag. It is asked for the content alone when it has not compressed it yet.
    pub(in crate::server::http) async fn of(
        &self,
        path: &Path,
        tag: &str,
        content: impl AsyncFnOnce() -> io::Result<Bytes>,
    ) -> io::Result<Bytes> {
        if let Some(known) = self.known(path, tag) {
            return Ok(known);
        }
        let _turn = self.turn.acquire().await.map_err(io::Error::other)?;
        if let Some(known) = self.known(path, tag) {
            return Ok(known);
        }
        let content = content().await?;
        let packed = web::block(move || pack(&content));
        let packed = packed.await.map_err(io::Error::other)??;
        self.keep(path, tag, &packed);
        Ok(packed)
    }

    fn known(&self, path: &Path, tag: &str) -> Option<Bytes> {
        let files = lock(&self.files);
        let (known, content) = files.by_path.get(path)?;
        (known == tag).then(|| content.clone())
    }

    fn keep(&self, path: &Path, tag: &str, content: &Bytes) {
        let mut files = lock(&self.files);
        if let Some((_, before)) = files.by_path.remove(path) {
            files.bytes -= before.len();
        }
        if files.bytes + content.len() > PACKED_FILES_MAX_BYTES {
            *files = Files::default();
        }
        files.bytes += content.len();
        let kept = (tag.to_owned(), content.clone());
        files.by_path.insert(path.to_owned(), kept);
    }
}

fn pack(content: &[u8]) -> io::Result<Bytes> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(content)?;
    Ok(Bytes::from(encoder.finish()?))
}
