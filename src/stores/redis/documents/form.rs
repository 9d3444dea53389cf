//! How a ledger is written down: a hash of its documents with its head, and a stream of its news.
//!
//! - A document is the field `collection/id` with the value `version json`. No collection has a slash in it.
//! - The head is the field `head` with the value `schema number commit`. It is in the same hash, so that no document is ever there without it.
//! - A piece of news has the number as its id, the field `commit`, and the field `batch` unless that would be too long.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use crate::stores::{Document, DocumentId, LedgerUpdate, LedgerVersion, Write};

/// What this program writes, and the newest that it reads. It is raised whenever a document may hold what an older program would refuse.
pub(super) const SCHEMA: u64 = 1;

/// The field of the head.
pub(super) const HEAD: &str = "head";

/// The longest batch that goes into the stream change by change.
const BATCH_MAX_BYTES: usize = 64 * 1024;

/// Where a ledger stands, and in which schema it is written.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Head {
    pub(super) schema: u64,
    pub(super) version: LedgerVersion,
}

impl Head {
    /// The head in a text.
    pub(super) fn read(text: &str) -> Option<Self> {
        let mut parts = text.splitn(3, ' ');
        let schema = parts.next()?.parse().ok()?;
        let number = parts.next()?.parse().ok()?;
        let commit = parts.next()?.to_owned();
        let version = LedgerVersion { number, commit };
        Some(Self { schema, version })
    }
}

/// The head of a ledger that is at a version, as its text; none at the beginning.
pub(super) fn head_text(version: &LedgerVersion) -> String {
    let LedgerVersion { number, commit } = version;
    match number {
        0 => String::new(),
        number => format!("{SCHEMA} {number} {commit}"),
    }
}

/// What a ledger's hash holds: its head and its documents. An error says in which field it cannot be read.
pub(super) fn read_hash(hash: HashMap<Vec<u8>, Vec<u8>>) -> Result<(Head, Vec<Document>), String> {
    let mut head = None;
    let mut documents = Vec::with_capacity(hash.len());
    for (field, value) in hash {
        let shown = String::from_utf8_lossy(&field).escape_debug().to_string();
        let unreadable = || format!("the field {shown} cannot be read");
        let field = String::from_utf8(field).map_err(|_| unreadable())?;
        let value = String::from_utf8(value).map_err(|_| unreadable())?;
        if field == HEAD {
            head = Some(Head::read(&value).ok_or_else(unreadable)?);
        } else {
            documents.push(read_document(&field, &value).ok_or_else(unreadable)?);
        }
    }
    match head {
        Some(head) => Ok((head, documents)),
        None if documents.is_empty() => Ok((Head::default(), documents)),
        None => Err("it has documents and no head".to_owned()),
    }
}

fn read_document(field: &str, value: &str) -> Option<Document> {
    let (collection, id) = field.split_once('/')?;
    let (version, json) = value.split_once(' ')?;
    Some(Document {
        collection: collection.to_owned(),
        id: id.to_owned(),
        version: version.parse().ok()?,
        json: json.to_owned(),
    })
}

/// The field of a document.
pub(super) fn field(id: &DocumentId) -> String {
    format!("{}/{}", id.collection, id.id)
}

/// The value of a document.
pub(super) fn value(document: &Document) -> String {
    format!("{} {}", document.version, document.json)
}

/// A change as the stream has it.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Told {
    Put {
        collection: String,
        id: String,
        version: u64,
        json: String,
    },
    Delete {
        collection: String,
        id: String,
    },
}

/// A batch as the stream has it; nothing when it is too long.
pub(super) fn batch_text(batch: &[Write]) -> String {
    let told: Vec<Told> = batch.iter().map(told).collect();
    let text = serde_json::to_string(&told).expect("the shape has text keys");
    if text.len() > BATCH_MAX_BYTES {
        String::new()
    } else {
        text
    }
}

fn told(write: &Write) -> Told {
    match write.clone() {
        Write::Put(Document {
            collection,
            id,
            version,
            json,
        }) => Told::Put {
            collection,
            id,
            version,
            json,
        },
        Write::Delete(DocumentId { collection, id }) => Told::Delete {
            collection: collection.into_owned(),
            id,
        },
    }
}

fn read_batch(text: &str) -> Option<Vec<Write>> {
    let told: Vec<Told> = serde_json::from_str(text).ok()?;
    let writes = told.into_iter().map(|told| match told {
        Told::Put {
            collection,
            id,
            version,
            json,
        } => Write::Put(Document {
            collection,
            id,
            version,
            json,
        }),
        Told::Delete { collection, id } => Write::Delete(DocumentId {
            collection: collection.into(),
            id,
        }),
    });
    Some(writes.collect())
}

/// A piece of news as Redis gives it: its id and its fields.
pub(super) type Entry = (String, HashMap<String, String>);

/// What has happened since a version, by the head and by the entries of the stream from the version on. `None` when nothing has.
pub(super) fn update(
    head: &LedgerVersion,
    entries: &[Entry],
    after: &LedgerVersion,
) -> Option<LedgerUpdate> {
    if head == after {
        return None;
    }
    if head.number < after.number {
        return Some(LedgerUpdate::Behind);
    }
    Some(committed(entries, after).unwrap_or(LedgerUpdate::Reload))
}

/// The commits behind a version, if the stream has all of them without a gap.
fn committed(entries: &[Entry], after: &LedgerVersion) -> Option<LedgerUpdate> {
    let mut at = LedgerVersion::default();
    let mut writes = Vec::new();
    for (id, fields) in entries {
        let version = LedgerVersion {
            number: id.strip_suffix("-0")?.parse().ok()?,
            commit: fields.get("commit")?.clone(),
        };
        if version.number <= after.number {
            at = version;
            continue;
        }
        let follows = version.number == at.number + 1 && (at == *after || at.number > after.number);
        if !follows {
            return None;
        }
        writes.extend(read_batch(fields.get("batch")?)?);
        at = version;
    }
    (at.number > after.number).then_some(LedgerUpdate::Committed {
        version: at,
        writes,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(number: u64, commit: &str) -> LedgerVersion {
        LedgerVersion {
            number,
            commit: commit.to_owned(),
        }
    }

    fn put(id: &str) -> Write {
        Write::Put(Document {
            collection: "things".to_owned(),
            id: id.to_owned(),
            version: u64::MAX,
            json: "{\"a\": \"ü\\n\"}".to_owned(),
        })
    }

    fn delete(id: &str) -> Write {
        Write::Delete(DocumentId {
            collection: "things".into(),
            id: id.to_owned(),
        })
    }

    fn entry(number: u64, commit: &str, batch: Option<&[Write]>) -> Entry {
        let mut fields = HashMap::from([("commit".to_owned(), commit.to_owned())]);
        if let Some(batch) = batch {
            fields.insert("batch".to_owned(), batch_text(batch));
        }
        (format!("{number}-0"), fields)
    }

    #[test]
    fn what_was_committed_since_is_told_in_its_order() {
        let entries = [
            entry(7, "x", Some(&[put("old")])),
            entry(8, "y", Some(&[put("a"), delete("b")])),
            entry(9, "z", Some(&[put("b")])),
        ];
        let told = update(&version(9, "z"), &entries, &version(7, "x"));
        let writes = vec![put("a"), delete("b"), put("b")];
        let version_of = version(9, "z");
        assert_eq!(
            told,
            Some(LedgerUpdate::Committed {
                version: version_of,
                writes
            })
        );
    }

    #[test]
    fn the_first_commits_are_told_to_who_knows_nothing() {
        let entries = [entry(1, "x", Some(&[put("a")]))];
        let told = update(&version(1, "x"), &entries, &LedgerVersion::default());
        assert!(
            matches!(told, Some(LedgerUpdate::Committed { .. })),
            "{told:?}"
        );
    }

    #[test]
    fn whatever_does_not_follow_is_read_again() {
        let told = |entries: &[Entry]| update(&version(9, "z"), entries, &version(7, "x"));
        let x = || entry(7, "x", Some(&[]));
        let (y, z) = (|| entry(8, "y", Some(&[])), || entry(9, "z", Some(&[])));
        assert!(matches!(
            told(&[x(), y(), z()]),
            Some(LedgerUpdate::Committed { .. })
        ));
        for (what, entries) in [
            ("nothing", vec![]),
            ("cut off", vec![y(), z()]),
            ("nothing behind it", vec![x()]),
            ("a gap", vec![x(), z()]),
            ("another history", vec![entry(7, "other", None), y(), z()]),
            ("a long batch", vec![x(), entry(8, "y", None), z()]),
            (
                "an unknown id",
                vec![x(), ("8-1".to_owned(), HashMap::new())],
            ),
        ] {
            assert_eq!(told(&entries), Some(LedgerUpdate::Reload), "{what}");
        }
    }

    #[test]
    fn less_than_is_known_is_a_loss_and_the_same_is_no_news() {
        let after = version(7, "x");
        assert_eq!(
            update(&version(6, "w"), &[], &after),
            Some(LedgerUpdate::Behind)
        );
        assert_eq!(
            update(&LedgerVersion::default(), &[], &after),
            Some(LedgerUpdate::Behind)
        );
        assert_eq!(update(&after, &[], &after), None);
        let entries = [entry(7, "other", None)];
        assert_eq!(
            update(&version(7, "other"), &entries, &after),
            Some(LedgerUpdate::Reload)
        );
    }

    #[test]
    fn a_long_batch_is_not_told() {
        let long = "x".repeat(BATCH_MAX_BYTES);
        assert_eq!(batch_text(&[delete(&long)]), "");
        assert_ne!(batch_text(&[delete("a")]), "");
    }

    #[test]
    fn what_is_no_ledger_says_where() {
        let hash = |rows: &[(&[u8], &[u8])]| {
            let rows = rows.iter().map(|(f, v)| (f.to_vec(), v.to_vec()));
            read_hash(rows.collect())
        };
        let head: (&[u8], &[u8]) = (b"head", b"1 7 x");
        assert_eq!(hash(&[head]).unwrap().0.version, version(7, "x"));
        assert_eq!(hash(&[]).unwrap().0, Head::default());
        for (bad, place) in [
            ((&b"things/a"[..], &b"{}"[..]), "things/a"),
            ((b"things", b"1 {}"), "things"),
            ((b"things/\xff", b"1 {}"), "things/"),
            ((b"things/\n", b"\xff {}"), "things/\\n"),
            ((b"head", b"one 7 x"), "head"),
        ] {
            let error = hash(&[head, bad]).unwrap_err();
            assert!(error.contains(place) && !error.contains('\n'), "{error}");
        }
        hash(&[(b"things/a", b"1 {}")]).unwrap_err();
    }
}
