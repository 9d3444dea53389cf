//! PlaceOS's own client library, unmodified, as pages use it to find things and to drive them over HTTP.

use serde_json::{Value, json};

use crate::harness::{BUILDING, Carrier, Gateway, Key, Page, display};

/// What the library makes of the answer to one of its functions.
async fn ask(page: &mut Page, name: &str, args: Value) -> Value {
    let answer = outcome(page, "ask", name, args).await;
    assert_eq!(answer["event"], "result", "{name}: {answer}");
    answer["value"].clone()
}

async fn outcome(page: &mut Page, cmd: &str, name: &str, args: Value) -> Value {
    let mark = format!("{name} {args}");
    let command = json!({"cmd": cmd, "ref": mark, "name": name, "args": args});
    page.tell(command).await;
    page.answer(&mark).await
}

fn ids(list: &Value) -> Vec<&str> {
    let items = list.as_array().expect("a list");
    items
        .iter()
        .map(|item| item["id"].as_str().expect("an id"))
        .collect()
}

#[tokio::test]
async fn a_page_finds_its_way_to_a_room() {
    let gateway = Gateway::start(BUILDING).await;
    let mut page = Page::open(&gateway.url(), Key::USER, Carrier::Cookie).await;
    let page = &mut page;

    let user = ask(page, "currentUser", json!([])).await;
    assert_eq!(
        (&user["id"], &user["sys_admin"]),
        (&json!("user-eve"), &json!(false))
    );
    let buildings = ask(page, "queryZones", json!([{"tags": "org"}])).await;
    assert_eq!(
        (ids(&buildings["data"]), &buildings["total"]),
        (vec!["zone-hq"], &json!(1))
    );
    let levels = ask(
        page,
        "queryZones",
        json!([{"tags": "level", "parent_id": "zone-hq"}]),
    )
    .await;
    assert_eq!(ids(&levels["data"]), ["zone-l1", "zone-l2"]);
    let level = ask(page, "showZone", json!(["zone-l2"])).await;
    assert_eq!(level["name"], "Level 2");
    let tags = ask(page, "listZoneTags", json!([])).await;
    assert_eq!(tags, json!(["level", "org"]));
    let rooms = ask(
        page,
        "querySystems",
        json!([{"zone_id": "zone-l1", "limit": 500}]),
    )
    .await;
    assert_eq!(ids(&rooms["data"]), ["sys-1"]);
    let by_email = json!([{"in": "huddle@example.test"}]);
    let rooms = ask(page, "querySystemsWithEmails", by_email).await;
    assert_eq!(ids(&rooms["data"]), ["sys-2"]);

    let room = ask(page, "showSystem", json!(["sys-1", {"complete": true}])).await;
    assert_eq!(
        (&room["name"], &room["capacity"]),
        (&json!("Board Room"), &json!(8))
    );
    assert_eq!(room["modules"][0], "mod-d1");
    let zones = ask(page, "listSystemZones", json!(["sys-1"])).await;
    assert_eq!(ids(&zones["data"]), ["zone-hq", "zone-l1"]);
    let metadata = ask(page, "listMetadata", json!(["zone-hq"])).await;
    assert_eq!(metadata, json!([]));
    let unknown = ask(page, "showMetadata", json!(["zone-hq", "bindings"])).await;
    assert_eq!(unknown["details"], json!({}), "{unknown}");
    let children = ask(
        page,
        "listChildMetadata",
        json!(["zone-hq", {"name": "map"}]),
    )
    .await;
    assert_eq!(children.as_array().map(Vec::len), Some(2), "{children}");
    let settings = ask(page, "querySettings", json!([{"parent_id": "zone-hq"}])).await;
    assert_eq!(settings["data"], json!([]));
}

#[tokio::test]
async fn a_page_follows_a_long_list_to_its_end() {
    let gateway = Gateway::start(BUILDING).await;
    let mut page = Page::open(&gateway.url(), Key::USER, Carrier::Cookie).await;

    let args = json!([{"limit": 4, "q": "virtual"}]);
    let pages = outcome(&mut page, "ask_all", "queryModules", args).await;

    let pages = pages["value"].as_array().expect("pages").clone();
    let sizes: Vec<usize> = pages.iter().map(|page| ids(page).len()).collect();
    assert_eq!(sizes, [4, 4, 1]);
    let all: Vec<&str> = pages.iter().flat_map(ids).collect();
    assert_eq!((all[0], all[8]), ("mod-d1", "mod-loose"));
}

#[tokio::test]
async fn a_console_looks_into_modules_and_drives_them_over_http() {
    let gateway = Gateway::start(BUILDING).await;
    let mut console = gateway.connect(Key::USER).await;
    console.set(display("power"), true).await;
    let mut page = Page::open(&gateway.url(), Key::SUPPORT, Carrier::Cookie).await;
    let page = &mut page;

    let modules = ask(
        page,
        "queryModules",
        json!([{"control_system_id": "sys-2"}]),
    )
    .await;
    assert_eq!(ids(&modules["data"]), ["mod-d3", "mod-shared"]);
    let module = ask(page, "showModule", json!(["mod-d1", {"complete": true}])).await;
    assert_eq!(
        (&module["connected"], &module["running"]),
        (&json!(true), &json!(true))
    );
    let state = ask(page, "moduleState", json!(["mod-d1"])).await;
    assert_eq!(state["power"], "true");
    let by_place = ask(page, "systemModuleState", json!(["sys-1", "Display", 1])).await;
    assert_eq!(by_place, state);
    let power = ask(page, "lookupModuleState", json!(["mod-d1", "power"])).await;
    assert_eq!(power, "true");
    let power = ask(
        page,
        "lookupSystemModuleState",
        json!(["sys-1", "Display", 1, "power"]),
    )
    .await;
    assert_eq!(power, true);
    let functions = ask(page, "functionList", json!(["sys-1", "Display", 1])).await;
    assert_eq!(functions["echo"]["arity"], 1);
    let settings = ask(page, "moduleSettings", json!(["mod-d1"])).await;
    assert_eq!(settings, json!([]));
    let drivers = ask(page, "queryDrivers", json!([{"q": "virtual"}])).await;
    assert_eq!(ids(&drivers["data"]), ["virtual"]);
    let driver = ask(page, "showDriver", json!(["virtual", {}])).await;
    assert_eq!(driver["module_name"], "Virtual");

    let echo = ask(
        page,
        "executeOnModule",
        json!(["mod-d1", "echo", [{"a": 1}]]),
    )
    .await;
    assert_eq!(echo, json!({"a": 1}));
    let echo = json!(["sys-1", "echo", "Display", 2, ["x"]]);
    assert_eq!(ask(page, "executeOnSystem", echo).await, "x");
    let zone = json!(["zone-hq", "echo", "Display", 1, [1]]);
    let zone = ask(page, "executeOnZone", zone).await;
    assert_eq!(zone["success"], json!(["sys-1", "sys-2"]));
    let missing = outcome(page, "ask", "showModule", json!(["mod-none", {}])).await;
    assert_eq!(missing["event"], "error", "{missing}");
    let reply = page
        .events()
        .iter()
        .rev()
        .find(|event| event["event"] == "http_reply");
    assert_eq!(reply.map(|reply| &reply["status"]), Some(&json!(404)));
}

#[tokio::test]
async fn a_backoffice_changes_the_building() {
    let gateway = Gateway::start(BUILDING).await;
    let mut page = Page::open(&gateway.url(), Key::ADMIN, Carrier::Cookie).await;
    let page = &mut page;

    let zone = json!([{"name": "Level 3", "tags": ["level"], "parent_id": "zone-hq", "location": "51.5,-0.1", "count": 4}]);
    let zone = ask(page, "addZone", zone).await["id"].clone();
    let mut floor = ask(page, "showZone", json!([zone, {}])).await;
    floor["code"] = json!("L3");
    let floor = ask(page, "updateZone", json!([zone, floor])).await;
    assert_eq!(
        (&floor["location"], &floor["count"], &floor["code"]),
        (&json!("51.5,-0.1"), &json!(4), &json!("L3"))
    );
    let system = json!([{"name": "Attic", "zones": [zone], "bookable": true}]);
    let system = ask(page, "addSystem", system).await;
    let module = json!([{"driver_id": "virtual", "custom_name": "Lights"}]);
    let module = ask(page, "addModule", module).await["id"].clone();
    let with_module = ask(page, "addSystemModule", json!([system["id"], module])).await;
    assert_eq!(with_module["modules"], json!([module]));

    // The library sends back whole what it got, and the version with it.
    let mut renamed = with_module.clone();
    renamed["name"] = json!("Loft");
    renamed["room_booking_url"] = json!("https://booking.example.test/loft");
    renamed["orientation"] = json!("portrait");
    let updated = ask(page, "updateSystem", json!([system["id"], renamed])).await;
    assert_eq!(
        (&updated["name"], &updated["modules"]),
        (&json!("Loft"), &json!([module]))
    );
    assert_eq!(
        (&updated["room_booking_url"], &updated["orientation"]),
        (
            &json!("https://booking.example.test/loft"),
            &json!("portrait")
        )
    );
    let stale = outcome(page, "ask", "updateSystem", json!([system["id"], system])).await;
    assert_eq!(stale["event"], "error", "{stale}");
    let same = ask(page, "showModule", json!([module, {}])).await;
    let noted = ask(
        page,
        "updateModule",
        json!([module, {"notes": "Left of the door", "makebreak": true}]),
    )
    .await;
    assert_eq!(
        (&noted["notes"], &noted["makebreak"]),
        (&json!("Left of the door"), &json!(true))
    );
    let same = ask(page, "updateModule", json!([module, same])).await;
    assert_eq!(same["custom_name"], "Lights");
    // A module without a device is put into the system that it names.
    let inside = json!([{"driver_id": "virtual", "role": 99, "control_system_id": system["id"]}]);
    let inside = ask(page, "addModule", inside).await["id"].clone();
    let around = ask(page, "showSystem", json!([system["id"], {}])).await;
    assert_eq!(around["modules"], json!([module, inside]));

    let person = json!([{"name": "Tom Lee", "email": "tom@example.test", "phone": "+44 20", "staff_id": "42"}]);
    let person = ask(page, "addUser", person).await;
    let mut moved = person.clone();
    moved["last_name"] = json!("Smith");
    let moved = ask(page, "updateUser", json!([person["id"], moved])).await;
    assert_eq!(
        (&moved["name"], &moved["phone"], &moved["staff_id"]),
        (&json!("Tom Smith"), &json!("+44 20"), &json!("42"))
    );

    let map = json!({"name": "map", "details": {"level": 3}});
    let made = ask(page, "updateMetadata", json!([zone, map])).await;
    assert_eq!(made["details"], json!({"level": 3}));
    let more = json!({"name": "map", "details": {"wing": "west"}});
    ask(page, "updateMetadata", json!([zone, more, "patch"])).await;
    let shown = ask(page, "showMetadata", json!([zone, "map"])).await;
    assert_eq!(shown["details"], json!({"level": 3, "wing": "west"}));

    for (name, args) in [
        ("removeMetadata", json!([zone, {"name": "map"}])),
        ("removeSystem", json!([system["id"]])),
        ("removeZone", json!([zone])),
    ] {
        ask(page, name, args).await;
    }
    let left = ask(page, "querySystems", json!([{"q": "loft"}])).await;
    assert_eq!(left["data"], json!([]));
}
