//! A rule about a status that tells people's phones.

use serde_json::json;
use tokio::time::{Instant, sleep};

use super::{call, until_watched};
use crate::harness::{DEADLINE, Gateway, Plan};

const SECRET: &str = "B0ilerB0ilerB0ilerB0ilerB0iler12";
const PHONE: &str = "0f8fad5b-d9cb-469f-a165-70867728950e";

const BUILDING: &str = r#"
systems:
  - {id: sys-1, name: Boiler room, modules: [mod-1]}
modules:
  - {id: mod-1, driver: virtual, name: Boiler}
services:
  - {name: Boiler room, secret: B0ilerB0ilerB0ilerB0ilerB0iler12}
triggers:
  - id: trig-high
    system: sys-1
    when: [{status: Boiler_1/pressure, is: ">", than: 2.5}]
    then: [{notify: Boiler room, message: "{{ status('Boiler_1/pressure') }} bar", level: 4}]
  - id: trig-normal
    system: sys-1
    when: [{status: Boiler_1/pressure, is: "<=", than: 2.5}]
    then: [{notify: Boiler room, message: Normal again, level: 2}]
"#;

/// Waits for the next message of the phone, and gives its text and level.
async fn next_message(gateway: &Gateway) -> (String, i64) {
    let patience = Instant::now() + DEADLINE;
    loop {
        let request = gateway.request("GET", &format!("/pushjet/message?uuid={PHONE}"));
        let answer = request.ok().await;
        if let Some([message]) = answer["messages"].as_array().map(Vec::as_slice) {
            let text = message["message"].as_str().expect("a text").to_owned();
            return (text, message["level"].as_i64().expect("a level"));
        }
        assert!(Instant::now() < patience, "{answer}");
        sleep(std::time::Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn a_status_that_is_too_high_is_told_to_a_phone_and_so_is_its_end() {
    let building = format!("{BUILDING}{}", super::PEOPLE);
    let gateway = Plan::serve(&building).start().await;
    let service = gateway.request("GET", &format!("/pushjet/service?secret={SECRET}"));
    let service = service.ok().await;
    let public = service["service"]["public"].as_str().expect("a key");
    let fields = [("uuid", PHONE), ("service", public)];
    let subscribed = gateway.request("POST", "/pushjet/subscription");
    subscribed.form(&fields).ok().await;
    for trigger in ["trig-high", "trig-normal"] {
        until_watched(&gateway, "sys-1", trigger).await;
    }

    call(&gateway, "sys-1/Boiler_1/set", json!(["pressure", 2.6])).await;
    assert_eq!(next_message(&gateway).await, ("2.6 bar".to_owned(), 4));
    call(&gateway, "sys-1/Boiler_1/set", json!(["pressure", 2.7])).await;
    call(&gateway, "sys-1/Boiler_1/set", json!(["pressure", 1.4])).await;
    assert_eq!(next_message(&gateway).await, ("Normal again".to_owned(), 2));
}
