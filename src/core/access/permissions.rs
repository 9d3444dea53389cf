//! What zones allow groups of people: a zone refuses groups, or raises them in its rooms. The directory has what they say (`core::directory`).
//!
//! The zones of a system count in the system's order: a refusal at once, and of the rest the last that says anything. In which systems they count at all is said by the port `ForeignForms`.
//! An administrator is never looked at. The level of an API key stays the most that the key can do.

use crate::core::access::reach::may_reach;
use crate::core::access::rights::{Policy, Rights};
use crate::core::directory::Directory;
use crate::model::{Clearance, Failure, FailureKind, ModuleAddress, ModuleId, System, SystemId};

/// How a caller names the module that it calls or debugs.
#[derive(Debug, Clone, Copy)]
pub(in crate::core) enum Target<'a> {
    /// By its place in this system. Whether the system is within reach has been looked at.
    In(&'a SystemId),
    /// By its id. That it is within reach is looked at here, since its systems are.
    Module(&'a ModuleId),
}

impl<'a> Target<'a> {
    /// By what a caller named it.
    pub(in crate::core) fn of(module: &'a ModuleAddress) -> Self {
        match module {
            ModuleAddress::Place(place) => Self::In(&place.system),
            ModuleAddress::Id { id, .. } => Self::Module(id),
        }
    }
}

/// With what clearance a caller acts on a module, or that the caller may not. The one decision for every way in.
///
/// For a module that is named by its id, that system within the caller's reach counts that allows most.
/// So a caller can do by the id exactly what one of the module's places allows.
pub(in crate::core) fn clearance_for(
    directory: &Directory,
    policy: &Policy,
    target: Target<'_>,
) -> Result<Clearance, Failure> {
    if let Target::Module(module) = target {
        may_reach(directory, policy, module)?;
    }
    if directory.permissions().is_empty() {
        return Ok(policy.level());
    }
    match target {
        Target::In(system) => match directory.system(system) {
            Some(system) => clearance_in(directory, policy, system),
            None => Ok(policy.level()),
        },
        Target::Module(module) => directory
            .systems_of(module)
            .filter(|system| policy.reaches(system))
            .map(|system| clearance_in(directory, policy, system))
            .reduce(|one, other| match (one, other) {
                (Ok(one), Ok(other)) => Ok(one.max(other)),
                (Ok(allowed), Err(_)) | (Err(_), Ok(allowed)) => Ok(allowed),
                (Err(refused), Err(_)) => Err(refused),
            })
            .unwrap_or_else(|| Ok(policy.level())),
    }
}

fn clearance_in(
    directory: &Directory,
    policy: &Policy,
    system: &System,
) -> Result<Clearance, Failure> {
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
    for said in directory.permissions().in_system(system) {
        let Ok(groups) = said else {
            // They may refuse anybody.
            return Err(refused(
                "the permissions of a zone cannot be read, so this is for administrators alone",
            ));
        };
        if names(&groups.refused, theirs) {
            return Err(refused("the permissions of a zone refuse this"));
        }
        if names(&groups.admin, theirs) {
            raised = Some(Clearance::Admin);
        } else if names(&groups.support, theirs) {
            raised = Some(Clearance::Support);
        }
    }
    Ok(raised.map_or(own, |raised| own.max(raised.min(rights.most))))
}

fn refused(why: &str) -> Failure {
    Failure::new(FailureKind::Forbidden, why).with_response_code(403)
}

fn names(groups: &[String], theirs: &[String]) -> bool {
    let mut theirs = theirs.iter();
    theirs.any(|group| groups.contains(&group.to_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::access::rights::{Member, PublicStatuses, Reach, Topics};
    use crate::core::directory::Touched;
    use crate::core::tests::doubles::{directory, json, module, room, scripted, user, zone};
    use crate::model::{Building, Entry, EntryId, Metadata, MetadataId, MetadataName, ParentId};

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
    fn rooms_outside_the_organisation_are_not_looked_at() {
        let mut building = building(&[("zone-1", r#"{"deny":["staff"]}"#)]);
        building.systems[0].zones.remove(0);
        let system = building.systems[0].id.clone();
        let found = clearance_for(
            &directory(building),
            &who(&["staff"], Clearance::Admin),
            Target::In(&system),
        );
        assert_eq!(found.ok(), Some(Clearance::User));
    }

    #[test]
    fn permissions_that_cannot_be_read_refuse_all_but_administrators() {
        for details in ["[1]", r#"{"deny":"staff"}"#] {
            let metadata = [("zone-org", details), ("zone-1", r#"{"admin":["staff"]}"#)];
            check(&metadata, &["staff"], None);
            check(&metadata, &[], None);
            let (directory, system) = house(&metadata);
            let administrator = Policy::everywhere(Clearance::Admin, Member::Nobody, vec![]);
            let found = clearance_for(&directory, &administrator, Target::In(&system));
            assert_eq!(found.ok(), Some(Clearance::Admin), "{details}");
        }
    }

    #[test]
    fn the_level_of_a_key_is_the_most_that_it_can_do() {
        let building = building(&[("zone-org", r#"{"admin":["staff"]}"#)]);
        let system = building.systems[0].id.clone();
        let directory = directory(building);
        for most in [Clearance::User, Clearance::Support, Clearance::Admin] {
            let who = who(&["staff"], most);
            let found = clearance_for(&directory, &who, Target::In(&system));
            assert_eq!(found.ok(), Some(most));
        }
    }

    #[test]
    fn a_module_of_several_rooms_is_called_by_its_id_as_in_the_room_that_allows_most() {
        let mut building = building(&[("zone-1", r#"{"deny":["staff"],"manage":["crew"]}"#)]);
        let rooms = [("sys-2", "zone-org"), ("sys-3", "zone-1")];
        for (id, only) in rooms {
            let mut outside = room(id, &["mod-1", "mod-2"]);
            let zones = building.zones.iter().map(|zone| zone.id.clone());
            outside.zones = zones
                .filter(|zone| zone.as_str() == "zone-org" || zone.as_str() == only)
                .collect();
            building.systems.push(outside);
        }
        building.systems[1].modules.pop();
        building.modules.push(scripted("mod-2", None));
        building.modules.push(scripted("mod-loose", None));
        let directory = directory(building);
        for (groups, target, expect) in [
            // In `sys-2`, which the zone that refuses is not around.
            (["staff"], "mod-1", Some(Clearance::User)),
            (["staff"], "mod-2", None),
            (["crew"], "mod-1", Some(Clearance::Support)),
            (["crew"], "mod-2", Some(Clearance::Support)),
            (["staff"], "mod-loose", Some(Clearance::User)),
        ] {
            let who = who(&groups, Clearance::Admin);
            let found = clearance_for(&directory, &who, Target::Module(&module(target)));
            assert_eq!(found.ok(), expect, "{groups:?} {target}");
        }
    }

    /// A user of these groups in a room of both zones; `None` for a refusal.
    #[track_caller]
    fn check(metadata: &[(&str, &str)], groups: &[&str], expect: Option<Clearance>) {
        let (directory, system) = house(metadata);
        let who = who(groups, Clearance::Admin);
        // By its id the module in the room is as it is by its place.
        for target in [Target::In(&system), Target::Module(&module("mod-1"))] {
            let found = clearance_for(&directory, &who, target);
            assert_eq!(found.ok(), expect, "{target:?} {metadata:?}");
        }
    }

    /// The directory as a store has it, which may hold what no edit could write, and its room.
    fn house(metadata: &[(&str, &str)]) -> (Directory, SystemId) {
        let Building {
            zones,
            systems,
            modules,
            metadata,
            ..
        } = building(metadata);
        let room = systems[0].id.clone();
        let mut house = directory(Building {
            zones,
            systems,
            modules,
            ..Building::default()
        });
        let info = house.info(&EntryId::System(room.clone())).copied().unwrap();
        for metadata in metadata {
            house.put(Entry::Metadata(metadata), info, |_| unreachable!());
        }
        let nothing = Directory::default();
        let touched = Touched::all(&nothing, &house);
        house.complete(&nothing, &touched);
        (house, room)
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
                ..room("sys-1", &["mod-1"])
            }],
            modules: vec![scripted("mod-1", None)],
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
            public: PublicStatuses::WithinReach,
        };
        Policy::new(rights, vec![])
    }
}
