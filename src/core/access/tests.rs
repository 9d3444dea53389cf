//! Who may ask what: one row per kind of principal and request.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use crate::core::access::permissions::{Target, clearance_for};
use crate::core::access::policy::{may_edit, may_follow, may_have_building, may_request};
use crate::core::access::reach::{may_reach, may_see};
use crate::core::access::{Caller, KeyRing, Policy, Principal};
use crate::core::directory::{Directory, Touched};
use crate::core::tests::doubles::{
    api_key, directory, json, module, path, place, room, scripted, system, user, zone,
};
use crate::model::{
    AppId, AutomationId, Building, Clearance, DeviceId, Edit, Entry, ExecRequest, First, FollowId,
    FunctionName, ModuleAddress, Publication, Query, Request, Scope, Secret, StatusName, Subject,
    TopicId, ZoneId,
};

const EVERYBODY: [&str; 5] = ["user", "support", "admin", "in-1", "in-hq"];

#[test]
fn an_ordinary_status_may_be_bound_by_all_whose_key_reaches_its_system() {
    check(&bind("sys-1", "Display"), &EVERYBODY);
    check(&unbind("sys-1", "Display"), &EVERYBODY);
    check(&bind("sys-2", "Display"), &["user", "support", "admin"]);
    check(&unbind("sys-2", "Display"), &["user", "support", "admin"]);
}

#[test]
fn a_key_for_a_zone_reaches_the_systems_in_it_and_a_key_for_a_system_only_that() {
    check(
        &bind("sys-3", "Display"),
        &["user", "support", "admin", "in-hq"],
    );
}

#[test]
fn the_status_of_an_engine_module_is_for_support_and_above() {
    check(&bind("sys-1", "_Secret"), &["support", "admin", "in-1"]);
    // An unbind does no harm, and neither does a call: there the functions' own clearances hold.
    check(&unbind("sys-1", "_Secret"), &EVERYBODY);
    check(&exec("sys-1", "_Secret"), &EVERYBODY);
}

#[test]
fn a_system_that_is_not_there_is_within_reach_of_unrestricted_keys_only() {
    for request in [bind("sys-none", "Display"), exec("sys-none", "Display")] {
        check(&request, &["user", "support", "admin"]);
    }
}

#[test]
fn a_log_is_for_support_and_above_within_their_reach_by_place_and_by_id() {
    check(
        &Request::Debug(ModuleAddress::Place(place("sys-1", "Display", 1))),
        &["support", "admin", "in-1"],
    );
    check(&debug("mod-1"), &["support", "admin", "in-1"]);
    check(
        &Request::Debug(ModuleAddress::Place(place("sys-2", "Display", 1))),
        &["support", "admin"],
    );
    check(&debug("mod-2"), &["support", "admin"]);
    check(&debug("mod-none"), &["support", "admin"]);
}

#[test]
fn the_system_said_beside_a_module_id_does_not_bring_it_within_reach() {
    let target = ModuleAddress::Id {
        id: module("mod-2"),
        system: Some(system("sys-1")),
    };
    check(&Request::Debug(target), &["support", "admin"]);
}

#[test]
fn ignoring_a_log_needs_no_clearance_but_the_same_reach() {
    check(
        &Request::Ignore(ModuleAddress::Place(place("sys-1", "Display", 1))),
        &EVERYBODY,
    );
    let elsewhere = ModuleAddress::Id {
        id: module("mod-2"),
        system: None,
    };
    check(&Request::Ignore(elsewhere), &["user", "support", "admin"]);
}

#[test]
fn a_module_is_within_reach_when_one_of_its_systems_is() {
    // mod-both stands in sys-1 and in sys-2.
    check(&debug("mod-both"), &["support", "admin", "in-1"]);
    let house = House::new();
    assert!(
        may_reach(
            &house.directory,
            house.caller("in-hq").policy(),
            &module("mod-both")
        )
        .is_ok()
    );
    assert!(
        may_see(
            &house.directory,
            house.caller("in-hq").policy(),
            &system("sys-2")
        )
        .is_err()
    );
}

fn topic(name: &str) -> TopicId {
    TopicId::new(name).unwrap()
}

#[test]
fn an_app_without_a_user_has_its_topics_and_no_room() {
    let app = Principal::app(AppId::new("signage").unwrap(), None);
    check_roomless(&app);
    assert_eq!(app.identity().to_string(), "app signage");
    assert!(app.policy().may_use(&topic("signage/news")));
    assert!(!app.policy().may_use(&topic("news")) && !app.policy().may_use(&topic("sign/news")));
}

#[test]
fn an_app_with_a_user_may_do_what_the_user_may() {
    let house = House::new();
    let ann = Arc::new(user(Clearance::Support));
    let app = Principal::app(AppId::new("signage").unwrap(), Some(ann));
    assert_eq!(app.identity().to_string(), "user-1");
    for request in [bind("sys-1", "_Secret"), debug("mod-2")] {
        assert!(may_request(&house.directory, app.policy(), &request).is_ok());
    }
    assert!(may_have_building(app.policy()).is_err());
}

#[test]
fn an_app_sees_what_is_public_whatever_it_reaches() {
    let mut shown = scripted("mod-1", Some("Display"));
    shown.statuses.public = Arc::from([StatusName::new("power").unwrap()]);
    let directory = directory(Building {
        systems: vec![room("sys-1", &["mod-1", "mod-2"])],
        modules: vec![shown, scripted("mod-2", Some("Display"))],
        ..Building::default()
    });
    let app = Principal::app(AppId::new("4201").unwrap(), None);
    let ann = Principal::app(
        AppId::new("4201").unwrap(),
        Some(Arc::new(user(Clearance::User))),
    );
    let narrowed = app.policy().intersect(ann.policy());
    let device = Principal::device(DeviceId::new("door").unwrap());
    let may = |policy: &Policy, module: u32, name: &str| {
        let status = path("sys-1", "Display", module, name);
        let follow = Subject::Status(Arc::clone(&status));
        let id = FollowId(0);
        let unfollow = Request::Unfollow {
            id,
            subject: Subject::Status(status),
        };
        let may_unfollow = may_request(&directory, policy, &unfollow).is_ok();
        let may = may_follow(&directory, policy, &follow).is_ok();
        assert_eq!(may, may_unfollow);
        may
    };
    for policy in [app.policy(), &narrowed] {
        assert!(may(policy, 1, "power"));
        assert!(!may(policy, 1, "volume"), "another status");
        assert!(!may(policy, 2, "power"), "another module");
    }
    assert!(!may(device.policy(), 1, "power"), "no app");
    let all = Subject::Module(Arc::new(place("sys-1", "Display", 1)));
    assert!(may_follow(&directory, app.policy(), &all).is_err());
}

#[test]
fn a_device_has_its_messages_and_no_room() {
    let id = DeviceId::new("door-1").unwrap();
    let device = Principal::device(id.clone());
    check_roomless(&device);
    assert_eq!(device.identity().to_string(), "device door-1");
    let policy = device.policy();
    assert!(policy.reads_messages_of(&id) && policy.reads_messages());
    assert!(!policy.reads_messages_of(&DeviceId::new("door-2").unwrap()));
    assert!(!policy.may_use(&topic("door")));
}

#[test]
fn an_automation_acts_everywhere_with_a_level_of_its_own() {
    let house = House::new();
    let zone = || Edit::put(Entry::Zone(zone("zone-new")));
    for (level, secret, edits, building) in [
        (Clearance::User, false, false, false),
        (Clearance::Support, true, true, false),
        (Clearance::Admin, true, true, true),
    ] {
        let rule = Principal::automation(AutomationId::new("lights-off").unwrap(), level);
        assert!(rule.user().is_none());
        assert_eq!(rule.identity().to_string(), "automation lights-off");
        let policy = rule.policy();
        let may = |request| may_request(&house.directory, policy, &request).is_ok();
        assert!(may(bind("sys-1", "Display")) && may(exec("sys-2", "Display")));
        assert_eq!(may(bind("sys-1", "_Secret")), secret);
        assert_eq!(may(debug("mod-3")), secret);
        assert_eq!(may_edit(&house.directory, policy, &zone()).is_ok(), edits);
        assert_eq!(may_have_building(policy).is_ok(), building);
        let called = clearance_for(&house.directory, policy, Target::In(&system("sys-3")));
        assert_eq!(called.ok(), Some(level));
    }
}

#[test]
fn a_key_is_made_only_by_who_may_do_all_that_it_may() {
    let house = House::new();
    let admin = house.caller("admin");
    let scopes = |text: &str| Scope::parse(text).into_iter().collect::<Vec<_>>();
    let made = |policy: &Policy, scope: &str| {
        let mut key = api_key("new", Clearance::Admin);
        key.scopes = scopes(scope);
        may_edit(&house.directory, policy, &Edit::put(Entry::ApiKey(key))).is_ok()
    };
    assert!(made(admin.policy(), "public") && made(admin.policy(), "systems.read"));
    let reader = admin.policy().with_scopes(scopes("systems.read"));
    assert!(made(&reader, "systems.read"));
    assert!(!made(&reader, "systems") && !made(&reader, "zones.read"));
    let below = house.caller("support");
    assert!(!made(below.policy(), "public"));
    let narrowed = admin.narrowed_by(&house.caller("in-1"));
    assert!(
        !made(narrowed.policy(), "systems.read"),
        "a restricted one makes none"
    );
}

#[test]
fn a_whole_module_is_for_those_who_may_read_its_statuses() {
    let follow = |system: &str, module: &str| Request::Follow {
        id: FollowId(0),
        subject: Subject::Module(Arc::new(place(system, module, 1))),
        first: First::Reply,
    };
    check(&follow("sys-1", "Display"), &EVERYBODY);
    check(&follow("sys-2", "Display"), &["user", "support", "admin"]);
    check(&follow("sys-1", "_Secret"), &["support", "admin", "in-1"]);
    for query in [
        Query::Statuses(place("sys-1", "_Secret", 1)),
        Query::Functions(place("sys-1", "_Secret", 1)),
    ] {
        check(&Request::Query(query), &["support", "admin", "in-1"]);
    }
    let modules = Query::Modules(system("sys-2"));
    check(&Request::Query(modules), &["user", "support", "admin"]);
    check(&Request::Query(Query::Systems), &EVERYBODY);
}

#[test]
fn what_is_of_the_whole_building_is_for_those_who_are_not_restricted() {
    let topic = TopicId::new("chat").unwrap();
    for subject in [
        Subject::Directory,
        Subject::Bus,
        Subject::Announced(Arc::from("opened")),
        Subject::Topic(topic.clone()),
    ] {
        let follow = Request::Follow {
            id: FollowId(0),
            subject,
            first: First::Events,
        };
        check(&follow, &["user", "support", "admin"]);
    }
    let publish = Request::Publish(Publication {
        topic,
        message: json("1"),
        except: None,
        kept: false,
        by: None,
    });
    check(&publish, &["user", "support", "admin"]);
}

#[test]
fn calls_are_followed_by_administrators_of_the_whole_building() {
    let follow = Request::Follow {
        id: FollowId(0),
        subject: Subject::Calls,
        first: First::Reply,
    };
    check(&follow, &["admin"]);
}

#[test]
fn a_log_that_is_followed_by_its_module_needs_what_a_debug_needs() {
    let follow = Request::Follow {
        id: FollowId(0),
        subject: Subject::Log(module("mod-2")),
        first: First::Events,
    };
    check(&follow, &["support", "admin"]);
}

// Helpers.

/// No request about a room and no edit is allowed.
fn check_roomless(who: &Principal) {
    let house = House::new();
    assert!(who.user().is_none());
    for request in [
        bind("sys-1", "Display"),
        bind("sys-none", "Display"),
        unbind("sys-1", "Display"),
        exec("sys-1", "Display"),
        debug("mod-1"),
    ] {
        let refused = may_request(&house.directory, who.policy(), &request).unwrap_err();
        assert!(refused.kind().is_refusal(), "{request:?}");
    }
    assert!(may_reach(&house.directory, who.policy(), &module("mod-1")).is_err());
    assert!(may_have_building(who.policy()).is_err());
    let edit = Edit::put(Entry::Zone(zone("zone-new")));
    assert!(may_edit(&house.directory, who.policy(), &edit).is_err());
}

/// Only these may make the request; every other caller is refused.
fn check(request: &Request, allowed: &[&str]) {
    let house = House::new();
    for name in EVERYBODY {
        let verdict = may_request(&house.directory, house.caller(name).policy(), request);
        let expected = allowed.contains(&name);
        match verdict {
            Ok(()) => assert!(expected, "{name} may {request:?}"),
            Err(failure) => {
                assert!(!expected, "{name} may not {request:?}: {failure}");
                assert!(failure.kind().is_refusal(), "{failure}");
                assert_eq!(failure.response_code(), 403);
            }
        }
    }
}

fn bind(system: &str, module: &str) -> Request {
    Request::Follow {
        id: FollowId(0),
        subject: Subject::Status(path(system, module, 1, "power")),
        first: First::Events,
    }
}

fn unbind(system: &str, module: &str) -> Request {
    Request::Unfollow {
        id: FollowId(0),
        subject: Subject::Status(path(system, module, 1, "power")),
    }
}

fn exec(system: &str, module: &str) -> Request {
    Request::Call(ExecRequest {
        module: place(system, module, 1).into(),
        function: FunctionName::new("echo").unwrap(),
        arguments: json("[]"),
        act: None,
    })
}

fn debug(id: &str) -> Request {
    Request::Debug(ModuleAddress::Id {
        id: module(id),
        system: None,
    })
}

/// Three rooms: sys-1 and sys-3 in the zone `zone-hq`, sys-2 in none.
struct House {
    directory: Directory,
    keys: KeyRing,
}

impl House {
    fn new() -> Self {
        let zone = zone("zone-hq");
        let hq = ZoneId::new("zone-hq").unwrap();
        let mut systems = [
            room("sys-1", &["mod-1", "mod-both"]),
            room("sys-2", &["mod-2", "mod-both"]),
            room("sys-3", &["mod-3"]),
        ];
        systems[0].zones.push(hq.clone());
        systems[2].zones.push(hq.clone());
        let mut in_one = api_key("in-1", Clearance::Support);
        in_one.systems.push(system("sys-1"));
        let mut in_hq = api_key("in-hq", Clearance::User);
        in_hq.zones.push(hq);
        let keys = [
            api_key("user", Clearance::User),
            api_key("support", Clearance::Support),
            api_key("admin", Clearance::Admin),
            in_one,
            in_hq,
        ];
        let building = Building {
            systems: systems.into(),
            modules: ["mod-1", "mod-2", "mod-3", "mod-both"]
                .map(|id| scripted(id, Some("Display")))
                .into(),
            users: vec![user(Clearance::Admin)],
            api_keys: keys.into(),
            zones: vec![zone],
            ..Building::default()
        };
        let directory = directory(building);
        let mut keys = KeyRing::new();
        keys.align(&directory, &Touched::all(&Directory::default(), &directory));
        Self { keys, directory }
    }

    fn caller(&self, name: &str) -> Caller {
        let key = Secret::new(format!("{name}.secret"));
        Caller::new(
            self.keys.find(&key).unwrap(),
            IpAddr::V4(Ipv4Addr::LOCALHOST),
        )
    }
}
