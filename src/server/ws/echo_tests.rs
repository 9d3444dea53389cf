//! The seam between server and dialects, by the dialect that uses all of it: over websockets of a server on loopback, and over a stream without a head.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async};
use tokio_util::sync::CancellationToken;

use crate::core::tests::testkit::TestCore;
use crate::dialects::DialectKind;
use crate::model::{
    ApiKey, BindingKey, Clearance, Edit, Entry, KeyId, KeySecret, ModuleId, ModuleIndex,
    ModuleName, Scope, Secret, Slots, StatusName, StatusValue, System, SystemId,
};
use crate::server::{
    ConnectionLimits, KeepAliveSettings, ListenerSettings, OwnAddress, Server, ServerSettings,
    ServingSettings,
};

const PATIENCE: Duration = Duration::from_secs(20);

/// How the dialect says that something is followed.
const FOLLOWING: &str = "Ok(Following { snapshot: [] })";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_signs_in_inside_the_socket() {
    serve(settings(), async |_, at| {
        let mut client = Client::open(at, "anyone").await;
        client.hear_hello().await;
        client.say("anything at all").await;
        client.hear("anything at all").await;
        client.say("bind sys-1 Display power").await;
        client.hear("Err(Unauthenticated)").await;
        // What comes behind it is not looked at before it is known who sends it.
        client.say("sign-in test.secret").await;
        client.say("bind sys-1 Display power").await;
        client.hear("user-test").await;
        client.hear(FOLLOWING).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_signs_in_by_its_path_binds_and_calls() {
    serve(settings(), async |core, at| {
        let mut client = Client::open(at, "test.secret").await;
        client.hear_hello().await;
        client.say("bind sys-1 Display power").await;
        client.hear(FOLLOWING).await;
        publish(core, "power", "true");
        client.hear("power is true").await;
        client.say("follow sys-1 Display all").await;
        client.hear(FOLLOWING).await;
        client.hear("all is true").await;
        publish(core, "volume", "7");
        client.hear("all is 7").await;
        client.say("exec sys-1 Display on").await;
        // The module does not run, which is an answer of the core too.
        client.hear("Err(Unavailable)").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_things_are_followed_from_one_moment_on() {
    serve(settings(), async |core, at| {
        let mut client = Client::open(at, "anyone").await;
        client.hear_hello().await;
        client.say("gather sys-1 Display power").await;
        client.hear("Err(Unauthenticated)").await;
        client.say("sign-in test.secret").await;
        client.hear("user-test").await;
        client.say("gather sys-1 Display power").await;
        client.hear(FOLLOWING).await;
        publish(core, "power", "true");
        client.hear("power is true").await;
        client.hear("power is true").await;
        publish(core, "volume", "7");
        client.hear("power is 7").await;
        // Again it adds nothing, and says all that is there: the status, and what the module has.
        client.say("gather sys-1 Display power").await;
        client.hear("3 known").await;
        publish(core, "volume", "8");
        client.hear("power is 8").await;
        client.say("later").await;
        client.hear("now").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_looks_around_is_told_when_the_building_has_changed() {
    serve(settings(), async |core, at| {
        let mut client = Client::open(at, "test.secret").await;
        client.hear_hello().await;
        for systems in 1..3 {
            let id = SystemId::new(&format!("sys-new-{systems}")).unwrap();
            let edit = Edit::put(Entry::System(System {
                name: "Another room".to_owned(),
                ..System::new(&id)
            }));
            core.core.editor.edit_at_rest(vec![edit]).await.unwrap();
            client.hear(&format!("{systems} systems around")).await;
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_followed_ends_when_who_signs_in_later_does_not_reach_it() {
    serve(settings(), async |core, at| {
        let directory = core.core.queries.directory();
        let user = directory.users().next().unwrap().id.clone();
        let system = SystemId::new("sys-2").unwrap();
        let narrow = ApiKey {
            level: Clearance::Admin,
            scopes: Scope::parse(Scope::PUBLIC).into_iter().collect(),
            systems: vec![system.clone()],
            ..ApiKey::new(
                &KeyId::new("narrow").unwrap(),
                KeySecret::Plain(Secret::new("secret")),
                &user,
            )
        };
        let room = System {
            name: "Another room".to_owned(),
            ..System::new(&system)
        };
        let edits = [Entry::System(room), Entry::ApiKey(narrow)].map(Edit::put);
        core.core.editor.edit_at_rest(edits.into()).await.unwrap();
        let mut client = Client::open(at, "test.secret").await;
        client.hear_hello().await;
        client.say("bind sys-1 Display power").await;
        client.hear(FOLLOWING).await;
        publish(core, "power", "true");
        client.hear("power is true").await;
        client.say("sign-in narrow.secret").await;
        client.hear("user-test").await;
        client.say("bind sys-1 Display power").await;
        client.hear("Err(SystemOutOfReach)").await;
        publish(core, "power", "false");
        client.say("later").await;
        client.hear("now").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bad_credentials_are_told_in_the_dialects_own_words() {
    serve(settings(), async |_, at| {
        let mut client = Client::open(at, "anyone").await;
        client.hear_hello().await;
        client.say("sign-in test.wrong").await;
        client.hear_close(4003, "no").await;

        let mut client = Client::open(at, "test.wrong").await;
        client.hear("goodbye").await;
        client.hear_close(4003, "unauthenticated").await;

        let mut client = Client::open(at, "closed").await;
        client.hear_close(4001, "closed").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_does_not_sign_in_has_its_time() {
    let settings = ServerSettings {
        keep_alive: KeepAliveSettings {
            ping_after: Duration::from_millis(100),
            pong_every: Duration::from_millis(100),
            reap_after: Duration::from_millis(400),
        },
        ..settings()
    };
    serve(settings, async |_, at| {
        let mut client = Client::open(at, "anyone").await;
        client.hear_hello().await;
        // The client answers pings, so it lives.
        client.hear("goodbye").await;
        client.hear_close(4008, "sign_in_timed_out").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_newcomer_to_a_full_gateway_is_told_behind_the_upgrade() {
    let settings = ServerSettings {
        limits: ConnectionLimits {
            connections_max: 1,
            ..ConnectionLimits::default()
        },
        ..settings()
    };
    serve(settings, async |_, at| {
        let mut first = Client::open(at, "anyone").await;
        first.hear_hello().await;
        let mut second = Client::open(at, "anyone").await;
        second.hear("goodbye").await;
        second.hear_close(4100, "too_many_connections").await;
        first.say("still here").await;
        first.hear("still here").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_comes_too_early_and_who_is_there_at_the_end_is_told_too() {
    let core = TestCore::new().await;
    let server = Server::bind(Arc::clone(&core.core), settings(), String::new).unwrap();
    let (at, gate) = (server.address(), server.readiness_gate());
    let stop = CancellationToken::new();
    let serving = server.run(stop.clone());
    let testing = async {
        let mut early = Client::open(at, "anyone").await;
        early.hear("goodbye").await;
        early.hear_close(4100, "starting").await;
        gate.open();
        let mut client = Client::open(at, "anyone").await;
        client.hear_hello().await;
        stop.cancel();
        client.hear("goodbye").await;
        client.hear_close(4100, "going_away").await;
    };
    let (served, ()) = futures_util::future::join(serving, testing).await;
    served.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bytes_and_alarms_reach_the_dialect() {
    serve(settings(), async |_, at| {
        let mut client = Client::open(at, "anyone").await;
        client.hear_hello().await;
        let bytes = Message::binary(vec![0xff; 300]);
        client.0.send(bytes).await.unwrap();
        client.hear("300 bytes").await;
        client.say("later").await;
        client.say("first").await;
        client.hear("first").await;
        client.hear("now").await;
        client.say(&"x".repeat(1025)).await;
        client.hear("goodbye").await;
        client.hear_close(1009, "message_too_large").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_said_is_confirmed_by_the_pong_behind_it_and_by_no_other() {
    serve(settings(), async |_, at| {
        let mut client = Client::open(at, "anyone").await;
        client.hear_hello().await;
        client.say("confirm").await;
        client.hear("here").await;
        client.hear("got it").await;

        // From here on nothing answers pings by itself.
        let mut stream = client.0.into_inner();
        stream.write_all(&masked(TEXT, b"confirm")).await.unwrap();
        let asked = [0x89, 4, 0, 0, 0, 1];
        hear_bytes(&mut stream, &[b"\x81\x04here", &asked[..]].concat()).await;
        stream.write_all(&masked(PONG, b"")).await.unwrap();
        stream.write_all(&masked(PONG, b"else")).await.unwrap();
        stream.write_all(&masked(TEXT, b"not yet")).await.unwrap();
        hear_bytes(&mut stream, b"\x81\x07not yet").await;
        stream.write_all(&masked(PONG, &asked[2..])).await.unwrap();
        hear_bytes(&mut stream, b"\x81\x06got it").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_answers_a_later_ping_alone_has_got_what_was_before() {
    let settings = ServerSettings {
        keep_alive: KeepAliveSettings {
            ping_after: Duration::from_millis(100),
            pong_every: Duration::from_secs(60),
            reap_after: Duration::from_secs(60),
        },
        ..settings()
    };
    serve(settings, async |_, at| {
        let mut client = Client::open(at, "anyone").await;
        client.hear_hello().await;
        let mut stream = client.0.into_inner();
        stream.write_all(&masked(TEXT, b"confirm")).await.unwrap();
        hear_bytes(&mut stream, b"\x81\x04here\x89\x04\0\0\0\x01").await;
        // That of the keep-alive stands for it.
        hear_bytes(&mut stream, b"\x89\x04\0\0\0\x01").await;
        let answer = masked(PONG, b"\0\0\0\x01");
        stream.write_all(&answer).await.unwrap();
        hear_bytes(&mut stream, b"\x81\x06got it").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_without_a_head_is_served_alike() {
    serve_own(ServingSettings::Stream, settings(), async |core, _, at| {
        let mut client = TcpStream::connect(at).await.unwrap();
        hear_framed(&mut client, "hello 1").await;
        client.write_all(b"\x02bind sys-1 Disp").await.unwrap();
        client
            .write_all(b"lay power\x03\x02sign-in test.secret\x03\x02bind sys-1 Display power\x03")
            .await
            .unwrap();
        hear_framed(&mut client, "Err(Unauthenticated)").await;
        hear_framed(&mut client, "user-test").await;
        hear_framed(&mut client, FOLLOWING).await;
        publish(core, "power", "7");
        hear_framed(&mut client, "power is 7").await;
        client.write_all(b"\x02confirm\x03").await.unwrap();
        hear_framed(&mut client, "here").await;
        hear_framed(&mut client, "got it").await;
        client.write_all(b"no frame").await.unwrap();
        hear_framed(&mut client, "goodbye").await;
        let mut rest = Vec::new();
        let read = timeout(PATIENCE, client.read_to_end(&mut rest)).await;
        assert_eq!((read.unwrap().unwrap(), rest), (0, Vec::new()));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_may_be_silent_for_longer_than_a_websocket() {
    let settings = ServerSettings {
        keep_alive: KeepAliveSettings {
            ping_after: Duration::from_millis(50),
            pong_every: Duration::from_secs(60),
            reap_after: Duration::from_millis(200),
        },
        ..settings()
    };
    serve_own(ServingSettings::Stream, settings, async |_, main, at| {
        let mut silent = TcpStream::connect(at).await.unwrap();
        hear_framed(&mut silent, "hello 1").await;
        silent
            .write_all(b"\x02sign-in test.secret\x03")
            .await
            .unwrap();
        hear_framed(&mut silent, "user-test").await;
        // It came later, and is closed because it answers no ping.
        let mut websocket = Client::open(main, "test.secret").await.0.into_inner();
        let mut heard = Vec::new();
        let read = timeout(PATIENCE, websocket.read_to_end(&mut heard)).await;
        read.unwrap().unwrap();
        silent.write_all(b"\x02still here\x03").await.unwrap();
        hear_framed(&mut silent, "still here").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_gateway_has_no_place_for_a_stream() {
    let settings = ServerSettings {
        limits: ConnectionLimits {
            connections_max: 1,
            ..ConnectionLimits::default()
        },
        ..settings()
    };
    serve_own(ServingSettings::Stream, settings, async |_, _, at| {
        let mut first = TcpStream::connect(at).await.unwrap();
        hear_framed(&mut first, "hello 1").await;
        let mut second = TcpStream::connect(at).await.unwrap();
        hear_framed(&mut second, "goodbye").await;
        assert_eq!(second.read(&mut [0]).await.unwrap(), 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_path_is_the_websocket_where_there_is_nothing_else() {
    serve_own(ServingSettings::Websocket, settings(), async |_, _, at| {
        for path in ["", "any/path?at=all", "healthz"] {
            let stream = TcpStream::connect(at).await.unwrap();
            let opened = client_async(format!("ws://{at}/{path}"), stream);
            let (socket, _) = timeout(PATIENCE, opened).await.unwrap().unwrap();
            let mut client = Client(socket);
            client.hear_hello().await;
            client.say(&format!("at {path}")).await;
            client.hear(&format!("at {path}")).await;
        }
        let mut plain = TcpStream::connect(at).await.unwrap();
        let request = b"GET /healthz HTTP/1.1\r\nHost: test\r\n\r\n";
        plain.write_all(request).await.unwrap();
        hear_bytes(&mut plain, b"HTTP/1.1 426 Upgrade Required\r\n").await;
    })
    .await;
}

async fn hear_framed(client: &mut TcpStream, text: &str) {
    hear_bytes(client, &[b"\x02", text.as_bytes(), b"\x03"].concat()).await;
}

async fn hear_bytes(client: &mut TcpStream, wanted: &[u8]) {
    let mut heard = vec![0; wanted.len()];
    let read = timeout(PATIENCE, client.read_exact(&mut heard)).await;
    read.unwrap().unwrap();
    assert_eq!(
        String::from_utf8_lossy(&heard),
        String::from_utf8_lossy(wanted)
    );
}

const TEXT: u8 = 0x81;
const PONG: u8 = 0x8a;

/// A client's frame, masked by zeroes.
fn masked(head: u8, payload: &[u8]) -> Vec<u8> {
    let length = 0x80 | u8::try_from(payload.len()).unwrap();
    [&[head, length, 0, 0, 0, 0], payload].concat()
}

/// A client of the dialect by websocket.
struct Client(WebSocketStream<TcpStream>);

impl Client {
    async fn open(at: SocketAddr, path: &str) -> Self {
        let stream = TcpStream::connect(at).await.unwrap();
        let opened = client_async(format!("ws://{at}/echo/{path}"), stream);
        let (socket, _) = timeout(PATIENCE, opened).await.unwrap().unwrap();
        Self(socket)
    }

    async fn say(&mut self, text: &str) {
        self.0.send(Message::text(text)).await.unwrap();
    }

    async fn next(&mut self) -> Option<Result<Message, Error>> {
        loop {
            match timeout(PATIENCE, self.0.next()).await.unwrap() {
                Some(Ok(Message::Ping(_))) => {}
                message => return message,
            }
        }
    }

    async fn hear_hello(&mut self) {
        match self.next().await {
            Some(Ok(Message::Text(text))) => assert!(text.starts_with("hello "), "{text}"),
            other => panic!("no hello but {other:?}"),
        }
    }

    async fn hear(&mut self, text: &str) {
        match self.next().await {
            Some(Ok(Message::Text(heard))) => assert_eq!(heard.as_str(), text),
            other => panic!("not {text:?} but {other:?}"),
        }
    }

    async fn hear_close(&mut self, code: u16, reason: &str) {
        match self.next().await {
            Some(Ok(Message::Close(Some(frame)))) => {
                assert_eq!(
                    (u16::from(frame.code), frame.reason.as_str()),
                    (code, reason)
                );
            }
            other => panic!("not {code} but {other:?}"),
        }
    }
}

fn settings() -> ServerSettings {
    ServerSettings {
        listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
        workers: 1,
        dialects: vec![DialectKind::Echo.as_str()],
        ..ServerSettings::default()
    }
}

/// Serves for as long as a test goes on.
async fn serve(how: ServerSettings, test: impl AsyncFnOnce(&TestCore, SocketAddr)) {
    serve_with(how, async |core, at, _| test(core, at).await).await;
}

/// The same, with an address of the dialect's own. The test gets the main one and that.
async fn serve_own(
    serves: ServingSettings,
    how: ServerSettings,
    test: impl AsyncFnOnce(&TestCore, SocketAddr, SocketAddr),
) {
    let own = ListenerSettings {
        dialect: DialectKind::Echo.as_str(),
        serves,
        listen: how.listen,
        setting: "echo",
    };
    let how = ServerSettings {
        own_listeners: vec![own],
        ..how
    };
    serve_with(how, async |core, main, own| {
        test(core, main, own[0].address).await;
    })
    .await;
}

async fn serve_with(
    how: ServerSettings,
    test: impl AsyncFnOnce(&TestCore, SocketAddr, Vec<OwnAddress>),
) {
    let core = TestCore::new().await;
    place_module(&core);
    let server = Server::bind(Arc::clone(&core.core), how, String::new).unwrap();
    server.readiness_gate().open();
    let (at, own) = (server.address(), server.own_addresses().unwrap());
    let stop = CancellationToken::new();
    let serving = server.run(stop.clone());
    let testing = async {
        test(&core, at, own).await;
        stop.cancel();
    };
    let (served, ()) = futures_util::future::join(serving, testing).await;
    served.unwrap();
}

fn place_module(core: &TestCore) {
    let slot = (ModuleName::new("Display").unwrap(), ModuleIndex::FIRST);
    let slots: Slots = [(slot, ModuleId::new("mod-1").unwrap())]
        .into_iter()
        .collect();
    core.map(SystemId::new("sys-1").unwrap(), slots);
}

fn publish(core: &TestCore, status: &str, value: &str) {
    let key = BindingKey {
        module: ModuleId::new("mod-1").unwrap(),
        status: StatusName::new(status).unwrap(),
    };
    core.publish(key, Some(StatusValue::parse(value).unwrap()));
}
