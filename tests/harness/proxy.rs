//! A proxy in front of a server that can let everything stand still without a word, as a network does that has fallen apart.
//!
//! While it holds, connections stay open and new ones are taken, but no byte goes either way.
//! When it lets go, what was under way arrives late, as after retransmissions.

use std::net::{Ipv4Addr, SocketAddr};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// A running proxy. Dropping it ends it with all its connections.
#[derive(Debug)]
pub(crate) struct Proxy {
    address: SocketAddr,
    weather: watch::Sender<Weather>,
    _tasks: JoinSet<()>,
}

/// What a proxy does at the moment.
#[derive(Debug, Clone, Copy, Default)]
struct Weather {
    holds: bool,
    /// How often all connections have been cut.
    cuts: u64,
    /// What is put in the place of what, of the same length, in what the server says.
    lie: Option<Lie>,
}

type Lie = (&'static [u8], &'static [u8]);

impl Proxy {
    /// Hands what it gets to this address.
    pub(crate) async fn before(server: SocketAddr) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await;
        let listener = listener.expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let weather = watch::Sender::new(Weather::default());
        let watched = weather.subscribe();
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                connections.spawn(carry(stream, server, watched.clone()));
            }
        });
        Self {
            address,
            weather,
            _tasks: tasks,
        }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Lets no byte through from here on.
    pub(crate) fn hold(&self) {
        self.weather.send_modify(|weather| weather.holds = true);
    }

    /// Lets everything through, also what was held.
    pub(crate) fn let_go(&self) {
        self.weather.send_modify(|weather| weather.holds = false);
    }

    /// Puts other bytes in the place of those that the server sends, as many of them.
    pub(crate) fn lie(&self, truth: &'static [u8], told: &'static [u8]) {
        assert_eq!(truth.len(), told.len(), "frames keep their lengths");
        let lie = Some((truth, told));
        self.weather.send_modify(|weather| weather.lie = lie);
    }

    /// Ends all connections.
    pub(crate) fn cut(&self) {
        self.weather.send_modify(|weather| weather.cuts += 1);
    }
}

/// Carries one connection until either side ends it or it is cut.
async fn carry(outside: TcpStream, server: SocketAddr, mut weather: watch::Receiver<Weather>) {
    let cuts = weather.borrow().cuts;
    let passing = weather.clone();
    let work = async {
        clear(&mut passing.clone()).await;
        let Ok(inside) = TcpStream::connect(server).await else {
            return;
        };
        let (outside_reader, outside_writer) = outside.into_split();
        let (inside_reader, inside_writer) = inside.into_split();
        tokio::join!(
            forward(outside_reader, inside_writer, passing.clone()),
            forward(inside_reader, outside_writer, passing.clone()),
        );
    };
    tokio::select! {
        () = work => {}
        _ = weather.wait_for(|weather| weather.cuts != cuts) => {}
    }
}

async fn forward(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    mut weather: watch::Receiver<Weather>,
) {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let read = from.read(&mut buffer).await;
        clear(&mut weather).await;
        let written = match read {
            // How a connection ended is for the two sides to see.
            Ok(0) | Err(_) => {
                let _ = to.shutdown().await;
                return;
            }
            Ok(count) => {
                let bytes = &mut buffer[..count];
                if let Some(lie) = weather.borrow().lie {
                    tell(lie, bytes);
                }
                to.write_all(bytes).await
            }
        };
        if written.is_err() {
            return;
        }
    }
}

fn tell((truth, told): Lie, bytes: &mut [u8]) {
    let found = bytes
        .windows(truth.len())
        .position(|window| window == truth);
    if let Some(at) = found {
        bytes[at..at + told.len()].copy_from_slice(told);
    }
}

/// Waits until bytes may pass.
async fn clear(weather: &mut watch::Receiver<Weather>) {
    // An error means that the proxy ends, and this connection with it.
    let _ = weather.wait_for(|weather| !weather.holds).await;
}
