//! Documents against entries: what is sent, what is shown, and that nothing is lost between the two.

use std::collections::BTreeMap;

use serde_json::value::RawValue;
use serde_json::{Value as Json, json};

use super::*;
use crate::dialects::placeos::rest::address::address;
use crate::dialects::placeos::rest::{SystemShape, ZoneShape};
use crate::dialects::placeos::testing::{INFO, system, zone};
use crate::model::{
    Clearance, Collection, DeviceKind, DriverRef, Expiry, KeyId, KeySecret, ModuleId, ModuleName,
    ParentId, Password, Scope, Secret, ServiceKey, SystemId, UserId, ZoneId, sample,
};

fn document<C: Resource>(body: &str) -> Document<C> {
    read(body.as_bytes()).unwrap()
}

/// What is wrong with a body, by field and reason.
fn wrong<C: Resource>(body: &str) -> Vec<(String, String)> {
    let fields = match read::<C>(body.as_bytes()) {
        Err(Unreadable::Fields(fields)) => fields,
        other => panic!("{body}: {other:?}"),
    };
    let pair = |InvalidField { field, reason }| (field, reason);
    fields.into_iter().map(pair).collect()
}

fn fields(wrong: Vec<InvalidField>) -> Vec<String> {
    wrong.into_iter().map(|wrong| wrong.field).collect()
}

fn amended<C: Resource>(mut entry: C, body: &str) -> C {
    document(body).amend(&mut entry).unwrap();
    entry
}

/// Everything that is shown of an entry, taken by another that has nothing of it.
fn check_every_field<C: Resource + PartialEq + std::fmt::Debug>(of_nothing: &C) {
    let full: C = sample();
    let shown = serde_json::to_string(&Shown::of(&full)).unwrap();
    let members: BTreeMap<String, &RawValue> = serde_json::from_str(&shown).unwrap();
    for field in C::FIELDS {
        let Some(word) = C::word(field.name).filter(|_| !field.filled_in) else {
            continue;
        };
        let is_id = matches!(field.kind, Kind::Id(_));
        let body = format!("{{\"{word}\": {}}}", members[word]);
        let mut taken = of_nothing.clone();
        let outcome = document::<C>(&body).amend(&mut taken);
        if is_id {
            assert_eq!(fields(outcome.unwrap_err()), [word]);
        } else {
            outcome.unwrap_or_else(|wrong| panic!("{word}: {wrong:?}"));
            assert!(
                field.value(&taken) == field.value(&full),
                "{word}: {taken:?}"
            );
        }
    }
    let again = amended(full.clone(), &shown);
    assert_eq!(again, full);
}

#[test]
fn every_field_that_is_shown_can_be_set_and_sent_back() {
    check_every_field(&Zone::new(&ZoneId::new("z").unwrap()));
    check_every_field(&System::new(&SystemId::new("s").unwrap()));
    check_every_field(&Module::new(&ModuleId::new("m").unwrap()));
    check_every_field(&User::new(&UserId::new("u").unwrap()));
    check_every_field(&key());
    let status = Values::none().with("status", Value::Text("s/Display_1/x".into()));
    check_every_field(&EntityOverride::build(status).unwrap());
    let command = Values::none().with("type", Value::Text("lamp/blink".into()));
    check_every_field(&CustomCommand::build(command).unwrap());
    let app = Values::none().with("id", Value::Text("7".into()));
    check_every_field(&ChannelApp::build(app).unwrap());
    check_every_field(&service());
}

const SERVICE_SECRET: &str = "0123456789abcdefABCDEF0123456789";

fn service() -> Service {
    let key = ServiceKey::of_secret(SERVICE_SECRET).unwrap().to_string();
    Service::build(Values::none().with("public", Value::Text(key.into()))).unwrap()
}

#[test]
fn the_secret_of_a_service_stands_for_its_public_key_and_is_never_shown() {
    let key = service().key.to_string();
    let body = json!({"secret": SERVICE_SECRET, "name": "Lobby"}).to_string();
    let document = document::<Service>(&body);
    let made = document.make(Values::none()).unwrap();
    assert_eq!(made.key.as_str(), key);
    let shown = serde_json::to_string(&Shown::of(&made)).unwrap();
    assert!(shown.contains(&key) && !shown.contains(SERVICE_SECRET));
    // Of the service that it is the secret of, it changes nothing.
    document.amend(&mut made.clone()).unwrap();
}

#[test]
fn the_key_of_a_service_cannot_be_changed() {
    for (body, field) in [
        (json!({"secret": "x".repeat(32)}), "secret"),
        (json!({"secret": "hunter2"}), "secret"),
        (
            json!({"public": "43c2-9317cc-eb3c7a3c4854-3e9b6-59e9e5a10"}),
            "public",
        ),
    ] {
        let document = document::<Service>(&body.to_string());
        let wrong = document.amend(&mut service()).unwrap_err();
        assert!(!format!("{wrong:?}").contains("hunter2"));
        assert_eq!(fields(wrong), [field], "{body}");
    }
}

#[test]
fn a_new_service_has_one_key() {
    let public = "43c2-9317cc-eb3c7a3c4854-3e9b6-59e9e5a10";
    for (body, field) in [
        (json!({"name": "Lobby"}), "public"),
        (json!({"name": "Lobby", "public": "43c2"}), "public"),
        (
            json!({"name": "Lobby", "public": public, "secret": SERVICE_SECRET}),
            "secret",
        ),
    ] {
        let document = document::<Service>(&body.to_string());
        let wrong = document.make(Values::none()).unwrap_err();
        assert_eq!(fields(wrong), [field], "{body}");
    }
}

#[test]
fn what_an_app_signs_with_is_taken_and_never_shown() {
    let app = Values::none().with("id", Value::Text("7".into()));
    let app = ChannelApp::build(app).unwrap();
    let body = r#"{"keys": [{"key": "a1", "secret": "hunter2"}], "webhooks": [{"url": "http://ann:hunter2@h/x?t=hunter2"}]}"#;
    assert!(!format!("{:?}", document::<ChannelApp>(body)).contains("hunter2"));
    let app = amended(app, body);
    let shown = serde_json::to_value(Shown::of(&app)).unwrap();
    assert!(!shown.to_string().contains("hunter2"), "{shown}");
    assert_eq!(shown["keys"], json!([{"key": "a1"}]));
    assert_eq!(shown["webhooks"], json!([{"url": "http://***@h/x?***"}]));
    // Whatever a client's own way of writing JSON is.
    let back = serde_json::to_string_pretty(&shown).unwrap();
    assert_eq!(amended(app.clone(), &back), app);
    let more = r#"{"keys": [{"key": "b2", "secret": "hunter3"}, {"key": "a1"}]}"#;
    let secret = |app: &ChannelApp, key| app.key(key).map(|key| key.secret.expose().to_owned());
    let more = amended(app.clone(), more);
    assert_eq!(secret(&more, "a1").as_deref(), Some("hunter2"));
    assert_eq!(secret(&more, "b2").as_deref(), Some("hunter3"));
    let renamed = document::<ChannelApp>(r#"{"keys": [{"key": "c3"}]}"#);
    assert_eq!(
        fields(renamed.amend(&mut app.clone()).unwrap_err()),
        ["keys"]
    );
    assert_eq!(
        amended(app, r#"{"keys": null, "webhooks": null}"#)
            .keys
            .list(),
        []
    );
}

#[test]
fn an_answer_of_null_can_be_sent_back() {
    let values = Values::none()
        .with("type", Value::Text("lamp/blink".into()))
        .with("result", Value::Json("null".into()));
    let command = CustomCommand::build(values).unwrap();
    let shown = serde_json::to_string(&Shown::of(&command)).unwrap();
    assert_eq!(amended(command.clone(), &shown), command);
}

#[test]
fn a_part_of_a_command_that_is_none_is_refused_by_its_field() {
    let values = Values::none().with("type", Value::Text("lamp/blink".into()));
    let mut command = CustomCommand::build(values).unwrap();
    for (body, field) in [
        (r#"{"schema": {"pattern": 1}}"#, "schema"),
        (r#"{"call": "lamp"}"#, "call"),
        (r#"{"errors": {"x": {}}}"#, "errors"),
        (r#"{"subscribe": "s/Lamp"}"#, "subscribe"),
        (r#"{"args": 5}"#, "args"),
    ] {
        let wrong = document::<CustomCommand>(body).amend(&mut command);
        assert_eq!(fields(wrong.unwrap_err()), [field], "{body}");
    }
}

#[test]
fn what_is_no_field_is_refused_by_its_name() {
    let refused = wrong::<System>(r#"{"name": "x", "hunter": 1, "name": "y", "capacity": "z"}"#);
    let refused: Vec<_> = refused.iter().map(|(f, r)| (&**f, &**r)).collect();
    assert_eq!(
        refused,
        [
            ("hunter", "is no field of a system"),
            ("name", "is there twice"),
            ("capacity", "must be a whole number from 0 to 4294967295"),
        ]
    );
    assert_eq!(
        wrong::<ApiKey>(r#"{"secret": "hunter2"}"#),
        [("secret".to_owned(), "is no field of an API key".to_owned())]
    );
}

#[test]
fn what_riser_finds_out_may_be_sent_back_and_what_it_lacks_has_to_be_empty() {
    let back = r#"{"settings": [null], "trigger_list": [], "triggers": [], "version": 7}"#;
    assert_eq!(amended(zone(), back), zone());
    for body in [r#"{"triggers": ["trig-1"]}"#, r#"{"settings": "a: 1"}"#] {
        assert_eq!(wrong::<Zone>(body).len(), 1, "{body}");
    }
    let module = Module::new(&ModuleId::new("m").unwrap());
    let back = r#"{"connected": true, "driver": {}, "edge": null, "edge_id": "", "role": 99}"#;
    assert_eq!(amended(module.clone(), back), module);
    let edge = wrong::<Module>(r#"{"edge_id": "edge-1"}"#);
    assert_eq!(edge[0].0, "edge_id");
}

#[test]
fn a_field_of_the_wrong_type_is_named_and_its_value_is_not() {
    for (body, field, reason) in [
        (
            r#"{"capacity": "hunter2"}"#,
            "capacity",
            "must be a whole number from 0 to 4294967295",
        ),
        (
            r#"{"zones": ["zone-a", 5]}"#,
            "zones[1]",
            "must be a string",
        ),
        (r#"{"bookable": "yes"}"#, "bookable", "must be a boolean"),
        (r#"{"features": "vc"}"#, "features", "must be an array"),
        (r#"{"name": 5}"#, "name", "must be a string"),
        (
            r#"{"space_config": [1]}"#,
            "space_config",
            "must be a JSON object",
        ),
        (
            r#"{"zones": ["zone-a", "zone-b", "zone-a"]}"#,
            "zones",
            "lists `zone-a` twice",
        ),
    ] {
        assert_eq!(
            wrong::<System>(body),
            [(field.to_owned(), reason.to_owned())],
            "{body}"
        );
    }
}

#[test]
fn a_whole_number_is_taken_however_it_is_written_and_never_rounded() {
    for text in ["12", "12.0", "1.2e1", "120E-1"] {
        let body = format!(r#"{{"capacity": {text}}}"#);
        assert_eq!(amended(system(), &body).capacity, 12, "{text}");
    }
    for text in ["12.5", "-1", "4294967296", "18446744073709551617", "\"12\""] {
        let body = format!(r#"{{"capacity": {text}}}"#);
        assert_eq!(wrong::<System>(&body)[0].0, "capacity", "{text}");
    }
}

#[test]
fn what_is_no_object_is_no_document() {
    for body in ["", "[", "[1]", "5", "\"text\"", "{\"name\": ", "{} {}"] {
        let read = read::<Zone>(body.as_bytes());
        assert!(
            matches!(read, Err(Unreadable::NotADocument(_))),
            "{body:?}: {read:?}"
        );
    }
}

#[test]
fn what_is_left_out_stays_and_null_empties() {
    assert_eq!(amended(system(), "{}"), system());
    let changed = amended(
        system(),
        r#"{"name": "New", "email": null, "capacity": 3, "features": null, "zones": ["zone-x"], "signage": true}"#,
    );
    let expected = System {
        name: "New".to_owned(),
        email: None,
        capacity: 3,
        features: Vec::new(),
        zones: vec![ZoneId::new("zone-x").unwrap()],
        signage: true,
        ..system()
    };
    assert_eq!(changed, expected);
}

#[test]
fn what_was_answered_can_be_sent_back_and_changes_nothing() {
    let body = serde_json::to_string(&SystemShape::new(&system(), &INFO)).unwrap();
    assert_eq!(amended(system(), &body), system());
    let body = serde_json::to_string(&ZoneShape::new(&zone(), &INFO)).unwrap();
    assert_eq!(amended(zone(), &body), zone());
}

#[test]
fn a_time_zone_is_one_that_there_is_or_was_kept_already() {
    let berlin = amended(system(), r#"{"timezone": "Europe/Berlin"}"#);
    assert_eq!(berlin.timezone.as_deref(), Some("Europe/Berlin"));
    let document = document::<System>(r#"{"timezone": "Europe/Berln"}"#);
    let wrong = document.amend(&mut system()).unwrap_err();
    assert_eq!(fields(wrong), ["timezone"]);
    let mut old = System {
        timezone: Some("Europe/Berln".to_owned()),
        ..system()
    };
    document.amend(&mut old).unwrap();
}

#[test]
fn ids_that_are_none_are_said_by_field() {
    let ids = document::<System>(r#"{"zones": ["", "zone-a"], "modules": ["a\nb"]}"#);
    let wrong = ids.amend(&mut system()).unwrap_err();
    assert_eq!(fields(wrong), ["zones", "modules"]);
    let made = document::<Zone>(r#"{"id": "a\nb"}"#).make(Values::none());
    assert_eq!(fields(made.unwrap_err()), ["id"]);
    let fresh = Values::none().with("id", Value::Text(Cow::Borrowed("fresh")));
    let empty = document::<Zone>(r#"{"id": "", "parent_id": ""}"#);
    let made = empty.make(fresh).unwrap();
    assert_eq!((made.id.as_str(), made.parent_id), ("fresh", None));
}

fn module(uri: Option<&str>) -> Module {
    Module {
        driver: DriverRef::LinkedIn("pjlink".to_owned()),
        name: Some(ModuleName::new("Display").unwrap()),
        uri: uri.map(str::to_owned),
        settings: Secret::new(r#"{"password":"hunter2"}"#),
        ..Module::new(&ModuleId::new("mod-1").unwrap())
    }
}

fn check_uri(before: Option<&str>, body: &str, expect: Option<&str>) {
    let amended = amended(module(before), body);
    assert_eq!(amended.uri.as_deref(), expect, "{before:?} {body}");
}

#[test]
fn an_address_is_given_by_a_uri_or_by_its_parts() {
    check_uri(None, r#"{"uri": "https://h/x"}"#, Some("https://h/x"));
    check_uri(
        None,
        r#"{"ip": "10.0.0.7", "port": 4352}"#,
        Some("tcp://10.0.0.7:4352"),
    );
    check_uri(
        None,
        r#"{"ip": "h", "port": 9, "udp": true}"#,
        Some("udp://h:9"),
    );
    check_uri(
        None,
        r#"{"ip": "h", "port": 9, "tls": true}"#,
        Some("tls://h:9"),
    );
    check_uri(Some("tcp://h:9"), r#"{"ip": "i"}"#, Some("tcp://i:9"));
    check_uri(
        Some("ssh://ann:b@h:22"),
        r#"{"port": 23}"#,
        Some("ssh://ann:b@h:23"),
    );
    check_uri(Some("tcp://h:9"), r#"{"ip": ""}"#, None);
    for uri in ["https://h/x", "https://ann:b@h/x"] {
        check_uri(Some(uri), r#"{"uri": null}"#, None);
    }
    check_uri(
        Some("ssh://ann:b@h:22"),
        r#"{"ip": "i"}"#,
        Some("ssh://i:22"),
    );
    let port = wrong::<Module>(r#"{"port": 65536}"#);
    assert_eq!(port[0].1, "must be a whole number from 0 to 65535");
}

#[test]
fn what_an_answer_shows_of_an_address_changes_nothing_when_it_is_sent_back() {
    for uri in [
        "https://ann:hunter2@h/x?token=t",
        "https://h/x?token=t",
        "ssh://ann:hunter2@h:22",
        "tcp://h:9",
    ] {
        let shown = address(Some(uri));
        let body = json!({
            "uri": shown.uri, "ip": shown.ip, "port": shown.port, "tls": shown.tls, "udp": shown.udp,
        });
        check_uri(Some(uri), &body.to_string(), Some(uri));
        check_uri(Some(uri), "{}", Some(uri));
    }
    // As PlaceOS's client library sends a module without a device.
    check_uri(None, r#"{"tls": false, "udp": false, "port": 1}"#, None);
}

#[test]
fn settings_are_replaced_whole_and_never_shown() {
    let body = r#"{"settings": {"password": "new"}, "custom_name": "Projector"}"#;
    assert!(!format!("{:?}", document::<Module>(body)).contains("new"));
    let changed = amended(module(None), body);
    assert_eq!(changed.settings, Secret::new(r#"{"password": "new"}"#));
    assert_eq!(changed.name, ModuleName::new("Projector").ok());
    let shown = serde_json::to_string(&Shown::of(&changed)).unwrap();
    assert!(!shown.contains("new"), "{shown}");

    let lists = r#"{"settings": [{"keys": []}], "driver_id": "pjlink"}"#;
    assert_eq!(amended(module(None), lists), module(None));
}

fn user(level: Clearance) -> User {
    let blank = User::new(&UserId::new("user-1").unwrap());
    User { level, ..blank }
}

#[test]
fn two_flags_are_a_level() {
    for (before, body, after) in [
        (Clearance::User, r#"{"support": true}"#, Clearance::Support),
        (Clearance::User, r#"{"sys_admin": true}"#, Clearance::Admin),
        (
            Clearance::Admin,
            r#"{"sys_admin": false}"#,
            Clearance::Support,
        ),
        (
            Clearance::Admin,
            r#"{"sys_admin": false, "support": false}"#,
            Clearance::User,
        ),
        (Clearance::Admin, r#"{"support": false}"#, Clearance::Admin),
        (Clearance::Support, "{}", Clearance::Support),
    ] {
        assert_eq!(
            amended(user(before), body).level,
            after,
            "{before:?} {body}"
        );
    }
}

#[test]
fn a_first_and_a_last_name_are_the_name_until_another_is_given() {
    let ann = amended(
        user(Clearance::User),
        r#"{"first_name": "Ann", "last_name": "Lee"}"#,
    );
    assert_eq!(ann.name, "Ann Lee");
    let smith = amended(ann.clone(), r#"{"last_name": "Smith"}"#);
    assert_eq!(smith.name, "Ann Smith");
    let renamed = amended(smith, r#"{"name": "Annie Jones"}"#);
    let shown = serde_json::to_value(Shown::of(&renamed)).unwrap();
    assert_eq!(
        (&shown["first_name"], &shown["last_name"]),
        (&json!("Annie"), &json!("Jones"))
    );
    let titled = amended(ann, r#"{"name": "Dr Ann Lee", "last_name": "Lee"}"#);
    assert_eq!(titled.name, "Dr Ann Lee");
}

#[test]
fn what_administrators_alone_see_is_not_shown_to_others() {
    let user: User = sample();
    let shown = |whole| {
        let entry = &user;
        serde_json::to_value(Shown { entry, whole }).unwrap()
    };
    for field in User::PRIVATE {
        assert_ne!(shown(true)[field], Json::Null, "{field}");
        assert_eq!(shown(false).get(field), None, "{field}");
    }
}

#[test]
fn a_password_is_taken_and_never_quoted() {
    let body = r#"{"password": "hunter2"}"#;
    let changed = amended(user(Clearance::User), body);
    assert_eq!(
        changed.password,
        Some(Password::Plain(Secret::new("hunter2")))
    );
    assert!(!format!("{:?}", document::<User>(body)).contains("hunter2"));
    let number = wrong::<User>(r#"{"password": 5150}"#);
    assert_eq!(
        number,
        [("password".to_owned(), "must be a string".to_owned())]
    );
}

fn key() -> ApiKey {
    let (id, user) = (KeyId::new("panel").unwrap(), UserId::new("user-1").unwrap());
    ApiKey::new(&id, KeySecret::Plain(Secret::new("s")), &user)
}

#[test]
fn a_key_is_amended_but_for_its_secret() {
    let changed = amended(
        key(),
        r#"{"permissions": "support", "scopes": ["systems.read"], "systems": ["sys-1"], "fixed_device": true, "expires_at": 1801332000, "name": "Panel", "description": "By the door"}"#,
    );
    let expected = ApiKey {
        level: Clearance::Support,
        scopes: vec![Scope::parse("systems.read").unwrap()],
        systems: vec![SystemId::new("sys-1").unwrap()],
        device: DeviceKind::Fixed,
        expires: Expiry::from_secs(1_801_332_000),
        name: Some("Panel".to_owned()),
        description: "By the door".to_owned(),
        ..key()
    };
    assert_eq!(changed, expected);
    let both = amended(key(), r#"{"permissions": "admin_support"}"#);
    assert_eq!(both.level, Clearance::Admin);
}

#[test]
fn everything_that_is_wrong_is_said_together() {
    let all = document::<ApiKey>(
        r#"{"user_id": null, "permissions": "god", "scopes": ["a.b"], "zones": ["\n"]}"#,
    );
    let wrong = all.amend(&mut key()).unwrap_err();
    assert_eq!(fields(wrong), ["user_id", "permissions", "scopes", "zones"]);
}

fn metadata_id() -> MetadataId {
    MetadataId {
        parent: ParentId::new("zone-hq").unwrap(),
        name: MetadataName::new("map").unwrap(),
    }
}

fn check_details(before: &str, body: &str, how: Details, expect: &str) {
    let values = Values::none()
        .with("parent", Value::Text(Cow::Borrowed("zone-hq")))
        .with("name", Value::Text(Cow::Borrowed("map")))
        .with("details", Value::Json(Cow::Borrowed(before)));
    let there = Metadata::build(values).unwrap();
    let document = document::<Metadata>(body);
    let metadata = document.beside(&metadata_id(), Some(&there), how).unwrap();
    assert_eq!(metadata.details.as_str(), expect, "{body}");
}

#[test]
fn details_are_replaced_byte_for_byte_or_merged() {
    let given = r#"{"name": "map", "details": {"b": 2.0, "c": [1]}}"#;
    let before = r#"{"a":1,"b":1}"#;
    check_details(before, given, Details::Replaced, r#"{"b": 2.0, "c": [1]}"#);
    check_details(before, given, Details::Merged, r#"{"a":1,"b":2.0,"c":[1]}"#);
    check_details("[1]", given, Details::Merged, r#"{"b": 2.0, "c": [1]}"#);
    let list = r#"{"name": "map", "details": [2]}"#;
    check_details(before, list, Details::Merged, "[2]");
    check_details(before, r#"{"name": "map"}"#, Details::Replaced, before);
}

#[test]
fn a_patch_merges_what_no_tree_of_values_can_hold() {
    let before = r#"{"keep":{"x": 590295810358705651712},"big":1}"#;
    let given = r#"{"name": "map", "details": {"big": 1e400, "half": "\ud800"}}"#;
    check_details(
        before,
        given,
        Details::Merged,
        r#"{"keep":{"x": 590295810358705651712},"big":1e400,"half":"\ud800"}"#,
    );
}

#[test]
fn metadata_has_a_name_and_the_parent_of_its_path() {
    for body in ["{}", r#"{"name": null}"#, r#"{"name": ""}"#] {
        let wrong = document::<Metadata>(body).name().unwrap_err();
        assert_eq!(fields(wrong), ["name"], "{body}");
    }
    let full: Metadata = sample();
    let shown = serde_json::to_string(&Shown::of(&full)).unwrap();
    let back = document::<Metadata>(&shown);
    for before in [None, Some(&full)] {
        let made = back.beside(&full.id, before, Details::Replaced);
        assert_eq!(made.unwrap(), full);
    }
    let elsewhere = document::<Metadata>(r#"{"name": "map", "parent_id": "zone-x"}"#);
    let wrong = elsewhere.beside(&metadata_id(), None, Details::Replaced);
    assert_eq!(fields(wrong.unwrap_err()), ["parent_id"]);
}
