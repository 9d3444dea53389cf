//! The websocket below the dialect: every rule of RFC 6455 that a server must keep, as an implementation of another make sees it.
//!
//! The cases are in `tests/clients/websocket_conformance/cases`; by hand, in that client's folder: `.venv/bin/python conformance.py URL KEY`.

use std::process::ExitStatus;
use std::time::Duration;

use crate::harness::{
    CERTIFICATE_FILE, Certificate, Folder, Gateway, Plan, Process, Stream, python_client,
};

/// Some hundred cases, of which the largest moves some megabytes through an unoptimised gateway.
const CASES_DEADLINE: Duration = Duration::from_secs(180);

/// What the cases talk to.
const BUILDING: &str = r"
systems:
  - {id: sys-1, name: Room, modules: [mod-1]}
modules:
  - {id: mod-1, driver: virtual}
users:
  - {id: user-1, email: someone@example.test, name: Someone}
api_keys:
  - {id: key, secret: secret, user: user-1, scopes: [public]}
";

const KEY: &str = "key.secret";

#[tokio::test]
async fn every_rule_of_the_websocket_protocol_is_kept() {
    let gateway = Gateway::start(BUILDING).await;
    check_cases(&gateway, &[]).await;
}

#[tokio::test]
async fn every_rule_of_the_websocket_protocol_is_kept_over_tls() {
    let gateway = Plan::serve(BUILDING).tls(&Certificate::new()).start().await;
    let certificate = gateway.folder().join(CERTIFICATE_FILE);
    let certificate = certificate.to_str().expect("a path that is text");
    check_cases(&gateway, &["--ca", certificate]).await;
}

async fn check_cases(gateway: &Gateway, arguments: &[&str]) {
    let (status, said) = run_cases(&gateway.url(), arguments).await;

    let complaints = said.iter().filter(|line| !line.starts_with("ok "));
    let complaints: Vec<&str> = complaints.map(String::as_str).collect();
    assert!(status.success(), "{status}\n{}", complaints.join("\n"));
}

/// Runs all cases, and gives what they said of themselves.
async fn run_cases(url: &str, arguments: &[&str]) -> (ExitStatus, Vec<String>) {
    let mut command = python_client("websocket_conformance", "conformance.py");
    command.args([url, KEY]).args(arguments);
    let folder = Folder::new();
    let mut process = Process::start("conformance.py", command, folder.path());
    let status = process.ended(CASES_DEADLINE).await;
    (status, process.said(Stream::Out))
}
