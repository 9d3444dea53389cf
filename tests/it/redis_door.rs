//! How a gateway comes to its Redis: by TLS, by a socket, with credentials; and what it says when it cannot.

use std::time::Duration;

use serde_json::json;
use tokio::time::timeout;

use crate::harness::{
    BUILDING, Certificate, Gateway, Key, Plan, Proxy, Redis, display, everywhere,
};

/// A building on this Redis, as an operator starts it.
fn plan(redis: &str) -> Plan {
    Plan::serve(BUILDING).on(redis)
}

/// Sets a status and sees it in Redis.
async fn check_writes(gateway: &Gateway, redis: &Redis) {
    gateway.until_answered(&everywhere("echo")).await;
    let mut client = gateway.connect(Key::USER).await;
    client.bind(display("power"), 1).await;
    client
        .send(display("set").exec(2, json!(["power", true])))
        .await;
    let told = [client.next().await, client.next().await];
    assert!(told.contains(&display("power").notify(1, true)), "{told:?}");
    let stored = redis::cmd("HGET").arg("status/mod-d1").arg("power").take();
    assert_eq!(redis.run::<String>(&stored).await, "true");
}

#[tokio::test]
async fn redis_is_reached_by_tls_with_a_certificate_on_either_side() {
    let (server, client) = (Certificate::new(), Certificate::new());
    let redis = Redis::plan()
        .tls(&server, &client)
        .arguments(["--tls-auth-clients", "optional"])
        .start()
        .await;
    let files = |plan: Plan| {
        plan.file("redis-ca.pem", &server.chain)
            .file("redis-cert.pem", &client.chain)
            .file("redis-key.pem", &client.key)
            .variable("RISER_REDIS__CA", "redis-ca.pem")
            .variable("RISER_REDIS__CERT", "redis-cert.pem")
            .variable("RISER_REDIS__KEY", "redis-key.pem")
    };
    let gateway = files(plan(&redis.url())).start().await;
    check_writes(&gateway, &redis).await;

    // From here on Redis asks for a certificate, and the gateway's own is good.
    let command = redis::cmd("CONFIG")
        .arg("SET")
        .arg("tls-auth-clients")
        .arg("yes")
        .take();
    redis.run::<()>(&command).await;
    let second = files(plan(&redis.url())).start().await;
    second.until_answered(&everywhere("echo")).await;
}

#[tokio::test]
async fn redis_is_reached_by_a_socket() {
    let redis = Redis::plan()
        .arguments(["--unixsocket", "redis.sock"])
        .start()
        .await;
    let socket = redis.folder().join("redis.sock");
    let url = format!("unix://{}", socket.display());
    let gateway = plan(&url).start().await;
    check_writes(&gateway, &redis).await;
}

#[tokio::test]
async fn redis_is_reached_with_a_password_and_as_a_user_who_may_no_more_than_is_needed() {
    let redis = Redis::plan().password("hunter2-hunter2").start().await;
    let gateway = plan(&redis.url()).start().await;
    check_writes(&gateway, &redis).await;
    drop(gateway);

    let rules = [
        "SETUSER",
        "riser",
        "on",
        ">secret-of-riser",
        "~*",
        "&*",
        "+@all",
        "-@admin",
    ];
    redis.run::<()>(redis::cmd("ACL").arg(&rules)).await;
    let url = format!("redis://riser:secret-of-riser@{}", redis.address());
    let gateway = plan(&url).start().await;
    check_writes(&gateway, &redis).await;
}

/// Starts a gateway that cannot use its Redis, and gives what it says.
async fn check_refused(plan: Plan, hints: &[&str], secret: &str) {
    let refusal = plan.refused().await;
    assert_eq!(refusal.code, Some(2), "{refusal:?}");
    assert!(refusal.out.is_empty(), "{refusal:?}");
    let said = refusal.err.join("\n");
    for hint in hints {
        assert!(said.contains(hint), "nothing of {hint:?} in\n{said}");
    }
    assert!(!said.contains(secret), "the secret is in\n{said}");
    let last = refusal.err.last().map(String::as_str).unwrap_or_default();
    assert!(last.contains(hints[0]), "the last line is {last:?}");
}

#[tokio::test]
async fn a_password_that_is_wrong_or_missing_ends_the_start_with_a_word_on_what_to_do() {
    let redis = Redis::plan().password("hunter2-hunter2").start().await;
    let address = redis.address();
    for url in [
        format!("redis://:wrong-password@{address}"),
        format!("redis://somebody:wrong-password@{address}"),
        format!("redis://{address}"),
    ] {
        let hint = "check the user and password";
        check_refused(plan(&url), &[hint], "wrong-password").await;
    }
}

#[tokio::test]
async fn a_user_who_may_too_little_ends_the_start_with_a_word_on_what_to_do() {
    let redis = Redis::start().await;
    let rules = [
        "SETUSER",
        "meek",
        "on",
        ">secret-of-meek",
        "~*",
        "&*",
        "+@connection",
        "+info",
    ];
    redis.run::<()>(redis::cmd("ACL").arg(&rules)).await;
    let url = format!("redis://meek:secret-of-meek@{}", redis.address());
    check_refused(plan(&url), &["allow the user"], "secret-of-meek").await;
}

#[tokio::test]
async fn a_redis_that_is_too_old_ends_the_start_and_is_named() {
    let redis = Redis::start().await;
    let proxy = Proxy::before(redis.address()).await;
    // It is as good as any, and what it says of itself is not true.
    proxy.lie(b"redis_version:7", b"redis_version:5");
    let url = redis.url_at(proxy.address());
    check_refused(plan(&url), &["6.2 or newer"], "no secret").await;
}

#[tokio::test]
async fn an_address_that_is_none_ends_the_start_and_is_not_repeated() {
    for url in [
        "http://:secret-in-it@localhost",
        "redis://:secret-in-it@",
        "secret-in-it",
    ] {
        check_refused(plan(url), &["redis"], "secret-in-it").await;
    }
}

#[tokio::test]
async fn a_gateway_without_its_redis_waits_says_so_and_is_ready_when_that_is_there() {
    let mut redis = Redis::start().await;
    redis.kill().await;
    let starting = plan(&redis.url()).begin();
    let said = starting.logged("cannot be reached").await;
    assert!(said.contains(&redis.address().to_string()), "{said}");
    starting.until_readiness(503).await;

    redis.restart().await;

    let gateway = starting.ready().await;
    check_writes(&gateway, &redis).await;
    // No module runs before this Redis has been up for one lease.
    gateway.until_readiness(200).await;
}

#[tokio::test]
async fn readiness_falls_while_redis_is_away_and_clients_stay() {
    let mut redis = Redis::plan().durable().start().await;
    let gateway = plan(&redis.url()).start().await;
    check_writes(&gateway, &redis).await;
    let mut client = gateway.connect(Key::USER).await;
    let power = display("power");
    client.bind_with_value(power, 1, true).await;

    redis.kill().await;
    gateway.until_readiness(503).await;
    let logged = gateway.logged("cannot be reached").await;
    assert!(logged.contains(&redis.address().to_string()), "{logged}");
    // The door stays open, and what is known is told.
    let mut late = gateway.connect(Key::USER).await;
    late.bind(display("power"), 1).await;
    client.send_text("ping").await;
    client.expect_text("pong").await;

    redis.restart().await;
    gateway.until_readiness(200).await;
    gateway.until_answered(&everywhere("echo")).await;
    let mut console = gateway.connect(Key::USER).await;
    console.set(power, "back").await;
    for client in [&mut client, &mut late] {
        let shown = async { while client.next().await["value"] != *"back" {} };
        let shown = timeout(Duration::from_secs(5), shown).await;
        assert!(shown.is_ok(), "{}", client.shown());
    }
    let lines = gateway.log();
    let complaints = lines
        .iter()
        .filter(|line| line.contains("cannot be reached"));
    assert!(complaints.count() <= 20, "it complains without end");
}
