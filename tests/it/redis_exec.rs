//! Calls of modules that cores run, and what is made of their answers. The core is a stub.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::time::timeout;

use crate::harness::{
    Answer, Asked, Beside, CoreStub, DEADLINE, Key, TestClient, display, interface, list_core,
    unlist_core, within,
};

/// Within which a change of the list of cores is noticed: a look each five seconds, on a busy machine.
const LIST_NOTICED: Duration = Duration::from_secs(10);

fn asked(module: &str, user: &str, body: &Value) -> Asked {
    Asked {
        method: "POST".to_owned(),
        target: format!("/api/core/v1/command/{module}/execute?user_id={user}"),
        body: body.to_string(),
    }
}

// §10 case 36
#[tokio::test]
async fn a_call_is_sent_to_the_core_and_its_result_and_code_come_back() {
    let beside = Beside::start().await;
    let mut client = beside.client().await;
    let power = display("power");
    beside.core.answers(Answer::Result(200, "true"));
    client.send(power.exec(1, json!([true]))).await;
    client.expect(power.result(1, true)).await;

    beside
        .core
        .answers(Answer::Result(201, r#"{"b":1.0, "a":[]}"#));
    client.send(power.exec(2, json!({"state": false}))).await;
    let mut expected = power.result(2, json!({"b": 1.0, "a": []}));
    expected["code"] = json!(201);
    client.expect(expected).await;

    let bodies = [
        json!({"__exec__": "power", "power": [true]}),
        json!({"__exec__": "power", "power": {"state": false}}),
    ];
    let expected = bodies.map(|body| asked("mod-d1", "user-eve", &body));
    assert_eq!(beside.core.calls(), expected);
}

// §10 case 37
#[tokio::test]
async fn arguments_that_are_left_out_or_null_are_sent_as_an_empty_list() {
    let beside = Beside::start().await;
    let mut client = beside.client().await;
    let query = display("query");
    client.send(query.request(1, "exec")).await;
    client.expect(query.result(1, Value::Null)).await;
    client.send(query.exec(2, Value::Null)).await;
    client.expect(query.result(2, Value::Null)).await;

    let body = json!({"__exec__": "query", "query": []});
    let expected = asked("mod-d1", "user-eve", &body);
    assert_eq!(beside.core.calls(), [expected.clone(), expected]);
}

// §10 case 38
#[tokio::test]
async fn an_empty_answer_of_a_core_is_null() {
    let beside = Beside::start().await;
    let mut client = beside.client().await;
    beside.core.answers(Answer::Result(200, ""));
    let value = client.call(display("query"), json!([])).await;
    assert_eq!(value, Value::Null);
}

// §10 case 39
#[tokio::test]
async fn what_a_driver_behind_a_core_raises_is_error_3_in_its_words() {
    let beside = Beside::start().await;
    let mut client = beside.client().await;
    let raised = r#"{"error":"boom (Exception)","backtrace":[]}"#;
    beside.core.answers(Answer::Raised(raised));

    client.send(display("query").exec(1, json!([]))).await;

    let message = client.expect_error(1, 3).await;
    assert_eq!(message, "module raised: boom (Exception)");
    assert_eq!(beside.core.calls().len(), 1);
}

// §10 case 40
#[tokio::test]
async fn a_core_that_fails_is_asked_once_and_the_caller_is_told() {
    let beside = Beside::start().await;
    let mut client = beside.client().await;
    for (calls, status) in (1..).zip([500, 404, 406, 302, 418]) {
        beside.core.answers(Answer::Status(status));
        client.send(display("query").exec(1, json!([]))).await;
        client.expect_error(1, 7).await;
        assert_eq!(beside.core.calls().len(), calls, "after {status}");
    }
}

// What a core says that is no JSON is no result, and no frame is broken by it.
#[tokio::test]
async fn an_answer_that_is_no_json_breaks_no_frame() {
    let beside = Beside::start().await;
    let mut client = beside.client().await;
    for text in ["<html>", "{\"a\":", "true false"] {
        beside.core.answers(Answer::Result(200, text));
        client.send(display("query").exec(1, json!([]))).await;
        let frame = client.next().await;
        assert_eq!(frame["id"], 1, "{frame}");
    }
    for text in ["", "no JSON", "[]"] {
        beside.core.answers(Answer::Raised(text));
        client.send(display("query").exec(1, json!([]))).await;
        client.expect_error(1, 3).await;
    }
}

// §10 case 41
#[tokio::test]
async fn a_core_that_is_silent_is_asked_once_and_the_caller_is_told_at_the_deadline() {
    let beside = Beside::with(|plan| plan.variable("RISER_EXEC__DEADLINE", "1s")).await;
    beside.core.register(&beside.redis, "01A").await;
    let mut client = beside.client().await;
    beside.core.answers(Answer::Silence);
    client.send(display("query").exec(1, json!([]))).await;
    client.expect_error(1, 7).await;
    assert_eq!(beside.core.calls().len(), 1);

    // Its connection is not used for the next one.
    beside.core.answers(Answer::Result(200, "2"));
    assert_eq!(client.call(display("query"), json!([])).await, 2);
    assert_eq!(beside.core.calls().len(), 2);
}

// §10 case 42
#[tokio::test]
async fn without_a_core_a_call_is_error_7_and_says_so() {
    let beside = Beside::start_without_cores().await;
    let mut client = beside.client().await;
    client.send(display("query").exec(1, json!([]))).await;
    let message = client.expect_error(1, 7).await;
    assert!(
        message.contains("No registered core instances"),
        "{message}"
    );

    beside.core.register(&beside.redis, "01A").await;
    until_called(&mut client, "query").await;
}

/// Calls a function of the first display until a core answers.
async fn until_called(client: &mut TestClient, function: &str) {
    let call = async {
        loop {
            client.send(display(function).exec(1, json!([]))).await;
            if client.next().await["code"] == 200 {
                break;
            }
        }
    };
    let called = timeout(LIST_NOTICED, call).await;
    assert!(called.is_ok(), "no core was asked; {}", client.shown());
}

/// Modules that stand in `sys-many`, as many as it takes to meet every core.
const MANY: usize = 24;

async fn place_many(beside: &Beside) {
    let modules: Vec<String> = (0..MANY).map(|number| format!("mod-{number}")).collect();
    let slots: Vec<String> = (1..=MANY).map(|index| format!("Light/{index}")).collect();
    let fields: Vec<(&str, &str)> = slots
        .iter()
        .zip(&modules)
        .map(|(slot, module)| (slot.as_str(), module.as_str()))
        .collect();
    beside.redis.place("sys-many", &fields).await;
    for module in &modules {
        let text = interface(&["query"], json!({}));
        beside.redis.set(&format!("interface/{module}"), text).await;
    }
}

/// Calls a function of all of them at once, and gives the codes of the answers in the order of the modules.
async fn call_many(client: &mut TestClient) -> Vec<Value> {
    let light = display("query").within("sys-many").of("Light");
    for index in (1..).take(MANY) {
        client.send(light.at(index).exec(index, json!([]))).await;
    }
    let mut codes = vec![Value::Null; MANY];
    for _ in 0..MANY {
        let frame = client.next().await;
        let index = frame["id"].as_u64();
        let index = index.and_then(|index| usize::try_from(index).ok());
        codes[index.expect("the number of a module") - 1] = frame["code"].clone();
    }
    codes
}

// §10 case 43; that the choice is PlaceOS's own is shown by the vectors beside the function that makes it
#[tokio::test]
async fn each_module_has_one_core_of_several_and_another_when_that_one_leaves() {
    let beside = Beside::start_without_cores().await;
    place_many(&beside).await;
    let (one, other) = (&beside.core, CoreStub::start().await);
    one.register(&beside.redis, "01A").await;
    other.register(&beside.redis, "01B").await;
    let mut client = beside.client().await;

    let codes = call_many(&mut client).await;
    assert!(codes.iter().all(|code| *code == 200), "{codes:?}");
    let modules = |core: &CoreStub| {
        let calls = core.calls().into_iter();
        calls.map(|call| call.target).collect::<BTreeSet<_>>()
    };
    let first = (modules(one), modules(&other));
    assert!(!first.0.is_empty() && !first.1.is_empty(), "both are asked");
    assert!(first.0.is_disjoint(&first.1), "a module is at one of them");
    call_many(&mut client).await;
    assert_eq!((modules(one), modules(&other)), first, "the same ones");

    unlist_core(&beside.redis, "01A").await;
    let total = other.calls().len() + MANY;
    let until_moved = async {
        loop {
            let (before, here) = (other.calls().len(), one.calls().len());
            call_many(&mut client).await;
            if one.calls().len() == here && other.calls().len() == before + MANY {
                break;
            }
        }
    };
    let moved = timeout(LIST_NOTICED, until_moved).await;
    assert!(
        moved.is_ok(),
        "the other was asked {} of {total} times",
        other.calls().len()
    );
}

// §10 case 48: what is behind an edge is at the core that the edge's id belongs to, as a module of that id would be
#[tokio::test]
async fn a_module_behind_an_edge_is_called_at_the_core_of_its_edge() {
    // So many that never in practice all of them belong to one core, which the hash of free ports decides.
    const EDGES: usize = 24;
    let edges: Vec<String> = (1..=EDGES).map(|number| format!("edge-{number}")).collect();
    let behind = |edge: &str| format!("mod-{edge}-edge");
    let pairs: Vec<String> = edges
        .iter()
        .map(|edge| format!("{}={edge}", behind(edge)))
        .collect();
    let beside = Beside::with(|plan| plan.variable("RISER_PLACEOS_EDGES", &pairs.join(","))).await;
    let mut slots = Vec::new();
    for (number, edge) in (1..).zip(&edges) {
        slots.push((format!("Near/{number}"), edge.clone()));
        slots.push((format!("Far/{number}"), behind(edge)));
    }
    for (_, module) in &slots {
        let text = interface(&["power"], json!({}));
        beside.redis.set(&format!("interface/{module}"), text).await;
    }
    let slots: Vec<(&str, &str)> = slots.iter().map(|(a, b)| (&**a, &**b)).collect();
    beside.redis.place("sys-edges", &slots).await;
    let other = CoreStub::start().await;
    beside.core.register(&beside.redis, "01A").await;
    other.register(&beside.redis, "01B").await;
    let mut client = beside.client().await;
    let everywhere: Vec<i64> = (1..).take(EDGES).collect();
    // Both cores are known when both are asked.
    let both = async {
        while beside.core.calls().is_empty() || other.calls().is_empty() {
            for &index in &everywhere {
                let near = display("power").within("sys-edges").of("Near").at(index);
                client.send(near.exec(1, json!([]))).await;
                client.next().await;
            }
        }
    };
    within(LIST_NOTICED, || "calls at both cores".to_owned(), both).await;

    for (&index, edge) in everywhere.iter().zip(&edges) {
        let mut asked = Vec::new();
        for name in ["Near", "Far"] {
            let before = (beside.core.calls().len(), other.calls().len());
            let place = display("power").within("sys-edges").of(name).at(index);
            client.send(place.exec(1, json!([]))).await;
            let answer = client.next().await;
            assert_eq!(answer["type"], "success", "{answer}");
            let after = (beside.core.calls().len(), other.calls().len());
            asked.push((after.0 - before.0, after.1 - before.1));
        }
        assert_eq!(asked[0], asked[1], "{edge}");
    }
}

// §10 case 44
#[tokio::test]
async fn a_call_whose_core_is_gone_and_off_the_list_is_made_at_the_next_one_once() {
    let beside = Beside::start().await;
    place_many(&beside).await;
    // Nobody listens there any more.
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let gone = format!("http://{}", listener.local_addr().expect("it is bound"));
    drop(listener);
    list_core(&beside.redis, "01B", &gone).await;
    let mut client = beside.client().await;
    let find = async {
        loop {
            let codes = call_many(&mut client).await;
            if let Some(at) = codes.iter().position(|code| *code == 7) {
                break at;
            }
        }
    };
    let at = timeout(LIST_NOTICED, find)
        .await
        .expect("one of its modules");
    let index = i64::try_from(at + 1).expect("few modules");
    let light = display("query").within("sys-many").of("Light").at(index);
    let before = beside.core.calls().len();

    unlist_core(&beside.redis, "01B").await;
    client.call(light, json!([])).await;

    assert_eq!(beside.core.calls().len(), before + 1);
}

// §10 cases 45 to 47, of modules that cores run
#[tokio::test]
async fn what_may_not_or_cannot_be_called_is_refused_without_asking_a_core() {
    let beside = Beside::start().await;
    let power = display("power");
    for (key, place, code) in [
        (Key::USER, power.named("nope"), 1),
        (Key::USER, power.named("reset"), 2),
        (Key::SUPPORT, power.named("wipe"), 2),
        (Key::USER, power.at(3), 6),
        (Key::USER, power.at(0), 6),
        (Key::USER, power.of("Ghost"), 6),
        (Key::USER, power.within("sys-none"), 5),
    ] {
        let mut client = beside.gateway.connect(key).await;
        client.send(place.exec(1, json!([]))).await;
        client.expect_error(1, code).await;
    }
    assert_eq!(beside.core.calls(), []);

    for (key, function) in [(Key::SUPPORT, "reset"), (Key::ADMIN, "wipe")] {
        let mut client = beside.gateway.connect(key).await;
        client.call(power.named(function), json!([])).await;
    }
    assert_eq!(beside.core.calls().len(), 2);
}

// §10 case 50, of a module that a core runs
#[tokio::test]
async fn a_core_that_takes_its_time_delays_nothing_behind_it() {
    let beside = Beside::start().await;
    let mut client = beside.client().await;
    beside.core.answers(Answer::Silence);
    client.send(display("query").exec(1, json!([]))).await;
    beside.core.call(1).await;
    beside.core.answers(Answer::Result(200, "2"));

    client.send_text("ping").await;
    client.expect_text("pong").await;
    client.bind(display("power"), 2).await;
    assert_eq!(client.call(display("power"), json!([])).await, 2);
}

#[tokio::test]
async fn calls_of_one_client_share_a_few_connections() {
    let beside = Beside::start().await;
    let mut client = beside.client().await;
    for number in 1..=200 {
        client.call(display("query"), json!([])).await;
        assert_eq!(beside.core.calls().len(), number);
    }
    assert!(
        beside.core.connections() <= 4,
        "{} connections for 200 calls",
        beside.core.connections()
    );
}

#[tokio::test]
async fn calls_that_come_before_the_slots_of_their_system_are_known_are_each_made_once() {
    let beside = Beside::start().await;
    let mut client = beside.client().await;
    let requests = (0..50).map(|id| display("query").exec(id, json!([id])));
    let texts = client.pipeline(requests, 50).await;
    assert!(
        texts.iter().all(|text| text.contains("\"success\"")),
        "{texts:?}"
    );
    let calls = beside.core.calls();
    let bodies: Vec<&str> = calls.iter().map(|call| call.body.as_str()).collect();
    let mut numbers: Vec<i64> = bodies
        .iter()
        .map(|body| {
            let body: Value = serde_json::from_str(body).expect("JSON");
            body["query"][0].as_i64().expect("a number")
        })
        .collect();
    // They are made side by side, so they may reach the core in another order.
    numbers.sort_unstable();
    assert_eq!(numbers, (0..50).collect::<Vec<i64>>());
}

#[tokio::test]
async fn a_gateway_that_cannot_reach_redis_answers_calls_of_other_programs_modules_in_time() {
    let beside = Beside::with(|plan| plan.variable("RISER_EXEC__DEADLINE", "2s")).await;
    beside.core.register(&beside.redis, "01A").await;
    let mut client = beside.client().await;
    client.call(display("query"), json!([])).await;

    beside.redis.pause().await;
    client
        .send(display("query").within("sys-unknown").exec(1, json!([])))
        .await;
    let answer = client.next_text_within("an error", DEADLINE).await;
    assert!(answer.contains("\"code\":7"), "{answer}");
    beside.redis.resume().await;
    until_called(&mut client, "query").await;
}
