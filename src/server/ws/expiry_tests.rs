//! A websocket over the end of the token that opened it, by a clock that the test sets.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::future::join;
use futures_util::{SinkExt, StreamExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{WebSocketStream, client_async};
use tokio_util::sync::CancellationToken;

use crate::core::tests::testkit::TestCore;
use crate::core::{App, Caller, Core};
use crate::dialects::DialectKind;
use crate::model::{
    Building, Clearance, Credentials, DeviceKind, Failure, Scope, Secret, Timestamp, User, UserId,
};
use crate::server::{KeepAliveSettings, Server, ServerSettings};

const PATIENCE: Duration = Duration::from_secs(20);

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// The host name by which the server is called.
const DOMAIN: &str = "127.0.0.1";

/// When the token is made, in Unix seconds.
const NOW: u64 = 1_800_000_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_socket_of_a_token_without_a_refresh_token_lives_as_long_as_its_sign_in() {
    let clock = Arc::new(AtomicU64::new(NOW));
    let core = core(&clock).await;
    let user = UserId::new("user-ann").unwrap();
    let cookie = core.sign_ins.sign_in_known(&user, HERE).await.unwrap();
    let browser = authenticate(&core, Credentials::Session(cookie)).unwrap();
    let issued = core.sign_ins.grant_token(&browser, app()).await.unwrap();
    assert!(issued.refresh.is_none());

    let server = Server::bind(Arc::clone(&core), settings(), String::new).unwrap();
    server.readiness_gate().open();
    let (at, stop) = (server.address(), CancellationToken::new());
    let serving = server.run(stop.clone());
    let testing = async {
        let mut client = Client::open(at, &issued.access).await;
        client.answers().await;

        clock.fetch_add(issued.expires_in, Ordering::Relaxed);
        let shown = Credentials::Bearer {
            token: issued.access.clone(),
            domain: DOMAIN.to_owned(),
        };
        let refused = authenticate(&core, shown).unwrap_err();
        assert_eq!(refused.message(), "the bearer token has expired");
        // The first may have been on its way already; behind the second all connections have been looked at.
        client.hear_ping().await;
        client.hear_ping().await;
        client.answers().await;

        core.sign_ins.sign_out(&browser).await.unwrap();
        client.hear_close().await;
        stop.cancel();
    };
    let (served, ()) = join(serving, testing).await;
    served.unwrap();
}

/// A core with one user, by this clock.
async fn core(clock: &Arc<AtomicU64>) -> Arc<Core> {
    let hand = Arc::clone(clock);
    let time = move || Timestamp::from_secs(hand.load(Ordering::Relaxed));
    let core = TestCore::by_clock(Arc::new(time));
    let ann = User {
        email: "ann@example.test".to_owned(),
        name: "Ann".to_owned(),
        level: Clearance::User,
        ..User::new(&UserId::new("user-ann").unwrap())
    };
    let building = Building {
        users: vec![ann],
        ..Building::default()
    };
    core.apply(building).await;
    core.core
}

fn authenticate(core: &Core, shown: Credentials) -> Result<Caller, Failure> {
    core.access.authenticate(&[shown], HERE)
}

fn app() -> App {
    App {
        client: "app".to_owned(),
        scopes: Scope::parse(Scope::PUBLIC).into_iter().collect(),
        domain: DOMAIN.to_owned(),
        device: DeviceKind::default(),
    }
}

/// Idle connections are pinged at once, by the task that looks for expired tokens.
fn settings() -> ServerSettings {
    ServerSettings {
        listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
        workers: 1,
        dialects: vec![DialectKind::PlaceOs.as_str()],
        keep_alive: KeepAliveSettings {
            ping_after: Duration::from_millis(100),
            pong_every: Duration::from_secs(60),
            reap_after: Duration::from_secs(60),
        },
        ..ServerSettings::default()
    }
}

struct Client(WebSocketStream<TcpStream>);

impl Client {
    async fn open(at: SocketAddr, token: &Secret) -> Self {
        let token = token.expose();
        let url = format!("ws://{at}/api/engine/v2/systems/control?bearer_token={token}");
        let stream = TcpStream::connect(at).await.unwrap();
        let opened = timeout(PATIENCE, client_async(url, stream)).await.unwrap();
        Self(opened.unwrap().0)
    }

    async fn next(&mut self) -> Message {
        let heard = timeout(PATIENCE, self.0.next()).await.unwrap();
        heard.unwrap().unwrap()
    }

    async fn next_but_pings(&mut self) -> Message {
        loop {
            let heard = self.next().await;
            if !heard.is_ping() {
                return heard;
            }
        }
    }

    async fn answers(&mut self) {
        self.0.send(Message::text("ping")).await.unwrap();
        assert_eq!(self.next_but_pings().await, Message::text("pong"));
    }

    async fn hear_ping(&mut self) {
        let heard = self.next().await;
        assert!(heard.is_ping(), "{heard:?}");
    }

    async fn hear_close(&mut self) {
        let heard = self.next_but_pings().await;
        let Message::Close(Some(frame)) = heard else {
            panic!("no close but {heard:?}");
        };
        assert_eq!(u16::from(frame.code), 1008);
    }
}
