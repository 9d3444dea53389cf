//! What a process asks about other modules: how it reaches the module's sink, and how the answers and follows come back.

use futures_util::stream::{self, Stream};
use serde_json::{Value, json};
use test_support::Folder;

use super::*;
use crate::driver_host::process::limits::{REQUEST_BYTES_MAX, REQUESTS_MAX};
use crate::driver_host::{CallChain, CallScope, ModuleDescription, ModuleSlot};
use crate::model::{Act, Function, SystemId};

/// A request as it reached the sink.
#[derive(Debug, PartialEq)]
pub(super) enum Asked {
    Describe(SystemRef),
    Read(ModulePlace, StatusName),
    Call(ModuleCall),
    Publish(ChannelName, JsonText),
}

/// A system with a display that has told what it offers, and a second one that has not.
pub(super) fn board_room() -> SystemDescription {
    let functions = [(FunctionName::new("power").unwrap(), Function::default())];
    let interface = Interface {
        functions: functions.into(),
        implements: vec!["Powerable".to_owned()],
        ..Interface::default()
    };
    let module = |id: &str, slot: &str, interface| ModuleDescription {
        id: ModuleId::new(id).unwrap(),
        slot: slot.parse().unwrap(),
        interface,
    };
    SystemDescription {
        id: SystemId::new("sys-board").unwrap(),
        modules: vec![
            module("mod-display", "Display_1", Some(Arc::new(interface))),
            module("mod-new", "Display_2", None),
        ],
    }
}

/// The values that are sent; a newer one replaces one that nobody has taken.
pub(super) fn latest(
    values: watch::Receiver<Option<JsonText>>,
) -> impl Stream<Item = JsonText> + Send {
    stream::unfold(values, |mut values| async {
        values.changed().await.ok()?;
        let value = values.borrow_and_update().clone();
        Some((value?, values))
    })
}

#[tokio::test]
async fn a_process_describes_a_system_reads_a_status_calls_a_module_and_publishes() {
    let ear = Ear::new();
    let running = start(&ear, JsonText::empty_object()).await.unwrap();
    run(&*running, "status('power', True)").await.unwrap();

    let described = ask(&ear, &*running, "describe_system", json!({})).await;
    let described = &described["result"];
    assert_eq!(described["id"], "sys-board");
    let display = &described["modules"][0];
    assert_eq!(
        [&display["id"], &display["name"], &display["index"]],
        [&json!("mod-display"), &json!("Display"), &json!(1)]
    );
    assert_eq!(display["interface"]["implements"], json!(["Powerable"]));
    assert_eq!(
        described["modules"][1],
        json!({"id": "mod-new", "name": "Display", "index": 2, "interface": null})
    );

    let read = json!({"module": {"name": "Display"}, "status": "power"});
    let value = ask(&ear, &*running, "read_status", read).await;
    assert_eq!(value["result"], json!({"value": true}));
    let read = json!({"module": {"system": "sys-9", "name": "Lamp", "index": 3}, "status": "none"});
    let value = ask(&ear, &*running, "read_status", read).await;
    assert_eq!(value["result"], json!({"value": null}));

    let call = json!({"module": {"name": "Display", "index": 2}, "function": "power", "arguments": [1.50]});
    let result = ask(&ear, &*running, "call_module", call).await;
    assert_eq!(result["result"], json!({"value": [1.5], "code": 202}));

    let message = json!({"channel": "alarms", "message": {"floor": 3}});
    let published = ask(&ear, &*running, "publish", message).await;
    assert_eq!(published["result"], Value::Null);
    let message = json!({"channel": "closed", "message": 1});
    let refused = ask(&ear, &*running, "publish", message).await;
    assert_eq!(
        refused["error"],
        json!({"code": 403, "message": "not this one"})
    );

    let other = SystemRef::Id(SystemId::new("sys-9").unwrap());
    let channel = |name| ChannelName::new(name).unwrap();
    let expect = [
        Asked::Describe(SystemRef::Own),
        Asked::Read(place(SystemRef::Own, "Display_1"), status("power")),
        Asked::Read(place(other, "Lamp_3"), status("none")),
        Asked::Call(ModuleCall {
            module: place(SystemRef::Own, "Display_2"),
            function: FunctionName::new("power").unwrap(),
            arguments: json_of("[1.5]"),
            chain: CallChain::default(),
        }),
        Asked::Publish(channel("alarms"), json_of(r#"{"floor": 3}"#)),
        Asked::Publish(channel("closed"), json_of("1")),
    ];
    let asked = std::mem::take(&mut ear.heard().asked);
    assert_eq!(asked, expect);
}

#[tokio::test]
async fn a_call_has_the_chain_of_the_call_in_which_the_process_makes_it() {
    let ear = Ear::new();
    let running = start(&ear, JsonText::empty_object()).await.unwrap();
    let module = ModuleId::new("mod-1").unwrap();
    let chain = CallChain::of(&module, &FunctionName::new("run").unwrap());
    let make = async |call: &str| {
        let code = format!(
            "say(id=1, method='call_module', params={{'module': {{'name': 'Display'}}, 'function': 'power', 'arguments': [], 'call': {call}}})"
        );
        let calling = CallScope::run(chain.clone(), run(&*running, &code));
        calling.await.unwrap();
        ear.wait_for("the call", |heard| !heard.asked.is_empty())
            .await;
        match ear.heard().asked.pop() {
            Some(Asked::Call(call)) => call.chain,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(make("asked").await, chain);
    // One that has its answer, and one that never was.
    assert_eq!(make("asked - 1").await, CallChain::default());
    assert_eq!(make("999").await, CallChain::default());
}

#[tokio::test]
async fn what_a_process_sets_is_of_the_only_call_that_it_carries_out_and_of_none_where_there_are_several()
 {
    let ear = Ear::new();
    let running = start(&ear, JsonText::empty_object()).await.unwrap();
    let call = |act: u128, code: &'static str| {
        let act = Arc::new(Act {
            id: act,
            user: None,
        });
        let chain = CallChain::default().of_act(act);
        let running = Arc::clone(&running);
        CallScope::run(chain, async move { run(&*running, code).await.unwrap() })
    };
    call(7, "status('alone', 1)").await;
    // The process serves one after the other, and the gateway knows of both from the beginning.
    tokio::join!(call(8, "status('beside', 1)"), call(9, "status('left', 1)"));
    let acts = ear.heard().acts.clone();
    assert_eq!(acts["started"], None, "by itself");
    assert_eq!(acts["alone"], Some(7));
    assert_eq!(acts["beside"], None);
    assert_eq!(acts["left"], Some(9));
}

#[tokio::test]
async fn a_request_that_does_not_fit_is_refused_with_its_place_and_reaches_nobody() {
    let ear = Ear::new();
    let running = start(&ear, JsonText::empty_object()).await.unwrap();
    let display = json!({"name": "Display"});
    for (method, params, reason) in [
        (
            "describe_system",
            json!({"system": ""}),
            "a system id is empty",
        ),
        (
            "describe_system",
            json!({"system": 7}),
            "system: expected a string",
        ),
        (
            "read_status",
            json!({"module": display}),
            "missing `status`",
        ),
        (
            "read_status",
            json!({"module": {"name": "Display", "index": 0}, "status": "power"}),
            "a module index is a whole number from 1",
        ),
        (
            "call_module",
            json!({"module": display, "function": "power", "arguments": "all"}),
            "arguments: expected an array or an object",
        ),
        (
            "call_module",
            json!({"module": display, "function": "", "arguments": []}),
            "a function name is empty",
        ),
        (
            "publish",
            json!({"channel": "a\nb", "message": 1}),
            "a channel has a control character in it",
        ),
        (
            "follow",
            json!({"follow": 1, "what": {"everything": true}}),
            "what: expected one of `status`, `modules`, `channel`",
        ),
        (
            "follow",
            json!({"follow": -1, "what": {"channel": "a"}}),
            "follow: expected a whole number from 0 to 18446744073709551615",
        ),
    ] {
        let refused = ask(&ear, &*running, method, params.clone()).await;
        let message = format!("the parameters cannot be used: {reason}");
        let expect = json!({"code": -32602, "message": message});
        assert_eq!(refused["error"], expect, "{method} {params}");
    }
    let unknown = ask(&ear, &*running, "reboot", json!({})).await;
    assert_eq!(unknown["error"]["code"], -32601);
    let heard = ear.heard();
    assert_eq!(heard.asked, []);
    assert!(heard.followed.is_empty());
}

#[tokio::test]
async fn a_process_that_asks_without_end_is_refused_what_is_too_much() {
    let ear = Ear::new();
    ear.heard().holds_calls = true;
    let running = start(&ear, JsonText::empty_object()).await.unwrap();
    let code = |count: usize, argument: &str| {
        format!(
            "for n in range({count}): say(id=n, method='call_module', params={{'module': {{'name': 'Display'}}, 'function': 'power', 'arguments': [{argument}]}})"
        )
    };
    run(&*running, &code(REQUESTS_MAX, "n")).await.unwrap();
    assert_eq!(ear.value("answered"), None);
    let refused = ask(&ear, &*running, "describe_system", json!({})).await;
    assert_eq!(refused["error"]["code"], 429);
    assert_eq!(ear.heard().asked.len(), REQUESTS_MAX);

    // And by their bytes.
    let ear = Ear::new();
    ear.heard().holds_calls = true;
    let running = start(&ear, JsonText::empty_object()).await.unwrap();
    let half = format!("'x' * {}", REQUEST_BYTES_MAX / 2 - 1_000);
    run(&*running, &code(2, &half)).await.unwrap();
    let read = json!({"module": {"name": "Display"}, "status": "x".repeat(5_000)});
    let refused = ask(&ear, &*running, "read_status", read).await;
    assert_eq!(refused["error"]["code"], 429);
    assert_eq!(ear.heard().asked.len(), 2);
}

#[tokio::test]
async fn a_follow_brings_its_values_until_it_is_given_up_or_ends() {
    let ear = Ear::new();
    let running = start(&ear, JsonText::empty_object()).await.unwrap();
    let power = json!({"module": {"name": "Display"}, "status": "power"});
    for (number, what) in [
        (1, json!({"status": power})),
        (2, json!({"modules": {"system": "sys-9"}})),
        (3, json!({"channel": "alarms"})),
    ] {
        let follow = json!({"follow": number, "what": what});
        let answer = ask(&ear, &*running, "follow", follow).await;
        assert_eq!(answer["result"], Value::Null, "{answer}");
    }
    let followed = std::mem::take(&mut ear.heard().followed);
    let (what, senders): (Vec<_>, Vec<_>) = followed.into_iter().unzip();
    let expect = [
        Followed::Status(place(SystemRef::Own, "Display_1"), status("power")),
        Followed::Modules(SystemRef::Id(SystemId::new("sys-9").unwrap())),
        Followed::Channel(ChannelName::new("alarms").unwrap()),
    ];
    assert_eq!(what, expect);

    let again = json!({"follow": 1, "what": {"channel": "a"}});
    let refused = ask(&ear, &*running, "follow", again).await;
    assert_eq!(refused["error"]["code"], -32602);

    for (n, value) in ["true", "null", r#"{"floor":3}"#].into_iter().enumerate() {
        senders[n].send_replace(Some(json_of(value)));
        let value: Value = serde_json::from_str(value).unwrap();
        told(&ear, "followed", json!({"follow": n + 1, "value": value})).await;
    }
    run(&*running, "notify('unfollow', follow=1)")
        .await
        .unwrap();
    timeout(PATIENCE, senders[0].closed()).await.unwrap();
    let [_, modules, channel] = <[_; 3]>::try_from(senders).unwrap();
    drop(modules);
    told(&ear, "follow_ended", json!({"follow": 2})).await;
    // The number is free again, and the last follow ends with the process.
    let again = json!({"follow": 1, "what": {"channel": "a"}});
    let answer = ask(&ear, &*running, "follow", again).await;
    assert_eq!(answer["result"], Value::Null, "{answer}");
    running.stop().await;
    timeout(PATIENCE, channel.closed()).await.unwrap();
}

#[tokio::test]
async fn a_process_that_does_not_read_gets_the_latest_value_when_it_does() {
    const VALUES: usize = 20_000;
    let ear = Ear::new();
    let running = start(&ear, JsonText::empty_object()).await.unwrap();
    let what = json!({"status": {"module": {"name": "Display"}, "status": "n"}});
    ask(
        &ear,
        &*running,
        "follow",
        json!({"follow": 1, "what": what}),
    )
    .await;
    let (_, sender) = ear.heard().followed.pop().unwrap();

    let folder = Folder::new();
    let wake = folder.path().join("wake");
    // It does not read before the file is there.
    let until = format!(
        "status('sleeps', True); [time.sleep(0.01) for _ in iter(lambda: __import__('os').path.exists({:?}), True)]",
        wake.display().to_string()
    );
    let sleeping = run(&*running, &until);
    let changing = async {
        ear.wait_for("sleep", |heard| heard.values.contains_key("sleeps"))
            .await;
        for n in 1..=VALUES {
            sender.send_replace(Some(JsonText::of(&(n, "x".repeat(1_000))).unwrap()));
            tokio::task::yield_now().await;
        }
        std::fs::write(&wake, "").unwrap();
    };
    let (slept, ()) = tokio::join!(sleeping, changing);
    slept.unwrap();

    let last = format!("[{VALUES},");
    ear.wait_for("the last value", |heard| {
        let told = heard.values.get("told").map(|told| told.replace(' ', ""));
        told.is_some_and(|told| told.contains(&last))
    })
    .await;
    let count = run(&*running, "value = len(told)").await.unwrap();
    let count: usize = count.value.to().unwrap();
    assert!(count < VALUES / 2, "{count} of {VALUES} values were sent");
}

fn status(name: &str) -> StatusName {
    StatusName::new(name).unwrap()
}

fn place(system: SystemRef, slot: &str) -> ModulePlace {
    let slot: ModuleSlot = slot.parse().unwrap();
    ModulePlace { system, slot }
}

/// Lets the process make a request, and waits for the answer that it has got.
async fn ask(ear: &Ear, running: &dyn RunningModule, method: &str, params: Value) -> Value {
    ear.heard().values.remove("answered");
    let params = JsonText::of(&params.to_string()).unwrap();
    let code = format!("say(id='a1', method={method:?}, params=json.loads({params}))");
    run(running, &code).await.unwrap();
    ear.wait_for("the answer", |heard| heard.values.contains_key("answered"))
        .await;
    let answer: Value = serde_json::from_str(&ear.value("answered").unwrap()).unwrap();
    assert_eq!(answer["id"], "a1");
    answer
}

/// Waits until the process has got a notification.
async fn told(ear: &Ear, method: &str, params: Value) {
    let expect = json!({"jsonrpc": "2.0", "method": method, "params": params});
    ear.wait_for(&expect.to_string(), |heard| {
        let told = heard.values.get("told");
        told.is_some_and(|told| serde_json::from_str::<Value>(told).unwrap() == expect)
    })
    .await;
}
