//! Brokers as they should not be: silent, broken, no brokers at all. The test plays them, byte by byte.

use driver_sdk::serde_json::{Value, json};
use driver_sdk::testkit::Module;
use test_support::{DEADLINE, within};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::module;

/// A broker that the test plays.
struct Listener(TcpListener);

/// One connection of the module.
struct Line(TcpStream);

/// A packet as it came: its kind, and what follows its length.
#[derive(Debug)]
struct Packet {
    kind: u8,
    body: Vec<u8>,
}

impl Listener {
    async fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await;
        Self(listener.expect("a port is free"))
    }

    fn uri(&self) -> String {
        let address = self.0.local_addr().expect("it listens");
        format!("mqtt://{address}")
    }

    async fn accept(&self) -> Line {
        let what = || "a connection of the module".to_owned();
        let (stream, _) = within(DEADLINE, what, self.0.accept())
            .await
            .expect("it comes");
        Line(stream)
    }
}

impl Line {
    /// The next packet of the module, which is shorter than 128 bytes.
    async fn packet(&mut self) -> Packet {
        let read = async {
            let mut head = [0; 2];
            self.0.read_exact(&mut head).await?;
            let mut body = vec![0; usize::from(head[1])];
            self.0.read_exact(&mut body).await?;
            Ok::<_, std::io::Error>(Packet {
                kind: head[0] >> 4,
                body,
            })
        };
        let what = || "a packet of the module".to_owned();
        within(DEADLINE, what, read)
            .await
            .expect("the module stays")
    }

    /// Waits for a packet of this kind.
    async fn expect(&mut self, kind: u8) -> Vec<u8> {
        let packet = self.packet().await;
        assert_eq!(packet.kind, kind, "{packet:?}");
        packet.body
    }

    async fn send(&mut self, bytes: &[u8]) {
        // The module may have hung up.
        let _ = self.0.write_all(bytes).await;
    }

    /// Lets the module in: connection, subscription, birth, ping.
    async fn welcome(&mut self) {
        self.expect(1).await;
        self.send(&[0x20, 2, 0, 0]).await;
        let subscribe = self.expect(8).await;
        self.send(&[0x90, 3, subscribe[0], subscribe[1], 0]).await;
        let publish = self.expect(3).await;
        let topic = usize::from(publish[1]);
        self.send(&[0x40, 2, publish[2 + topic], publish[3 + topic]])
            .await;
        self.expect(12).await;
        self.send(&[0xD0, 0]).await;
    }

    async fn wait_closed(&mut self) {
        let closing = async { while matches!(self.0.read(&mut [0; 256]).await, Ok(1..)) {} };
        within(DEADLINE, || "the end of the connection".to_owned(), closing).await;
    }
}

fn settings() -> Value {
    json!({"statuses": {"door": "d"}})
}

async fn connected() -> (Listener, Line, Module) {
    let listener = Listener::new().await;
    let module = module::start(&listener.uri(), settings()).await;
    let mut line = listener.accept().await;
    line.welcome().await;
    module.wait_connected(true).await;
    (listener, line, module)
}

#[tokio::test]
async fn a_broker_that_says_nothing_is_not_connected() {
    let listener = Listener::new().await;
    let module = module::start(&listener.uri(), settings()).await;
    let mut line = listener.accept().await;
    line.expect(1).await;
    line.wait_closed().await;
    assert_eq!(module.json("connected").as_deref(), Some("false"));
    let mut line = listener.accept().await;
    line.welcome().await;
    module.wait_connected(true).await;
}

#[tokio::test]
async fn a_module_is_not_connected_before_the_broker_has_taken_its_subscription() {
    let listener = Listener::new().await;
    let module = module::start(&listener.uri(), settings()).await;
    let mut line = listener.accept().await;
    line.expect(1).await;
    line.send(&[0x20, 2, 0, 0]).await;
    line.expect(8).await;
    let error = module.call("publish", ("a", 1)).await.unwrap_err();
    assert_eq!(error.code(), 503);
    assert_eq!(module.json("connected").as_deref(), Some("false"));
}

#[tokio::test]
async fn a_broker_that_falls_silent_is_not_connected_and_statuses_stay() {
    let (listener, mut line, module) = connected().await;
    line.send(b"\x30\x07\0\x01dopen").await;
    module.wait_json("door", r#""open""#).await;
    // The next ping is not answered.
    line.expect(12).await;
    module.wait_connected(false).await;
    assert_eq!(module.json("door").as_deref(), Some(r#""open""#));
    let mut line = listener.accept().await;
    line.welcome().await;
    module.wait_connected(true).await;
}

#[tokio::test]
async fn a_connection_that_the_broker_closes_is_lost_at_once() {
    let (listener, line, module) = connected().await;
    drop(line);
    module.wait_connected(false).await;
    module.wait_line("the broker closed the connection").await;
    let mut line = listener.accept().await;
    line.welcome().await;
    module.wait_connected(true).await;
}

#[tokio::test]
async fn a_message_that_the_broker_does_not_acknowledge_is_an_error_and_is_not_sent_again() {
    let (listener, mut line, module) = connected().await;
    let broker = async {
        line.expect(3).await;
        drop(line);
        let mut line = listener.accept().await;
        line.welcome().await;
        line
    };
    let (result, mut line) = tokio::join!(module.call("publish", ("a", "first")), broker);
    let error = result.unwrap_err();
    assert_eq!(error.code(), 502);
    assert!(error.message().contains("may have run it"), "{error}");
    module.wait_connected(true).await;
    let (_, next) = tokio::join!(module.call("publish", ("a", "second")), async {
        let next = line.expect(3).await;
        drop(line);
        next
    });
    assert!(next.ends_with(b"second"));
}

#[tokio::test]
async fn packets_that_come_in_pieces_or_together_are_read() {
    let (_listener, mut line, module) = connected().await;
    for byte in b"\x30\x07\0\x01dopen" {
        line.send(&[*byte]).await;
        tokio::task::yield_now().await;
    }
    module.wait_json("door", r#""open""#).await;
    line.send(b"\x30\x04\0\x01d1\x30\x04\0\x01d2\x30\x04\0\x01d3")
        .await;
    module.wait_json("door", "3").await;
}

#[tokio::test]
async fn what_is_no_broker_is_said_and_tried_again() {
    let listener = Listener::new().await;
    let module = module::start(&listener.uri(), settings()).await;
    let mut line = listener.accept().await;
    line.expect(1).await;
    line.send(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
    module
        .wait_line("what answers there does not speak MQTT 3.1.1")
        .await;
    let mut line = listener.accept().await;
    line.welcome().await;
    module.wait_connected(true).await;
}

#[tokio::test]
async fn a_topic_that_is_no_text_or_is_refused_ends_nothing() {
    let listener = Listener::new().await;
    let module = module::start(
        &listener.uri(),
        json!({
            "availability_topic": "",
            "statuses": {"door": "d", "secret": "s"},
        }),
    )
    .await;
    let mut line = listener.accept().await;
    line.expect(1).await;
    line.send(&[0x20, 2, 0, 0]).await;
    let subscribe = line.expect(8).await;
    line.send(&[0x90, 4, subscribe[0], subscribe[1], 0, 0x80])
        .await;
    line.expect(12).await;
    line.send(b"\x30\x04\0\x01\xFF1\xD0\0").await;
    module.wait_connected(true).await;
    line.send(b"\x30\x04\0\x01d1").await;
    module.wait_json("door", "1").await;
    let expect = [
        "the broker refuses the topic 's'",
        "a message whose topic is no text was dropped",
    ];
    assert_eq!(module.warnings(), expect);
}

#[tokio::test]
async fn settings_that_do_not_fit_are_refused_with_their_place() {
    let check = |settings: Value, expect: &'static str| async move {
        let starting = Module::of(&driver_mqtt::Mqtt::DEFINITION).uri("mqtt://127.0.0.1:1");
        let error = starting.start(settings).await.unwrap_err();
        let message = error
            .message()
            .strip_prefix("the module's settings do not fit: ");
        assert_eq!(message, Some(expect));
    };
    let wildcard = "statuses.door: expected a topic of one place, without the wildcards + and #";
    check(json!({"statuses": {"door": "a/+"}}), wildcard).await;
    let pointer = "statuses.door.pointer: expected a JSON pointer, which begins with `/`";
    check(
        json!({"statuses": {"door": {"topic": "a", "pointer": "b"}}}),
        pointer,
    )
    .await;
    let retain = "commands.lamp.retain: expected a boolean";
    check(
        json!({"commands": {"lamp": {"topic": "a", "retain": 1}}}),
        retain,
    )
    .await;
    let name =
        "statuses.connected: 'connected' is a status that every module has; choose another name";
    check(json!({"statuses": {"connected": "a"}}), name).await;
}
