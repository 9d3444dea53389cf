//! Starts with a mistake: one line for each, with the place, the key and the remedy, and exit code 2.

use crate::harness::{BUILDING, Gateway, Key, Plan, Refusal, display};

/// Starts with this building file, and expects to be told exactly this.
async fn check_building(text: &str, lines: &[&str]) {
    refuse(Plan::serve(text)).await.assert_lines(lines);
}

/// Starts with this file of settings, and expects to be told exactly this.
async fn check_settings(text: &str, line: &str) {
    let plan = Plan::serve(BUILDING).file("riser.toml", text);
    refuse(plan).await.assert_says(line);
}

async fn refuse(plan: Plan) -> Refusal {
    plan.refused().await
}

#[tokio::test]
async fn a_building_file_that_is_no_yaml_is_refused_at_its_line() {
    check_building(
        "zones:\n  - id: a: b\n",
        &["riser: building.yaml:2:10: not valid YAML: mapping values are not allowed in this context; look at the indentation, quotes and brackets up to here"],
    )
    .await;
}

#[tokio::test]
async fn an_id_that_is_used_twice_is_refused_at_the_second() {
    check_building(
        "modules:\n  - {id: mod-1, driver: virtual}\n  - {id: mod-1, driver: virtual}\n",
        &["riser: building.yaml:3:10: module id `mod-1` is already used on line 2; give one of them another"],
    )
    .await;
}

#[tokio::test]
async fn a_module_that_names_no_driver_is_told_which_there_are() {
    check_building(
        "modules:\n  - {id: mod-1, driver: virtuel}\n  - {id: mod-2}\n",
        &[
            "riser: building.yaml:2:25: there is no driver `virtuel`; did you mean `virtual`? If not: linked in are bookings, demo_display, demo_lighting, demo_sensor, http_json, modbus, mqtt, pjlink, room_logic, virtual, wake_on_lan",
            "riser: building.yaml:3:5: a module has no `driver`; add the id of a driver, such as `driver: virtual`",
        ],
    )
    .await;
}

#[tokio::test]
async fn a_slot_that_names_no_module_is_told_the_nearest() {
    check_building(
        "systems:\n  - {id: sys-1, name: Room, modules: [mod-1, mod-l]}\nmodules:\n  - {id: mod-1, driver: virtual}\n",
        &["riser: building.yaml:2:46: there is no module `mod-l`; did you mean `mod-1`? If not: add it under `modules`"],
    )
    .await;
}

#[tokio::test]
async fn all_mistakes_of_a_building_file_are_told_together() {
    let text = "zones:\n  - {id: zone-1, name: A, parent_id: zone-1}\nrooms: []\napi_keys:\n  - {id: k, secret: x, user: nobody, level: boss}\n";
    let refusal = refuse(Plan::serve(text)).await;
    assert_eq!(refusal.code, Some(2));
    assert_eq!(refusal.err.len(), 4, "{:#?}", refusal.err);
    for (line, part) in refusal.err.iter().zip(["2:", "3:", "5:", "5:"]) {
        assert!(
            line.starts_with(&format!("riser: building.yaml:{part}")),
            "{line}"
        );
        assert!(line.contains("; "), "no remedy in {line}");
    }
}

#[tokio::test]
async fn a_secret_never_shows_in_a_mistake() {
    let text = "users:\n  - {id: u, email: a@example.test, password: hunter2, password_hash: hunter3, level: hunter}\napi_keys:\n  - {id: k.k, secret: hunter4, user: v}\n";
    let refusal = refuse(Plan::serve(text)).await;
    assert_eq!(refusal.code, Some(2));
    let said = refusal.err.join("\n");
    for secret in ["hunter2", "hunter3", "hunter4"] {
        assert!(!said.contains(secret), "{said}");
    }
}

#[tokio::test]
async fn a_building_file_that_is_not_there_is_named() {
    let plan = Plan::bare().arguments([
        "serve",
        "--listen",
        "127.0.0.1:0",
        "--building",
        "none.yaml",
    ]);
    let refusal = refuse(plan).await;
    refusal.assert_says(
        "riser: none.yaml: could not read the building file (No such file or directory (os error 2)); name another with --building",
    );
}

#[tokio::test]
async fn an_unknown_setting_is_told_the_nearest_in_the_file_and_in_the_environment() {
    check_settings(
        "[keep_alive]\nping_afer = \"1s\"\n",
        "riser: riser.toml:2: unknown key `keep_alive.ping_afer`; did you mean `keep_alive.ping_after`?",
    )
    .await;
    let plan = Plan::serve(BUILDING).variable("RISER_WORKER", "2");
    let refusal = refuse(plan).await;
    refusal.assert_says("riser: RISER_WORKER: unknown setting; did you mean RISER_WORKERS?");
}

#[tokio::test]
async fn the_terminal_clients_own_variables_are_none_of_serves() {
    let plan = Plan::serve(BUILDING)
        .variable("RISER_URL", "http://elsewhere.test")
        .variable("RISER_API_KEY", "panel.secret");
    let mut gateway = plan.start().await;
    assert!(gateway.terminate().await.success());
}

#[tokio::test]
async fn a_setting_of_the_wrong_kind_is_told_what_belongs_there() {
    check_settings(
        "[keep_alive]\nping_after = \"soon\"\n",
        "riser: riser.toml:2: `keep_alive.ping_after` must be a duration such as 500ms, 10s or 2m, not this text",
    )
    .await;
    let plan = Plan::bare().arguments(["serve", "--listen", "everywhere"]);
    refuse(plan).await.assert_says(
        "riser: --listen: `listen` must be an address and port such as 127.0.0.1:3000 or [::]:3000, not this text",
    );
    let plan = Plan::serve(BUILDING).variable("RISER_EXEC__DEADLINE", "-1s");
    refuse(plan).await.assert_says(
        "riser: RISER_EXEC__DEADLINE: `exec.deadline` must be a duration such as 500ms, 10s or 2m, not this text",
    );
}

#[tokio::test]
async fn a_file_of_settings_that_is_no_toml_or_not_there_is_refused() {
    let plan = Plan::serve(BUILDING).file("riser.toml", "listen = \n");
    let refusal = refuse(plan).await;
    assert_eq!(
        (refusal.code, refusal.err.len()),
        (Some(2), 1),
        "{:#?}",
        refusal.err
    );
    let line = &refusal.err[0];
    assert!(
        line.starts_with("riser: riser.toml: not valid TOML at line 1"),
        "{line}"
    );

    let plan = Plan::serve(BUILDING).arguments(["--config", "none.toml"]);
    refuse(plan).await.assert_says(
        "riser: none.toml: could not read the file: No such file or directory (os error 2); check the path and its permissions",
    );
}

#[tokio::test]
async fn a_port_that_is_in_use_is_refused_with_the_address() {
    let gateway = Gateway::start(BUILDING).await;
    let address = gateway.address().to_string();

    let plan = Plan::bare().arguments(["serve", "--listen", &address]);

    refuse(plan).await.assert_says(&format!(
        "riser: could not listen on {address} (Address already in use (os error 98)); choose another with --listen"
    ));
}

#[tokio::test]
async fn an_unknown_flag_is_refused_with_the_nearest() {
    let plan = Plan::bare().arguments(["serve", "--lisen", "127.0.0.1:0"]);
    refuse(plan).await.assert_says(
        "riser: unexpected argument '--lisen' found; a similar argument exists: '--listen'; try riser --help",
    );
}

#[tokio::test]
async fn a_later_layer_of_settings_wins() {
    let gateway = Plan::serve(BUILDING)
        .file(
            "riser.toml",
            "listen = \"nonsense\"\n[limits]\nbindings_max = 1\nconnections_max = 1\n",
        )
        .variable("RISER_LIMITS__BINDINGS_MAX", "2")
        .start()
        .await;
    let mut client = gateway.connect(Key::USER).await;
    client.bind(display("a"), 1).await;
    client.bind(display("b"), 2).await;
    client.send(display("c").bind(3)).await;
    client.expect_error(3, 1).await;
    let second = gateway.door().key(Key::USER);
    assert_eq!(second.refused().await, 503);
}
