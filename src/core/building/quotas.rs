//! What callers may fill of the store: one entry, all metadata of one owner, all keys of one user.
//!
//! A building file is not held to it: it is the operator's own, and has a bound as a whole.
//! Only what makes more of something is refused, so that who is past a bound can go on taking away.

use std::collections::BTreeSet;

use crate::core::building::error::{EditError, Invalid};
use crate::core::directory::Directory;
use crate::core::limits::{KEYS_PER_USER, METADATA_NAMES_MAX};
use crate::core::quotas::Quotas;
use crate::model::{Difference, EntryId, EntryKind, ParentId, Source, UserId};
use crate::stores::Document;

/// Refuses what a change from one directory to another makes too much of.
pub(super) fn check<'d>(
    quotas: &Quotas,
    source: Source,
    (now, next): (&Directory, &Directory),
    differences: impl Iterator<Item = &'d (Difference, EntryId)>,
) -> Result<(), EditError> {
    if source != Source::Elsewhere {
        return Ok(());
    }
    let mut problems = Vec::new();
    let mut parents: BTreeSet<&ParentId> = BTreeSet::new();
    let mut owners: BTreeSet<&UserId> = BTreeSet::new();
    for (difference, id) in differences {
        match difference {
            Difference::Added | Difference::Changed => {}
            Difference::Removed => continue,
        }
        let (was, is) = (size(now, id), size(next, id));
        if is > quotas.entry_bytes && is > was {
            let max = quotas.entry_bytes;
            let reason = format!("would take {is} bytes, more than `limits.entry_max` ({max})");
            problems.push(invalid(id, reason));
        }
        match id {
            EntryId::Metadata(metadata) if parents.insert(&metadata.parent) => {
                problems.extend(metadata_of(&metadata.parent, quotas, now, next, id));
            }
            EntryId::ApiKey(key) => {
                let user = next.api_key(key).map(|key| &key.user);
                if let Some(user) = user.filter(|user| owners.insert(user)) {
                    problems.extend(keys_of(user, now, next, id));
                }
            }
            EntryId::Metadata(_)
            | EntryId::Zone(_)
            | EntryId::System(_)
            | EntryId::Module(_)
            | EntryId::User(_)
            | EntryId::Entity(_)
            | EntryId::Command(_)
            | EntryId::App(_)
            | EntryId::Service(_)
            | EntryId::Procedure(_)
            | EntryId::Hook(_)
            | EntryId::Trigger(_) => {}
        }
    }
    match problems.is_empty() {
        true => Ok(()),
        false => Err(EditError::Invalid(problems)),
    }
}

/// What is too much of one owner's metadata.
fn metadata_of(
    parent: &ParentId,
    quotas: &Quotas,
    now: &Directory,
    next: &Directory,
    id: &EntryId,
) -> Option<Invalid> {
    let of = |directory: &Directory| {
        let ids = directory.metadata().map(|metadata| &metadata.id);
        let sizes: Vec<usize> = ids
            .filter(|id| id.parent == *parent)
            .map(|id| size(directory, &EntryId::Metadata(id.clone())))
            .collect();
        (sizes.len(), sizes.iter().sum::<usize>())
    };
    let ((names_were, was), (names, is)) = (of(now), of(next));
    if names > METADATA_NAMES_MAX && names > names_were {
        let reason =
            format!("would be one too many of `{parent}`, which may have {METADATA_NAMES_MAX}");
        return Some(invalid(id, reason));
    }
    let max = quotas.metadata_bytes;
    (is > max && is > was).then(|| {
        let reason = format!(
            "would make all metadata of `{parent}` {is} bytes, more than `limits.metadata_max` ({max})"
        );
        invalid(id, reason)
    })
}

/// What is too much of one user's keys.
fn keys_of(user: &UserId, now: &Directory, next: &Directory, id: &EntryId) -> Option<Invalid> {
    let of = |directory: &Directory| directory.api_keys().filter(|key| key.user == *user).count();
    let (were, are) = (of(now), of(next));
    (are > KEYS_PER_USER && are > were).then(|| {
        let reason = format!("would be one too many of `{user}`, which may have {KEYS_PER_USER}");
        invalid(id, reason)
    })
}

/// How many bytes an entry takes as it is kept.
fn size(directory: &Directory, id: &EntryId) -> usize {
    let entry = directory.entry(id).zip(directory.info(id));
    entry.map_or(0, |(entry, info)| Document::of(&entry, info).json.len())
}

fn invalid(id: &EntryId, reason: String) -> Invalid {
    let field = match id.kind() {
        EntryKind::Metadata => "details",
        EntryKind::Entity => "status",
        EntryKind::Command => "type",
        EntryKind::App => "webhooks",
        EntryKind::Module => "settings",
        EntryKind::ApiKey => "user",
        EntryKind::Zone
        | EntryKind::System
        | EntryKind::User
        | EntryKind::Service
        | EntryKind::Hook => "name",
        EntryKind::Procedure => "steps",
        EntryKind::Trigger => "then",
    };
    Invalid {
        id: id.clone(),
        field,
        reason,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::building::plan::plan;
    use crate::core::tests::doubles::{ScriptedHost, api_key, directory, user, zone};
    use crate::model::{
        ApiKey, Building, Clearance, Edit, Entry, JsonText, KeyId, Metadata, MetadataId,
        MetadataName,
    };

    const QUOTAS: Quotas = Quotas {
        arguments_bytes: 0,
        statuses_bytes: 0,
        entry_bytes: 10_000,
        metadata_bytes: 25_000,
    };

    fn metadata(name: &str, bytes: usize) -> Metadata {
        Metadata {
            id: MetadataId {
                parent: ParentId::new("zone-1").unwrap(),
                name: MetadataName::new(name).unwrap(),
            },
            description: String::new(),
            details: JsonText::of(&"x".repeat(bytes)).unwrap(),
            editors: Vec::new(),
        }
    }

    fn building(metadata: Vec<Metadata>, keys: Vec<ApiKey>) -> Directory {
        directory(Building {
            zones: vec![zone("zone-1"), zone("zone-2")],
            users: vec![user(Clearance::Admin)],
            metadata,
            api_keys: keys,
            ..Building::default()
        })
    }

    /// Makes the edits, and gives what the quotas say to them.
    fn made(now: &Directory, source: Source, edits: Vec<Edit>) -> Result<(), String> {
        let host = ScriptedHost::new();
        let plan = plan(now, edits, source, 0, &*host).unwrap();
        let differences = plan.differences.0.iter();
        check(&QUOTAS, source, (now, &plan.next), differences).map_err(|error| error.to_string())
    }

    fn put(name: &str, bytes: usize) -> Vec<Edit> {
        vec![Edit::put(Entry::Metadata(metadata(name, bytes)))]
    }

    #[test]
    fn metadata_is_bounded_each_and_together_and_can_always_be_made_smaller() {
        let large = building(
            vec![metadata("a", 50_000), metadata("b", 9_000)],
            Vec::new(),
        );
        let refused = made(&large, Source::Elsewhere, put("c", 20_000)).unwrap_err();
        assert!(refused.contains("`limits.entry_max` (10000)"), "{refused}");
        let refused = made(&large, Source::Elsewhere, put("c", 10)).unwrap_err();
        assert!(
            refused.contains("`limits.metadata_max` (25000)"),
            "{refused}"
        );
        made(&large, Source::Elsewhere, put("a", 40_000)).unwrap();
        made(&large, Source::Elsewhere, put("a", 1)).unwrap();
        let delete = Edit::delete(EntryId::Metadata(metadata("a", 0).id));
        made(&large, Source::Elsewhere, vec![delete]).unwrap();
        made(&large, Source::File, put("c", 90_000)).unwrap();
        let mut elsewhere = metadata("c", 9_000);
        elsewhere.id.parent = ParentId::new("zone-2").unwrap();
        let elsewhere = Edit::put(Entry::Metadata(elsewhere));
        made(&large, Source::Elsewhere, vec![elsewhere]).unwrap();
    }

    #[test]
    fn names_of_metadata_and_keys_of_a_user_are_bounded() {
        let names = (0..METADATA_NAMES_MAX).map(|number| metadata(&format!("m{number}"), 1));
        let keys = (0..KEYS_PER_USER).map(|number| api_key(&format!("k{number}"), Clearance::User));
        let full = building(names.collect(), keys.collect());
        let refused = made(&full, Source::Elsewhere, put("more", 1)).unwrap_err();
        assert!(refused.contains("which may have 1024"), "{refused}");
        made(&full, Source::Elsewhere, put("m7", 1)).unwrap();
        let more = Edit::put(Entry::ApiKey(api_key("more", Clearance::User)));
        let refused = made(&full, Source::Elsewhere, vec![more.clone()]).unwrap_err();
        assert!(
            refused.contains("`user` would be one too many"),
            "{refused}"
        );
        let gone = Edit::delete(EntryId::ApiKey(KeyId::new("k1").unwrap()));
        made(&full, Source::Elsewhere, vec![gone, more]).unwrap();
    }
}
