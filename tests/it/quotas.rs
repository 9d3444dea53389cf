//! What a caller may fill of memory and disk, and that taking a right away holds on a full disk.

use serde_json::{Value, json};

use crate::harness::{BUILDING, Gateway, Key, Plan, Response, TestClient, display, scratch};

const MIB: usize = 1024 * 1024;

fn text(bytes: usize) -> String {
    "x".repeat(bytes)
}

// Memory.

#[tokio::test]
async fn a_module_does_not_keep_all_the_statuses_that_a_caller_makes_up() {
    let plan = Plan::serve(BUILDING).variable("RISER_LIMITS__STATUSES_MAX", "3MiB");
    let gateway = plan.start().await;
    let mut client = gateway.connect(Key::USER).await;
    let value = text(MIB);
    for name in ["v1", "v2"] {
        client.call(display("set"), json!([name, value])).await;
    }
    let third = display("set").exec(9, json!(["v3", value]));
    client.send(third).await;
    let message = client.expect_error(9, 3).await;
    assert!(message.contains("'v3'"), "{message}");
    assert!(message.contains("`limits.statuses_max`"), "{message}");
    // Other modules and smaller values are not concerned.
    client.call(display("set"), json!(["v1", 1])).await;
    client.call(display("set"), json!(["v3", value])).await;
    client
        .call(display("set").at(2), json!(["v1", text(MIB)]))
        .await;
    gateway
        .wait_metric("riser_statuses_refused_total", 1.0)
        .await;
}

/// Makes a module so busy that further calls wait: as many sleep as may run at a time.
async fn busy(gateway: &Gateway) -> TestClient {
    let mut client = gateway.connect(Key::USER).await;
    for id in 0..256 {
        client
            .send(display("sleep").exec(id, json!([60_000])))
            .await;
    }
    gateway.wait_metric("riser_execs_total", 256.0).await;
    client
}

#[tokio::test]
async fn arguments_of_calls_under_way_are_bounded_in_bytes_through_every_door() {
    let plan = Plan::serve(BUILDING)
        .variable("RISER_LIMITS__ARGUMENTS_MAX", "8MiB")
        .variable("RISER_EXEC__DEADLINE", "5m");
    let gateway = plan.start().await;
    let _sleepers = busy(&gateway).await;
    let large = json!([text(MIB)]);
    let mut clients = Vec::new();
    for _ in 0..2 {
        let mut client = gateway.connect(Key::USER).await;
        // Three, so that neither is paused for what it has open itself.
        for id in 0..3 {
            client.send(display("echo").exec(id, large.clone())).await;
        }
        clients.push(client);
    }
    // Large arguments have half of the room: three fit, since each is a little more than a mebibyte.
    gateway
        .wait_metric("riser_arguments_refused_total", 3.0)
        .await;
    let path = "/api/engine/v2/systems/sys-1/Display_1/echo";
    let rest = gateway.request("POST", path).key(Key::USER);
    let refused = rest.json(large.clone()).send().await;
    assert_ne!(refused.status, 200, "{}", refused.body);
    assert!(
        refused.body.contains("the call did not run"),
        "{}",
        refused.body
    );
    // A panel's call goes through, also to a module that has nothing to do with it.
    let mut panel = gateway.connect(Key::USER).await;
    let answer = panel.call(scratch("echo"), json!([40])).await;
    assert_eq!(answer, 40);
    panel.send(scratch("echo").exec(9, large)).await;
    let message = panel.expect_error(9, 7).await;
    assert!(message.contains("take too much memory"), "{message}");
}

#[tokio::test]
async fn a_connection_that_pipelines_large_arguments_is_not_read_further() {
    let plan = Plan::serve(BUILDING).variable("RISER_EXEC__DEADLINE", "5m");
    let gateway = plan.start().await;
    let _sleepers = busy(&gateway).await;
    let sleeping = 256 * "[60000]".len();
    let open = |calls: usize| (sleeping + calls * (MIB + 4)) as f64;
    let mut client = gateway.connect(Key::USER).await;
    for id in 0..4 {
        let large = display("echo").exec(id, json!([text(MIB)]));
        client.send(large).await;
    }
    gateway.wait_metric("riser_arguments_bytes", open(4)).await;
    // The next is not taken from the kernel, while others are served.
    client.send(display("echo").exec(4, json!(["next"]))).await;
    let mut panel = gateway.connect(Key::USER).await;
    for number in 0..20 {
        assert_eq!(panel.call(scratch("echo"), json!([number])).await, number);
    }
    gateway.wait_metric("riser_arguments_bytes", open(4)).await;
}

// Disk.

async fn put_metadata(gateway: &Gateway, key: Key, parent: &str, body: Value) -> Response {
    let path = format!("/api/engine/v2/metadata/{parent}");
    let request = gateway.request("PUT", &path).key(key);
    request.json(body).send().await
}

#[tokio::test]
async fn a_user_cannot_fill_the_disk_with_metadata_of_their_own() {
    let plan = Plan::serve(BUILDING)
        .arguments(["--data", "data"])
        .variable("RISER_LIMITS__ENTRY_MAX", "100KiB")
        .variable("RISER_LIMITS__METADATA_MAX", "300KiB");
    let gateway = plan.start().await;
    let put = |name: String, bytes: usize| {
        let body = json!({"name": name, "details": text(bytes)});
        put_metadata(&gateway, Key::CLIMBER, "user-ann", body)
    };
    let refused = put("large".to_owned(), 200_000).await;
    assert_eq!(refused.status, 422, "{}", refused.body);
    assert!(
        refused.body.contains("limits.entry_max"),
        "{}",
        refused.body
    );
    let mut kept = 0;
    let refused = loop {
        let response = put(format!("m{kept}"), 90_000).await;
        match response.status {
            200 | 201 => kept += 1,
            _ => break response,
        }
        assert!(kept < 10, "it is never too much");
    };
    assert_eq!((kept, refused.status), (3, 422), "{}", refused.body);
    assert!(
        refused.body.contains("limits.metadata_max"),
        "{}",
        refused.body
    );
    // Less is always taken, and others have their own room.
    let smaller = put("m0".to_owned(), 10).await;
    assert_eq!(smaller.status, 200, "{}", smaller.body);
    let body = json!({"name": "map", "details": text(90_000)});
    let other = put_metadata(&gateway, Key::ADMIN, "zone-hq", body).await;
    assert!(other.status < 300, "{}", other.body);
}

// A full disk: the size of files is limited, so that a write fails as on one.

/// Fills what the file of the store may grow by.
pub(crate) async fn fill(gateway: &Gateway) {
    let mut bytes = 200_000;
    for number in 0.. {
        let body = json!({"name": format!("m{number}"), "details": text(bytes)});
        let response = put_metadata(gateway, Key::ADMIN, "zone-hq", body).await;
        match response.status {
            503 if bytes == 1 => return,
            503 => bytes = (bytes / 10).max(1),
            status => assert!(status < 300, "{}", response.body),
        }
        assert!(number < 1_000, "the disk is never full");
    }
}

async fn status(gateway: &Gateway, key: &str) -> u16 {
    let request = gateway.request("GET", "/api/engine/v2/users/current");
    request.header("X-API-Key", key).send().await.status
}

#[tokio::test]
async fn a_key_that_is_revoked_on_a_full_disk_is_refused_at_once_and_kept_so_when_there_is_room() {
    let plan = Plan::serve(BUILDING)
        .arguments(["--data", "data"])
        .file_size_limit(1_600_000);
    let mut gateway = plan.start().await;
    gateway.forget_building();
    let made = gateway.request("POST", "/api/engine/v2/api_keys");
    let made = made
        .key(Key::ADMIN)
        .json(json!({"id": "lost"}))
        .send()
        .await;
    assert_eq!(made.status, 201, "{}", made.body);
    let key = made.json()["x_api_key"].as_str().unwrap().to_owned();
    let mut socket = gateway.door().header("X-API-Key", &key).connect().await;
    socket.bind(scratch("x"), 1).await;
    fill(&gateway).await;

    let revoke = || {
        gateway
            .request("DELETE", "/api/engine/v2/api_keys/lost")
            .key(Key::ADMIN)
    };
    let answer = revoke().send().await;
    assert_eq!(answer.status, 503, "{}", answer.body);
    assert!(
        answer.body.contains("refused from now on"),
        "{}",
        answer.body
    );
    assert!(answer.body.contains("tried again"), "{}", answer.body);
    assert_eq!(status(&gateway, &key).await, 401);
    let (code, reason) = socket.expect_closed(crate::harness::DEADLINE).await;
    assert_eq!((code, &*reason), (1008, "credentials_revoked"));
    gateway.wait_metric("riser_revocations_unkept", 1.0).await;
    assert_eq!(status(&gateway, Key::ADMIN.0).await, 200);

    gateway.lift_file_size_limit().await;
    gateway.wait_metric("riser_revocations_unkept", 0.0).await;
    gateway.kill().await;
    gateway.restart().await;
    assert_eq!(status(&gateway, &key).await, 401);
    let gone = gateway.request("GET", "/api/engine/v2/api_keys/lost");
    assert_eq!(gone.key(Key::ADMIN).send().await.status, 404);
}

/// The hash of `correct horse`, at the lowest costs there are.
const HASH: &str =
    "$argon2id$v=19$m=8,t=1,p=1$htfT2ARDMRC2EBG6oJw0Vw$+MZ0bVQRC6imlXycEOODJbac0hEbvCwSOTeOpkudvnw";

#[tokio::test]
async fn who_signs_out_on_a_full_disk_is_out_at_once_and_stays_so() {
    let ann = "  - {id: user-ann, email: ann@example.test, name: Ann";
    let building = BUILDING.replace(ann, &format!("{ann}, password_hash: '{HASH}'"));
    let plan = Plan::serve(&building)
        .arguments(["--data", "data"])
        .file_size_limit(1_600_000);
    let mut gateway = plan.start().await;
    gateway.forget_building();
    let fields = [
        ("grant_type", "password"),
        ("client_id", "client"),
        ("username", "ann@example.test"),
        ("password", "correct horse"),
        ("scope", "public"),
    ];
    let issued = gateway.request("POST", "/auth/oauth/token");
    let issued = issued.form(&fields).ok().await;
    let token = issued["access_token"].as_str().unwrap().to_owned();
    let current = |gateway: &Gateway| {
        let request = gateway.request("GET", "/api/engine/v2/users/current");
        request.bearer(&token).send()
    };
    assert_eq!(current(&gateway).await.status, 200);
    fill(&gateway).await;

    let out = gateway.request("GET", "/auth/logout").bearer(&token);
    let answer = out.send().await;
    assert_eq!(answer.status, 503, "{}", answer.body);
    assert!(answer.body.contains("it has ended"), "{}", answer.body);
    assert_eq!(current(&gateway).await.status, 401);

    gateway.lift_file_size_limit().await;
    // Signing in again is written behind what is owed to the store.
    let again = gateway.request("POST", "/auth/oauth/token");
    again.form(&fields).ok().await;
    gateway.terminate().await;
    gateway.restart().await;
    assert_eq!(current(&gateway).await.status, 401);
}

#[tokio::test]
async fn what_an_app_calls_itself_cannot_fill_the_store() {
    let ann = "  - {id: user-ann, email: ann@example.test, name: Ann";
    let building = BUILDING.replace(ann, &format!("{ann}, password_hash: '{HASH}'"));
    let gateway = Gateway::start(&building).await;
    let token = |client: String| {
        let fields = [
            ("grant_type", "password"),
            ("client_id", &*client),
            ("username", "ann@example.test"),
            ("password", "correct horse"),
        ];
        gateway
            .request("POST", "/auth/oauth/token")
            .form(&fields)
            .send()
    };
    assert_eq!(
        token("https://panel.example.test".to_owned()).await.status,
        200
    );
    let refused = token(text(12_000)).await;
    assert_eq!(refused.status, 400, "{}", refused.body);
}
