//! `riser apply`, `riser export` and `riser keys`: the same words for a gateway that runs and for the store of one that does not.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::harness::{BUILDING, DEADLINE, Folder, Gateway, Key, Plan};

const FILE: &str = "building.yaml";

#[tokio::test]
async fn a_store_at_rest_is_rehearsed_filled_exported_and_then_served() {
    let data = Folder::new();
    let data = data.path().join("data").display().to_string();
    let apply = ["apply", FILE, "--data", &data];
    let added = run(BUILDING, &apply).await;
    assert_eq!(added.len(), 25, "{added:?}");
    assert_eq!(added[0], "added zone `zone-hq`");
    let less = BUILDING.replace("Level 2", "Level Two");
    let rehearse = ["apply", FILE, "--data", &data, "--dry-run"];
    let told = run(&less, &rehearse).await;
    assert!(!told.is_empty(), "the rehearsal tells what would change");
    assert_eq!(run(&less, &rehearse).await, told, "and does nothing");
    assert_eq!(
        run(BUILDING, &apply).await,
        [""; 0],
        "the second time neither"
    );
    let exported = run("", &["export", "--data", &data]).await.join("\n");
    let again = run(&exported, &apply).await;
    assert_eq!(again, [""; 0], "its own export changes nothing");

    let plan = Plan::bare().arguments(["serve", "--listen", "127.0.0.1:0", "--data", &data]);
    let gateway = plan.start().await;
    gateway.connect(Key::ADMIN).await;
    let plan = Plan::bare().arguments(["export", "--data", &data]);
    plan.refused().await.assert_says(&format!(
        "riser: {data}/riser.redb: another riser is using this store; stop it, or name another directory with --data"
    ));
}

#[tokio::test]
async fn a_directory_that_was_typed_wrong_is_not_made_into_an_empty_building() {
    let folder = Folder::new();
    let empty = folder.path().display().to_string();
    let typo = folder.path().join("typo");
    let named = typo.display().to_string();
    for directory in [&named, &empty] {
        for words in [
            &["export"][..],
            &["apply", FILE, "--dry-run"],
            &["keys", "list"],
            &["keys", "create", "panel", "--user", "user-ann"],
            &["keys", "revoke", "panel"],
        ] {
            let words = [words, &["--data", directory]].concat();
            let plan = Plan::bare().file(FILE, BUILDING).arguments(words);
            plan.refused().await.assert_says(&format!(
                "riser: {directory}: there is no store in this directory; name the one that `data` of the gateway has, or begin a store with riser apply FILE --data {directory}"
            ));
        }
    }
    assert!(!typo.exists(), "what is only read is not made");
    let left = std::fs::read_dir(folder.path()).expect("a folder").count();
    assert_eq!(left, 0, "nor is anything put beside what is there");
}

#[tokio::test]
async fn a_running_gateway_is_rehearsed_changed_and_exported() {
    let gateway = Gateway::start("api_keys: [{id: admin, secret: secret-a, user: u, level: admin}]\nusers: [{id: u, email: u@example.test, level: admin}]\n").await;
    let url = gateway.url();
    let at = ["--url", &url, "--key", Key::ADMIN.0];
    let dry = [&["apply", FILE, "--dry-run"], &at[..]].concat();
    let real = [&["apply", FILE], &at[..]].concat();
    let export = [&["export"], &at[..]].concat();
    let told = run(BUILDING, &dry).await;
    assert!(told.contains(&"removed user `u`".to_owned()), "{told:?}");
    assert!(!run("", &export).await.join("\n").contains("sys-1"));
    assert_eq!(run(BUILDING, &real).await, told);
    let exported = run("", &export).await.join("\n");
    assert!(exported.contains("sys-1"), "{exported}");
    assert_eq!(run(&exported, &real).await, [""; 0]);
}

#[tokio::test]
async fn mistakes_and_refusals_are_one_line_and_code_2() {
    let gateway = Gateway::start(BUILDING).await;
    let url = gateway.url();
    let plan = |text| Plan::bare().file(FILE, text);
    let broken = plan("zones: [{id: z}]\n").arguments(["apply", FILE, "--url", &url]);
    broken.refused().await.assert_says(
        "riser: building.yaml:1:9: a zone has no `name`; add a name for people, such as `name: Level 1`",
    );
    let wrong = plan(BUILDING).arguments(["apply", FILE, "--url", &url, "--key", "user.wrong"]);
    wrong.refused().await.assert_says(&format!(
        "riser: {url} refused the API key (unknown X-API-Key); check --key or RISER_API_KEY"
    ));
    let weak = plan(BUILDING).arguments(["apply", FILE, "--url", &url, "--key", Key::USER.0]);
    let weak = weak.refused().await;
    assert_eq!(weak.code, Some(1));
    assert_eq!(weak.err, ["riser: apply: the key does not allow it"]);
}

#[tokio::test]
async fn a_key_is_made_listed_used_and_revoked_in_a_running_gateway() {
    let gateway = Gateway::start(BUILDING).await;
    let url = gateway.url();
    let at = ["--url", &url, "--key", Key::ADMIN.0];
    let create = [
        "keys", "create", "panel", "--level", "support", "--system", "sys-1",
    ];
    let made = run("", &[&create[..], &at[..]].concat()).await;
    assert_eq!(made.len(), 1, "{made:?}");
    assert!(made[0].starts_with("panel."), "{made:?}");
    let mut client = gateway.door().header("X-API-Key", &made[0]).connect().await;
    client.expect_silence().await;
    let list = run("", &[&["keys", "list"], &at[..]].concat()).await;
    let headings = ["KEY", "USER", "LEVEL", "SCOPES", "REACHES", "EXPIRES"];
    assert_eq!(words(&list[0]), headings, "{list:?}");
    let line = ["panel", "user-eve", "support", "public", "sys-1", "never"];
    let is_there = |list: &[String]| list.iter().any(|row| words(row) == line);
    assert!(is_there(&list), "{list:?}");
    let shown = list.join("\n");
    assert!(
        !shown.contains("secret") && !shown.contains("hmac"),
        "{shown}"
    );
    run("", &[&["keys", "revoke", "panel"], &at[..]].concat()).await;
    let closed = client.expect_closed(DEADLINE).await;
    assert_eq!(closed, (1008, "credentials_revoked".to_owned()));
    let list = run("", &[&["keys", "list"], &at[..]].concat()).await;
    assert!(!is_there(&list), "{list:?}");
}

#[tokio::test]
async fn a_key_that_is_made_in_a_store_at_rest_opens_the_gateway_that_starts_with_it() {
    let data = Folder::new();
    let data = data.path().join("data").display().to_string();
    run(BUILDING, &["apply", FILE, "--data", &data]).await;
    let create = [
        "keys", "create", "panel", "--user", "user-ann", "--data", &data,
    ];
    let made = run("", &create).await;
    let plan = Plan::bare().arguments(create);
    plan.refused()
        .await
        .assert_says("riser: API key `panel` is already there");
    let plan = Plan::bare().arguments(["keys", "create", "x", "--data", &data]);
    plan.refused().await.assert_says(
        "riser: name the key's user with --user; a store at rest has no caller to take",
    );
    let list = run("", &["keys", "list", "--data", &data]).await;
    let line = ["panel", "user-ann", "user", "public", "everywhere", "never"];
    assert!(list.iter().any(|row| words(row) == line), "{list:?}");
    run("", &["keys", "revoke", "support", "--data", &data]).await;

    let plan = Plan::bare().arguments(["serve", "--listen", "127.0.0.1:0", "--data", &data]);
    let gateway = plan.start().await;
    gateway.door().header("X-API-Key", &made[0]).connect().await;
    assert_eq!(gateway.door().key(Key::SUPPORT).refused().await, 401);
}

#[tokio::test]
async fn a_key_that_has_ended_is_refused_and_loses_what_it_had_opened() {
    let past = BUILDING.replace(
        "{id: user, secret: secret-u,",
        "{id: user, secret: secret-u, expires: 2024-02-29,",
    );
    let gateway = Gateway::start(&past).await;
    let url = gateway.url();
    let over = run_refused(&["systems", "-u", &url, "-k", Key::USER.0]).await;
    assert_eq!(
        over,
        [format!(
            "riser: {url} refused the API key (the API key has expired); check --key or RISER_API_KEY"
        )]
    );

    let at = ["-u", &url, "-k", Key::ADMIN.0];
    let soon = (Timestamp::now() + Duration::from_secs(4)).to_string();
    let create = ["keys", "create", "guest", "--expires", &soon];
    let made = run("", &[&create[..], &at].concat()).await;
    let mut client = gateway.door().header("X-API-Key", &made[0]).connect().await;
    let closed = client.expect_closed(DEADLINE).await;
    assert_eq!(closed, (1008, "credentials_revoked".to_owned()));
    let again = gateway.door().header("X-API-Key", &made[0]);
    assert_eq!(again.refused().await, 401);
    let list = run("", &[&["keys", "list"], &at[..]].concat()).await;
    let row = list
        .iter()
        .find(|row| row.starts_with("guest "))
        .expect("it is listed");
    assert!(
        row.contains(&soon[..soon.find('.').unwrap_or(soon.len() - 1)]),
        "{row}"
    );
    let exported = run("", &[&["export"], &at[..]].concat()).await.join("\n");
    assert!(
        exported.contains("expires: \"2024-02-29T00:00:00Z\""),
        "{exported}"
    );
}

#[tokio::test]
async fn a_key_that_is_to_end_sooner_than_it_was_loses_what_it_had_opened() {
    let gateway = Gateway::start(BUILDING).await;
    let mut client = gateway.connect(Key::USER).await;
    gateway.rewrite_building(&BUILDING.replace(
        "{id: user, secret: secret-u,",
        "{id: user, secret: secret-u, expires: 2024-02-29,",
    ));
    let closed = client.expect_closed(DEADLINE).await;
    assert_eq!(closed, (1008, "credentials_revoked".to_owned()));
}

#[tokio::test]
async fn what_is_asked_for_as_json_is_an_object_a_line_in_both_places() {
    let data = Folder::new();
    let data = data.path().join("data").display().to_string();
    let gateway = Gateway::start("api_keys: [{id: admin, secret: secret-a, user: u, level: admin}]\nusers: [{id: u, email: u@example.test, level: admin}]\n").await;
    let url = gateway.url();
    for place in [&["--data", &data][..], &["-u", &url, "-k", Key::ADMIN.0]] {
        let json = async |words: &[&str]| {
            let lines = run(BUILDING, &[words, &["--json"], place].concat()).await;
            let parse = |line: &String| serde_json::from_str::<Value>(line).expect("it is JSON");
            lines.iter().map(parse).collect::<Vec<_>>()
        };
        let changes = json(&["apply", FILE]).await;
        let change = json!({"change": "added", "entry": "zone `zone-hq`"});
        assert!(changes.contains(&change), "{changes:?}");
        let made = json(&["keys", "create", "panel", "--user", "user-ann"]).await;
        assert_eq!(made[0]["id"], "panel");
        let whole = made[0]["key"].as_str().expect("the key");
        assert!(whole.starts_with("panel.") && whole.len() > 20, "{made:?}");
        let keys = json(&["keys", "list"]).await;
        let panel = json!({
            "id": "panel", "user_id": "user-ann", "permissions": "user",
            "scopes": ["public"], "systems": [], "zones": [],
        });
        assert!(keys.contains(&panel), "{keys:?}");
        let exported = json(&["export"]).await;
        assert_eq!(exported[0]["zones"][0]["id"], "zone-hq", "{exported:?}");
    }
}

/// Runs riser to the end that it comes to where something is to be put right, and gives what it said.
async fn run_refused(arguments: &[&str]) -> Vec<String> {
    let plan = Plan::bare().arguments(arguments.iter().copied());
    let ended = plan.refused().await;
    assert_eq!(ended.code, Some(2), "{arguments:?}: {:?}", ended.err);
    ended.err
}

fn words(line: &str) -> Vec<&str> {
    line.split_whitespace().collect()
}

/// Runs riser to its good end, with a file in its folder, and gives the lines that it printed.
async fn run(file: &str, arguments: &[&str]) -> Vec<String> {
    let plan = Plan::bare().file(FILE, file);
    let ended = plan.arguments(arguments.iter().copied()).refused().await;
    assert_eq!(ended.code, Some(0), "{arguments:?}: {:?}", ended.err);
    ended.out
}
