//! Message brokers that are programs of their own: Redis, NATS, Mosquitto, and Sockudo for Pusher's protocol.
//!
//! They say nothing when they are ready, so a free port is chosen for each and tried until somebody answers there.
//! What is set is what the comparison needs: loopback alone, nothing on disk, and nobody ended for being silent.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, bail};

use crate::protocol::{APP, Ids, KEY, Layout, Mqtt, Nats, Numbering, Pusher, Redis, SECRET};
use crate::target::install::require;
use crate::target::{Launch, Ready, TempFile, free_address};

/// Enough for every scenario; Redis's own bound is 10 000.
const CLIENTS_MAX: &str = "20000";

/// How many clients may wait to be let in: as many as the tool has under way.
const BACKLOG: &str = "1024";

/// How many events a second a client or a server may send where that has to be said: more than any does.
const EVENTS_MAX: &str = "1000000";

pub(super) fn prepare_redis() -> Result<()> {
    require("redis-server", "apt-get install redis-server")
}

pub(super) fn prepare_nats() -> Result<()> {
    require(&program("nats-server"), "apt-get install nats-server")
}

pub(super) fn prepare_mosquitto() -> Result<()> {
    require(&program("mosquitto"), "apt-get install mosquitto")
}

pub(super) fn prepare_sockudo() -> Result<()> {
    if !sockudo_binary().exists() {
        bail!(
            "it needs sockudo: apt-get install protobuf-compiler libprotobuf-dev, \
             then cargo install sockudo --version 5.2.0 --locked --root .tools"
        );
    }
    Ok(())
}

fn sockudo_binary() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.tools/bin/sockudo")
}

pub(super) fn redis(ids: Ids) -> Result<Launch> {
    refuse_own(ids)?;
    let address = free_address()?;
    let mut command = Command::new("redis-server");
    command
        .args(["--bind", "127.0.0.1", "--port", &address.port().to_string()])
        .args(["--save", "", "--appendonly", "no"])
        .args(["--maxclients", CLIENTS_MAX, "--tcp-backlog", BACKLOG]);
    Ok(Launch::new(
        command,
        Box::new(Redis),
        Ready::Accepts(address),
    ))
}

pub(super) fn nats(numbering: Numbering) -> Result<Launch> {
    let address = free_address()?;
    let file = TempFile::write(
        "nats.conf",
        &format!(
            "host: \"127.0.0.1\"\nport: -1\nping_interval: \"1h\"\n\
             websocket {{ host: \"127.0.0.1\", port: {}, no_tls: true }}\n",
            address.port()
        ),
    )?;
    let mut command = Command::new(program("nats-server"));
    command.arg("--config").arg(&file.0);
    Ok(Launch {
        files: vec![file],
        ..Launch::new(
            command,
            Box::new(Nats { numbering }),
            Ready::Accepts(address),
        )
    })
}

/// Version 2.0 takes in at most 4 kB of a websocket at a time and waits before it goes on, so large values do not get through.
pub(super) fn mosquitto(ids: Ids) -> Result<Launch> {
    refuse_own(ids)?;
    let address = free_address()?;
    // It starts only with a listener that is no websocket, which nobody uses, and binds websockets to the interface of a name.
    let file = TempFile::write(
        "mosquitto.conf",
        &format!(
            "allow_anonymous true\npersistence false\nlog_type error\nset_tcp_nodelay true\n\
             listener {} 127.0.0.1\nlistener {} lo\nprotocol websockets\n",
            free_address()?.port(),
            address.port()
        ),
    )?;
    let mut command = Command::new(program("mosquitto"));
    command.arg("-c").arg(&file.0);
    Ok(Launch {
        files: vec![file],
        ..Launch::new(command, Box::<Mqtt>::default(), Ready::Accepts(address))
    })
}

pub(super) fn sockudo(layout: Layout) -> Result<Launch> {
    refuse_own(layout.ids)?;
    let address = free_address()?;
    let mut command = Command::new(sockudo_binary());
    command
        .current_dir(std::env::temp_dir())
        .env("HOST", "127.0.0.1")
        .env("PORT", address.port().to_string())
        .env("METRICS_ENABLED", "false")
        .env("RATE_LIMITER_ENABLED", "false")
        .env("SOCKUDO_DEFAULT_APP_ID", APP)
        .env("SOCKUDO_DEFAULT_APP_KEY", KEY)
        .env("SOCKUDO_DEFAULT_APP_SECRET", SECRET)
        .env("SOCKUDO_DEFAULT_APP_MAX_CONNECTIONS", CLIENTS_MAX)
        .env("SOCKUDO_DEFAULT_APP_ENABLE_CLIENT_MESSAGES", "true")
        .env(
            "SOCKUDO_DEFAULT_APP_MAX_CLIENT_EVENTS_PER_SECOND",
            EVENTS_MAX,
        )
        .env(
            "SOCKUDO_DEFAULT_APP_MAX_BACKEND_EVENTS_PER_SECOND",
            EVENTS_MAX,
        )
        .env(
            "SOCKUDO_DEFAULT_APP_MAX_PRESENCE_MEMBERS_PER_CHANNEL",
            CLIENTS_MAX,
        );
    Ok(Launch::new(
        command,
        Box::new(Pusher::new(layout)),
        Ready::Accepts(address),
    ))
}

/// Some systems keep servers where only the administrator's path looks.
fn program(name: &str) -> String {
    let path = format!("/usr/sbin/{name}");
    if Path::new(&path).exists() {
        path
    } else {
        name.to_owned()
    }
}

/// What names its topics in every message costs the same whoever asks.
fn refuse_own(ids: Ids) -> Result<()> {
    match ids {
        Ids::Alike => Ok(()),
        Ids::Own => bail!("its clients do not number what they bind"),
    }
}
