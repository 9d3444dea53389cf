//! `riser healthy`, as a container's health check calls it: one question, exit code 0 or 1, nothing else needed.

use crate::harness::{BUILDING, Gateway, Key, Plan, Terminal};

#[tokio::test]
async fn a_gateway_that_serves_is_healthy_without_any_key() {
    let gateway = Gateway::start(BUILDING).await;
    let terminal = Terminal::bare();
    let url = gateway.url();
    let asked = terminal.run(&["healthy", "--url", &url]).await;
    asked.assert_printed(&[]);

    let asked = terminal
        .run_with(&[("RISER_URL", &url)], &["healthy"])
        .await;
    asked.assert_printed(&[]);
}

#[tokio::test]
async fn a_home_that_cannot_be_looked_into_hinders_no_health_check() {
    let gateway = Gateway::start(BUILDING).await;
    let terminal = Terminal::at(&gateway, Key::USER);
    let home = terminal.folder().path().join("home");
    // No folder, so that nothing can be below it, whoever looks.
    std::fs::write(&home, "").expect("a file");
    let terminal = terminal.variable("HOME", &home.display().to_string());
    let url = gateway.url();
    terminal.run(&["healthy"]).await.assert_printed(&[]);
    let json = terminal
        .run_with(&[], &["healthy", "--json", "-u", &url])
        .await;
    json.assert_printed(&[r#"{"healthy":true}"#]);
}

#[tokio::test]
async fn a_gateway_that_drains_is_not() {
    let gateway = Gateway::start(BUILDING).await;
    // It answers no close, so the draining lasts.
    let _deaf = gateway.connect_wire(Key::USER).await;
    gateway.ask_to_stop().await;
    gateway.logged("stopping: every client gets").await;

    let asked = Terminal::at(&gateway, Key::USER).run(&["healthy"]).await;

    let url = gateway.url();
    asked.assert_failed(1, &format!("riser: not healthy: {url} cannot do it at the moment (503 Service Unavailable); try again later"));
}

#[tokio::test]
async fn nobody_at_the_address_is_not_healthy() {
    let mut gateway = Plan::serve(BUILDING).start().await;
    let url = gateway.url();
    gateway.kill().await;

    let asked = Terminal::bare().run(&["healthy", "--url", &url]).await;

    // Not 2: container engines reserve that.
    asked.assert_failed(1, &format!("riser: not healthy: could not connect to {url} (Connection refused (os error 111)); start riser there, or name another gateway with --url or RISER_URL"));
}
