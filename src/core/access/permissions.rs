//! What zones allow groups of people: a zone refuses groups, or raises them in its rooms. The directory has what they say (`core::directory`).
//!
//! The zones of a system count in the system's order: a refusal at once, and of the rest the last that says anything. In which systems they count at all is said by the port `ForeignForms`.
//! An administrator is never looked at. The level of an API key stays the most that the key can do.

use crate::core::access::rights::{Policy, Rights};
use crate::core::directory::Directory;
use crate::model::{Clearance, Failure, FailureKind, System, SystemId};

/// With what clearance somebody calls functions in a system, or that they may not.
pub(in crate::core) fn clearance_in(
    directory: &Directory,
    policy: &Policy,
    system: &SystemId,
) -> Result<Clearance, Failure> {
    if directory.permissions().is_empty() {
        return Ok(policy.level());
    }
    let Some(system) = directory.system(system) else {
        return Ok(policy.level());
    };
    let mut lowest = Clearance::Admin;
    for rights in policy.rights() {
        lowest = lowest.min(clearance_of(directory, rights, system)?);
    }
    Ok(lowest)
}

fn clearance_of(
    directory: &Directory,
    rights: &Rights,
    system: &System,
) -> Result<Clearance, Failure> {
    let own = rights.level;
    if own == Clearance::Admin {
        return Ok(own);
    }
    let theirs = rights.member.groups(directory);
    let mut raised = None;
    for groups in directory.permissions().in_system(system) {
        if names(&groups.refused, theirs) {
            return Err(Failure::new(
                FailureKind::Forbidden,
                "the permissions of a zone refuse this",
            )
            .with_response_code(403));
        }
        if names(&groups.admin, theirs) {
            raised = Some(Clearance::Admin);
        } else if names(&groups.support, theirs) {
            raised = Some(Clearance::Support);
        }
    }
    Ok(raised.map_or(own, |raised| own.max(raised.min(rights.most))))
}

fn names(groups: &[String], theirs: &[String]) -> bool {
    let mut theirs = theirs.iter();
    theirs.any(|group| groups.contains(&group.to_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::access::rights::{Member, Reach, Topics};
    use crate::core::tests::doubles::{directory, json, room, user, zone};
    use crate::model::{Building, Metadata, MetadataId, MetadataName, ParentId};

    #[test]
    fn a_zone_refuses_its_groups_and_raises_them() {
        check(&[("zone-org", r#"{"deny":["Staff"]}"#)], &["staff"], None);
        check(
            &[("zone-org", r#"{"manage":["staff"]}"#)],
            &["STAFF"],
            Some(Clearance::Support),
        );
        check(
            &[("zone-org", r#"{"admin":["staff"]}"#)],
            &["staff"],
            Some(Clearance::Admin),
        );
        check(
            &[("zone-org", r#"{"admin":["others"]}"#)],
            &["staff"],
            Some(Clearance::User),
        );
    }

    #[test]
    fn the_last_zone_that_says_anything_counts_and_a_refusal_at_once() {
        let manage = r#"{"manage":["staff"]}"#;
        let admin = r#"{"admin":["staff"]}"#;
        check(
            &[("zone-org", admin), ("zone-1", manage)],
            &["staff"],
            Some(Clearance::Support),
        );
        check(
            &[("zone-org", manage), ("zone-1", admin)],
            &["staff"],
            Some(Clearance::Admin),
        );
        check(
            &[("zone-org", admin), ("zone-1", "{}")],
            &["staff"],
            Some(Clearance::Admin),
        );
        check(
            &[("zone-org", r#"{"deny":["staff"]}"#), ("zone-1", admin)],
            &["staff"],
            None,
        );
    }

    #[test]
    fn what_has_another_form_and_rooms_outside_the_organisation_change_nothing() {
        check(&[("zone-org", "[1]")], &["staff"], Some(Clearance::User));
        let mut building = building(&[("zone-1", r#"{"deny":["staff"]}"#)]);
        building.systems[0].zones.remove(0);
        let system = building.systems[0].id.clone();
        let found = clearance_in(
            &directory(building),
            &who(&["staff"], Clearance::Admin),
            &system,
        );
        assert_eq!(found.ok(), Some(Clearance::User));
    }

    #[test]
    fn the_level_of_a_key_is_the_most_that_it_can_do() {
        let building = building(&[("zone-org", r#"{"admin":["staff"]}"#)]);
        let system = building.systems[0].id.clone();
        let directory = directory(building);
        for most in [Clearance::User, Clearance::Support, Clearance::Admin] {
            let found = clearance_in(&directory, &who(&["staff"], most), &system);
            assert_eq!(found.ok(), Some(most));
        }
    }

    /// A user of these groups in a room of both zones; `None` for a refusal.
    #[track_caller]
    fn check(metadata: &[(&str, &str)], groups: &[&str], expect: Option<Clearance>) {
        let building = building(metadata);
        let system = building.systems[0].id.clone();
        let found = clearance_in(
            &directory(building),
            &who(groups, Clearance::Admin),
            &system,
        );
        assert_eq!(found.ok(), expect, "{metadata:?}");
    }

    fn building(metadata: &[(&str, &str)]) -> Building {
        let mut organisation = zone("zone-org");
        organisation.tags.push("org".to_owned());
        let zones = vec![organisation, zone("zone-1")];
        let metadata = metadata.iter().map(|(zone, details)| Metadata {
            id: MetadataId {
                parent: ParentId::new(zone).unwrap(),
                name: MetadataName::new("permissions").unwrap(),
            },
            description: String::new(),
            details: json(details),
            editors: vec![],
        });
        Building {
            systems: vec![System {
                zones: zones.iter().map(|zone| zone.id.clone()).collect(),
                ..room("sys-1", &[])
            }],
            metadata: metadata.collect(),
            zones,
            ..Building::default()
        }
    }

    fn who(groups: &[&str], most: Clearance) -> Policy {
        let mut user = user(Clearance::User);
        user.groups = groups.iter().map(|group| (*group).to_owned()).collect();
        let rights = Rights {
            level: Clearance::User,
            most,
            member: Member::foreign(&user),
            reach: Reach::Everything,
            topics: Topics::Everything,
        };
        Policy::new(rights, vec![])
    }
}
