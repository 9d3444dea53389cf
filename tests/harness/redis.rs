//! A real redis-server of a test's own, and what tests do to it: write as other programs do, cut its clients off, stop it, kill it, bring it back.

use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;

use redis::aio::MultiplexedConnection;
use redis::{Client, Cmd, FromRedisValue, TlsCertificates, ToRedisArgs};
use tokio::process::Command;
use tokio::time::timeout;

use crate::harness::{Certificate, DEADLINE, Folder, Process, Stream, free_port, within};

/// How a server is to be started.
#[derive(Debug)]
#[must_use]
pub(crate) struct RedisPlan {
    folder: Folder,
    arguments: Vec<String>,
    certificate: Option<Certificate>,
    /// `USER:PASSWORD@` or nothing.
    credentials: String,
}

impl RedisPlan {
    /// Any argument of its own.
    pub(crate) fn arguments<'a>(mut self, more: impl IntoIterator<Item = &'a str>) -> Self {
        self.arguments.extend(more.into_iter().map(str::to_owned));
        self
    }

    /// What was acknowledged is there after a kill.
    pub(crate) fn durable(self) -> Self {
        self.arguments(["--appendonly", "yes", "--appendfsync", "always"])
    }

    /// It asks for this password.
    pub(crate) fn password(self, password: &str) -> Self {
        let credentials = format!(":{password}@");
        Self {
            credentials,
            ..self.arguments(["--requirepass", password])
        }
    }

    /// It has a further user with these rights, and its clients come as that one.
    pub(crate) fn user(self, name: &str, password: &str, rights: &str) -> Self {
        let credentials = format!("{name}:{password}@");
        let secret = format!(">{password}");
        let user = ["--user", name, "on", &secret].into_iter();
        Self {
            credentials,
            ..self.arguments(user.chain(rights.split(' ')))
        }
    }

    /// By TLS with this certificate, for clients that show `client`.
    pub(crate) fn tls(self, certificate: &Certificate, client: &Certificate) -> Self {
        self.folder.write("server.pem", &certificate.chain);
        self.folder.write("server.key", &certificate.key);
        self.folder.write("clients.pem", &client.chain);
        let plan = self.arguments([
            "--tls-cert-file",
            "server.pem",
            "--tls-key-file",
            "server.key",
            "--tls-ca-cert-file",
            "clients.pem",
        ]);
        let certificate = Some(certificate.clone());
        Self {
            certificate,
            ..plan
        }
    }

    /// Starts it and waits until it answers.
    pub(crate) async fn start(self) -> Redis {
        let port = free_port();
        let process = self.spawn(port).await;
        Redis {
            plan: self,
            process,
            port,
        }
    }

    async fn spawn(&self, port: u16) -> Process {
        let mut command = Command::new("redis-server");
        let (plain, encrypted) = match self.certificate {
            None => (port, 0),
            Some(_) => (0, port),
        };
        command
            .args(["--bind", "127.0.0.1", "--save", ""])
            .args(["--port", &plain.to_string()])
            .args(["--tls-port", &encrypted.to_string()])
            .args(&self.arguments);
        let mut process = Process::start("redis-server", command, self.folder.path());
        loop {
            let line = process.next_line(Stream::Out, DEADLINE).await;
            let line = line.expect("the redis-server ended before it was ready");
            if line.contains("Ready to accept connections") {
                return process;
            }
        }
    }
}

/// A running server. Dropping it ends it.
#[derive(Debug)]
pub(crate) struct Redis {
    plan: RedisPlan,
    process: Process,
    port: u16,
}

impl Redis {
    /// One that keeps everything in memory, without a password.
    pub(crate) async fn start() -> Self {
        Self::plan().start().await
    }

    /// One that is still to be started.
    pub(crate) fn plan() -> RedisPlan {
        RedisPlan {
            folder: Folder::new(),
            arguments: Vec::new(),
            certificate: None,
            credentials: String::new(),
        }
    }

    /// The folder that it was started in.
    pub(crate) fn folder(&self) -> &Path {
        self.plan.folder.path()
    }

    pub(crate) fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.port).into()
    }

    /// Where it is, with the credentials that it asks for.
    pub(crate) fn url(&self) -> String {
        self.url_at(self.address())
    }

    /// The same by way of a proxy.
    pub(crate) fn url_at(&self, address: SocketAddr) -> String {
        let scheme = match self.plan.certificate {
            None => "redis",
            Some(_) => "rediss",
        };
        format!("{scheme}://{}{address}", self.plan.credentials)
    }

    /// A connection as other programs have it.
    pub(crate) async fn connection(&self) -> MultiplexedConnection {
        let client = match &self.plan.certificate {
            None => Client::open(self.url()),
            Some(certificate) => Client::build_with_tls(
                self.url(),
                TlsCertificates {
                    client_tls: None,
                    root_cert: Some(certificate.chain.clone().into_bytes()),
                },
            ),
        };
        let client = client.expect("the address of a redis-server");
        let connect = client.get_multiplexed_async_connection();
        let connection = within(DEADLINE, || "a connection to Redis".to_owned(), connect).await;
        connection.expect("the redis-server takes connections")
    }

    /// What it has refused its users, as far as it remembers: the command, key or channel of each refusal.
    pub(crate) async fn refused(&self) -> Vec<String> {
        let address = format!("redis://{}", self.address());
        let client = Client::open(address).expect("the address of a redis-server");
        let connect = client.get_multiplexed_async_connection();
        let connection = within(DEADLINE, || "a connection to Redis".to_owned(), connect).await;
        let mut connection = connection.expect("the first user of all may do everything");
        let log = redis::cmd("ACL").arg("LOG").take();
        let entries: Vec<HashMap<String, String>> = run(&mut connection, &log).await;
        let object = |mut entry: HashMap<String, String>| entry.remove("object");
        entries.into_iter().filter_map(object).collect()
    }

    /// One command on a connection of its own.
    pub(crate) async fn run<T: FromRedisValue>(&self, command: &Cmd) -> T {
        run(&mut self.connection().await, command).await
    }

    /// Sets fields of a hash and tells nobody.
    pub(crate) async fn hset<V: ToRedisArgs>(&self, key: &str, fields: &[(&str, V)]) {
        let mut command = redis::cmd("HSET");
        command.arg(key);
        for (field, value) in fields {
            command.arg(field).arg(value);
        }
        self.run::<()>(&command).await;
    }

    pub(crate) async fn set<V: ToRedisArgs>(&self, key: &str, value: V) {
        let command = redis::cmd("SET").arg(key).arg(value).take();
        self.run::<()>(&command).await;
    }

    pub(crate) async fn hdel(&self, key: &str, fields: &[&str]) {
        let command = redis::cmd("HDEL").arg(key).arg(fields).take();
        self.run::<()>(&command).await;
    }

    pub(crate) async fn publish<V: ToRedisArgs>(&self, channel: &str, payload: V) {
        let command = redis::cmd("PUBLISH").arg(channel).arg(payload).take();
        self.run::<()>(&command).await;
    }

    /// Sets a status as a driver elsewhere does: stored and published in one pipeline.
    pub(crate) async fn show<V: ToRedisArgs>(&self, module: &str, status: &str, json: V) {
        let mut connection = self.connection().await;
        let mut pipeline = redis::pipe();
        show(&mut pipeline, module, status, json);
        let shown = pipeline.query_async::<()>(&mut connection);
        let shown = within(DEADLINE, || "an answer of Redis".to_owned(), shown).await;
        shown.expect("Redis takes a status");
    }

    /// Writes a slot of a system and tells nobody.
    pub(crate) async fn place(&self, system: &str, slots: &[(&str, &str)]) {
        self.hset(&format!("system/{system}"), slots).await;
    }

    /// Says that the slots of a system changed.
    pub(crate) async fn tell_change_of(&self, system: &str) {
        self.publish("lookup-change", system).await;
    }

    /// How many connections are subscribed to a channel.
    pub(crate) async fn subscribers(&self, channel: &str) -> u64 {
        subscribers(&mut self.connection().await, channel).await
    }

    /// Waits until a channel has this many.
    pub(crate) async fn until_subscribers(&self, channel: &str, expected: u64) {
        let mut connection = self.connection().await;
        let mut last = None;
        let poll = async {
            while last != Some(expected) {
                last = Some(subscribers(&mut connection, channel).await);
            }
        };
        if timeout(DEADLINE, poll).await.is_err() {
            panic!("{channel} had {last:?} subscribers and never {expected}");
        }
    }

    /// Ends every connection that is subscribed to something, and says how many there were.
    pub(crate) async fn kill_subscribers(&self) -> u64 {
        let command = redis::cmd("CLIENT")
            .arg("KILL")
            .arg("TYPE")
            .arg("pubsub")
            .take();
        self.run(&command).await
    }

    /// Stops the process without ending it: connections stay open and nothing is answered.
    pub(crate) async fn pause(&self) {
        self.process.signal("STOP").await;
    }

    pub(crate) async fn resume(&self) {
        self.process.signal("CONT").await;
    }

    /// Ends it without a chance to say good-bye.
    pub(crate) async fn kill(&mut self) {
        self.process.kill().await;
    }

    /// Starts it again after its end, at the same address: with what it had if it is durable, else empty.
    pub(crate) async fn restart(&mut self) {
        self.process = self.plan.spawn(self.port).await;
    }
}

async fn run<T: FromRedisValue>(connection: &mut MultiplexedConnection, command: &Cmd) -> T {
    let run = command.query_async(connection);
    let answer = within(DEADLINE, || "an answer of Redis".to_owned(), run).await;
    answer.unwrap_or_else(|error| panic!("Redis refused: {error}"))
}

async fn subscribers(connection: &mut MultiplexedConnection, channel: &str) -> u64 {
    let command = redis::cmd("PUBSUB").arg("NUMSUB").arg(channel).take();
    let (_, count): (String, u64) = run(connection, &command).await;
    count
}

/// Adds what a driver elsewhere does to set a status.
pub(crate) fn show<V: ToRedisArgs>(
    pipeline: &mut redis::Pipeline,
    module: &str,
    status: &str,
    json: V,
) {
    let key = format!("status/{module}");
    pipeline
        .cmd("HSET")
        .arg(&key)
        .arg(status)
        .arg(&json)
        .ignore();
    let channel = format!("{key}/{status}");
    pipeline.cmd("PUBLISH").arg(channel).arg(&json).ignore();
}
