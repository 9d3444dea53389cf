//! What cannot be measured: one clear line, exit code 2, and no figures.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::process::{Command, Output, Stdio};
use std::thread;

const LOAD: &str = env!("CARGO_BIN_EXE_load");

/// Runs the tool and expects it to refuse, with this in its one line.
#[track_caller]
fn check(command: &mut Command, expected: &str) {
    refused(&command.output().expect("the tool starts"), expected);
}

#[track_caller]
fn refused(output: &Output, expected: &str) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(output.stdout.is_empty(), "{output:?}");
    assert_eq!(said.trim().lines().count(), 1, "{said}");
    assert!(said.contains(expected), "{said}");
}

/// The tool on a server of this very process, small and short.
fn run(address: SocketAddr) -> Command {
    let pid = std::process::id().to_string();
    let mut command = Command::new(LOAD);
    command
        .args(["run", "fanout", "--connections", "1", "--seconds", "1"])
        .args(["--address", &address.to_string(), "--pid", &pid]);
    command
}

/// A server that gives every connection this answer, and closes it.
fn answering(answer: &'static [u8]) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            // The tool may have gone.
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream.write_all(answer);
        }
    });
    address
}

#[test]
fn a_server_elsewhere() {
    let elsewhere = "192.0.2.1:3000".parse().expect("an address");
    check(&mut run(elsewhere), "only loopback addresses");
}

#[test]
fn a_server_that_is_not_there() {
    let nobody = "127.0.0.1:1".parse().expect("an address");
    check(&mut run(nobody), "does not listen on port 1");
    let mut command = Command::new(LOAD);
    check(
        command.args(["run", "fanout", "--riser", "/no/such/riser"]),
        "cargo build --release -p riser",
    );
}

#[test]
fn a_server_that_is_no_such_server() {
    let address = answering(b"HTTP/1.1 404 Not Found\r\nServer: other\r\n\r\n");
    check(&mut run(address), "no websocket: HTTP/1.1 404 Not Found");
}

#[test]
fn a_server_that_goes_away() {
    let address = answering(b"HTTP/1.1 101 Switching Protocols\r\n\r\n");
    check(&mut run(address), "connection");
}

#[test]
fn a_server_that_dies_in_the_run() {
    let mut server = Command::new(LOAD)
        .arg("limit")
        .stdout(Stdio::piped())
        .spawn()
        .expect("the tool starts");
    let mut ready = String::new();
    let said = server.stdout.take().expect("the output is piped");
    BufReader::new(said).read_line(&mut ready).expect("a line");
    let address = ready.trim().rsplit('/').next().expect("an address");
    let pid = server.id().to_string();
    let mut command = Command::new(LOAD);
    command
        .args(["run", "fanout", "--connections", "1", "--seconds", "60"])
        .args(["--address", address, "--pid", &pid])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let run = command.spawn().expect("the tool starts");
    // The tool's two connections show that it has begun.
    let files = format!("/proc/{pid}/fd");
    let idle = std::fs::read_dir(&files).expect("its files").count();
    while std::fs::read_dir(&files).expect("its files").count() < idle + 2 {
        thread::yield_now();
    }
    server.kill().expect("it runs");
    server.wait().expect("it ends");
    refused(
        &run.wait_with_output().expect("it ends"),
        "the server ended in the run",
    );
}

#[test]
fn a_server_that_answers_wrongly() {
    let address = answering(
        b"HTTP/1.1 101 Switching Protocols\r\n\r\n\x81\x03abc\x81\x14{\"id\":1,\"type\":\"no\"}",
    );
    check(&mut run(address), "an unexpected answer");
}

#[test]
fn too_few_open_files() {
    let mut command = Command::new("sh");
    command
        .args(["-c", "ulimit -n 100 && exec \"$@\"", "sh", LOAD])
        .args(["run", "fanout", "--target", "limit"]);
    check(
        &mut command,
        "this tool may open 100 files and 1001 connections need 1065",
    );
}

#[test]
fn one_core() {
    let mut command = Command::new("taskset");
    command.args(["--cpu-list", "0", LOAD]);
    command.args(["run", "fanout", "--target", "limit"]);
    check(&mut command, "two cores are needed");
}
