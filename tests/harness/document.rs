//! The project's documents, as far as a machine can read them: their fenced blocks, each with its place.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use test_support::root;

/// A Markdown file of the project.
#[derive(Debug)]
pub(crate) struct Document {
    /// Its path below the project's root.
    pub(crate) name: String,
    pub(crate) text: String,
}

/// What stands between two fences.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Block<'d> {
    pub(crate) place: Place<'d>,
    /// What stands behind the opening fence: `sh`, `sh no-run`, `yaml`.
    pub(crate) kind: &'d str,
    pub(crate) text: String,
}

/// A line of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place<'d> {
    file: &'d str,
    line: usize,
}

impl Place<'_> {
    /// Some lines further down.
    pub(crate) fn below(self, lines: usize) -> Self {
        let line = self.line + lines;
        Self { line, ..self }
    }
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

impl Document {
    /// What users read: the README and everything in `docs`.
    pub(crate) fn all() -> Vec<Self> {
        let mut paths: Vec<PathBuf> = fs::read_dir(root().join("docs"))
            .expect("there are documents")
            .map(|entry| entry.expect("a document").path())
            .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
            .collect();
        paths.sort();
        paths.insert(0, root().join("README.md"));
        paths.iter().map(|path| Self::read(path)).collect()
    }

    fn read(path: &Path) -> Self {
        let name = path.strip_prefix(root()).expect("it is the project's");
        Self {
            name: name.display().to_string(),
            text: fs::read_to_string(path).expect("a document is text"),
        }
    }

    /// The last line of prose above a block.
    pub(crate) fn caption(&self, block: &Block<'_>) -> &str {
        let above = self.text.lines().take(block.place.line - 1);
        let prose = above.filter(|line| !line.trim().is_empty());
        prose.last().unwrap_or_default()
    }

    /// The blocks in their order, and the lines outside of them.
    pub(crate) fn parts(&self) -> (Vec<Block<'_>>, Vec<(Place<'_>, &str)>) {
        let (mut blocks, mut outside) = (Vec::new(), Vec::new());
        let mut open: Option<Block<'_>> = None;
        for (number, line) in (1..).zip(self.text.lines()) {
            let place = Place {
                file: &self.name,
                line: number,
            };
            open = match (open.take(), line.strip_prefix("```")) {
                (None, Some(kind)) => Some(Block {
                    place,
                    kind,
                    text: String::new(),
                }),
                (None, None) => {
                    outside.push((place, line));
                    None
                }
                (Some(block), Some(_)) => {
                    blocks.push(block);
                    None
                }
                (Some(mut block), None) => {
                    block.text.push_str(line);
                    block.text.push('\n');
                    Some(block)
                }
            };
        }
        assert_eq!(open, None, "a block without its end");
        (blocks, outside)
    }
}
