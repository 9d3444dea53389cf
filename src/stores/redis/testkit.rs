//! A real `redis-server` of one test's own: on a unix socket in a folder of its own, keeping nothing on disk unless its arguments say so.
//! `proxy` is a way to it that a test can close.

pub(super) mod proxy;

use std::path::PathBuf;
use std::process::Stdio;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{FromRedisValue, ToRedisArgs};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use crate::stores::redis::{Link, RedisAddress, RedisTls};

/// How long anything here may take on a busy machine.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);

/// A running server. Dropping it ends it and removes its folder.
pub(super) struct TestRedis {
    folder: PathBuf,
    arguments: Vec<String>,
    server: Child,
}

impl TestRedis {
    /// A server that keeps nothing.
    pub(super) async fn start() -> Self {
        Self::start_with(&[]).await
    }

    /// The same with further arguments, such as `["--requirepass", "x"]`.
    pub(super) async fn start_with(arguments: &[&str]) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("riser-redis-{}-{count}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&folder).unwrap();
        let arguments: Vec<String> = arguments.iter().map(|&text| text.to_owned()).collect();
        let server = launch(&folder, &arguments).await;
        Self {
            folder,
            arguments,
            server,
        }
    }

    /// The address of its socket.
    pub(super) fn url(&self) -> String {
        format!("unix://{}", self.folder.join("socket").display())
    }

    /// The way to it.
    pub(super) fn link(&self) -> Link {
        Link::new(RedisAddress::parse(&self.url(), RedisTls::default()).unwrap())
    }

    /// A connection of the test's own.
    pub(super) async fn connection(&self) -> MultiplexedConnection {
        self.link().connect(PATIENCE, None).await.unwrap().0
    }

    /// Runs one command by a connection of its own.
    pub(super) async fn run<T: FromRedisValue>(&self, command: &[impl ToRedisArgs]) -> T {
        let (name, arguments) = command.split_first().unwrap();
        let mut connection = self.connection().await;
        let name = String::from_utf8(name.to_redis_args().concat()).unwrap();
        redis::cmd(&name)
            .arg(arguments)
            .query_async(&mut connection)
            .await
            .unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// Kills it, as a power cut would.
    pub(super) async fn kill(&mut self) {
        self.server.kill().await.unwrap();
    }

    /// Starts it again at the same place, after [`Self::kill`].
    pub(super) async fn start_again(&mut self) {
        self.server = launch(&self.folder, &self.arguments).await;
    }

    /// Lets it answer nothing and keep its connections open, until [`Self::thaw`].
    pub(super) async fn freeze(&self) {
        self.signal("STOP").await;
    }

    /// Lets it go on.
    pub(super) async fn thaw(&self) {
        self.signal("CONT").await;
    }

    async fn signal(&self, name: &str) {
        let id = self.server.id().expect("the server runs").to_string();
        let mut kill = Command::new("kill");
        let status = kill.args(["-s", name, &id]).status().await.unwrap();
        assert!(status.success(), "kill -s {name} {id}: {status}");
    }
}

impl Drop for TestRedis {
    fn drop(&mut self) {
        // The server itself ends with its handle. A folder that stays is no reason to fail.
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// Starts a server and waits until it takes connections.
async fn launch(folder: &PathBuf, arguments: &[String]) -> Child {
    let mut server = Command::new("redis-server")
        .args(["--port", "0", "--unixsocket", "socket", "--save", ""])
        .args(["--appendonly", "no", "--dir"])
        .arg(folder)
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("redis-server is on the path");
    let said = server.stdout.take().expect("it is piped");
    let mut lines = BufReader::new(said).lines();
    let ready = async {
        let mut all = Vec::new();
        while let Some(line) = lines.next_line().await.unwrap() {
            if line.to_lowercase().contains("ready to accept connections") {
                return;
            }
            all.push(line);
        }
        panic!("redis-server ended:\n{}", all.join("\n"));
    };
    tokio::time::timeout(PATIENCE, ready)
        .await
        .expect("redis-server is ready in time");
    // Its further output is dropped.
    server
}

#[tokio::test]
async fn a_server_can_be_frozen_and_killed() {
    let mut redis = TestRedis::start().await;
    let mut impatient = redis.connection().await;
    impatient.set_response_timeout(Duration::from_millis(50));
    redis.freeze().await;
    let silence: redis::RedisResult<String> = redis::cmd("PING").query_async(&mut impatient).await;
    assert!(silence.unwrap_err().is_timeout());
    redis.thaw().await;
    let answer: String = redis.run(&["PING"]).await;
    assert_eq!(answer, "PONG");

    redis.kill().await;
    let lost = redis.link().connect(PATIENCE, None).await.unwrap_err();
    assert!(
        matches!(lost, crate::stores::StoreError::Unreachable { .. }),
        "{lost}"
    );
    redis.start_again().await;
    let keys: Vec<String> = redis.run(&["KEYS", "*"]).await;
    assert!(keys.is_empty());
}
