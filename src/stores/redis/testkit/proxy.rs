//! A way to a server that a test can close, or let swallow or delay what is sent.

use std::path::{Path, PathBuf};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::stores::redis::testkit::TestRedis;
use crate::stores::redis::{Link, RedisAddress, RedisTls};

/// What a way does with connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Open,
    /// All are closed, and each new one at once.
    Closed,
    /// They stay open, and nothing comes through until they go on.
    Silent,
    /// What comes by those that are there waits, and new ones are as ever.
    Delayed,
}

/// The way of one process. Its connections end with it.
pub(in crate::stores::redis) struct Proxy {
    path: PathBuf,
    mode: watch::Sender<Mode>,
    _work: JoinSet<()>,
}

impl Proxy {
    pub(in crate::stores::redis) fn start(redis: &TestRedis, name: &str) -> Self {
        let target = PathBuf::from(redis.url().strip_prefix("unix://").unwrap());
        let path = target.with_file_name(name);
        let listener = UnixListener::bind(&path).unwrap();
        let mode = watch::Sender::new(Mode::Open);
        let mut work = JoinSet::new();
        work.spawn(accept(listener, target, mode.subscribe()));
        Self {
            path,
            mode,
            _work: work,
        }
    }

    pub(in crate::stores::redis) fn link(&self) -> Link {
        let url = format!("unix://{}", self.path.display());
        Link::new(RedisAddress::parse(&url, RedisTls::default()).unwrap())
    }

    pub(in crate::stores::redis) fn open(&self) {
        self.mode.send_replace(Mode::Open);
    }

    pub(in crate::stores::redis) fn close(&self) {
        self.mode.send_replace(Mode::Closed);
    }

    pub(in crate::stores::redis) fn silence(&self) {
        self.mode.send_replace(Mode::Silent);
    }

    pub(in crate::stores::redis) fn delay(&self) {
        self.mode.send_replace(Mode::Delayed);
    }
}

async fn accept(listener: UnixListener, target: PathBuf, mode: watch::Receiver<Mode>) {
    let mut connections = JoinSet::new();
    loop {
        let (client, _) = listener.accept().await.unwrap();
        let first = *mode.borrow();
        if first != Mode::Closed {
            connections.spawn(connect(client, target.clone(), mode.clone(), first));
        }
        while connections.try_join_next().is_some() {}
    }
}

async fn connect(
    client: UnixStream,
    target: impl AsRef<Path>,
    mode: watch::Receiver<Mode>,
    first: Mode,
) {
    let Ok(server) = UnixStream::connect(target).await else {
        return;
    };
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let lets_through = move |mode: Mode| match mode {
        Mode::Open => true,
        Mode::Delayed => first == Mode::Delayed,
        Mode::Closed | Mode::Silent => false,
    };
    let mut closed = mode.clone();
    // What the client has sent arrives also where nothing can be written to it any more.
    let pumps = async {
        tokio::join!(
            pump(from_client, to_server, mode.clone(), lets_through),
            pump(from_server, to_client, mode, lets_through),
        )
    };
    tokio::select! {
        _ = pumps => {}
        _ = closed.wait_for(|mode| *mode == Mode::Closed) => {}
    }
}

async fn pump(
    mut from: impl AsyncReadExt + Unpin,
    mut to: impl AsyncWriteExt + Unpin,
    mut mode: watch::Receiver<Mode>,
    lets_through: impl Fn(Mode) -> bool,
) {
    let mut buffer = vec![0; 16 << 10];
    while let Ok(count @ 1..) = from.read(&mut buffer).await {
        let is_open = mode.wait_for(|mode| lets_through(*mode)).await.is_ok();
        if !is_open || to.write_all(&buffer[..count]).await.is_err() {
            return;
        }
    }
}
