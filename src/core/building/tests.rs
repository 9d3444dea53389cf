//! What an edit changes, what it refuses, and what it leaves alone.

mod apps;
mod automation;
mod increments;
mod places;
mod services;
mod two_nodes;

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::oneshot;

use crate::core::limits::SETTLE;
use crate::core::tests::doubles::{
    self, Inbox, MemoryDocuments, NOW, ScriptedHost, Start, api_key, module, path, place, room,
    scripted, system, user, zone,
};
use crate::core::tests::log::Log;
use crate::core::{
    Apply, Caller, Core, CoreSettings, Delivery, EditError, Outlet, OutletId, Rehearsal, ReplySlot,
    WatchId,
};
use crate::model::{
    Audience, Building, Clearance, CloseReason, Credentials, DeviceKind, Difference, Differences,
    Edit, Entry, EntryId, EntryInfo, ExecRequest, Expected, FailureKind, FunctionName, JsonText,
    KeyId, KeySecret, Metadata, MetadataId, MetadataName, ParentId, Password, Secret, Source,
    Subject, System, User, UserId, Version, Zone, ZoneId,
};

// Versions and stamps.

#[tokio::test(start_paused = true)]
async fn a_new_entry_is_at_version_1_and_each_change_counts() {
    let bench = Bench::new().await;
    let id = EntryId::Zone(ZoneId::new("zone-new").unwrap());
    bench
        .edit([Edit::create(Entry::Zone(zone("zone-new")))])
        .await
        .unwrap();
    assert_eq!(
        bench.info(&id),
        Some(EntryInfo {
            source: Source::Elsewhere,
            version: Version(1),
            created_at: NOW,
            updated_at: NOW,
            place: 2,
        })
    );
    let mut renamed = zone("zone-new");
    renamed.name = "Another".to_owned();
    let edit = Edit::put(Entry::Zone(renamed)).at(Version(1));
    bench.edit([edit]).await.unwrap();
    assert_eq!(bench.info(&id).unwrap().version, Version(2));
}

#[tokio::test(start_paused = true)]
async fn the_same_content_again_changes_and_writes_nothing() {
    let bench = Bench::new().await;
    let commits = bench.documents.commits();
    let same = bench
        .edit([Edit::put(Entry::Zone(zone("zone-1")))])
        .await
        .unwrap();
    assert_eq!(same, Differences::default());
    assert_eq!(bench.documents.commits(), commits);
}

#[tokio::test(start_paused = true)]
async fn an_edit_that_expects_what_is_not_so_is_a_conflict() {
    let bench = Bench::new().await;
    let put = || Edit::put(Entry::Zone(zone("zone-1")));
    let there = bench
        .edit([Edit::create(Entry::Zone(zone("zone-1")))])
        .await;
    assert!(matches!(
        there,
        Err(EditError::Conflict {
            expected: Expected::Absent,
            actual: Some(Version(1)),
            ..
        })
    ));
    let second = bench
        .edit([Edit::create_first(Entry::Zone(zone("zone-other")))])
        .await;
    assert!(matches!(
        second,
        Err(EditError::Conflict {
            expected: Expected::First,
            actual: None,
            ..
        })
    ));
    let stale = bench.edit([put().at(Version(7))]).await;
    assert!(matches!(
        stale,
        Err(EditError::Conflict {
            actual: Some(Version(1)),
            ..
        })
    ));
    let gone = EntryId::Zone(ZoneId::new("zone-none").unwrap());
    let missing = bench.edit([Edit::delete(gone.clone())]).await;
    assert!(matches!(missing, Err(EditError::NotFound(id)) if id == gone));
}

#[tokio::test(start_paused = true)]
async fn a_file_that_would_remove_most_modules_changes_nothing_when_it_is_applied_cautiously() {
    let bench = Bench::new().await;
    let apply = async |modules, rehearsal| {
        let apply = Apply {
            building: of_file(modules),
            source: Source::File,
            rehearsal,
        };
        bench.core.editor.apply(apply).await
    };
    apply(3, Rehearsal::Cautious).await.unwrap();
    let commits = bench.documents.commits();
    let doubted = apply(1, Rehearsal::Cautious).await.unwrap_err();
    assert!(
        matches!(
            doubted,
            EditError::RemovesMost {
                removed: 2,
                before: 3
            }
        ),
        "{doubted}"
    );
    assert_eq!(bench.documents.commits(), commits);
    apply(2, Rehearsal::Cautious).await.unwrap();
    assert_eq!(bench.core.queries.directory().modules().count(), 2);
}

// What is refused.

#[tokio::test(start_paused = true)]
async fn an_unsound_edit_names_the_entry_the_field_and_the_reason() {
    let bench = Bench::new().await;
    let mut lost = room("sys-1", &["mod-none"]);
    lost.name.clear();
    let mut twin = user(Clearance::User);
    twin.id = UserId::new("user-2").unwrap();
    twin.email = "A@example.test".to_owned();
    let mut inside = zone("zone-1");
    inside.parent_id = Some(inside.id.clone());
    let mut other = scripted("mod-1", None);
    other.driver = crate::model::DriverRef::LinkedIn("nope".to_owned());
    let mut misread = metadata("zone-1");
    misread.id.name = MetadataName::new("permissions").unwrap();
    misread.details = JsonText::parse("[1]").unwrap();
    check_invalid(&bench, Entry::Metadata(misread), &["details"]).await;
    check_invalid(&bench, Entry::System(lost), &["modules", "name"]).await;
    check_invalid(&bench, Entry::User(twin), &["email"]).await;
    check_invalid(&bench, Entry::Zone(inside), &["parent_id"]).await;
    check_invalid(&bench, Entry::Module(other), &["driver"]).await;
    let mut dotted = api_key("a.b", Clearance::User);
    dotted.user = UserId::new("user-none").unwrap();
    check_invalid(&bench, Entry::ApiKey(dotted), &["id", "user"]).await;
    check_invalid(&bench, Entry::Metadata(metadata("nothing")), &["parent"]).await;
}

#[tokio::test(start_paused = true)]
async fn one_bad_edit_keeps_its_whole_batch_from_being_made() {
    let bench = Bench::new().await;
    let good = Edit::put(Entry::Zone(zone("zone-good")));
    let bad = Edit::put(Entry::System(room("sys-bad", &["mod-none"])));
    bench.edit([good, bad]).await.unwrap_err();
    assert!(
        bench
            .core
            .queries
            .directory()
            .zone(&ZoneId::new("zone-good").unwrap())
            .is_none()
    );
    assert!(!bench.documents.text().contains("zone-good"));
}

#[tokio::test(start_paused = true)]
async fn a_store_that_takes_nothing_leaves_everything_as_it_was() {
    let bench = Bench::new().await;
    bench.documents.set_failing(true);
    let edits = [
        Edit::put(Entry::Module(scripted("mod-2", None))),
        Edit::delete(EntryId::ApiKey(KeyId::new("support").unwrap())),
    ];
    let error = bench.edit(edits).await.unwrap_err();
    assert!(matches!(error, EditError::Store(_)), "{error}");
    assert!(
        bench
            .core
            .queries
            .directory()
            .module(&module("mod-2"))
            .is_none()
    );
    assert!(bench.authenticate("support").is_some());
    assert_eq!(bench.host.lives().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn who_may_edit_depends_on_what_and_metadata_may_name_more() {
    let bench = Bench::new().await;
    let of = |parent| vec![Edit::put(Entry::Metadata(metadata(parent)))];
    let put = || vec![Edit::put(Entry::Zone(zone("zone-2")))];
    let made = || vec![Edit::put(Entry::System(room("sys-2", &[])))];
    let gone = || vec![Edit::delete(EntryId::System(system("sys-2")))];
    let run = || vec![Edit::put(Entry::Module(scripted("mod-2", None)))];
    for (who, edits, allowed) in [
        ("user", put(), false),
        ("support", put(), true),
        ("user", made(), false),
        ("support", made(), true),
        ("support", gone(), false),
        ("admin", gone(), true),
        ("support", run(), false),
        ("admin", run(), true),
        ("user", of("zone-1"), false),
        ("support", of("zone-1"), true),
        ("user", of("user-1"), true),
    ] {
        let caller = bench.authenticate(who).unwrap();
        let made = bench.core.editor.edit(&caller, edits).await;
        assert_eq!(made.is_ok(), allowed, "{who}: {made:?}");
    }
    // The support user's metadata names a group that user-1 is in.
    let caller = bench.authenticate("user").unwrap();
    let mut changed = metadata("zone-1");
    changed.description = "changed".to_owned();
    let edit = vec![Edit::put(Entry::Metadata(changed))];
    assert!(bench.core.editor.edit(&caller, edit).await.is_ok());
}

// What a deletion takes with it.

#[tokio::test(start_paused = true)]
async fn what_refers_to_a_deleted_entry_lets_go_of_it() {
    let bench = Bench::new().await;
    let mut inner = zone("zone-2");
    inner.parent_id = Some(ZoneId::new("zone-1").unwrap());
    let mut roomy = room("sys-2", &["mod-1"]);
    roomy.zones.push(ZoneId::new("zone-1").unwrap());
    let mut both = api_key("both", Clearance::User);
    both.zones.push(ZoneId::new("zone-1").unwrap());
    both.systems.push(system("sys-1"));
    let mut only = api_key("only", Clearance::User);
    only.zones.push(ZoneId::new("zone-1").unwrap());
    bench
        .edit([
            Edit::put(Entry::Zone(inner)),
            Edit::put(Entry::System(roomy)),
            Edit::put(Entry::ApiKey(both)),
            Edit::put(Entry::ApiKey(only)),
            Edit::put(Entry::Metadata(metadata("zone-1"))),
        ])
        .await
        .unwrap();
    let zone_1 = EntryId::Zone(ZoneId::new("zone-1").unwrap());
    let differences = bench.edit([Edit::delete(zone_1)]).await.unwrap();
    assert_eq!(
        differences.to_string(),
        "removed zone `zone-1`\n\
         changed zone `zone-2`\n\
         changed system `sys-2`\n\
         changed API key `both`\n\
         removed API key `only`\n\
         removed metadata `settings` of `zone-1`\n"
    );
}

#[tokio::test(start_paused = true)]
async fn a_deleted_user_takes_the_keys_along() {
    let bench = Bench::new().await;
    let mut other = user(Clearance::Admin);
    other.id = UserId::new("user-2").unwrap();
    other.email = "b@example.test".to_owned();
    let mut key = api_key("theirs", Clearance::Admin);
    key.user = other.id.clone();
    let id = EntryId::User(other.id.clone());
    bench
        .edit([Edit::put(Entry::User(other)), Edit::put(Entry::ApiKey(key))])
        .await
        .unwrap();
    assert!(bench.authenticate("theirs").is_some());
    bench.edit([Edit::delete(id)]).await.unwrap();
    assert!(bench.authenticate("theirs").is_none());
}

#[tokio::test(start_paused = true)]
async fn what_a_batch_puts_may_not_refer_to_what_it_deletes() {
    let bench = Bench::new().await;
    let edits = [
        Edit::delete(EntryId::Module(module("mod-1"))),
        Edit::put(Entry::System(room("sys-2", &["mod-1"]))),
    ];
    let error = bench.edit(edits).await.unwrap_err();
    assert!(matches!(error, EditError::Invalid(_)), "{error}");
}

// Modules and slots.

#[tokio::test(start_paused = true)]
async fn only_a_module_whose_driver_address_or_settings_changed_starts_again() {
    let bench = Bench::new().await;
    let mut changed = scripted("mod-1", Some("Renamed"));
    bench
        .edit([Edit::put(Entry::Module(changed.clone()))])
        .await
        .unwrap();
    bench.pass(SETTLE).await;
    assert_eq!(bench.host.lives().len(), 1, "a name is no reason");
    changed.uri = Some("tcp://10.0.0.7".to_owned());
    bench
        .edit([Edit::put(Entry::Module(changed.clone()))])
        .await
        .unwrap();
    bench.pass(SETTLE).await;
    assert_eq!(bench.host.lives().len(), 2);
    changed.settings = Secret::new("{\"a\":1}");
    bench
        .edit([Edit::put(Entry::Module(changed))])
        .await
        .unwrap();
    bench.pass(SETTLE).await;
    assert_eq!(bench.host.lives().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn settings_of_a_zone_or_system_restart_the_modules_for_which_they_are_others() {
    let bench = Bench::new().await;
    let lives = async |edit, expected, why: &str| {
        bench.edit([edit]).await.unwrap();
        bench.pass(SETTLE).await;
        assert_eq!(bench.host.lives().len(), expected, "{why}");
    };
    let around = |settings: &str| {
        Edit::put(Entry::Zone(Zone {
            settings: Secret::new(settings),
            ..zone("zone-1")
        }))
    };
    let system = |settings: &str| {
        Edit::put(Entry::System(System {
            zones: vec![ZoneId::new("zone-1").unwrap()],
            settings: Secret::new(settings),
            ..room("sys-1", &["mod-1"])
        }))
    };
    lives(around(r#"{"a":1}"#), 1, "the room is not in the zone").await;
    lives(system("{}"), 2, "the room is in the zone now").await;
    assert_eq!(bench.host.life().settings.as_str(), r#"{"a":1}"#);
    lives(around(r#"{"a":2}"#), 3, "the zone says otherwise").await;
    assert_eq!(bench.host.life().settings.as_str(), r#"{"a":2}"#);
    lives(system(r#"{"a":3}"#), 4, "the room says otherwise").await;
    assert_eq!(bench.host.life().settings.as_str(), r#"{"a":3}"#);
    lives(around(r#"{"a":4}"#), 4, "the room's own hold").await;
    let second_room = Edit::put(Entry::System(room("sys-2", &["mod-1"])));
    lives(second_room, 5, "of two rooms neither holds").await;
    assert_eq!(bench.host.life().settings.as_str(), "{}");
}

#[tokio::test(start_paused = true)]
async fn a_module_that_starts_again_keeps_the_statuses_that_it_sets_again() {
    let bench = Bench::new().await;
    bench.host.life().say("x", Some("1"));
    bench.host.life().say("y", Some("1"));
    bench.host.script([Start::Says(vec![("x", "1")])]);
    bench.bind("sys-1", "x");
    bench.bind("sys-1", "y");
    bench.inbox.take();
    let mut changed = scripted("mod-1", None);
    changed.uri = Some("tcp://10.0.0.7".to_owned());
    bench
        .edit([Edit::put(Entry::Module(changed))])
        .await
        .unwrap();
    bench.pass(2 * SETTLE).await;
    assert_eq!(bench.inbox.take_values(), ["null"], "only y is gone");
}

#[tokio::test(start_paused = true)]
async fn a_renamed_module_stands_at_its_new_name_alone() {
    let bench = Bench::new().await;
    bench.host.life().say("x", Some("1"));
    let old = bench.bind("sys-1", "x");
    bench.inbox.take();
    let renamed = scripted("mod-1", Some("Renamed"));
    bench
        .edit([Edit::put(Entry::Module(renamed))])
        .await
        .unwrap();
    bench.pass(2 * SETTLE).await;
    let told = bench.inbox.take_told();
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!((told[0].watch, &told[0].value), (old, &None));
}

#[tokio::test(start_paused = true)]
async fn a_removed_modules_statuses_are_gone_for_the_next_of_its_name() {
    let bench = Bench::new().await;
    bench.host.life().say("x", Some("1"));
    let first = bench.host.life();
    bench
        .edit([Edit::delete(EntryId::Module(module("mod-1")))])
        .await
        .unwrap();
    first.say("x", Some("2"));
    bench.pass(SETTLE).await;
    bench
        .edit([
            Edit::put(Entry::Module(scripted("mod-1", None))),
            Edit::put(Entry::System(room("sys-1", &["mod-1"]))),
        ])
        .await
        .unwrap();
    bench.pass(SETTLE).await;
    bench.bind("sys-1", "x");
    assert_eq!(bench.inbox.take_values(), [] as [&str; 0]);
    assert_eq!(bench.host.lives().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_module_that_follows_another_of_its_id_starts_when_that_has_ended() {
    let bench = Bench::new().await;
    bench.host.set_stop(doubles::Stop::Never);
    let mut slow = scripted("mod-1", None);
    slow.uri = Some("tcp://10.0.0.7".to_owned());
    bench
        .edit([Edit::put(Entry::Module(slow.clone()))])
        .await
        .unwrap();
    bench.pass(SETTLE).await;
    // The second life does not end when it is told to, and is dropped at the deadline.
    slow.uri = Some("tcp://10.0.0.8".to_owned());
    bench
        .edit([Edit::put(Entry::Module(slow.clone()))])
        .await
        .unwrap();
    slow.uri = Some("tcp://10.0.0.9".to_owned());
    bench.edit([Edit::put(Entry::Module(slow))]).await.unwrap();
    bench.pass(SETTLE).await;
    assert_eq!(bench.host.lives().len(), 2, "the device is not free");
    bench.pass(2 * crate::core::limits::STOP_DEADLINE).await;
    assert_eq!(
        bench.host.lives().len(),
        3,
        "what was replaced meanwhile never began"
    );
}

// Keys.

#[tokio::test(start_paused = true)]
async fn the_sockets_of_a_key_that_opens_less_or_nothing_are_closed() {
    for (name, edit) in [
        (
            "removed",
            Edit::delete(EntryId::ApiKey(KeyId::new("admin").unwrap())),
        ),
        (
            "lowered",
            Edit::put(Entry::ApiKey(api_key("admin", Clearance::Support))),
        ),
        (
            "another secret",
            with_key(|key| key.secret = KeySecret::Plain(Secret::new("new"))),
        ),
        (
            "restricted",
            with_key(|key| key.systems.push(system("sys-1"))),
        ),
        ("fewer scopes", with_key(|key| key.scopes.clear())),
        (
            "a lowered user",
            Edit::put(Entry::User(user(Clearance::Support))),
        ),
    ] {
        let bench = Bench::new().await;
        let before = bench.authenticate("admin").unwrap();
        bench.inbox.take();
        bench.edit([edit]).await.unwrap();
        assert_eq!(bench.closed(), ["admin"], "{name}");
        assert!(!bench.core.access.still_admits(&before), "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_sockets_of_a_key_that_opens_as_much_or_more_stay() {
    let bench = Bench::new().await;
    let before = bench.authenticate("support").unwrap();
    bench
        .edit([
            Edit::put(Entry::ApiKey(api_key("support", Clearance::Admin))),
            Edit::put(Entry::Zone(zone("zone-2"))),
        ])
        .await
        .unwrap();
    assert_eq!(bench.closed(), [] as [&str; 0]);
    assert!(bench.core.access.still_admits(&before));
}

#[tokio::test(start_paused = true)]
async fn a_change_of_groups_or_of_a_zones_permissions_holds_at_once_for_who_is_connected() {
    let bench = Bench::new().await;
    let mut organisation = zone("zone-1");
    organisation.tags.push("org".to_owned());
    let mut inside = room("sys-1", &["mod-1"]);
    inside.zones.push(organisation.id.clone());
    let member = |groups: &[&str]| {
        let mut other = user(Clearance::User);
        other.id = UserId::new("user-2").unwrap();
        other.email = "b@example.test".to_owned();
        other.groups = groups.iter().map(|group| (*group).to_owned()).collect();
        Edit::put(Entry::User(other))
    };
    let permissions = |details: &str| {
        let mut metadata = metadata("zone-1");
        metadata.id.name = MetadataName::new("permissions").unwrap();
        metadata.details = JsonText::parse(details).unwrap();
        Edit::put(Entry::Metadata(metadata))
    };
    let mut key = api_key("theirs", Clearance::Admin);
    key.user = UserId::new("user-2").unwrap();
    let setting = [
        Edit::put(Entry::Zone(organisation)),
        Edit::put(Entry::System(inside)),
        member(&["staff"]),
        Edit::put(Entry::ApiKey(key)),
    ];
    bench.edit(setting).await.unwrap();
    let connected = bench.authenticate("theirs").unwrap();
    let allowed = Ok(());
    let refused = Err(FailureKind::Forbidden);
    for (what, edit, everybodys, supports) in [
        ("at first", member(&["staff"]), allowed, refused),
        (
            "raised",
            permissions(r#"{"manage":["staff"]}"#),
            allowed,
            allowed,
        ),
        ("in no group", member(&[]), allowed, refused),
        ("in the group again", member(&["staff"]), allowed, allowed),
        (
            "in a refused one",
            permissions(r#"{"deny":["staff"]}"#),
            refused,
            refused,
        ),
        ("out of it", member(&["others"]), allowed, refused),
    ] {
        bench.edit([edit]).await.unwrap();
        for (function, expected) in [("echo", everybodys), ("support_only", supports)] {
            let outcome = bench.exec(&connected, function).await;
            assert_eq!(outcome, expected, "{what}: {function}");
        }
    }
    assert!(bench.core.access.still_admits(&connected));
}

#[tokio::test(start_paused = true)]
async fn of_several_credentials_the_first_that_is_good_decides_and_else_the_first_says_why() {
    let bench = Bench::new().await;
    let key = |text: &str| Credentials::ApiKey(Secret::new(text));
    let token = Credentials::Bearer {
        token: Secret::new("nonsense"),
        domain: "rooms.test".to_owned(),
    };
    let here = IpAddr::V4(Ipv4Addr::LOCALHOST);
    for (shown, expected, told) in [
        (
            vec![],
            Err("no credentials were shown; show an API key or a bearer token"),
            0,
        ),
        (vec![key("user.secret"), key("admin.secret")], Ok("user"), 0),
        (vec![token.clone(), key("admin.secret")], Ok("admin"), 1),
        (
            vec![token.clone(), key("user.guess"), key("admin.secret")],
            Ok("admin"),
            2,
        ),
        (
            vec![token.clone(), key("user.guess")],
            Err("the bearer token is malformed"),
            2,
        ),
        (
            vec![key("user.guess"), token],
            Err("there is no API key with that id and secret"),
            2,
        ),
    ] {
        let log = Log::default();
        let found = log.of(|| bench.core.access.authenticate(&shown, here));
        let found = found.map(|who| who.credential().to_string());
        let found = found.map_err(|failure| failure.message().to_owned());
        let found = found.as_deref().map_err(|failure| failure.as_str());
        assert_eq!(found, expected, "{shown:?}");
        assert_eq!(log.lines_with("refused: unknown credentials"), told);
    }
}

#[tokio::test(start_paused = true)]
async fn no_secret_is_kept_in_the_clear() {
    let bench = Bench::new().await;
    let mut ann = user(Clearance::Admin);
    ann.password = Some(Password::Plain(Secret::new("open sesame")));
    bench
        .edit([Edit::put(Entry::User(ann.clone()))])
        .await
        .unwrap();
    let text = bench.documents.text();
    assert!(
        text.contains("hmac-sha512$") && text.contains("$argon2id$"),
        "{text}"
    );
    assert!(
        !text.contains("open sesame") && !text.contains("\"secret\":"),
        "{text}"
    );
    let again = bench.edit([Edit::put(Entry::User(ann))]).await.unwrap();
    assert!(again.is_empty(), "the same password is no change");
}

// A file over what stands.

#[tokio::test(start_paused = true)]
async fn a_file_owns_what_it_ever_named_and_leaves_the_rest() {
    let bench = Bench::new().await;
    bench
        .edit([
            Edit::put(Entry::Zone(zone("zone-made"))),
            Edit::put(Entry::Zone(zone("zone-later"))),
        ])
        .await
        .unwrap();
    let mut file = building();
    file.zones = vec![zone("zone-later"), zone("zone-new")];
    let differences = doubles::apply(&bench.core, file.clone()).await.unwrap();
    assert_eq!(
        differences.to_string(),
        "changed zone `zone-later`\nadded zone `zone-new`\nremoved zone `zone-1`\n"
    );
    file.zones.clear();
    doubles::apply(&bench.core, file).await.unwrap();
    let directory = bench.core.queries.directory();
    let left: Vec<&str> = directory.zones().map(|zone| zone.id.as_str()).collect();
    assert_eq!(left, ["zone-made"], "what the file took over left with it");
}

#[tokio::test(start_paused = true)]
async fn the_same_file_again_changes_and_writes_nothing() {
    let bench = Bench::new().await;
    let commits = bench.documents.commits();
    let again = doubles::apply(&bench.core, building()).await.unwrap();
    assert_eq!(again, Differences::default());
    assert_eq!(bench.documents.commits(), commits);
}

#[tokio::test(start_paused = true)]
async fn a_rehearsal_tells_what_would_change_and_changes_nothing() {
    let bench = Bench::new().await;
    let mut file = building();
    file.zones.clear();
    let rehearsed = bench
        .core
        .editor
        .apply(Apply {
            building: file,
            source: Source::File,
            rehearsal: Rehearsal::Dry,
        })
        .await
        .unwrap();
    let zone_1 = EntryId::Zone(ZoneId::new("zone-1").unwrap());
    assert_eq!(
        rehearsed,
        Differences(vec![(Difference::Removed, zone_1.clone())])
    );
    assert!(bench.info(&zone_1).is_some());
}

#[tokio::test(start_paused = true)]
async fn an_edited_entry_of_a_file_is_the_files_again_when_it_is_read() {
    let bench = Bench::new().await;
    let mut renamed = zone("zone-1");
    renamed.name = "Mine".to_owned();
    bench.edit([Edit::put(Entry::Zone(renamed))]).await.unwrap();
    doubles::apply(&bench.core, building()).await.unwrap();
    let zone_1 = ZoneId::new("zone-1").unwrap();
    assert_eq!(
        bench.core.queries.directory().zone(&zone_1).unwrap().name,
        "zone-1"
    );
}

#[tokio::test(start_paused = true)]
async fn what_the_store_has_is_there_after_a_restart_as_it_was() {
    let bench = Bench::new().await;
    bench
        .edit([
            Edit::put(Entry::Metadata(metadata("zone-1"))),
            Edit::put(Entry::Zone(zone("zone-0"))),
        ])
        .await
        .unwrap();
    let again = doubles::core(
        CoreSettings::default(),
        &bench.documents,
        &ScriptedHost::new(),
        &Handle::current(),
    );
    again.open().await.unwrap();
    again.begin();
    let (before, after) = (bench.core.queries.directory(), again.queries.directory());
    assert_eq!(
        before.ids().collect::<Vec<_>>(),
        after.ids().collect::<Vec<_>>()
    );
    for id in before.ids() {
        assert_eq!(before.entry(&id), after.entry(&id));
        assert_eq!(before.info(&id), after.info(&id));
    }
    let same = doubles::apply(&again, building()).await.unwrap();
    assert!(same.is_empty(), "{same}");
}

// Helpers.

struct Bench {
    core: Arc<Core>,
    documents: Arc<MemoryDocuments>,
    host: Arc<ScriptedHost>,
    inbox: Arc<Inbox>,
    outlet: OutletId,
}

/// A zone, a system with a module, a user, and a key for each clearance.
fn building() -> Building {
    let user = User {
        groups: vec!["editors".to_owned()],
        ..user(Clearance::Admin)
    };
    Building {
        zones: vec![zone("zone-1")],
        systems: vec![room("sys-1", &["mod-1"])],
        modules: vec![scripted("mod-1", None)],
        users: vec![user],
        api_keys: vec![
            api_key("user", Clearance::User),
            api_key("support", Clearance::Support),
            api_key("admin", Clearance::Admin),
        ],
        ..Building::default()
    }
}

fn metadata(parent: &str) -> Metadata {
    Metadata {
        id: MetadataId {
            parent: ParentId::new(parent).unwrap(),
            name: MetadataName::new("settings").unwrap(),
        },
        description: String::new(),
        details: JsonText::parse("{\"theme\": \"dark\"}").unwrap(),
        editors: vec!["editors".to_owned()],
    }
}

/// The modules of the building, by a file that names so many of them first.
fn of_file(modules: usize) -> Building {
    let ids = ["mod-1", "mod-2", "mod-3"];
    let mut file = building();
    file.modules = ids[..modules].iter().map(|id| scripted(id, None)).collect();
    file
}

/// The admin's key as a test changes it.
fn with_key(change: impl FnOnce(&mut crate::model::ApiKey)) -> Edit {
    let mut key = api_key("admin", Clearance::Admin);
    change(&mut key);
    Edit::put(Entry::ApiKey(key))
}

#[track_caller]
fn fields(error: EditError) -> Vec<&'static str> {
    let EditError::Invalid(mut problems) = error else {
        panic!("{error}");
    };
    problems.sort_by_key(|problem| problem.field);
    problems.into_iter().map(|problem| problem.field).collect()
}

async fn check_invalid(bench: &Bench, entry: Entry, expected: &[&str]) {
    let shown = format!("{}", entry.id());
    let error = bench.edit([Edit::put(entry)]).await.unwrap_err();
    assert_eq!(fields(error), expected, "{shown}");
}

impl Bench {
    async fn new() -> Self {
        let (host, documents) = (ScriptedHost::new(), MemoryDocuments::new());
        let core = doubles::core(
            CoreSettings::default(),
            &documents,
            &host,
            &Handle::current(),
        );
        let clockwork = Arc::clone(&core);
        drop(Handle::current().spawn(async move { clockwork.run().await }));
        doubles::apply(&core, building()).await.unwrap();
        let inbox = Inbox::new();
        let outlet = core.follows.attach(Arc::clone(&inbox) as Arc<dyn Outlet>);
        let bench = Self {
            core,
            documents,
            host,
            inbox,
            outlet,
        };
        bench.pass(Duration::from_millis(1)).await;
        bench
    }

    async fn pass(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }

    async fn edit(&self, edits: impl IntoIterator<Item = Edit>) -> Result<Differences, EditError> {
        let admin = self.authenticate("admin").unwrap();
        self.core
            .editor
            .edit(&admin, edits.into_iter().collect())
            .await
    }

    fn info(&self, id: &EntryId) -> Option<EntryInfo> {
        self.core.queries.directory().info(id).copied()
    }

    fn authenticate(&self, key: &str) -> Option<Caller> {
        let key = Credentials::ApiKey(Secret::new(format!("{key}.secret")));
        let here = IpAddr::V4(Ipv4Addr::LOCALHOST);
        self.core.access.authenticate(&[key], here).ok()
    }

    async fn exec(&self, who: &Caller, function: &str) -> Result<(), FailureKind> {
        let (answer, answered) = oneshot::channel();
        let call = ExecRequest {
            module: place("sys-1", "Scratch", 1).into(),
            function: FunctionName::new(function).unwrap(),
            arguments: JsonText::parse("[]").unwrap(),
            act: None,
        };
        self.core.calls.exec(who, call, ReplySlot::caller(answer));
        let outcome = answered.await.unwrap();
        outcome.map(drop).map_err(|failure| failure.kind())
    }

    fn bind(&self, system: &str, status: &str) -> WatchId {
        let subject = Subject::Status(path(system, "Scratch", 1, status));
        self.core.follows.watch(self.outlet, subject)
    }

    /// The keys whose sockets were ordered to be closed since the last look.
    fn closed(&self) -> Vec<String> {
        self.inbox.take().into_iter().filter_map(closed).collect()
    }
}

/// The key whose sockets are ordered to be closed.
fn closed(delivery: Delivery) -> Option<String> {
    match delivery {
        Delivery::Close {
            audience: Audience::Credential(key),
            why: CloseReason::CredentialsRevoked,
        } => Some(key.to_string()),
        Delivery::Close { .. } | Delivery::Event { .. } | Delivery::Reply { .. } => None,
    }
}
