//! The building file while the gateway runs: what changes takes effect, what does not is left alone, and nobody is dropped but whose key is no longer good.

use std::fs;
use std::os::unix::fs::symlink;
use std::time::Duration;

use serde_json::Value;

use crate::harness::{
    BUILDING, DEADLINE, Gateway, Key, Plan, TestClient, display, scratch, within,
};

/// How soon a live socket has to be closed when its key is no longer good.
const REVOKED_WITHIN: Duration = Duration::from_secs(5);

/// How often the file is written in the storm, and who must not notice.
const EDITS: u64 = 200;
const CLIENTS: usize = 500;

#[tokio::test]
async fn two_hundred_edits_in_a_row_drop_nobody_and_the_last_one_holds() {
    let gateway = Gateway::start(BUILDING).await;
    let power = display("power");
    let mut clients = Vec::new();
    for _ in 0..CLIENTS {
        clients.push(gateway.connect(Key::ADMIN).await);
    }
    clients[0].set(power, true).await;
    for client in &mut clients {
        client.bind_with_value(power, 1, true).await;
    }
    for edit in 1..=EDITS {
        if edit == EDITS / 2 {
            gateway.write_building("zones: [{id: zone-hq, nmae: Broken}]\n");
            gateway.logged("unknown key `nmae`").await;
        }
        // Some editors write the file, others put a new one in its place.
        match edit % 3 {
            0 => gateway.write_building(&numbered(edit)),
            _ => gateway.replace_building(&numbered(edit)),
        }
        // Some edits are read, most are overtaken.
        if edit % 40 == 0 {
            until_level_is(&gateway, &format!("Level {edit}")).await;
        }
    }
    let mut added = gateway.connect(Key::ADMIN).await;
    added.until_answered(scratch("echo").of("Added")).await;
    for client in &mut clients {
        client.expect_silence().await;
    }
    added.set(power, false).await;
    for client in &mut clients {
        client.expect(power.notify(1, false)).await;
    }
}

#[tokio::test]
async fn only_a_module_that_changed_starts_again() {
    let gateway = Gateway::start(BUILDING).await;
    let mut client = gateway.connect(Key::ADMIN).await;
    for (name, id) in [("Display", 1), ("Bookings", 2)] {
        let status = display("x").of(name);
        client.set(status, 1).await;
        client.bind_with_value(status, id, 1).await;
    }
    let changed = BUILDING.replace(
        "{id: mod-b1, driver: virtual, name: Bookings}",
        "{id: mod-b1, driver: virtual, name: Bookings, settings: {a: 1}}",
    );
    gateway.write_building(&changed);
    // It begins a new life without the status; the other module keeps its own.
    client
        .expect(display("x").of("Bookings").notify(2, Value::Null))
        .await;
    client.expect_silence().await;
}

#[tokio::test]
async fn a_module_that_leaves_its_room_shows_null_and_one_that_comes_is_found() {
    let gateway = Gateway::start(BUILDING).await;
    let mut client = gateway.connect(Key::ADMIN).await;
    client.set(display("x").at(2), "second").await;
    client.set(display("x"), "first").await;
    client.bind_with_value(display("x"), 1, "first").await;
    client
        .bind_with_value(display("x").at(2), 2, "second")
        .await;
    gateway.write_building(&BUILDING.replace("[mod-d1, mod-d2, ", "[mod-d2, "));
    client.expect(display("x").notify(1, "second")).await;
    client
        .expect(display("x").at(2).notify(2, Value::Null))
        .await;
}

#[tokio::test]
async fn sighup_has_the_file_read_even_if_it_is_the_same() {
    let mut gateway = Gateway::start(BUILDING).await;
    gateway.logged("the building file was applied").await;
    gateway.process().signal("HUP").await;
    gateway
        .logged("the building file was applied added=0 changed=0 removed=0")
        .await;
}

#[tokio::test]
async fn sighup_without_a_file_is_a_warning() {
    let mut gateway = Plan::bare()
        .arguments(["--listen", "127.0.0.1:0"])
        .start()
        .await;
    gateway.process().signal("HUP").await;
    gateway.logged("none was named with --building").await;
}

/// Kubernetes mounts a file as a link to a link, and swaps the one in the middle.
#[tokio::test]
async fn a_link_that_is_swapped_beside_the_file_is_noticed() {
    let plan = Plan::bare();
    let folder = plan.folder().join("mount");
    for (version, text) in [("v1", numbered(1)), ("v2", numbered(2))] {
        fs::create_dir_all(folder.join(version)).expect("a folder");
        fs::write(folder.join(version).join("building.yaml"), text).expect("a file");
    }
    symlink("v1", folder.join("..data")).expect("a link");
    symlink("..data/building.yaml", folder.join("building.yaml")).expect("a link");
    let arguments = [
        "--listen",
        "127.0.0.1:0",
        "--building",
        "mount/building.yaml",
    ];
    let gateway = plan.arguments(arguments).start().await;
    until_level_is(&gateway, "Level 1").await;
    symlink("v2", folder.join("..data_tmp")).expect("a link");
    fs::rename(folder.join("..data_tmp"), folder.join("..data")).expect("a swap");
    until_level_is(&gateway, "Level 2").await;
}

#[tokio::test]
async fn the_sockets_of_a_key_that_opens_less_or_nothing_are_closed() {
    for (what, from, to) in [
        (
            "removed",
            "  - {id: support, secret: secret-s, user: user-eve, level: support}\n",
            "",
        ),
        (
            "lowered",
            "secret-s, user: user-eve, level: support",
            "secret-s, user: user-eve, level: user",
        ),
        ("another secret", "secret: secret-s,", "secret: secret-new,"),
        (
            "restricted",
            "secret-s, user: user-eve, level: support",
            "secret-s, user: user-eve, level: support, systems: [sys-1]",
        ),
        (
            "its user lowered",
            "name: Eve, level: admin",
            "name: Eve, level: user",
        ),
    ] {
        let gateway = Gateway::start(BUILDING).await;
        let mut revoked = gateway.connect(Key::SUPPORT).await;
        let mut stays = gateway.connect(Key::ROOM).await;
        let changed = BUILDING.replace(from, to);
        assert_ne!(changed, BUILDING, "{what}");
        gateway.write_building(&changed);
        let closed = revoked.expect_closed(REVOKED_WITHIN).await;
        assert_eq!(closed, (1008, "credentials_revoked".to_owned()), "{what}");
        stays.expect_silence().await;
    }
}

#[tokio::test]
async fn a_key_for_a_zone_closes_when_a_room_leaves_it() {
    let gateway = Gateway::start(BUILDING).await;
    let mut floor = gateway.connect(Key::FLOOR).await;
    let mut stays = gateway.connect(Key::ROOM).await;
    gateway.write_building(&BUILDING.replace("zones: [zone-hq, zone-l2]", "zones: [zone-hq]"));
    let closed = floor.expect_closed(REVOKED_WITHIN).await;
    assert_eq!(closed, (1008, "credentials_revoked".to_owned()));
    stays.expect_silence().await;
}

#[tokio::test]
async fn a_file_that_goes_away_leaves_what_runs() {
    let gateway = Gateway::start(BUILDING).await;
    let mut client: TestClient = gateway.connect(Key::ADMIN).await;
    client.set(display("x"), 1).await;
    client.bind_with_value(display("x"), 1, 1).await;
    fs::remove_file(gateway.folder().join("building.yaml")).expect("it is there");
    gateway.logged("could not read the building file").await;
    client.expect_silence().await;
    gateway.write_building(&numbered(3));
    until_level_is(&gateway, "Level 3").await;
}

#[tokio::test]
async fn a_file_that_is_half_there_removes_no_module_and_a_key_that_is_gone_goes_at_once() {
    let gateway = Gateway::start(BUILDING).await;
    let mut revoked = gateway.connect(Key::SUPPORT).await;
    let mut stays = gateway.connect(Key::ROOM).await;
    stays.set(display("x"), 1).await;
    stays.bind_with_value(display("x"), 1, 1).await;
    gateway.write_building(EMPTIED);
    gateway
        .logged("the building file would remove 9 of 9 modules")
        .await;
    let closed = revoked.expect_closed(REVOKED_WITHIN).await;
    assert_eq!(closed, (1008, "credentials_revoked".to_owned()));
    // The rest comes, and nothing was lost meanwhile.
    gateway.write_building(&numbered(1));
    until_level_is(&gateway, "Level 1").await;
    stays.expect_silence().await;
}

#[tokio::test]
async fn a_file_that_says_twice_that_the_modules_go_is_believed() {
    let mut gateway = Gateway::start(BUILDING).await;
    let mut stays = gateway.connect(Key::ROOM).await;
    stays.set(display("x"), 1).await;
    stays.bind_with_value(display("x"), 1, 1).await;
    gateway.write_building(EMPTIED);
    gateway
        .logged("the building file would remove 9 of 9 modules")
        .await;
    stays.expect_silence().await;
    gateway.process().signal("HUP").await;
    stays.expect(display("x").notify(1, Value::Null)).await;
}

#[tokio::test]
async fn a_log_beside_the_file_reloads_nothing_and_a_folder_that_is_replaced_does() {
    let plan = Plan::bare();
    let folder = plan.folder().join("site");
    fs::create_dir(&folder).expect("a folder");
    fs::write(folder.join("building.yaml"), numbered(1)).expect("a file");
    let arguments = [
        "--listen",
        "127.0.0.1:0",
        "--building",
        "site/building.yaml",
    ];
    let mut gateway = plan.arguments(arguments).start().await;
    for version in 2..4 {
        let new = gateway.folder().join("new");
        fs::create_dir(&new).expect("a folder");
        fs::write(new.join("building.yaml"), numbered(version)).expect("a file");
        let old = gateway.folder().join(format!("old{version}"));
        fs::rename(&folder, old).expect("it moves");
        fs::rename(&new, &folder).expect("it moves");
        fs::write(folder.join("riser.log"), "a line\n").expect("a file");
        until_level_is(&gateway, &format!("Level {version}")).await;
    }
    gateway.terminate().await;
    let applied = gateway.log();
    let applied = applied
        .iter()
        .filter(|line| line.contains("the building file was applied"));
    assert_eq!(applied.count(), 3, "at the start, and once for each folder");
}

// Helpers.

/// [`BUILDING`] without its modules and one of its keys.
const EMPTIED: &str = r"
zones:
  - {id: zone-hq, name: Headquarters, tags: [org]}
  - {id: zone-l1, name: Level 1, tags: [level], parent_id: zone-hq}
systems:
  - {id: sys-1, name: Board Room, zones: [zone-hq, zone-l1]}
users:
  - {id: user-sue, email: sue@example.test, name: Sue, level: support}
  - {id: user-eve, email: eve@example.test, name: Eve, level: admin}
api_keys:
  - {id: admin, secret: secret-a, user: user-eve, level: admin}
  - {id: room, secret: secret-1, user: user-sue, level: support, systems: [sys-1]}
";

/// The building with a number in the name of a level, in the settings of one module, and in whether there is one module more.
fn numbered(number: u64) -> String {
    BUILDING
        .replace("name: Level 1", &format!("name: Level {number}"))
        .replace(
            "{id: mod-b1, driver: virtual, name: Bookings}",
            &format!("{{id: mod-b1, driver: virtual, name: Bookings, settings: {{n: {number}}}}}"),
        )
        .replace(
            "modules: [mod-d1, mod-d2, mod-b1, mod-secret, mod-a, mod-a1, mod-shared]",
            match number % 2 {
                0 => "modules: [mod-d1, mod-d2, mod-b1, mod-secret, mod-a, mod-a1, mod-shared, mod-new]",
                _ => "modules: [mod-d1, mod-d2, mod-b1, mod-secret, mod-a, mod-a1, mod-shared]",
            },
        )
        .replace(
            "modules:\n  - {id: mod-d1",
            match number % 2 {
                0 => "modules:\n  - {id: mod-new, driver: virtual, name: Added}\n  - {id: mod-d1",
                _ => "modules:\n  - {id: mod-d1",
            },
        )
}

async fn until_level_is(gateway: &Gateway, name: &str) {
    let path = "/api/engine/v2/systems/sys-1/zones";
    let ask = async {
        loop {
            let zones = gateway.request("GET", path).key(Key::ADMIN).ok().await;
            if zones[1]["name"] == name {
                break;
            }
        }
    };
    within(DEADLINE, || format!("the level to be {name}"), ask).await;
}
