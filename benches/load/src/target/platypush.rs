//! Platypush itself, on a Redis of its own: what scripts that call riser's `POST /execute` called before.
//!
//! It is the one that the tests of riser install among their clients, with a user and a token as its pages make them.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use crate::account::now;
use crate::protocol::{PROCEDURE, Platypush, Token};
use crate::target::install::require;
use crate::target::{Folder, Launch, Ready, RedisServer, START_DEADLINE, TempFile, free_address};

/// The parts of an address by which the token is asked for, and its user.
const USER: &str = "username=load&password=secret&confirm_password=secret";

/// How long one request may take while it starts: one that comes before all its parts are up is never answered.
const FIRST_REQUEST: Duration = Duration::from_secs(2);

pub(super) fn prepare() -> Result<()> {
    if !binary().exists() {
        bail!("it needs Platypush: cargo xtask setup");
    }
    require("redis-server", "apt-get install redis-server")
}

fn binary() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/clients/platypush/.venv/bin/platypush")
}

pub(super) fn platypush() -> Result<Launch> {
    let (redis, address) = (RedisServer::start()?, free_address()?);
    let folder = Folder::make(&format!("load-platypush-{}", address.port()))?;
    let file = TempFile::write("platypush.yaml", &configuration(address))?;
    let mut command = Command::new(binary());
    command
        .arg("--config")
        .arg(&file.0)
        .arg("--workdir")
        .arg(folder.path())
        .arg("--pidfile")
        .arg(folder.path().join("pid"))
        .args(["--redis-host", &redis.address().ip().to_string()])
        .args(["--redis-port", &redis.address().port().to_string()]);
    let token = Token::default();
    let mut launch = Launch::new(
        command,
        Box::new(Platypush::new(Token::clone(&token))),
        Ready::Accepts(address),
    );
    launch.redis = Some(redis);
    launch.files.push(file);
    launch.folders.push(folder);
    launch.warm_up = Box::new(move |address| warm_up(address, &token));
    Ok(launch)
}

/// No part that the comparison does not need.
fn configuration(address: SocketAddr) -> String {
    let (ip, port) = (address.ip(), address.port());
    format!(
        "device_id: load\n\
         backend.http: {{bind_address: {ip}, port: {port}, zeroconf_enabled: false}}\n\
         procedure.{PROCEDURE}(value):\n  - return: ${{value}}\n"
    )
}

/// Makes the first user, has it make a token, and waits until the procedure is carried out.
fn warm_up(address: SocketAddr, token: &Token) -> Result<()> {
    let form = "Content-Type: application/x-www-form-urlencoded\r\n";
    ask(address, "/auth?type=register", form, USER, START_DEADLINE)?
        .context("no user could be made")?;
    let credentials = json!({"username": "load", "password": "secret"}).to_string();
    let json = "Content-Type: application/json\r\n";
    let made = ask(address, "/auth", json, &credentials, START_DEADLINE)?;
    let made = made.as_ref().and_then(|made| made.get("token")?.as_str());
    let made = made.context("no token could be made")?;
    let headers = format!("{json}Authorization: Bearer {made}\r\n");
    token.get_or_init(|| made.to_owned());

    let action = json!({
        "type": "request",
        "action": format!("procedure.{PROCEDURE}"),
        "args": {"value": 1},
    });
    let give_up = now() + START_DEADLINE;
    while now() < give_up {
        let answer = ask(
            address,
            "/execute",
            &headers,
            &action.to_string(),
            FIRST_REQUEST,
        )?;
        if answer.is_some_and(|answer| answer.pointer("/response/output") == Some(&json!(1))) {
            return Ok(());
        }
    }
    bail!("it carried out no action in {START_DEADLINE:?}");
}

/// The JSON that a request is answered with; `None` when that takes longer than this, or is no JSON.
fn ask(
    address: SocketAddr,
    path: &str,
    headers: &str,
    body: &str,
    patience: Duration,
) -> Result<Option<Value>> {
    let mut stream = TcpStream::connect_timeout(&address, patience)
        .with_context(|| format!("could not connect to {address}"))?;
    stream.set_read_timeout(Some(patience))?;
    let length = body.len();
    stream.write_all(
        format!(
            "POST {path} HTTP/1.1\r\nHost: gateway\r\n{headers}Content-Length: {length}\r\n\
             Connection: close\r\n\r\n{body}"
        )
        .as_bytes(),
    )?;
    let mut answer = String::new();
    match stream.read_to_string(&mut answer) {
        Ok(_) => {}
        Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
            return Ok(None);
        }
        Err(error) => return Err(error).context("could not read an answer"),
    }
    let body = answer.split_once("\r\n\r\n").map(|(_, body)| body);
    Ok(body.and_then(|body| serde_json::from_str(body).ok()))
}
