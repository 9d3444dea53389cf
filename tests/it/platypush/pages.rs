//! The pages at the dialect's own address.

use std::fs;
use std::net::SocketAddr;

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::door::{ADMIN, BUILDING, session, with_pages};
use crate::harness::{DEADLINE, Gateway, Plan, Response, within};

/// Asks with one more header. Pages are no part of the specification, to which other requests are held.
async fn get(address: SocketAddr, path: &str, header: &str) -> Response {
    let ask = async {
        let mut stream = TcpStream::connect(address).await.expect("it listens");
        let head = format!(
            "GET {path} HTTP/1.1\r\nHost: {address}\r\n{header}\r\nConnection: close\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).await.expect("it reads");
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.expect("it answers");
        Response::read(&answer).expect("an answer")
    };
    within(DEADLINE, || format!("the answer to {path}"), ask).await
}

const PLAIN: &str = "X-Nothing: 1";

async fn with_two_files() -> (Gateway, SocketAddr) {
    let plan = Plan::serve(BUILDING);
    let dist = plan.folder().join("dist");
    fs::create_dir_all(dist.join("static/js")).expect("a folder");
    fs::write(dist.join("index.html"), "<title>Platypush</title>").expect("a page");
    fs::write(dist.join("static/js/app.js"), "let a = 1;").expect("a file");
    let (gateway, url) = with_pages(plan, &dist).await;
    let address = url.strip_prefix("http://").expect("by HTTP alone");
    let address = address.parse().expect("an address");
    (gateway, address)
}

#[tokio::test]
async fn every_page_is_the_one_page_and_files_are_files() {
    let (_gateway, address) = with_two_files().await;
    for path in [
        "/",
        "/login",
        "/register",
        "/dashboard/main",
        "/plugin/board_room.display_1",
    ] {
        let page = get(address, path, PLAIN).await;
        assert_eq!(
            (page.status, &*page.body),
            (200, "<title>Platypush</title>"),
            "{path}"
        );
    }
    let file = get(address, "/static/js/app.js", PLAIN).await;
    assert_eq!(
        file.header("Content-Type"),
        Some("text/javascript; charset=utf-8")
    );
    assert_eq!(get(address, "/static/none.js", PLAIN).await.status, 404);
    // The API is there as well, and is no page.
    assert_eq!(get(address, "/auth", PLAIN).await.status, 401);
    let who = get(address, "/auth", &format!("X-Token: {ADMIN}"))
        .await
        .json();
    assert_eq!(who["username"], "ops");
}

#[tokio::test]
async fn signing_out_ends_the_session_and_takes_the_cookies_away() {
    let (gateway, address) = with_two_files().await;
    let (token, _) = session(&gateway).await;
    let cookie = format!("Cookie: session_token={token}");
    let out = get(address, "/logout", &cookie).await;
    assert_eq!((out.status, out.header("Location")), (302, Some("/login")));
    assert!(
        out.header("Set-Cookie")
            .is_some_and(|it| it.contains("Max-Age=0"))
    );
    let gone = get(address, "/auth", &cookie).await;
    assert_eq!(gone.status, 401);
}

#[tokio::test]
async fn the_main_address_has_no_pages_of_platypush() {
    let (gateway, _) = with_two_files().await;
    assert_eq!(gateway.request("GET", "/register").send().await.status, 404);
}

#[tokio::test]
async fn what_is_not_offered_says_so() {
    let gateway = Gateway::start(BUILDING).await;
    for (method, path, why) in [
        ("GET", "/otp/config", "Second factors are not offered"),
        ("POST", "/otp/config", "Second factors are not offered"),
        ("DELETE", "/otp/config", "Second factors are not offered"),
        ("POST", "/otp/refresh-codes", "there are no codes"),
        ("GET", "/ws/shell?id=1", "there is no shell"),
    ] {
        let answer = gateway.request(method, path).send().await;
        let body = answer.json();
        let expect = (404, &json!("NOT_FOUND"));
        assert_eq!((answer.status, &body["error"]), expect, "{method} {path}");
        let message = body["message"].as_str().expect("a text");
        assert!(message.contains(why), "{message}");
    }
}
