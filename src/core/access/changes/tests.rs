//! What an edit opens, held to what its caller's credentials open, over any edits of a building by anybody.

use proptest::prelude::*;

use super::*;
use crate::core::access::permissions::{Target, clearance_for};
use crate::core::access::rights::{PublicStatuses, Reach, Rights, Topics};
use crate::core::tests::doubles::{
    api_key, directory, json, module, planned, room, scripted, system, user, zone,
};
use crate::model::{
    Building, Edit, Entry, Metadata, MetadataId, MetadataName, ParentId, Password, Secret, Zone,
    ZoneId,
};

const ZONES: [&str; 3] = ["zone-org", "zone-1", "zone-2"];
const SYSTEMS: [&str; 3] = ["sys-1", "sys-2", "sys-3"];
const MODULES: [&str; 2] = ["mod-1", "mod-2"];
const GROUPS: [&str; 3] = ["guests", "crew", "chiefs"];
const SCOPES: [&str; 5] = ["public", "users", "api_keys", "systems", "building"];
const SAID: [&str; 4] = [
    "{}",
    r#"{"deny":["guests"]}"#,
    r#"{"deny":["guests","crew"]}"#,
    r#"{"manage":["crew"],"admin":["chiefs"]}"#,
];
const LEVELS: [Clearance; 3] = [Clearance::User, Clearance::Support, Clearance::Admin];

fn zone_id(id: &str) -> ZoneId {
    ZoneId::new(id).unwrap()
}

fn scopes(texts: &[&str]) -> Vec<Scope> {
    texts.iter().filter_map(|text| Scope::parse(text)).collect()
}

fn tagged(id: &str, governs: bool) -> Zone {
    Zone {
        tags: governs.then(|| "org".to_owned()).into_iter().collect(),
        ..zone(id)
    }
}

fn placed(id: &str, zones: &[&str], modules: &[&str]) -> System {
    System {
        zones: zones.iter().map(|id| zone_id(id)).collect(),
        ..room(id, modules)
    }
}

fn permissions(parent: &str, details: &str) -> Metadata {
    Metadata {
        id: MetadataId {
            parent: ParentId::new(parent).unwrap(),
            name: MetadataName::new("permissions").unwrap(),
        },
        description: String::new(),
        details: json(details),
        editors: vec!["crew".to_owned()],
    }
}

fn key_for(id: &str, level: Clearance, zones: &[&str], opens: &[&str]) -> ApiKey {
    ApiKey {
        zones: zones.iter().map(|id| zone_id(id)).collect(),
        scopes: scopes(opens),
        ..api_key(id, level)
    }
}

/// A room whose zone refuses guests and raises chiefs, one outside it, a user in no group, and a key for a zone.
fn building() -> Directory {
    directory(Building {
        zones: vec![tagged("zone-org", true), zone("zone-1"), zone("zone-2")],
        systems: vec![
            placed("sys-1", &["zone-org", "zone-1"], &["mod-1"]),
            placed("sys-2", &["zone-2"], &["mod-2"]),
        ],
        modules: MODULES.map(|id| scripted(id, None)).into(),
        users: vec![user(Clearance::Support)],
        api_keys: vec![
            key_for("panel", Clearance::User, &["zone-2"], &["public"]),
            key_for("tool", Clearance::Support, &["zone-1"], &["systems"]),
        ],
        metadata: vec![permissions(
            "zone-1",
            r#"{"deny":["guests"],"admin":["chiefs"]}"#,
        )],
        ..Building::default()
    })
}

fn some(of: &[&'static str]) -> impl Strategy<Value = Vec<&'static str>> {
    prop::sample::subsequence(of.to_vec(), 0..=of.len())
}

fn level() -> impl Strategy<Value = Clearance> {
    prop::sample::select(LEVELS.to_vec())
}

fn any_edit() -> impl Strategy<Value = Edit> {
    let one_of = |ids: &[&'static str]| prop::sample::select(ids.to_vec());
    prop_oneof![
        (one_of(&ZONES), any::<bool>())
            .prop_map(|(id, governs)| Edit::put(Entry::Zone(tagged(id, governs)))),
        one_of(&ZONES).prop_map(|id| Edit::delete(EntryId::Zone(zone_id(id)))),
        (one_of(&SYSTEMS), some(&ZONES), some(&MODULES)).prop_map(|(id, zones, modules)| {
            Edit::put(Entry::System(placed(id, &zones, &modules)))
        }),
        one_of(&SYSTEMS).prop_map(|id| Edit::delete(EntryId::System(system(id)))),
        one_of(&MODULES).prop_map(|id| Edit::delete(EntryId::Module(module(id)))),
        (one_of(&ZONES), one_of(&SAID))
            .prop_map(|(id, said)| Edit::put(Entry::Metadata(permissions(id, said)))),
        one_of(&ZONES).prop_map(|id| Edit::delete(EntryId::Metadata(permissions(id, "{}").id))),
        (level(), some(&GROUPS), any::<bool>()).prop_map(|(level, groups, password)| {
            let mut user = user(level);
            user.groups = groups.iter().map(|group| (*group).to_owned()).collect();
            user.password = password.then(|| Password::Plain(Secret::new("open sesame")));
            Edit::put(Entry::User(user))
        }),
        (level(), some(&ZONES), some(&SCOPES)).prop_map(|(level, zones, opens)| {
            Edit::put(Entry::ApiKey(key_for("panel", level, &zones, &opens)))
        }),
    ]
}

fn any_caller() -> impl Strategy<Value = Policy> {
    let reach = prop_oneof![4 => Just(Reach::Everything), 1 => Just(Reach::nothing())];
    (level(), reach, some(&SCOPES)).prop_map(|(level, reach, opens)| {
        let rights = Rights {
            level,
            most: level,
            member: Member::Nobody,
            reach,
            topics: Topics::Everything,
            public: PublicStatuses::WithinReach,
        };
        Policy::new(rights, scopes(&opens))
    })
}

/// What a member of these groups may do with a module: nothing, or call at a level.
fn calls(directory: &Directory, level: Clearance, groups: &[&str], id: &str) -> Option<Clearance> {
    let mut member = user(level);
    member.groups = groups.iter().map(|group| (*group).to_owned()).collect();
    let policy = Policy::everywhere(level, Member::foreign(&member), scopes(&["public"]));
    clearance_for(directory, &policy, Target::Module(&module(id))).ok()
}

fn reaches(directory: &Directory, key: &ApiKey, id: &str) -> bool {
    let policy = Policy::of_key(key, key.level);
    let id = module(id);
    let mut around = directory.systems_of(&id);
    directory.module(&id).is_some()
        && (!policy.is_restricted() || around.any(|system| policy.reaches(system)))
}

/// What another caller can do after the edit and could not do before, each with the policy that a caller needs to open it.
fn opened(before: &Directory, after: &Directory, passwords: &[UserId]) -> Vec<(String, Policy)> {
    let mut opened = Vec::new();
    let modules = MODULES
        .iter()
        .filter(|id| after.module(&module(id)).is_some());
    for id in modules {
        for level in [Clearance::User, Clearance::Support] {
            for bits in 0..1 << GROUPS.len() {
                let chosen = GROUPS.iter().enumerate();
                let chosen = chosen.filter(|(at, _)| bits & (1 << at) != 0);
                let groups: Vec<&str> = chosen.map(|(_, group)| *group).collect();
                let was = calls(before, level, &groups, id);
                let is = calls(after, level, &groups, id);
                if is > was {
                    let what = format!("{groups:?} call {id} as {is:?} and not {was:?}");
                    opened.push((what, full_administrator()));
                }
            }
        }
        for key in after.api_keys() {
            let was = before.api_key(&key.id);
            let reached = was.is_some_and(|was| reaches(before, was, id));
            if reaches(after, key, id) && !reached {
                let what = format!("{} reaches {id}", key.id);
                let owner = after.user(&key.user).unwrap().level;
                let level = key.level.min(owner);
                let key = ApiKey {
                    level,
                    ..key.clone()
                };
                opened.push((what, Policy::of_key(&key, level)));
            }
        }
    }
    for user in after.users() {
        let was = before.user(&user.id).unwrap();
        if user.level > was.level || user.groups != was.groups || passwords.contains(&user.id) {
            opened.push((format!("{} signs in", user.id), policy_of_user(user)));
        }
    }
    opened
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_edit_opens_what_its_callers_credentials_do_not(
        caller in any_caller(),
        edits in prop::collection::vec(any_edit(), 1..4),
    ) {
        let before = building();
        if let Some((after, differences, passwords)) = planned(&before, edits) {
            let changes = Changes {
                before: &before,
                after: &after,
                differences: &differences,
                passwords: &passwords,
            };
            if may_change(&caller, &changes).is_ok() {
                for (what, needed) in opened(&before, &after, &passwords) {
                    prop_assert!(caller.may_mint(&needed), "{what}");
                }
            }
        }
    }

    #[test]
    fn a_full_administrator_may_make_any_edit(edits in prop::collection::vec(any_edit(), 1..4)) {
        let before = building();
        if let Some((after, differences, passwords)) = planned(&before, edits) {
            let changes = Changes {
                before: &before,
                after: &after,
                differences: &differences,
                passwords: &passwords,
            };
            prop_assert!(may_change(&full_administrator(), &changes).is_ok());
        }
    }
}

/// What a support user may still do, and what needs an administrator.
#[test]
fn support_staff_furnish_rooms_and_leave_the_permissions_of_zones_alone() {
    let scoped = scopes(&["public"]);
    let support = Policy::everywhere(Clearance::Support, Member::Nobody, scoped);
    let before = building();
    let may = |edits: Vec<Edit>| {
        let (after, differences, passwords) = planned(&before, edits).unwrap();
        let changes = Changes {
            before: &before,
            after: &after,
            differences: &differences,
            passwords: &passwords,
        };
        may_change(&support, &changes).is_ok()
    };
    let put = |system: System| vec![Edit::put(Entry::System(system))];
    let delete = |zone: &str| vec![Edit::delete(EntryId::Zone(zone_id(zone)))];
    let say = |zone: &str, said: &str| vec![Edit::put(Entry::Metadata(permissions(zone, said)))];
    let mut renamed = placed("sys-1", &["zone-org", "zone-1"], &["mod-1"]);
    renamed.name = "Renamed".to_owned();
    for (what, edits, allowed) in [
        ("renaming a room", put(renamed), true),
        (
            "a room without modules",
            put(placed("sys-3", &["zone-org", "zone-1"], &[])),
            true,
        ),
        (
            "emptying a room outside",
            put(placed("sys-2", &["zone-2"], &[])),
            true,
        ),
        (
            "taking away a zone that says nothing",
            delete("zone-2"),
            true,
        ),
        (
            "a room out of its zone",
            put(placed("sys-1", &["zone-org"], &["mod-1"])),
            false,
        ),
        (
            "a room out of the organisation",
            put(placed("sys-1", &["zone-1"], &["mod-1"])),
            false,
        ),
        (
            "a second room for its module",
            put(placed("sys-3", &[], &["mod-1"])),
            false,
        ),
        (
            "emptying the room",
            put(placed("sys-1", &["zone-org", "zone-1"], &[])),
            false,
        ),
        (
            "raising people in another room",
            put(placed("sys-2", &["zone-org", "zone-1"], &["mod-2"])),
            false,
        ),
        ("taking away the zone", delete("zone-1"), false),
        ("taking away the organisation", delete("zone-org"), false),
        (
            "taking away the tag",
            vec![Edit::put(Entry::Zone(tagged("zone-org", false)))],
            false,
        ),
        ("other permissions", say("zone-1", "{}"), false),
        (
            "permissions of another zone",
            say("zone-2", r#"{"deny":["crew"]}"#),
            false,
        ),
        (
            "metadata of that name of a room",
            say("sys-2", r#"{"deny":["crew"]}"#),
            true,
        ),
    ] {
        assert_eq!(may(edits), allowed, "{what}");
    }
}
