//! What the forms of PlaceOS's backoffice send, as its build of March 2024 does: what a person typed, what the pages keep for themselves, and what was shown before.

use serde_json::{Value, json};

use super::{ask, failures, get, patch};
use crate::harness::{BUILDING, Gateway, Key, Response};

async fn post(gateway: &Gateway, path: &str, document: Value) -> Response {
    let request = ask(gateway, "POST", path, Key::ADMIN);
    request.json(document).send().await
}

async fn make(gateway: &Gateway, path: &str, document: Value) -> Value {
    let made = post(gateway, path, document).await;
    assert_eq!(made.status, 201, "{path}: {}", made.body);
    made.json()
}

/// The settings that forms put into every new entry.
fn no_settings() -> Value {
    let empty =
        |level| json!({"updated_at": 1, "version": 0, "encryption_level": level, "keys": []});
    Value::from_iter((0..4).map(empty))
}

#[tokio::test]
async fn new_zones_rooms_and_modules_are_made_by_its_forms() {
    let gateway = Gateway::start(BUILDING).await;
    let zone = make(
        &gateway,
        "/zones",
        json!({
            "updated_at": 0, "version": 0, "settings": no_settings(), "trigger_list": [], "tags": [],
            "triggers": [], "count": 3, "capacity": 40, "images": [], "id": "", "name": "Level 2",
            "description": "second", "parent_zone": null, "parent_id": "", "location": "1.0,2.0",
            "display_name": "L2", "code": "L2", "type": "floor", "map_id": "https://maps.test/2.svg", "timezone": "",
        }),
    )
    .await;
    assert_eq!(
        (&zone["count"], &zone["type"]),
        (&json!(3), &json!("floor"))
    );

    let system = make(
        &gateway,
        "/systems",
        json!({
            "updated_at": 0, "version": 0, "settings": no_settings(), "module_list": [], "capacity": 4,
            "features": [], "bookable": false, "public": false, "installed_ui_devices": 1, "modules": [],
            "images": [], "zones": [zone["id"]], "name": "Huddle", "display_name": "Huddle Space",
            "email": "huddle@example.com", "code": "H1", "support_url": "https://support.test",
            "description": "small", "map_id": "area-1", "timezone": "",
            "zone": {"id": zone["id"], "name": "Level 2", "settings": no_settings(), "trigger_list": []},
        }),
    )
    .await;
    assert_eq!(system["zones"], json!([zone["id"]]));

    let module = make(
        &gateway,
        "/modules",
        json!({
            "updated_at": 0, "version": 0, "settings": no_settings(), "control_system_id": system["id"],
            "tls": false, "udp": false, "port": 1, "makebreak": false, "role": 99, "ignore_connected": false,
            "running": false, "id": "", "ip": "", "uri": "", "notes": "n", "name": "Virtual", "custom_name": "",
            "system": {"id": system["id"], "name": "Huddle", "version": 2}, "driver": {"id": "virtual", "role": 99},
            "driver_id": "virtual", "edge": null, "edge_id": null,
        }),
    )
    .await;
    // The page puts it there itself, once more.
    let id = module["id"].as_str().expect("an id");
    let again = format!(
        "/systems/{}/module/{id}",
        system["id"].as_str().expect("an id")
    );
    let again = ask(&gateway, "PUT", &again, Key::ADMIN).json(json!({}));
    assert_eq!(again.send().await.json()["modules"], json!([id]));

    let edge = json!({"driver_id": "virtual", "edge_id": "edge-1", "edge": {"id": "edge-1"}});
    let refused = post(&gateway, "/modules", edge).await;
    assert_eq!(failures(&refused), ["edge_id", "edge"]);
}

#[tokio::test]
async fn a_new_user_has_the_password_that_was_typed_twice() {
    let gateway = Gateway::start(BUILDING).await;
    let form = |again: &str| {
        json!({
            "updated_at": 0, "version": 0, "support": false, "sys_admin": false, "groups": [],
            "work_preferences": [], "work_overrides": {}, "authority_id": "authority-riser",
            "first_name": "Ann", "last_name": "Lee", "email": "ann@example.com", "staff_id": "S1",
            "password": "topsecret99", "confirm_password": again, "card_number": "C1",
        })
    };
    let refused = post(&gateway, "/users", form("topsecret98")).await;
    assert_eq!(failures(&refused), ["confirm_password"]);
    assert!(!refused.body.contains("topsecret"), "{}", refused.body);
    let user = make(&gateway, "/users", form("topsecret99")).await;
    assert_eq!(user["name"], "Ann Lee");
    let fields = [("email", "ann@example.com"), ("password", "topsecret99")];
    let signed_in = gateway.request("POST", "/auth/signin").form(&fields).send();
    assert!(signed_in.await.status < 300);
}

#[tokio::test]
async fn settings_are_made_by_its_form_and_what_was_shown_of_a_driver_and_the_domain_comes_back() {
    let gateway = Gateway::start(BUILDING).await;
    let settings = json!({
        "id": "", "name": "", "created_at": 0, "updated_at": 1, "version": 0, "parent_id": "sys-1",
        "settings_string": "volume: 30", "encryption_level": 0, "keys": [], "modified_by_id": "",
    });
    make(&gateway, "/settings", settings).await;
    let named =
        json!({"parent_id": "sys-1", "encryption_level": 1, "settings_string": "", "name": "x"});
    assert_eq!(
        failures(&post(&gateway, "/settings", named).await),
        ["name"]
    );

    let shown = get(&gateway, "/drivers/virtual").await;
    let driver = |port: u16, settings: Value| {
        json!({
            "id": "virtual", "name": shown["name"], "updated_at": 1, "version": 0,
            "description": shown["description"], "module_name": shown["module_name"], "role": shown["role"],
            "default_port": port, "ignore_connected": false, "update_available": false, "settings": settings,
            "repository_id": "", "file_name": "", "commit": "", "default_uri": "",
        })
    };
    for settings in [json!(""), no_settings()] {
        let back = patch(&gateway, "/drivers/virtual", driver(1, settings)).await;
        assert_eq!(back.status, 200, "{}", back.body);
    }
    let other = driver(2, json!({"volume": 30}));
    let refused = patch(&gateway, "/drivers/virtual", other).await;
    assert_eq!(failures(&refused), ["default_port", "settings"]);

    let mut domain = get(&gateway, "/domains/authority-riser").await;
    domain["version"] = json!(0);
    domain["updated_at"] = json!(1);
    let back = patch(&gateway, "/domains/authority-riser", domain).await;
    assert_eq!(back.status, 200, "{}", back.body);
}

#[tokio::test]
async fn a_trigger_is_begun_by_its_form_finished_piece_by_piece_and_put_into_a_room() {
    let gateway = Gateway::start(BUILDING).await;
    let made = make(
        &gateway,
        "/triggers",
        json!({
            "updated_at": 0, "version": 0, "_actions": {"functions": [], "mailers": []},
            "_conditions": {"comparisons": [], "time_dependents": []}, "debounce_period": 0, "important": false,
            "enabled": false, "enable_webhook": false, "exec_enabled": false, "supported_methods": ["POST"],
            "activated_count": 0, "name": "Too warm", "description": "The sun comes at two.",
        }),
    )
    .await;
    assert_eq!(made["description"], "The sun comes at two.");
    let path = format!("/triggers/{}", made["id"].as_str().expect("an id"));
    let warm = json!({
        "left": {"mod": "Display_1", "status": "temperature", "keys": []},
        "operator": "greater_than", "right": 26,
    });
    let mut form = json!({
        "display_name": "Too warm", "extra": made["id"], "webhook_secret": "", "zone_id": "", "system_name": "",
        "conditions": {"comparisons": [warm], "time_dependents": []},
    });
    for (name, value) in made.as_object().expect("an object") {
        if name != "conditions" {
            form[name] = value.clone();
        }
    }
    let changed = patch(&gateway, &path, form).await;
    assert_eq!(changed.status, 200, "{}", changed.body);
    let instance = json!({
        "control_system_id": "sys-1", "enabled": true, "important": false, "trigger_id": made["id"],
    });
    let instance = make(&gateway, "/systems/sys-1/triggers", instance).await;
    assert_eq!(instance["enabled"], true);
    let listed = get(&gateway, "/systems/sys-1/triggers").await;
    assert_eq!(listed[0]["name"], "Too warm");
}
