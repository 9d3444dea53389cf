//! This project's gateway: alone, by the protocols of Home Assistant, of Pusher and of Platypush, with triggers, by TLS, on a Redis, and in front of another node that runs its modules.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use rcgen::generate_simple_self_signed;

use crate::account::now;
use crate::machine::{self, Side};
use crate::protocol::{
    HomeAssistant, Ids, Layout, MODULES, PlaceOs, Platypush, Pusher, Statuses, Token, keyspace,
};
use crate::stream::trust;
use crate::target::install::require;
use crate::target::redis_server::RedisServer;
use crate::target::{
    Child, KEY, Launch, START_DEADLINE, TempFile, app, building, free_address, procedure,
    ready_address, with_triggers,
};

/// How long nodes wait for one that is not heard of; a Redis that has just started makes them wait as long. As short as it can be.
const LEASE: &str = "1s";

/// How long one call may take that asks whether a module runs.
const CALL_DEADLINE: Duration = Duration::from_secs(5);

/// The pause between two such calls.
const CALL_PAUSE: Duration = Duration::from_millis(20);

pub(super) fn prepare(riser: &Path) -> Result<()> {
    if !riser.exists() {
        bail!(
            "there is no {}: cargo build --release -p riser",
            riser.display()
        );
    }
    Ok(())
}

/// The same on a Redis.
pub(super) fn prepare_on_redis(riser: &Path) -> Result<()> {
    prepare(riser)?;
    require("redis-server", "apt-get install redis-server")
}

pub(super) fn riser(riser: &Path, workers: usize, layout: Layout) -> Result<Launch> {
    with_building(&building(layout.modules), riser, workers, layout)
}

fn with_building(building: &str, riser: &Path, workers: usize, layout: Layout) -> Result<Launch> {
    let file = TempFile::write("building.yaml", building)?;
    let mut command = serve(riser, &file);
    command.args(["--workers", &workers.to_string()]);
    Ok(Launch::placeos(command, layout, vec![file]))
}

/// With clients of Home Assistant's.
pub(super) fn riser_ha(path: &Path, workers: usize, layout: Layout) -> Result<Launch> {
    let mut launch = riser(path, workers, layout)?;
    launch.protocol = Box::new(HomeAssistant::new(PlaceOs::new(KEY, layout)));
    Ok(launch)
}

/// With an app, and its clients and servers.
pub(super) fn riser_pusher(path: &Path, workers: usize, layout: Layout) -> Result<Launch> {
    if layout.ids == Ids::Own {
        bail!("its clients do not number what they bind");
    }
    let building = building(layout.modules) + &app();
    let mut launch = with_building(&building, path, workers, layout)?;
    launch.protocol = Box::new(Pusher::new(layout));
    Ok(launch)
}

/// With a procedure, and programs that run it.
pub(super) fn riser_platypush(path: &Path, workers: usize, layout: Layout) -> Result<Launch> {
    let building = building(layout.modules) + &procedure();
    let mut launch = with_building(&building, path, workers, layout)?;
    let token = Token::new(KEY.to_owned().into());
    launch.protocol = Box::new(Platypush::new(token));
    Ok(launch)
}

/// With triggers, and clients as riser alone has them.
pub(super) fn riser_triggers(path: &Path, workers: usize, layout: Layout) -> Result<Launch> {
    with_building(&with_triggers(layout), path, workers, layout)
}

/// With a certificate of its own, which its clients trust. Its measures are told without encryption, as nobody measures them.
pub(super) fn riser_tls(path: &Path, workers: usize, layout: Layout) -> Result<Launch> {
    let made = generate_simple_self_signed(["127.0.0.1".to_owned()])
        .context("could not make a certificate")?;
    let certificate = TempFile::write("cert.pem", &made.cert.pem())?;
    let key = TempFile::write("key.pem", &made.signing_key.serialize_pem())?;
    let metrics = free_address()?;
    let mut launch = riser(path, workers, layout)?;
    launch
        .command
        .arg("--tls-cert")
        .arg(&certificate.0)
        .arg("--tls-key")
        .arg(&key.0)
        .env("RISER_HEALTH_LISTEN", metrics.to_string());
    launch.trust = trust(made.cert.der())?;
    launch.metrics = Some(metrics);
    launch.files.extend([certificate, key]);
    Ok(launch)
}

/// On a Redis into which the tool writes the statuses that are followed, beside modules of its own for calls.
pub(super) fn riser_redis(path: &Path, workers: usize, layout: Layout) -> Result<Launch> {
    let redis = RedisServer::start()?;
    let (hash, slots) = keyspace::slots();
    redis::cmd("HSET")
        .arg(hash)
        .arg(&slots)
        .exec(&mut redis.connect()?)
        .context("could not write a system into Redis")?;
    let mut launch = riser(path, workers, layout)?;
    join(&mut launch.command, &redis, "both");
    launch.protocol = Box::new(PlaceOs {
        statuses: Statuses::Redis,
        modules: MODULES,
        ..PlaceOs::new(KEY, layout)
    });
    launch.redis = Some(redis);
    launch.warm_up = Box::new(move |address| await_modules(address, layout.modules));
    Ok(launch)
}

/// On a Redis, without modules: another node runs them all.
pub(super) fn riser_remote(path: &Path, workers: usize, layout: Layout) -> Result<Launch> {
    let redis = RedisServer::start()?;
    let mut launch = riser(path, workers, layout)?;
    let file = launch.files.first().context("it has a building")?;
    let mut node = serve(path, file);
    join(&mut node, &redis, "core");
    node.stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    machine::pin(Side::Beside)?;
    let node = node.spawn();
    machine::pin(Side::Tool)?;
    let mut node = Child(node.context("could not start the other node")?);
    ready_address(&mut node.0).context("the other node did not come up")?;
    join(&mut launch.command, &redis, "gateway");
    launch.others.push(node);
    launch.redis = Some(redis);
    launch.warm_up = Box::new(move |address| await_modules(address, layout.modules));
    Ok(launch)
}

fn serve(riser: &Path, building: &TempFile) -> Command {
    let mut command = Command::new(riser);
    command
        .args(["serve", "--listen", "127.0.0.1:0", "--building"])
        .arg(&building.0);
    command
}

fn join(command: &mut Command, redis: &RedisServer, role: &str) {
    command
        .args(["--redis", &redis.url()])
        .env("RISER_CLUSTER__ROLE", role)
        .env("RISER_CLUSTER__LEASE", LEASE);
}

/// Waits until every module answers a call, wherever it runs: nodes that share a Redis first have to agree on where that is.
fn await_modules(address: SocketAddr, modules: usize) -> Result<()> {
    let give_up = now() + START_DEADLINE;
    for index in 1..=modules {
        while !answers(address, index)? {
            if now() > give_up {
                bail!("module {index} does not answer after {START_DEADLINE:?}");
            }
            #[expect(
                clippy::disallowed_methods,
                reason = "nothing is measured yet, and nothing tells when a module has come up"
            )]
            std::thread::sleep(CALL_PAUSE);
        }
    }
    Ok(())
}

fn answers(address: SocketAddr, index: usize) -> Result<bool> {
    let mut stream = TcpStream::connect_timeout(&address, CALL_DEADLINE)
        .with_context(|| format!("could not connect to {address}"))?;
    stream.set_read_timeout(Some(CALL_DEADLINE))?;
    stream.write_all(
        format!(
            "POST /api/engine/v2/systems/sys-1/Load_{index}/echo HTTP/1.1\r\nHost: gateway\r\nX-API-Key: {KEY}\r\n\
             Content-Type: application/json\r\nContent-Length: 3\r\nConnection: close\r\n\r\n[1]"
        )
        .as_bytes(),
    )?;
    let mut first = [0; 12];
    Ok(stream.read_exact(&mut first).is_ok() && first.ends_with(b" 200"))
}
