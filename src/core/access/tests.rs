//! Who may ask what: one row per kind of principal and request.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use crate::core::access::policy::{may_reach, may_request, may_see};
use crate::core::access::{Caller, KeyRing};
use crate::core::directory::Directory;
use crate::core::doubles::{
    api_key, directory, json, module, path, place, room, scripted, system, user, zone,
};
use crate::model::{
    Building, Call, Clearance, DebugTarget, FailureKind, First, FollowId, FunctionName, Query,
    Request, Secret, Subject, TopicId, ZoneId,
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
    // Letting go of it harms nobody, and neither does a call: there the functions' own clearances hold.
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
        &Request::Debug(DebugTarget::Path(place("sys-1", "Display", 1))),
        &["support", "admin", "in-1"],
    );
    check(&debug("mod-1"), &["support", "admin", "in-1"]);
    check(
        &Request::Debug(DebugTarget::Path(place("sys-2", "Display", 1))),
        &["support", "admin"],
    );
    check(&debug("mod-2"), &["support", "admin"]);
    check(&debug("mod-none"), &["support", "admin"]);
}

#[test]
fn the_system_said_beside_a_module_id_does_not_bring_it_within_reach() {
    let target = DebugTarget::Module {
        id: module("mod-2"),
        system: Some(system("sys-1")),
    };
    check(&Request::Debug(target), &["support", "admin"]);
}

#[test]
fn ignoring_a_log_needs_no_clearance_but_the_same_reach() {
    check(
        &Request::Ignore(DebugTarget::Path(place("sys-1", "Display", 1))),
        &EVERYBODY,
    );
    let elsewhere = DebugTarget::Module {
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
            &house.caller("in-hq"),
            &module("mod-both")
        )
        .is_ok()
    );
    assert!(may_see(&house.directory, &house.caller("in-hq"), &system("sys-2")).is_err());
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
        Subject::Topic(topic.clone()),
    ] {
        let follow = Request::Follow {
            id: FollowId(0),
            subject,
            first: First::Events,
        };
        check(&follow, &["user", "support", "admin"]);
    }
    let publish = Request::Publish {
        topic,
        message: json("1"),
        except: None,
    };
    check(&publish, &["user", "support", "admin"]);
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

/// Only these may make the request; everybody else is told that they may not.
fn check(request: &Request, allowed: &[&str]) {
    let house = House::new();
    for name in EVERYBODY {
        let verdict = may_request(&house.directory, &house.caller(name), request);
        let expected = allowed.contains(&name);
        match verdict {
            Ok(()) => assert!(expected, "{name} may {request:?}"),
            Err(failure) => {
                assert!(!expected, "{name} may not {request:?}: {failure}");
                assert_eq!(failure.kind(), FailureKind::Forbidden);
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
    Request::Call(Call {
        module: place(system, module, 1),
        function: FunctionName::new("echo").unwrap(),
        arguments: json("[]"),
    })
}

fn debug(id: &str) -> Request {
    Request::Debug(DebugTarget::Module {
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
        Self {
            keys: KeyRing::new(&directory),
            directory,
        }
    }

    fn caller(&self, name: &str) -> Caller {
        let key = Secret::new(format!("{name}.secret"));
        Caller {
            principal: self.keys.find(&key).unwrap(),
            address: IpAddr::V4(Ipv4Addr::LOCALHOST),
        }
    }
}
