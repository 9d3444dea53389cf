//! What narrowing leaves, held to the two policies that it was made of, over any systems, zones, topics and groups.

use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::core::access::permissions::{Target, clearance_for};
use crate::core::access::policy::{may_edit, may_have_building, may_request};
use crate::core::access::reach::may_reach;
use crate::core::tests::doubles::{
    directory, json, module, path, place, room, scripted, user, zone,
};
use crate::model::{
    BindingPath, Building, Edit, Entry, ExecRequest, First, FollowId, FunctionName, Metadata,
    MetadataId, MetadataName, ModuleAddress, ParentId, Request, Subject, TopicId,
};

const SYSTEMS: [&str; 3] = ["sys-1", "sys-2", "sys-3"];
const ZONES: [&str; 2] = ["zone-org", "zone-2"];
const TOPICS: [&str; 3] = ["a", "b", "c"];
const GROUPS: [&str; 4] = ["Denied", "managers", "admins", "editors"];
const SCOPES: [&str; 7] = [
    "public",
    "public.read",
    "public.write",
    "systems",
    "systems.read",
    "systems.write",
    "zones",
];

fn some<T: Clone + std::fmt::Debug + 'static>(of: Vec<T>) -> impl Strategy<Value = Vec<T>> {
    let most = of.len();
    prop::sample::subsequence(of, 0..=most)
}

fn level() -> impl Strategy<Value = Clearance> {
    prop::sample::select(vec![Clearance::User, Clearance::Support, Clearance::Admin])
}

fn any_policy() -> impl Strategy<Value = Policy> {
    let member = prop_oneof![
        Just(Member::Nobody),
        Just(Member::User(user(Clearance::User).id)),
        some(GROUPS.map(str::to_owned).to_vec()).prop_map(|groups| Member::Foreign {
            user: UserId::new("user-far").unwrap(),
            groups,
        }),
    ];
    let within = (some(SYSTEMS.to_vec()), some(ZONES.to_vec())).prop_map(|(systems, zones)| {
        let systems = systems.iter().map(|id| SystemId::new(id).unwrap());
        let zones = zones.iter().map(|id| ZoneId::new(id).unwrap());
        Reach::Within {
            systems: systems.collect(),
            zones: zones.collect(),
        }
    });
    let reach = prop_oneof![Just(Reach::Everything), within];
    let topics = prop_oneof![
        Just(Topics::Everything),
        some(TOPICS.map(str::to_owned).to_vec())
            .prop_map(|topics| Topics::Only(topics.into_iter().collect())),
    ];
    let scopes = some(SCOPES.to_vec()).prop_map(|scopes| {
        let scopes = scopes.iter().filter_map(|text| Scope::parse(text));
        scopes.collect::<Vec<_>>()
    });
    (level(), level(), member, reach, topics, scopes).prop_map(
        |(level, most, member, reach, topics, scopes)| {
            let rights = Rights {
                level,
                most,
                member,
                reach,
                topics,
                public: PublicStatuses::WithinReach,
            };
            Policy::new(rights, scopes)
        },
    )
}

/// Rooms in one zone, in two and in none; the zones refuse some groups and raise others.
fn building() -> Directory {
    let mut organisation = zone(ZONES[0]);
    organisation.tags.push("org".to_owned());
    let zones = vec![organisation, zone(ZONES[1])];
    let mut systems = [
        room("sys-1", &["mod-1"]),
        room("sys-2", &["mod-1", "mod-2"]),
        room("sys-3", &["mod-2"]),
    ];
    systems[0].zones.push(zones[0].id.clone());
    systems[1]
        .zones
        .extend(zones.iter().map(|zone| zone.id.clone()));
    let metadata = |zone: &str, details: &str| Metadata {
        id: metadata_id(zone),
        description: String::new(),
        details: json(details),
        editors: vec!["editors".to_owned()],
    };
    let mut ann = user(Clearance::User);
    ann.groups = vec!["managers".to_owned(), "editors".to_owned()];
    directory(Building {
        metadata: vec![
            metadata("zone-org", r#"{"manage":["managers"],"admin":["admins"]}"#),
            metadata("zone-2", r#"{"deny":["denied"],"admin":["managers"]}"#),
        ],
        systems: systems.into(),
        modules: ["mod-1", "mod-2"]
            .map(|id| scripted(id, Some("_Display")))
            .into(),
        users: vec![ann],
        zones,
        ..Building::default()
    })
}

fn metadata_id(parent: &str) -> MetadataId {
    MetadataId {
        parent: ParentId::new(parent).unwrap(),
        name: MetadataName::new("permissions").unwrap(),
    }
}

fn follow(path: Arc<BindingPath>) -> Request {
    Request::Follow {
        id: FollowId(0),
        subject: Subject::Status(path),
        first: First::Events,
    }
}

/// Everything that can be asked of a policy, each with its answer.
fn answers(directory: &Directory, policy: &Policy) -> Vec<(String, bool)> {
    let mut answers = Vec::new();
    let mut note = |what: String, is: bool| answers.push((what, is));
    for id in SYSTEMS.iter().chain(&["sys-none"]) {
        let display = place(id, "_Display", 1);
        let requests = [
            follow(path(id, "_Display", 1, "power")),
            follow(path(id, "Other", 1, "power")),
            Request::Debug(ModuleAddress::Place(display.clone())),
            Request::Call(ExecRequest {
                module: display.into(),
                function: FunctionName::new("echo").unwrap(),
                arguments: json("[]"),
                act: None,
            }),
        ];
        for request in requests {
            let verdict = may_request(directory, policy, &request);
            note(format!("{request:?}"), verdict.is_ok());
        }
        let system = SystemId::new(id).unwrap();
        let found = clearance_for(directory, policy, Target::In(&system));
        for level in [Clearance::User, Clearance::Support, Clearance::Admin] {
            let is = found.as_ref().is_ok_and(|found| *found >= level);
            note(format!("calls in {id} as {level:?}"), is);
        }
    }
    for id in ["mod-1", "mod-2", "mod-none"] {
        let verdict = may_reach(directory, policy, &module(id));
        note(format!("reaches {id}"), verdict.is_ok());
        let module = module(id);
        let found = clearance_for(directory, policy, Target::Module(&module));
        for level in [Clearance::User, Clearance::Support, Clearance::Admin] {
            let is = found.as_ref().is_ok_and(|found| *found >= level);
            note(format!("calls {id} as {level:?}"), is);
        }
        let debug = Request::Debug(ModuleAddress::Id {
            id: module,
            system: None,
        });
        let verdict = may_request(directory, policy, &debug);
        note(format!("{debug:?}"), verdict.is_ok());
    }
    for id in ZONES {
        let zone = ZoneId::new(id).unwrap();
        note(format!("reaches {id}"), policy.reaches_zone(&zone));
    }
    for topic in TOPICS {
        note(
            format!("uses {topic}"),
            policy.may_use(&TopicId::new(topic).unwrap()),
        );
    }
    for text in SCOPES {
        let scope = Scope::parse(text).unwrap();
        note(format!("opens {text}"), policy.opens(&scope));
    }
    for parent in ["zone-org", "user-1", "user-far"] {
        let entry = Entry::Metadata(Metadata {
            id: metadata_id(parent),
            description: String::new(),
            details: json("{}"),
            editors: vec![],
        });
        let verdict = may_edit(directory, policy, &Edit::put(entry));
        note(format!("edits metadata of {parent}"), verdict.is_ok());
    }
    note("has all".to_owned(), may_have_building(policy).is_ok());
    answers
}

/// Of what one or the other refuses both together allow nothing.
fn is_met(one: &[(String, bool)], two: &[(String, bool)], both: &[(String, bool)]) {
    for ((one, two), both) in one.iter().zip(two).zip(both) {
        assert_eq!((&one.0, &one.0), (&two.0, &both.0));
        assert!(
            !both.1 || (one.1 && two.1),
            "{}: both may, one of them may not",
            both.0
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn narrowing_never_allows_what_one_of_both_refuses(one in any_policy(), two in any_policy(), three in any_policy()) {
        let directory = building();
        let both = one.intersect(&two);
        is_met(&answers(&directory, &one), &answers(&directory, &two), &answers(&directory, &both));
        let all = both.intersect(&three);
        is_met(&answers(&directory, &both), &answers(&directory, &three), &answers(&directory, &all));
    }

    #[test]
    fn narrowing_by_itself_takes_nothing_away(one in any_policy()) {
        let directory = building();
        let same = one.intersect(&one);
        prop_assert_eq!(answers(&directory, &same), answers(&directory, &one));
        prop_assert!(same.covers(&one) && one.covers(&same));
    }

    #[test]
    fn what_may_be_minted_opens_no_more(one in any_policy(), two in any_policy()) {
        let same_person = Policy::new(
            Rights { member: one.rights[0].member.clone(), ..two.rights[0].clone() },
            two.scopes.clone(),
        );
        if one.may_mint(&same_person) {
            let directory = building();
            for (own, minted) in answers(&directory, &one).iter().zip(answers(&directory, &same_person)) {
                prop_assert!(own.1 || !minted.1, "{}", own.0);
            }
        }
    }

    #[test]
    fn what_covers_another_allows_all_that_it_does(one in any_policy(), two in any_policy(), three in any_policy()) {
        let wide = one.intersect(&two);
        let narrow = wide.intersect(&three);
        prop_assert!(wide.covers(&narrow));
        prop_assert!(!three.is_restricted() || !narrow.may_mint(&narrow));
    }
}
