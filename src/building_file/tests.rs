//! Files and the exact lines they are answered with.

use super::*;
use crate::model::rules::{ShadowedId, Thing};
use crate::model::{Clearance, DeviceKind, DriverRef, KeySecret, Password, Secret};

const DRIVERS: &[&str] = &[
    "bookings",
    "demo_display",
    "demo_lighting",
    "demo_sensor",
    "virtual",
];

fn drivers() -> Vec<KnownDriver> {
    DRIVERS.iter().map(|id| KnownDriver::any(id)).collect()
}

/// The ids of the drivers, as messages list them.
fn known_drivers() -> String {
    let ids: Vec<&str> = drivers().iter().map(|driver| driver.id).collect();
    ids.join(", ")
}

fn read_file(text: &str) -> Result<Building, Problems> {
    let environment = BTreeMap::from([
        ("PASSWORD".to_owned(), "hunter2".to_owned()),
        ("TRAILING".to_owned(), "hunter2\n".to_owned()),
        ("NESTED".to_owned(), "${ENV:PASSWORD}".to_owned()),
    ]);
    let shadowed = [ShadowedId {
        thing: Thing::System,
        id: "control".to_owned(),
    }];
    let foreign = ForeignRules {
        shadowed: &shadowed,
        misread: |metadata| (metadata.id.name.as_str() == "colours").then_some("names no colour"),
    };
    read("b.yaml", text, &drivers(), foreign, &environment)
}

/// The file is answered with exactly these lines; none means that it is fine.
#[track_caller]
fn check(input: &str, expect: &[&str]) {
    let problems = match read_file(input) {
        Ok(_) => String::new(),
        Err(problems) => problems.to_string(),
    };
    assert_eq!(problems, expect.join("\n"), "for\n{input}");
}

#[test]
fn metadata_of_a_zone_that_means_something_to_others_is_held_to_their_form() {
    check(
        "zones: [{id: z, name: Z}]\nsystems: [{id: s, name: S}]\nmetadata:\n  - {parent: s, name: colours}\n  - {parent: z, name: other}\n  - {parent: z, name: colours}\n",
        &["b.yaml:6:5: `details` names no colour"],
    );
}

#[test]
fn a_key_may_end_at_a_time_or_with_the_beginning_of_a_day() {
    let file = |expires: &str| {
        format!(
            "users: [{{id: u, email: u@example.test}}]\napi_keys: [{{id: k, secret: s, user: u, expires: {expires}}}]\n"
        )
    };
    let read = |expires: &str| {
        super::read(
            "b.yaml",
            &file(expires),
            &[],
            ForeignRules::NONE,
            &BTreeMap::new(),
        )
    };
    for (text, expect) in [
        ("2027-01-31T18:00:00+02:00", "2027-01-31T16:00:00Z"),
        ("2027-01-31", "2027-01-31T00:00:00Z"),
    ] {
        let building = read(text).unwrap();
        let expires = building.api_keys[0]
            .expires
            .map(|expires| expires.to_string());
        assert_eq!(expires.as_deref(), Some(expect));
        let again = super::write(&building);
        assert!(again.contains(expect), "{again}");
    }
    let problems = read("soon").unwrap_err().to_string();
    assert_eq!(
        problems,
        "b.yaml:2:49: `soon` is no time; write one such as 2027-01-31T18:00:00Z, or a date, which ends as it begins in UTC"
    );
}

#[test]
fn the_demo_building_passes_its_own_check() {
    let building = demo(&Secret::new("fresh"), &drivers()).unwrap();
    let drivers: Vec<_> = building
        .modules
        .iter()
        .map(|module| &module.driver)
        .collect();
    let linked_in = |id: &str| DriverRef::LinkedIn(id.to_owned());
    for id in DRIVERS {
        assert!(drivers.contains(&&linked_in(id)), "{id} is not in it");
    }
    assert_eq!(building.systems.len(), 4);
    assert_eq!(
        building.api_keys[0].secret,
        KeySecret::Plain(Secret::new("fresh"))
    );
}

#[test]
fn a_demo_without_its_drivers_is_refused() {
    let problems = demo(
        &Secret::new("fresh"),
        &["bookings", "demo_display", "demo_lighting", "virtual"].map(KnownDriver::any),
    );
    assert!(
        problems
            .unwrap_err()
            .to_string()
            .contains("there is no driver `demo_sensor`")
    );
}

#[test]
fn every_key_of_every_entry_is_read() {
    let building = read_file(
        r#"
zones:
  - {id: zone-hq, name: HQ, display_name: Headquarters, description: All of it, tags: [org]}
  - {id: zone-l1, name: Level 1, parent_id: zone-hq}
systems:
  - id: sys-1234
    name: Board Room
    display_name: Board
    description: By the lift
    email: board@example.com
    capacity: 8
    bookable: true
    features: [display]
    map_id: room-1
    timezone: Europe/Berlin
    support_url: https://help.example
    zones: [zone-hq, zone-l1]
    modules: [mod-scratch, mod-display-1]
modules:
  - id: mod-display-1
    driver: demo_display
    name: Display
    uri: tcp://user:${ENV:PASSWORD}@10.0.0.7:4352
    settings: {z: 1.0, password: "${ENV:PASSWORD}!", a: [true, null, -3, yes], nested: "${ENV:NESTED}"}
  - {id: mod-scratch, driver: virtual}
users:
  - {id: user-eng, email: eng@example.test, name: Engineer, level: admin, groups: [av], password: "${ENV:PASSWORD}"}
  - {id: user-old, email: old@example.test, password_hash: "$argon2id$v=19$m=8,t=1,p=1$c2FsdA$aGFzaA"}
api_keys:
  - {id: panel-key, secret: "${ENV:PASSWORD}", user: user-eng, level: support, scopes: [systems.read], systems: [sys-1234], zones: [zone-l1]}
  - {id: other-key, secret: s3cret, user: user-old, fixed_device: true}
"#,
    )
    .unwrap();

    let zone = &building.zones[0];
    assert_eq!(zone.display_name.as_deref(), Some("Headquarters"));
    assert_eq!(
        (zone.description.as_str(), &zone.tags[..]),
        ("All of it", &["org".to_owned()][..])
    );
    assert_eq!(building.zones[1].parent_id.as_ref(), Some(&zone.id));

    let system = &building.systems[0];
    assert_eq!((system.capacity, system.bookable), (8, true));
    assert_eq!(system.display_name.as_deref(), Some("Board"));
    assert_eq!(system.description, "By the lift");
    assert_eq!(system.email.as_deref(), Some("board@example.com"));
    assert_eq!(system.features, ["display"]);
    assert_eq!(system.map_id.as_deref(), Some("room-1"));
    assert_eq!(system.timezone.as_deref(), Some("Europe/Berlin"));
    assert_eq!(system.support_url.as_deref(), Some("https://help.example"));
    let modules: Vec<_> = system.modules.iter().map(|id| id.as_str()).collect();
    assert_eq!(modules, ["mod-scratch", "mod-display-1"]);
    assert_eq!(system.zones.len(), 2);

    let display = &building.modules[0];
    assert_eq!(
        display.name.as_ref().map(|name| name.as_str()),
        Some("Display")
    );
    assert_eq!(
        display.uri.as_deref(),
        Some("tcp://user:hunter2@10.0.0.7:4352")
    );
    assert_eq!(
        display.settings().as_str(),
        r#"{"z":1.0,"password":"hunter2!","a":[true,null,-3,"yes"],"nested":"${ENV:PASSWORD}"}"#
    );
    assert!(!format!("{:?}", building.users).contains("hunter2"));
    assert_eq!(building.modules[1].settings().as_str(), "{}");

    assert_eq!(building.users[0].level, Clearance::Admin);
    assert_eq!(
        building.users[0].password,
        Some(Password::Plain(Secret::new("hunter2")))
    );
    assert!(matches!(
        building.users[1].password,
        Some(Password::Hashed(_))
    ));
    assert_eq!(building.users[1].name, "old@example.test");
    assert_eq!(building.users[1].level, Clearance::User);

    let key = &building.api_keys[0];
    assert_eq!(
        (key.level, key.systems.len(), key.zones.len()),
        (Clearance::Support, 1, 1)
    );
    assert!(!key.scopes[0].writes());
    assert_eq!(key.device, DeviceKind::Personal);
    assert_eq!(building.api_keys[1].device, DeviceKind::Fixed);
    assert_eq!(building.api_keys[1].scopes[0].name, "public");
    assert_eq!(building.api_keys[1].level, Clearance::User);
}

#[test]
fn json_is_a_building_file_too() {
    check(
        "{\n\t\"zones\": [],\n\t\"modules\": [{\"id\": \"mod-1\", \"driver\": \"virtual\"}]\n}\n",
        &[],
    );
}

#[test]
fn empty_and_absent_lists_are_fine() {
    check("{}", &[]);
    check("zones:\nsystems: []\nmodules: ~\n", &[]);
}

#[test]
fn an_empty_file_does_not_clear_a_building() {
    let line = "b.yaml:1:1: the file is empty; write {} for a building with nothing in it";
    check("", &[line]);
    check("# only a comment\n", &[line]);
    check("~", &[line]);
}

#[test]
fn what_is_not_yaml_is_refused_where_it_breaks() {
    let look = "look at the indentation, quotes and brackets up to here";
    check(
        "zones: [1, 2",
        &[&format!(
            "b.yaml:1:8: not valid YAML: unclosed bracket '['; {look}"
        )],
    );
    check(
        "zones:\n  - id: a: b",
        &[&format!(
            "b.yaml:2:10: not valid YAML: mapping values are not allowed in this context; {look}"
        )],
    );
    check(
        "zones:\n  - *nowhere",
        &[&format!(
            "b.yaml:2:5: not valid YAML: alias references unknown anchor; {look}"
        )],
    );
    check(
        "zones: []\nusers: []\nzones: []\n",
        &["b.yaml:3:1: the key `zones` is already in this map; remove one of them"],
    );
    check(
        "zones: []\n---\nusers: []\n",
        &[
            "b.yaml:3:1: a second document begins here; keep the building in one, without `---` in between",
        ],
    );
    check(
        "? \n: 1\n",
        &[
            "b.yaml:2:1: a key is missing before the colon, or is null; write a name there, in quotes if need be",
        ],
    );
    check(
        "modules:\n  - {id: m, driver: virtual, settings: {a: .inf}}\n",
        &[
            "b.yaml:2:44: a setting cannot be infinite or not a number, since it is kept as JSON; write a number or text in quotes",
        ],
    );
}

#[test]
fn a_file_that_would_exhaust_the_stack_or_the_memory_is_refused() {
    let too_much =
        "more than a building file may hold; nest less deep here, or repeat less by aliases";
    let brackets = "[".repeat(100_000);
    check(&brackets, &[&format!("b.yaml:1:256: {too_much}")]);
    let deep = format!("zones: {}{}", "[".repeat(30), "]".repeat(30));
    check(&deep, &[&format!("b.yaml:1:31: {too_much}")]);
    let indented: String = (0..100).map(|depth| " ".repeat(depth) + "a:\n").collect();
    check(&indented, &[&format!("b.yaml:25:25: {too_much}")]);

    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..10 {
        let inner = format!("*a{}, ", level - 1).repeat(10);
        bomb += &format!("a{level}: &a{level} [{inner}]\n");
    }
    check(&bomb, &[&format!("b.yaml:6:20: {too_much}")]);
}

#[test]
fn deep_settings_that_fit_are_read_on_a_small_stack() {
    let deep = format!(
        "modules: [{{id: m, driver: virtual, settings: {{a: {}{}}}}}]",
        "[".repeat(20),
        "]".repeat(20)
    );
    check(&deep, &[]);
}

#[test]
fn an_unknown_key_is_named_with_the_nearest_or_all_that_are_allowed() {
    check(
        "zonse: []\nfoo: 1\nsystems:\n  - {id: s, name: S, modlues: []}\nzones:\n  - {id: z, name: Z, parent: z2}\n  - {id: y, name: Y, colour: red}\n",
        &[
            "b.yaml:1:1: unknown key `zonse` in the building file; did you mean `zones`?",
            "b.yaml:2:1: unknown key `foo` in the building file; the building file may have zones, systems, modules, users, api_keys, metadata, entities, commands, apps, services, procedures, hooks, triggers",
            "b.yaml:4:22: unknown key `modlues` in a system; did you mean `modules`?",
            "b.yaml:6:22: unknown key `parent` in a zone; did you mean `parent_id`?",
            "b.yaml:7:22: unknown key `colour` in a zone; a zone may have id, name, display_name, description, tags, parent_id, location, code, type, count, capacity, map_id, timezone, images, playlists, place_id, settings, settings_json, settings_levels",
        ],
    );
}

#[test]
fn a_missing_key_comes_with_an_example() {
    check(
        "zones: [{}]\nsystems: [{}]\nmodules: [{}]\nusers: [{}]\napi_keys: [{}]\n",
        &[
            "b.yaml:1:9: a zone has no `id`; add an id, such as `id: zone-level-1`",
            "b.yaml:1:9: a zone has no `name`; add a name for people, such as `name: Level 1`",
            "b.yaml:2:11: a system has no `id`; add an id, such as `id: sys-board-room`",
            "b.yaml:2:11: a system has no `name`; add a name for people, such as `name: Board Room`",
            "b.yaml:3:11: a module has no `id`; add an id, such as `id: mod-display-1`",
            "b.yaml:3:11: a module has no `driver`; add the id of a driver, such as `driver: virtual`",
            "b.yaml:4:9: a user has no `id`; add an id, such as `id: user-ann`",
            "b.yaml:4:9: a user has no `email`; add an address, such as `email: ann@example.test`",
            "b.yaml:5:12: an API key has no `id`; add an id, such as `id: panel-key`",
            "b.yaml:5:12: an API key has no `secret`; add a long random text, such as `secret: \"${ENV:PANEL_SECRET}\"`",
            "b.yaml:5:12: an API key has no `user`; add the id of the user whose key it is",
        ],
    );
}

#[test]
fn a_value_of_the_wrong_type_says_what_belongs_there() {
    check(
        "- zones",
        &["b.yaml:1:1: the building file must be a map of keys and values, not a list"],
    );
    check(
        "zones: {}\nmodules: [text]\nsystems:\n  - {id: 101, name: true, bookable: yes, zones: z, features: [1, {}]}\n",
        &[
            "b.yaml:1:8: `zones` must be a list, not a map",
            "b.yaml:2:11: a module must be a map of keys and values, not text",
            "b.yaml:4:10: `id` must be text, not a number; put it in quotes",
            "b.yaml:4:21: `name` must be text, not true or false; put it in quotes",
            "b.yaml:4:37: `bookable` must be true or false, not text",
            "b.yaml:4:49: `zones` must be a list, not text",
            "b.yaml:4:63: an item of `features` must be text, not a number; put it in quotes",
            "b.yaml:4:66: an item of `features` must be text, not a map",
        ],
    );
    check(
        "modules:\n  - {id: m, driver: 7, settings: [a], uri: 5}\n",
        &[
            "b.yaml:2:21: `driver` must be text, not a number; put it in quotes",
            "b.yaml:2:34: `settings` must be a map, not a list",
            "b.yaml:2:44: `uri` must be text, not a number; put it in quotes",
        ],
    );
}

#[test]
fn a_forgotten_colon_is_asked_for_by_the_key_in_front_of_it() {
    check(
        "users:\n  - {id: u, email: e, password hunter2}\n  - {id: v, email: f, password:hunter2}\n",
        &[
            "b.yaml:2:23: unknown key in a user; is a colon with a space missing behind `password`?",
            "b.yaml:3:23: unknown key in a user; is a colon with a space missing behind `password`?",
        ],
    );
}

#[test]
fn an_id_that_no_request_could_ask_for_is_refused() {
    check(
        "zones:\n  - {id: control, name: Z}\nsystems:\n  - {id: control, name: S}\n",
        &[
            "b.yaml:4:10: no request over HTTP could ask for the system `control`, since the word has a meaning there; choose another id",
        ],
    );
}

#[test]
fn an_unknown_time_zone_is_named_with_the_nearest() {
    check(
        "systems:\n  - {id: a, name: A, timezone: Europe/Berlin}\n  - {id: b, name: B, timezone: Europe/Berln}\n  - {id: c, name: C, timezone: lunch}\n  - {id: d, name: D, timezone: utc}\n",
        &[
            "b.yaml:3:32: `Europe/Berln` is no IANA time zone; did you mean `Europe/Berlin`?",
            "b.yaml:4:32: `lunch` is no IANA time zone; write one such as Europe/London, or leave it out",
        ],
    );
}

#[test]
fn a_number_keeps_every_digit_that_is_written() {
    let building = read_file(
        "modules:\n  - {id: m, driver: virtual, settings: {a: 3.14159265358979323846, b: 1.50, c: 1e3, d: 12.0, e: .5, f: 1_000}}\n",
    )
    .unwrap();
    assert_eq!(
        building.modules[0].settings().as_str(),
        r#"{"a":3.14159265358979323846,"b":1.5,"c":1000.0,"d":12.0,"e":0.5,"f":1000}"#
    );
}

#[test]
fn json_is_kept_byte_for_byte_and_nothing_is_filled_in() {
    let json =
        r#"{ "a": 1e400, "b":"\ud800", "a": [590295810358705651712], "c":"${ENV:PASSWORD}" }"#;
    let building = read_file(&format!(
        "zones: [{{id: z, name: Z}}]\nmodules: [{{id: m, driver: virtual, settings_json: '{json}'}}]\nmetadata: [{{parent: z, name: n, details_json: '{json}'}}]\n"
    ))
    .unwrap();
    assert_eq!(building.modules[0].settings().as_str(), json);
    assert_eq!(building.metadata[0].details.as_str(), json);
    check(
        "modules:\n  - {id: m, driver: virtual, settings: {a: 1}, settings_json: '{}'}\n  - {id: n, driver: virtual, settings_json: '[1]'}\nzones: [{id: z, name: Z}]\nmetadata:\n  - {parent: z, name: n, details_json: '{'}\n",
        &[
            "b.yaml:2:5: a module has both `settings` and `settings_json`; remove one of them",
            "b.yaml:3:45: `settings_json` must be a JSON object as text; correct it, or write it in YAML as `settings`",
            "b.yaml:6:40: `details_json` must be JSON as text; correct it, or write it in YAML as `details`",
        ],
    );
}

#[test]
fn an_escaped_variable_is_text_everywhere() {
    let building = read_file(
        "zones: [{id: \"$${ENV:A}\", name: \"a $${ENV:HOME}\"}]\nsystems: [{id: s, name: \"$${x} ${y}\", zones: [\"$${ENV:A}\"]}]\nmodules: [{id: m, driver: virtual, uri: \"tcp://$${ENV:A}\", settings: {a: \"$${ENV:PASSWORD}\", b: \"${ENV:PASSWORD}\"}}]\n",
    )
    .unwrap();
    assert_eq!(building.zones[0].name, "a ${ENV:HOME}");
    assert_eq!(building.systems[0].name, "${x} ${y}");
    assert_eq!(building.systems[0].zones[0].as_str(), "${ENV:A}");
    assert_eq!(building.modules[0].uri.as_deref(), Some("tcp://${ENV:A}"));
    assert_eq!(
        building.modules[0].settings().as_str(),
        r#"{"a":"${ENV:PASSWORD}","b":"hunter2"}"#
    );
}

#[test]
fn a_capacity_counts_people() {
    let file = |capacity| format!("systems:\n  - {{id: s, name: S, capacity: {capacity}}}\n");
    let line = "b.yaml:2:32: `capacity` must be a whole number from 0 to 4294967295; leave it out if it is not known";
    for capacity in ["0", "12.0", "1e1"] {
        check(&file(capacity), &[]);
    }
    for capacity in ["-1", "2.5", "4294967296", "many", "[8]"] {
        check(&file(capacity), &[line]);
    }
}

#[test]
fn a_bad_id_is_refused() {
    let long = "x".repeat(513);
    check(
        &format!(
            "zones:\n  - {{id: \"\", name: A}}\n  - {{id: \"a\\tb\", name: B}}\n  - {{id: {long}, name: C}}\nmodules:\n  - {{id: m, driver: virtual, name: \"\"}}\n"
        ),
        &[
            "b.yaml:2:10: a zone id is empty; use 1 to 512 bytes of text without control characters",
            "b.yaml:3:10: a zone id has a control character in it; use 1 to 512 bytes of text without control characters",
            "b.yaml:4:10: a zone id has 513 bytes, more than the 512 allowed; use 1 to 512 bytes of text without control characters",
            "b.yaml:6:36: a module name is empty; use 1 to 512 bytes of text without control characters",
        ],
    );
}

#[test]
fn an_id_that_is_used_twice_names_both_lines() {
    check(
        "zones:\n  - {id: z, name: A}\n  - {id: z, name: B}\nsystems:\n  - {id: z, name: A}\n  - {id: z, name: B}\nmodules:\n  - {id: z, driver: virtual}\n  - {id: z, driver: virtual}\n",
        &[
            "b.yaml:3:10: zone id `z` is already used on line 2; give one of them another",
            "b.yaml:6:10: system id `z` is already used on line 5; give one of them another",
            "b.yaml:9:10: module id `z` is already used on line 8; give one of them another",
        ],
    );
    check(
        "users:\n  - {id: u, email: a@b.example}\n  - {id: u, email: A@b.example}\napi_keys:\n  - {id: k, secret: s, user: u}\n  - {id: k, secret: s, user: u}\n",
        &[
            "b.yaml:3:10: user id `u` is already used on line 2; give one of them another",
            "b.yaml:3:20: email `a@b.example` is already used on line 2; give one of them another",
            "b.yaml:6:10: API key id `k` is already used on line 5; give one of them another",
        ],
    );
    check(
        "zones:\n  - &z {id: z, name: A}\n  - *z\n",
        &["b.yaml:3:5: zone id `z` is already used on line 2; give one of them another"],
    );
}

#[test]
fn a_reference_needs_its_target() {
    check(
        "zones:\n  - {id: zone-hq, name: HQ, parent_id: zone-hk}\nsystems:\n  - {id: s, name: S, zones: [elsewhere], modules: [m, n]}\nmodules:\n  - {id: m, driver: virtual}\n",
        &[
            "b.yaml:2:40: there is no zone `zone-hk`; did you mean `zone-hq`? If not: add it under `zones`",
            "b.yaml:4:30: there is no zone `elsewhere`; add it under `zones`",
            "b.yaml:4:55: there is no module `n`; add it under `modules`",
        ],
    );
    check(
        "api_keys:\n  - {id: k, secret: s, user: u, systems: [s], zones: [z]}\n",
        &[
            "b.yaml:2:30: there is no user `u`; add it under `users`",
            "b.yaml:2:43: there is no system `s`; add it under `systems`",
            "b.yaml:2:55: there is no zone `z`; add it under `zones`",
        ],
    );
}

#[test]
fn a_list_that_cannot_be_read_is_the_only_mistake_reported_about_it() {
    check(
        "modules: {m: virtual}\nsystems:\n  - {id: s, name: S, modules: [m]}\n",
        &["b.yaml:1:10: `modules` must be a list, not a map"],
    );
    check(
        "users:\n  - {id: u}\napi_keys:\n  - {id: k, secret: s, user: u}\n",
        &["b.yaml:2:5: a user has no `email`; add an address, such as `email: ann@example.test`"],
    );
}

#[test]
fn a_thing_is_listed_once() {
    check(
        "zones:\n  - {id: z, name: Z}\nsystems:\n  - {id: s, name: S, zones: [z, z], modules: [m, m, m]}\nmodules:\n  - {id: m, driver: virtual}\n",
        &[
            "b.yaml:4:33: zone `z` is listed twice; remove one of them",
            "b.yaml:4:50: module `m` is listed twice; remove one of them",
            "b.yaml:4:53: module `m` is listed twice; remove one of them",
        ],
    );
}

#[test]
fn zones_that_contain_themselves_are_reported_once() {
    check(
        "zones:\n  - {id: a, name: A, parent_id: a}\n  - {id: b, name: B, parent_id: c}\n  - {id: c, name: C, parent_id: d}\n  - {id: d, name: D, parent_id: c}\n  - {id: e, name: E, parent_id: b}\n  - {id: f, name: F}\n",
        &[
            "b.yaml:2:10: zone `a` is inside itself (a in a); remove one `parent_id`",
            "b.yaml:4:10: zone `c` is inside itself (c in d in c); remove one `parent_id`",
        ],
    );
}

#[test]
fn a_driver_must_be_linked_in() {
    let known = known_drivers();
    check(
        "modules:\n  - {id: a, driver: virtaul}\n  - {id: b, driver: dvd_player}\n",
        &[
            &format!(
                "b.yaml:2:21: there is no driver `virtaul`; did you mean `virtual`? If not: linked in are {known}"
            ),
            &format!("b.yaml:3:21: there is no driver `dvd_player`; linked in are {known}"),
        ],
    );
}

#[test]
fn a_driver_may_be_a_program_with_variables() {
    let text = r#"modules: [{id: m, name: T, driver: {command: [python3, "a b.py", "$${x}"], env: {A: "1", PASSWORD: "x${ENV:SECRET}"}}}]"#;
    let environment = BTreeMap::from([("SECRET".to_owned(), "hunter2".to_owned())]);
    let read = |text: &str| {
        crate::building_file::read("b.yaml", text, &drivers(), ForeignRules::NONE, &environment)
    };
    let building = read(text).unwrap();
    let DriverRef::Process(process) = &building.modules[0].driver else {
        panic!("{:?}", building.modules[0].driver);
    };
    assert_eq!(process.program(), "python3");
    assert_eq!(process.arguments(), ["a b.py", "${x}"]);
    let env = [("A", "1"), ("PASSWORD", "xhunter2")];
    let env = env.map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!(process.env(), env);

    assert_eq!(read(&write(&building)).unwrap(), building);
    let shown = masked(&building);
    assert!(!shown.contains("hunter2"), "{shown}");
    assert!(
        shown.contains("python3") && shown.contains("PASSWORD"),
        "{shown}"
    );
}

#[test]
fn what_is_wrong_with_a_program_is_told_where_it_stands() {
    let told = |driver: &str, expect: &[&str]| {
        check(
            &format!("modules:\n  - {{id: a, name: T, driver: {driver}}}\n"),
            expect,
        );
    };
    told(
        "{}",
        &[
            "b.yaml:2:30: a driver has no `command`; add a program and its arguments, such as `command: [python3, thermometer.py]`",
        ],
    );
    told(
        "{command: []}",
        &[
            "b.yaml:2:40: the driver cannot be run: `command` has no program in it; write a program and its arguments, such as `command: [python3, thermometer.py]`",
        ],
    );
    told(
        "{command: python3 x.py}",
        &["b.yaml:2:40: `command` must be a list, not text"],
    );
    told(
        "{command: [sleep, 5]}",
        &["b.yaml:2:48: an item of `command` must be text, not a number; put it in quotes"],
    );
    told(
        "{command: [a, '${ENV:HOME}']}",
        &[
            "b.yaml:2:44: ${ENV:…} is not filled in here, only in settings, `uri`, `url` of a webhook, `header`, `env` of a driver, secrets, passwords and their hashes; write the text itself, with $${ for ${",
        ],
    );
    told(
        "{command: [a], cwd: /}",
        &["b.yaml:2:45: unknown key `cwd` in a driver; a driver may have command, env"],
    );
    told(
        "{command: [a], env: {1A: x, B: 1, C: '${ENV:NOPE}'}}",
        &[
            "b.yaml:2:51: no variable can have this name; use letters, digits and `_`, and no digit in front",
            "b.yaml:2:61: the variable B must be text, not a number; put it in quotes",
            "b.yaml:2:67: the environment variable NOPE is not set; set it before starting riser",
        ],
    );
    check(
        "modules:\n  - {id: a, driver: {command: [a]}}\n",
        &[
            "b.yaml:2:5: a driver that is a process has no name for its modules; add one that clients are to use, such as `name: Thermometer`",
        ],
    );
}

#[test]
fn levels_and_scopes_are_known_words() {
    check(
        "users:\n  - {id: u, email: a@b.example, level: root}\napi_keys:\n  - {id: k, secret: s, user: u, level: Admin, scopes: [public, a.b, \"\"]}\n",
        &[
            "b.yaml:2:40: `root` is no level; use user, support or admin",
            "b.yaml:4:40: `Admin` is no level; use user, support or admin",
            "b.yaml:4:64: `a.b` is no scope; write a name such as public, or name.read or name.write",
            "b.yaml:4:69: `` is no scope; write a name such as public, or name.read or name.write",
        ],
    );
}

#[test]
fn a_restriction_to_nothing_is_refused() {
    check(
        "users: [{id: u, email: a@b.example}]\napi_keys:\n  - {id: k, secret: s, user: u, systems: [], zones: []}\n",
        &[
            "b.yaml:3:42: `systems` is empty; list what the key may open, or leave `systems` out to open everything",
            "b.yaml:3:53: `zones` is empty; list what the key may open, or leave `zones` out to open everything",
        ],
    );
}

#[test]
fn a_key_or_password_that_could_never_work_is_refused() {
    check(
        "users:\n  - {id: u, email: a@b.example, password: \"\"}\n  - {id: v, email: b@b.example, password: x, password_hash: y}\n  - {id: w, email: c@b.example, password_hash: hunter2}\napi_keys:\n  - {id: a.b, secret: s, user: u}\n  - {id: c, secret: \"\", user: u}\n  - {id: d, secret: \"${ENV:TRAILING}\", user: u}\n  - {id: e, secret: 12345, user: u}\n",
        &[
            "b.yaml:2:43: `password` is empty; choose a long random text",
            "b.yaml:3:5: a user has both `password` and `password_hash`; remove one of them",
            "b.yaml:4:48: `password_hash` must be an argon2 hash that begins with $argon2 and costs at most 64 MiB, 10 passes and 16 lanes; use `password` for the password itself",
            "b.yaml:6:10: an API key's id cannot have a dot in it, since a dot ends the id in `<id>.<secret>`; write what is behind it under `secret`, or another sign in its place",
            "b.yaml:7:21: `secret` is empty; choose a long random text",
            "b.yaml:8:21: `secret` has a space or line end in it, which a request cannot carry; remove it",
            "b.yaml:9:21: `secret` must be text, not a number; put it in quotes",
        ],
    );
}

#[test]
fn a_variable_that_is_not_set_is_named() {
    check(
        "modules:\n  - id: m\n    driver: virtual\n    settings: &s\n      {a: \"${ENV:A}${ENV:B}\", b: [\"${ENV:A\", \"${ENV:}\", \"${env:A}\"]}\n  - {id: n, driver: virtual, settings: *s, uri: \"${ENV:C}\"}\nusers:\n  - {id: u, email: a@b.example, password: \"${ENV:D}\"}\napi_keys:\n  - {id: k, secret: \"${ENV:E F}\", user: u}\n",
        &[
            "b.yaml:5:11: the environment variable A is not set; set it before starting riser",
            "b.yaml:5:11: the environment variable B is not set; set it before starting riser",
            "b.yaml:5:35: `${ENV:` must go on with the name of a variable and `}`, such as ${ENV:PASSWORD}",
            "b.yaml:5:46: `${ENV:` must go on with the name of a variable and `}`, such as ${ENV:PASSWORD}",
            "b.yaml:6:49: the environment variable C is not set; set it before starting riser",
            "b.yaml:8:43: the environment variable D is not set; set it before starting riser",
            "b.yaml:10:21: `${ENV:` must go on with the name of a variable and `}`, such as ${ENV:PASSWORD}",
        ],
    );
}

#[test]
fn a_variable_where_none_is_filled_in_is_refused() {
    check(
        "zones:\n  - {id: \"${ENV:PASSWORD}\", name: \"${ENV:PASSWORD}\"}\n",
        &[
            "b.yaml:2:10: ${ENV:…} is not filled in here, only in settings, `uri`, `url` of a webhook, `header`, `env` of a driver, secrets, passwords and their hashes; write the text itself, with $${ for ${",
            "b.yaml:2:35: ${ENV:…} is not filled in here, only in settings, `uri`, `url` of a webhook, `header`, `env` of a driver, secrets, passwords and their hashes; write the text itself, with $${ for ${",
        ],
    );
}

#[test]
fn a_merged_map_is_read_and_its_mistakes_are_reported_where_they_are_written() {
    check(
        "modules:\n  - &base\n    id: a\n    driver: virtaul\n  - {<<: *base, id: b}\n",
        &[&format!(
            "b.yaml:4:13: there is no driver `virtaul`; did you mean `virtual`? If not: linked in are {}",
            known_drivers()
        )],
    );
}

#[test]
fn mistakes_of_every_kind_come_together_in_the_order_of_the_file() {
    check(
        "systems:\n  - {id: s, name: S, capacity: -1, modules: [m]}\nzones:\n  - {id: z, nam: Z}\n",
        &[
            "b.yaml:2:32: `capacity` must be a whole number from 0 to 4294967295; leave it out if it is not known",
            "b.yaml:2:46: there is no module `m`; add it under `modules`",
            "b.yaml:4:5: a zone has no `name`; add a name for people, such as `name: Level 1`",
            "b.yaml:4:13: unknown key `nam` in a zone; did you mean `name`?",
        ],
    );
}
#[test]
fn digits_that_would_come_out_changed_are_refused() {
    let line = "a number with leading zeros or more digits than fit would be changed; put it in quotes to keep it as text, or write it without zeros in front";
    check(
        "modules:\n  - id: m\n    driver: virtual\n    settings:\n      pin: 0123\n      serial: [18446744073709551616, -007]\n      fine: [0, 0.5, 1e3, -1.0, 1_000, 0x1F, \"0123\", 18446744073709551615]\n",
        &[
            &format!("b.yaml:5:12: {line}"),
            &format!("b.yaml:6:16: {line}"),
            &format!("b.yaml:6:38: {line}"),
        ],
    );
}

#[test]
fn numbers_are_told_from_digits_in_a_file_with_a_byte_order_mark_and_foreign_letters() {
    check(
        "\u{feff}# Größe\r\nmodules:\r\n- {id: ü, driver: virtual, settings: {a: 1.5, b: 25.0, c: 1e22}}\r\n",
        &[],
    );
}

#[test]
fn an_error_stays_one_line_whatever_is_in_the_file() {
    check(
        "\"zo\\nnes\\e[31m\": []\n",
        &["b.yaml:1:1: unknown key in the building file; did you mean `zones`?"],
    );
}

#[test]
fn a_secret_never_shows_in_an_error() {
    for file in [
        "api_keys:\n  - {id: k, secret: \"hunter2\nusers: [",
        "api_keys:\n  - {id: k, secret: hunter2: x}",
        "api_keys:\n  - {id: k, secret: hunter2\\x, user: u}",
        "api_keys:\n  - {id: k, secret: \"hunter2\\q\", user: u}",
        "api_keys:\n  - {id: k, secret: [hunter2], user: u}",
        "api_keys:\n  - {id: k, secret: \"hunter2 \", user: u}",
        "modules:\n  - {id: m, driver: virtual, settings: hunter2}",
        "modules:\n  - {id: m, driver: virtual, settings: {a: \"${ENV:PASSWORD}${ENV:X}\"}}",
        "users:\n  - {id: u, email: e, password_hash: hunter2}",
        // A colon, a quote or a line end is missing, and the value has become part of another.
        "users:\n  - {id: u, email: e, password hunter2}",
        "users:\n  - {id: u, email: e, password:hunter2}",
        "users:\n  - {id: u, email: e, hunter2}",
        "users:\n  - {id: u, email: e, hunter2:, hunter2 x: 1}",
        "users:\n  - {id: u, email: e, \"password: hunter2\"}",
        "users:\n  - id: u\n    email: e\n    level: admin\n      password hunter2\n",
        "users:\n  - id: u\n    email: e\n    password hunter2\n",
        "users:\n  - {id: u, email: e, password=hunter2: 1, password=hunter2: 2}",
        "users:\n  - {id: u, email: e password hunter2}\n  - {id: v, email: e password hunter2}",
        "users: [{id: u, email: e}]\napi_keys:\n  - id: k\n    user: u\n      secret hunter2\n",
        "api_keys:\n  - {id: k, secret: x, user: secret hunter2, systems: [secret hunter2, secret hunter2]}",
        "api_keys:\n  - {id: panel.hunter2, user: u}",
        "api_keys:\n  - {id: k, secret: x, user: u, scopes: [secret hunter2], level: secret hunter2}",
        "zones: [{id: a secret hunter2, name: A, parent_id: a secret hunter2}]",
        "zones: [{id: a secret hunter2, name: A}, {id: b, name: B, parent_id: a secret hunter}]",
        "systems: [{id: s, name: S, timezone: secret hunter2}]",
        "modules: [{id: m, driver: secret hunter2}]",
        "modules: [{id: m, driver: virtual, settings_json: '{\"a\": hunter2}'}]",
        "modules: [{id: m, driver: virtual, settings_json: '\"hunter2\"'}]",
        "modules: [{id: m, driver: virtual, settings: {pin: !!int hunter2, b: !!bool hunter2}}]",
        "modules: [{id: m, driver: virtual, settings: {pin: !!binary hunter2}}]",
        "modules: [{id: m, driver: virtual, settings: {pin: !hunter2! x}}]",
        "modules: [{id: m, driver: virtual, settings: {pin: *hunter2}}]",
        "modules: [{id: m, driver: virtual, settings: {<<: hunter2}}]",
        "modules: [{id: m, driver: virtual, settings: {hunter2 x: 1, hunter2 x: 2}}]",
        "secret hunter2\nzones: []",
    ] {
        let problems = read_file(file).unwrap_err().to_string();
        assert!(!problems.contains("hunter2"), "{problems}");
    }
}

mod apps;
mod automation;
mod fuzz;
mod home_assistant;
mod services;

mod properties {
    use proptest::prelude::*;

    use super::*;

    /// Text that is YAML-like enough to get past the scanner now and then.
    fn yamlish() -> impl Strategy<Value = String> {
        let words = prop::sample::select(vec![
            "zones",
            "systems",
            "modules",
            "users",
            "api_keys",
            "id",
            "name",
            "driver",
            "settings",
            "virtual",
            "secret",
            "user",
            "parent_id",
            "${ENV:",
            "}",
            "{",
            "[",
            "]",
            ":",
            ": ",
            ", ",
            "- ",
            "\n",
            "\n  ",
            "\n    ",
            "\"",
            "'",
            "&a ",
            "*a",
            "<<",
            "|",
            ">",
            "!!str ",
            "~",
            "0",
            "-1",
            "1e9",
            ".nan",
            "true",
            "#",
            "---",
            "%",
            "\t",
            "é",
            "\u{0}",
            "\u{feff}",
        ]);
        prop::collection::vec(words, 0..60).prop_map(|words| words.concat())
    }

    fn only_whole_lines(text: &str) {
        if let Err(problems) = read_file(text) {
            let count = problems.list.len();
            assert!(count > 0);
            let lines = problems.to_string();
            assert_eq!(lines.lines().count(), count, "{lines}");
            assert!(
                lines.lines().all(|line| line.starts_with("b.yaml:")),
                "{lines}"
            );
        }
    }

    proptest! {
        #[test]
        fn random_text_is_read_or_refused_in_whole_lines(text in any::<String>()) {
            only_whole_lines(&text);
        }

        #[test]
        fn yaml_like_text_is_read_or_refused_in_whole_lines(text in yamlish()) {
            only_whole_lines(&text);
        }

        #[test]
        fn a_damaged_file_is_read_or_refused_in_whole_lines(
            cut in any::<prop::sample::Index>(),
            damage in yamlish(),
        ) {
            let demo = include_str!("demo.yaml");
            let at = cut.index(demo.len());
            let (before, after) = (demo.get(..at).unwrap_or(demo), demo.get(at..).unwrap_or(""));
            only_whole_lines(&format!("{before}{damage}{after}"));
            only_whole_lines(before);
        }
    }
}
