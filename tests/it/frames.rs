//! Frames that are odd, wrong or too large: each is answered, and the connection goes on or ends with a name for why.

use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use crate::harness::{
    BUILDING, DEADLINE, Fin, Gateway, Key, Opcode, Plan, TestClient, display, scratch,
};

async fn start() -> (Gateway, TestClient) {
    let gateway = Gateway::start(BUILDING).await;
    let client = gateway.connect(Key::USER).await;
    (gateway, client)
}

// §10 case 51
#[tokio::test]
async fn text_that_is_not_json_is_error_0() {
    let (_gateway, mut client) = start().await;
    for text in [
        "hello",
        "PING",
        "{\"id\":9",
        "{\"id\":9}{\"id\":9}",
        "{id:9}",
        " ",
    ] {
        client.send_text(text).await;
        client.expect_error(0, 0).await;
    }
    client.expect_silence().await;
}

// §10 case 52
#[tokio::test]
async fn a_request_without_a_field_that_it_needs_is_error_1_with_its_id() {
    let (_gateway, mut client) = start().await;
    for request in [
        r#"{"id":9,"cmd":"bind","sys":"sys-1"}"#,
        r#"{"id":9,"cmd":"bind","mod":"Display","name":"power"}"#,
        r#"{"id":9,"cmd":"unbind","sys":"sys-1","mod":"Display"}"#,
        r#"{"id":9,"cmd":"exec","sys":"sys-1","mod":"Display"}"#,
        r#"{"id":9,"cmd":"debug","sys":"sys-1"}"#,
        r#"{"id":9,"sys":"sys-1","mod":"Display","name":"power"}"#,
        r#"{"id":9}"#,
    ] {
        client.send_text(request).await;
        client.expect_error(9, 1).await;
    }
    client.expect_silence().await;
}

// §10 case 53
#[tokio::test]
async fn an_unknown_command_is_error_4_with_its_id() {
    let (_gateway, mut client) = start().await;
    for command in ["dance", "", "bindd", "subscribe"] {
        client.send(display("power").request(9, command)).await;
        client.expect_error(9, 4).await;
    }
    client.send_text(r#"{"id":"x","cmd":"dance"}"#).await;
    client.expect_error("x", 4).await;
}

// §10 case 54
#[tokio::test]
async fn json_that_is_no_request_is_error_1_and_the_connection_goes_on() {
    let (_gateway, mut client) = start().await;
    for text in ["[1,2]", r#""""#, r#""ping""#, "null", "{}", "12", "true"] {
        client.send_text(text).await;
        client.expect_error(0, 1).await;
    }
    client.expect_silence().await;
}

// §10 case 55
#[tokio::test]
async fn an_id_comes_back_byte_for_byte() {
    let (gateway, mut client) = start().await;
    let mut support = gateway.connect(Key::SUPPORT).await;
    let meta = r#""meta":{"sys":"sys-1","mod":"Display","index":1,"name":"#;
    for id in [
        r#""abc""#,
        "12",
        "-5",
        "1.5",
        "1.0",
        "1152921504606846976",
        "18446744073709551616000",
        "1E+02",
        r#""""#,
        r#""7""#,
        r#""\u0041\/\"😀""#,
    ] {
        let ask = async |client: &mut TestClient, rest: &str, answer: &str| {
            let request = format!(r#"{{"id":{id},"sys":"sys-1","mod":"Display",{rest}}}"#);
            client.send_text(&request).await;
            client
                .expect_text(&format!(r#"{{"id":{id},{answer}}}"#))
                .await;
        };
        ask(
            &mut client,
            r#""cmd":"bind","name":"v""#,
            &format!(r#""type":"success",{meta}"v"}}"#),
        )
        .await;
        ask(
            &mut client,
            r#""cmd":"unbind","name":"v""#,
            &format!(r#""type":"success",{meta}"v"}}"#),
        )
        .await;
        ask(
            &mut client,
            r#""cmd":"exec","name":"echo","args":[1]"#,
            &format!(r#""type":"success","value":1,{meta}"echo"}},"code":200"#),
        )
        .await;
        ask(
            &mut support,
            r#""cmd":"debug","name":"debug""#,
            &format!(r#""type":"success","mod_id":"mod-d1",{meta}"debug"}}"#),
        )
        .await;
        ask(
            &mut support,
            r#""cmd":"ignore","name":"i""#,
            r#""type":"success""#,
        )
        .await;
        let refusal = format!(r#"{{"id":{id},"cmd":"dance"}}"#);
        client.send_text(&refusal).await;
        let text = client.next_text("a refusal").await;
        assert!(
            text.starts_with(&format!(r#"{{"id":{id},"type":"error""#)),
            "{text}"
        );
    }
}

#[tokio::test]
async fn an_id_that_is_no_number_or_string_is_error_1_with_id_0() {
    let (_gateway, mut client) = start().await;
    for id in [json!(null), json!(true), json!([1]), json!({"a": 1})] {
        client.send(display("power").bind(id)).await;
        client.expect_error(0, 1).await;
    }
    client
        .send(json!({"cmd": "bind", "sys": "s", "mod": "M", "name": "n"}))
        .await;
    client.expect_error(0, 1).await;
}

// §10 cases 56 and 57
#[tokio::test]
async fn extra_fields_and_commands_in_capitals_are_taken() {
    let (_gateway, mut client) = start().await;
    let power = display("power");
    let mut extra = power.request(1, "BIND");
    extra["foo"] = json!({"bar": [1]});

    client.send(extra).await;

    client.expect(power.success(1)).await;
    client.send(power.request(2, "Unbind")).await;
    client.expect(power.success(2)).await;
}

#[tokio::test]
async fn every_cut_and_every_spoilt_letter_of_a_request_is_answered_exactly_once() {
    let (_gateway, mut client) = start().await;
    let mut texts = Vec::new();
    for request in [display("v").bind(1), display("echo").exec("x", json!([1]))] {
        let text = request.to_string();
        for at in 0..text.len() {
            texts.push(text[..at].to_owned());
            for spoilt in ['"', '}', ',', '\\', '\0', '9', 'a', '\u{e9}'] {
                texts.push(format!("{}{spoilt}{}", &text[..at], &text[at + 1..]));
            }
        }
    }
    let count = texts.len();

    let answers = client.pipeline_texts(texts, count).await;

    for answer in answers {
        let frame: Value = serde_json::from_str(&answer).expect("an answer is JSON");
        assert!(
            frame["type"] == "success" || frame["type"] == "error",
            "{answer}"
        );
    }
    client.expect_silence().await;
}

#[tokio::test]
async fn an_index_is_a_whole_number_of_32_bits() {
    let (_gateway, mut client) = start().await;
    let with = |index: Value| {
        let mut request = display("echo").exec(1, json!([1]));
        request["index"] = index;
        request
    };
    for index in [json!("1"), json!(1.5), json!(true), json!([])] {
        client.send(with(index)).await;
        client.expect_error(1, 1).await;
    }
    // A point makes no fraction.
    client.send(with(json!(1.0))).await;
    assert_eq!(client.next().await["value"], json!(1));
    client.send(with(json!(2_147_483_648_u64))).await;
    client.expect_error(1, 1).await;
    client.send(with(json!(i32::MAX))).await;
    client.expect_error(1, 6).await;
    client.send(with(json!(i32::MIN))).await;
    client.expect_error(1, 6).await;
}

#[tokio::test]
async fn args_are_an_array_or_named() {
    let (_gateway, mut client) = start().await;
    for args in [json!(true), json!(1), json!("[1]")] {
        client.send(display("echo").exec(1, args)).await;
        client.expect_error(1, 1).await;
    }
}

#[tokio::test]
async fn binary_messages_are_passed_over() {
    let (_gateway, mut client) = start().await;
    client
        .send_message(Message::binary(&b"\xff\x00ping"[..]))
        .await;
    let request = display("power").bind(1).to_string();
    client
        .send_message(Message::binary(request.into_bytes()))
        .await;
    client.expect_silence().await;
}

#[tokio::test]
async fn a_message_in_fragments_is_one_message_and_pings_may_come_in_between() {
    let (gateway, _) = start().await;
    let mut client = gateway.connect_wire(Key::USER).await;
    let echo = scratch("echo");
    let request = echo.exec(1, json!(["in pieces"])).to_string();
    let (first, rest) = request.as_bytes().split_at(10);
    let (second, third) = rest.split_at(10);

    client.send(Fin::MoreFollows, Opcode::Text, first).await;
    client.send(Fin::Last, Opcode::Ping, b"p").await;
    client
        .send(Fin::MoreFollows, Opcode::Continuation, second)
        .await;
    client.send(Fin::Last, Opcode::Continuation, third).await;

    let pong = client.next(DEADLINE).await;
    assert_eq!(pong, Some((Opcode::Pong, b"p".to_vec())));
    let (opcode, payload) = client.next(DEADLINE).await.expect("an answer");
    let answer: Value = serde_json::from_slice(&payload).expect("JSON");
    assert_eq!(
        (opcode, answer),
        (Opcode::Text, echo.result(1, "in pieces"))
    );
}

// §10 case 66
#[tokio::test]
async fn a_message_over_the_limit_is_closed_with_1009_and_the_others_are_served() {
    let (gateway, mut other) = start().await;
    let mut client = gateway.connect(Key::USER).await;

    let large = display("echo").exec(1, json!(["x".repeat(3 * 1024 * 1024)]));
    let closed = client.send_until_closed(large).await;

    assert_eq!(closed, (1009, "message_too_large".to_owned()));
    other.expect_silence().await;
}

#[tokio::test]
async fn a_message_just_below_the_limit_is_carried() {
    let (_gateway, mut client) = start().await;
    let large = "x".repeat(2 * 1024 * 1024 - 200);
    let value = client.call(display("echo"), json!([large])).await;
    assert_eq!(value.as_str().map(str::len), Some(large.len()));
}

#[tokio::test]
async fn a_message_that_is_only_announced_as_too_large_is_closed_before_it_comes() {
    let (gateway, mut other) = start().await;
    for announced in [2 * 1024 * 1024 + 1, u64::MAX >> 1] {
        let mut client = gateway.connect_wire(Key::USER).await;
        client.announce_text(announced).await;
        let (code, _) = client.expect_close(DEADLINE).await;
        assert_eq!(code, 1009);
    }
    other.expect_silence().await;
}

#[tokio::test]
async fn fragments_that_add_up_to_too_much_are_closed_with_1009() {
    let plan = Plan::serve(BUILDING).variable("RISER_LIMITS__MESSAGE_MAX", "1KiB");
    let gateway = plan.start().await;
    let mut client = gateway.connect_wire(Key::USER).await;

    let piece = [b' '; 400];
    client.send(Fin::MoreFollows, Opcode::Text, &piece).await;
    for _ in 0..2 {
        client
            .send(Fin::MoreFollows, Opcode::Continuation, &piece)
            .await;
    }

    let (code, reason) = client.expect_close(DEADLINE).await;
    assert_eq!((code, &*reason), (1009, "message_too_large"));
}

#[tokio::test]
async fn what_breaks_the_protocol_below_is_closed_with_its_own_code() {
    let (gateway, mut other) = start().await;
    let cases: [(&str, &[u8], u16); 7] = [
        ("text that is not UTF-8", b"\x81\x82\0\0\0\0\xff\xfe", 1007),
        ("a frame without a mask", b"\x81\x04ping", 1002),
        ("a reserved bit", b"\xc1\x84\0\0\0\0ping", 1002),
        ("an unknown opcode", b"\x83\x80\0\0\0\0", 1002),
        ("a continuation of nothing", b"\x80\x80\0\0\0\0", 1002),
        ("a ping in pieces", b"\x09\x80\0\0\0\0", 1002),
        ("a ping that is too long", b"\x89\xfe\0\x7e\0\0\0\0", 1002),
    ];
    for (what, bytes, expected) in cases {
        let mut client = gateway.connect_wire(Key::USER).await;
        client.send_bytes(bytes).await;
        let (code, _) = client.expect_close(DEADLINE).await;
        assert_eq!(code, expected, "{what}");
    }
    other.expect_silence().await;
}

#[tokio::test]
async fn a_close_is_answered_with_a_close_and_the_end() {
    let (gateway, mut other) = start().await;
    let mut client = gateway.connect_wire(Key::USER).await;

    client.send(Fin::Last, Opcode::Close, b"\x03\xe8").await;

    let answer = client.next(DEADLINE).await;
    assert!(matches!(answer, Some((Opcode::Close, _))), "{answer:?}");
    client.expect_end(DEADLINE).await;
    other.expect_silence().await;
}
