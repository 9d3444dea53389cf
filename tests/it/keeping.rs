//! What `--data` promises: what was acknowledged is there after any end, and a directory that cannot be used is refused and left as it is.

use std::fs;

use serde_json::{Value, json};

use crate::harness::{BUILDING, DEADLINE, Folder, Gateway, Key, Plan, number_from, scratch};

/// How often the gateway is killed, unless the variable says otherwise.
const ROUNDS: u64 = 10;
const ROUNDS_VARIABLE: &str = "RISER_TEST_KILLS";

const RESOURCE: &str = "/api/engine/v2/building";

#[tokio::test]
async fn every_acknowledged_write_is_there_after_kill_9() {
    let mut gateway = with_data(BUILDING).start().await;
    gateway.forget_building();
    let mut written = 0;
    for round in 0..number_from(ROUNDS_VARIABLE, ROUNDS) {
        for _ in 0..=round % 4 {
            written += 1;
            let applied = put(&gateway, &counted(written)).await;
            assert_eq!(applied.0, 200, "{}", applied.1);
        }
        // One more is under way when the end comes, at another moment each time.
        let request = gateway.request("PUT", RESOURCE).key(Key::ADMIN);
        let under_way = request.body(&counted(written + 1)).try_send();
        let end = async {
            for _ in 0..round * 11 % 70 {
                tokio::task::yield_now().await;
            }
            gateway.kill().await;
        };
        let (acknowledged, ()) = tokio::join!(under_way, end);
        gateway.restart().await;
        let found = count(&export(&gateway).await);
        let least = match acknowledged {
            Some(200) => written + 1,
            _ => written,
        };
        assert!(
            (least..=written + 1).contains(&found),
            "round {round}: {found} is there, {least} was acknowledged"
        );
        written = found;
    }
}

#[tokio::test]
async fn what_was_kept_is_served_without_the_file_it_came_from() {
    let mut gateway = with_data(BUILDING).start().await;
    let before = export(&gateway).await;
    gateway.forget_building();
    gateway.terminate().await;
    gateway.restart().await;
    assert_eq!(export(&gateway).await, before);
    let mut client = gateway.connect(Key::ADMIN).await;
    client.until_answered(scratch("echo")).await;
}

#[tokio::test]
async fn a_building_can_be_rehearsed_applied_and_exported_again() {
    let gateway = Gateway::start(BUILDING).await;
    let before = export(&gateway).await;
    let dry = gateway.request("PUT", &format!("{RESOURCE}?dry_run=true"));
    let body: Value = dry.key(Key::ADMIN).body(&counted(1)).ok().await;
    assert_eq!(
        body,
        json!({"dry_run": true, "changes": [
            {"change": "added", "kind": "metadata", "entry": "metadata `count` of `zone-hq`"},
        ]})
    );
    assert_eq!(export(&gateway).await, before);
    assert_eq!(put(&gateway, &counted(1)).await.0, 200);
    let after = export(&gateway).await;
    assert_eq!(count(&after), 1);
    let again = gateway.request("PUT", RESOURCE);
    let body = again.key(Key::ADMIN).body(&after).ok().await;
    assert_eq!(body["changes"], json!([]), "its own export changes nothing");
}

#[tokio::test]
async fn the_whole_building_is_for_administrators() {
    let gateway = Gateway::start(BUILDING).await;
    for key in [
        Key::USER,
        Key::SUPPORT,
        Key::CLIMBER,
        Key::READER,
        Key::ROOM,
    ] {
        for method in ["GET", "PUT"] {
            let request = gateway.request(method, RESOURCE).key(key).body("{}");
            assert_eq!(request.send().await.status, 403, "{method} by {key}");
        }
    }
    let wrong = gateway.request("GET", RESOURCE).key(Key::WRONG);
    assert_eq!(wrong.send().await.status, 401);
}

#[tokio::test]
async fn a_building_with_mistakes_is_not_taken_and_each_is_told() {
    let gateway = Gateway::start(BUILDING).await;
    let before = export(&gateway).await;
    for (body, problem) in [
        ("zones: [", "not valid YAML"),
        (
            "zones: [{id: z, name: Z, parent_id: y}]",
            "there is no zone `y`",
        ),
        (
            "modules: [{id: m, driver: nope}]",
            "`driver` cannot be used",
        ),
        (
            "modules: [{id: m, driver: demo_display, settings: {pol_seconds: 1}}]",
            "`settings` have the unknown key `pol_seconds`; did you mean `poll_seconds`?",
        ),
        (
            "modules: [{id: m, driver: bookings, uri: 'tcp://a', settings: {meetings: [{title: T}]}}]",
            "`settings` have no `host` in `meetings[0]`",
        ),
        (
            "modules: [{id: m, driver: virtual, uri: '${ENV:PATH}'}]",
            "the environment variable PATH is not set",
        ),
    ] {
        let (status, answer) = put(&gateway, body).await;
        assert_eq!(status, 422, "{body}: {answer}");
        assert!(answer.contains(problem), "{body}: {answer}");
    }
    assert_eq!(export(&gateway).await, before);
}

#[tokio::test]
async fn the_demo_runs_again_over_what_it_kept() {
    let plan = Plan::bare().arguments(["--listen", "127.0.0.1:0", "--data", "data"]);
    let mut gateway = plan.start().await;
    for _ in 0..2 {
        let line = gateway.next_line(DEADLINE).await.expect("the key's line");
        let key = line.strip_prefix("api key ").expect("the key").to_owned();
        let systems = gateway.request("GET", "/api/engine/v2/systems");
        let systems = systems.header("X-API-Key", &key).ok().await;
        assert_eq!(systems.as_array().map(Vec::len), Some(4));
        gateway.terminate().await;
        gateway.restart().await;
    }
}

// Directories that cannot be used.

#[tokio::test]
async fn a_second_gateway_on_the_same_directory_is_refused() {
    let first = with_data(BUILDING).start().await;
    let data = first.folder().join("data");
    let shown = data.display().to_string();
    let second = Plan::serve(BUILDING).arguments(["--data", &shown]);
    second.refused().await.assert_says(&format!(
        "riser: {shown}/riser.redb: another riser is using this store; stop it, or name another directory with --data"
    ));
}

#[tokio::test]
async fn a_damaged_store_is_refused_and_left_as_it_is() {
    let folder = Folder::new();
    let store = folder.write("riser.redb", &"no store at all\n".repeat(1000));
    let shown = folder.path().display().to_string();
    let refusal = Plan::serve(BUILDING)
        .arguments(["--data", &shown])
        .refused()
        .await;
    assert_eq!(refusal.code, Some(2));
    assert_eq!(refusal.err.len(), 1, "{:?}", refusal.err);
    let line = &refusal.err[0];
    assert!(
        line.contains("this is no store of riser's, or it is damaged")
            && line.ends_with("put back a copy, or name another store with --data or --redis"),
        "{line}"
    );
    let left = fs::read_to_string(store).expect("the file is there");
    assert_eq!(left, "no store at all\n".repeat(1000));
}

#[tokio::test]
async fn a_directory_that_cannot_be_made_is_refused() {
    let folder = Folder::new();
    let file = folder.write("file", "");
    let below = file.join("data").display().to_string();
    let refusal = Plan::serve(BUILDING)
        .arguments(["--data", &below])
        .refused()
        .await;
    assert_eq!(
        (refusal.code, refusal.err.len()),
        (Some(2), 1),
        "{refusal:?}"
    );
    assert!(
        refusal.err[0].starts_with(&format!("riser: {below}: could not use it for the store (")),
        "{refusal:?}"
    );
}

// A disk without room: the size of files is limited, so that a write fails as on a full disk.
// What was written before the failure may or may not be on it, and the file is opened anew.

#[tokio::test]
async fn a_full_disk_refuses_edits_and_changes_nothing_until_there_is_room() {
    let plan = with_data(BUILDING).file_size_limit(1_600_000);
    let mut gateway = plan.start().await;
    gateway.forget_building();
    let large = |size: usize| {
        let text = "x".repeat(size);
        format!("{}    details: {{number: 7, text: {text}}}\n", headed())
    };
    let mut size = 100_000;
    let mut before = export(&gateway).await;
    let refused = loop {
        match put(&gateway, &large(size)).await {
            (200, _) => before = export(&gateway).await,
            other => break other,
        }
        size *= 2;
        assert!(size < 20_000_000, "the disk is never full");
    };
    assert_eq!(refused.0, 503, "{}", refused.1);
    assert!(refused.1.contains("nothing was changed"), "{}", refused.1);
    assert!(
        export(&gateway).await == before,
        "another building is shown"
    );
    assert!(
        gateway
            .log()
            .iter()
            .any(|line| line.contains("could not be kept")),
        "the operator is told"
    );
    let mut client = gateway.connect(Key::ADMIN).await;
    client.until_answered(scratch("echo")).await;

    gateway.lift_file_size_limit().await;
    let (status, answer) = put(&gateway, &counted(8)).await;
    assert_eq!(status, 200, "{answer}");
    gateway.kill().await;
    gateway.restart().await;
    assert_eq!(count(&export(&gateway).await), 8);
}

// Helpers.

fn with_data(building: &str) -> Plan {
    Plan::serve(building).arguments(["--data", "data"])
}

/// The building with metadata that is still to get its details.
fn headed() -> String {
    format!("{BUILDING}metadata:\n  - parent: zone-hq\n    name: count\n")
}

/// The building with a number in it.
fn counted(number: u64) -> String {
    format!("{}    details: {{number: {number}}}\n", headed())
}

/// The number in it; 0 when there is none.
fn count(building: &str) -> u64 {
    let mut lines = building.lines().map(str::trim);
    let number = lines.find_map(|line| line.strip_prefix("number: ")?.parse().ok());
    number.unwrap_or(0)
}

async fn export(gateway: &Gateway) -> String {
    let response = gateway
        .request("GET", RESOURCE)
        .key(Key::ADMIN)
        .send()
        .await;
    assert_eq!(response.status, 200, "{}", response.body);
    response.body
}

/// The status and the body of the answer.
async fn put(gateway: &Gateway, building: &str) -> (u16, String) {
    let request = gateway.request("PUT", RESOURCE).key(Key::ADMIN);
    let response = request.body(building).send().await;
    (response.status, response.body)
}
