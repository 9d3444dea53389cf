//! HTTP on loopback, against a server of the test's that shows what it was asked byte for byte.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use driver_sdk::JsonText;
use driver_sdk::transport::{Device, Http, Request, Response};
use futures_util::future::join_all;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::harness::Host;

/// What a request looked like: its first line, its headers in lower case, its body.
#[derive(Debug, Clone)]
struct Asked {
    line: String,
    headers: String,
    body: String,
}

type Answer = dyn Fn(&Asked) -> String + Send + Sync;

/// A server that answers each request by a function. An answer with `connection: close` closes.
struct Server {
    at: String,
    connections: Arc<AtomicUsize>,
    _tasks: JoinSet<()>,
}

impl Server {
    async fn new(answer: impl Fn(&Asked) -> String + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = listener.local_addr().unwrap().to_string();
        let connections = Arc::new(AtomicUsize::new(0));
        let (count, answer): (_, Arc<Answer>) = (Arc::clone(&connections), Arc::new(answer));
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut serving = JoinSet::new();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                count.fetch_add(1, Ordering::SeqCst);
                serving.spawn(serve(stream, Arc::clone(&answer)));
            }
        });
        Self {
            at,
            connections,
            _tasks: tasks,
        }
    }

    fn link(&self, path: &str) -> Http {
        Http::new(&format!("http://{}{path}", self.at)).unwrap()
    }

    fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

async fn serve(stream: TcpStream, answer: Arc<Answer>) {
    let mut stream = BufReader::new(stream);
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await.unwrap_or(0) == 0 {
            return;
        }
        let mut headers = String::new();
        let mut length = 0;
        loop {
            let mut header = String::new();
            stream.read_line(&mut header).await.unwrap();
            let header = header.trim_end();
            if header.is_empty() {
                break;
            }
            let (name, value) = header.split_once(": ").unwrap();
            let name = name.to_lowercase();
            if name == "content-length" {
                length = value.parse().unwrap();
            }
            headers.push_str(&format!("{name}: {value}\n"));
        }
        let mut body = vec![0; length];
        stream.read_exact(&mut body).await.unwrap();
        let asked = Asked {
            line: line.trim_end().to_owned(),
            headers,
            body: String::from_utf8(body).unwrap(),
        };
        let answer = answer(&asked);
        if answer.is_empty() || stream.write_all(answer.as_bytes()).await.is_err() {
            return;
        }
        if answer.contains("connection: close") {
            return;
        }
    }
}

fn ok(body: &str) -> String {
    response("200 OK", "", body)
}

/// `headers` end with a line break each.
fn response(status: &str, headers: &str, body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\n{headers}content-length: {length}\r\n\r\n{body}")
}

type HttpDevice = Device<Request, Response>;

/// A device that is connected.
async fn connected(host: &Host, link: Http) -> HttpDevice {
    let device = Device::over(&host.context(), link)
        .poll(Duration::from_secs(600), |device: HttpDevice| async move {
            device.ask(Request::get("/")).await.map(drop)
        })
        .start();
    host.wait_connected(true).await;
    device
}

#[tokio::test]
async fn requests_go_to_the_path_of_the_uri_with_their_body_and_over_one_connection() {
    let server =
        Server::new(|asked| ok(&serde_json::to_string(&(&asked.line, &asked.body)).unwrap())).await;
    let host = Host::new().await;
    let device = connected(&host, server.link("/api/")).await;
    let body = JsonText::parse(r#"{"minutes": 5}"#).unwrap();
    let request = Request::put("/heater?now=1").json(&body).unwrap();
    let (line, body): (String, String) = device.ask(request).await.unwrap().json().unwrap();
    assert_eq!(line, "PUT /api/heater?now=1 HTTP/1.1");
    assert_eq!(body, r#"{"minutes": 5}"#);
    let request = Request::get("zones/a b");
    let (line, _): (String, String) = device.ask(request).await.unwrap().json().unwrap();
    assert_eq!(line, "GET /api/zones/a%20b HTTP/1.1");
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn credentials_and_headers_are_in_every_request() {
    let server = Server::new(|asked| ok(&asked.headers)).await;
    let link = server.link("").basic("riser", "s3cret").unwrap();
    let host = Host::new().await;
    let link = link.header("X-Site", "board").unwrap();
    assert!(!format!("{link:?}").contains("s3cret"));
    let device = connected(&host, link).await;
    let answer = device.ask(Request::get("/")).await.unwrap();
    let headers = answer.body().unwrap().text();
    assert!(
        headers.contains("authorization: Basic cmlzZXI6czNjcmV0\n"),
        "{headers}"
    );
    assert!(headers.contains("x-site: board\n"), "{headers}");
    let bearer = server.link("").bearer("t0ken").unwrap();
    let device = connected(&Host::new().await, bearer).await;
    drop(device);
}

#[tokio::test]
async fn an_answer_of_400_or_more_is_an_error_with_its_number_and_the_device_stays_connected() {
    let server = Server::new(|asked| match asked.line.contains("broken") {
        true => response("500 Oops", "", "sorry"),
        false => ok("fine"),
    })
    .await;
    let host = Host::new().await;
    let device = connected(&host, server.link("")).await;
    let answer = device.ask(Request::get("/broken")).await.unwrap();
    let error = answer.body().unwrap_err();
    assert_eq!(
        (error.code(), error.message()),
        (500, "the device answered 500")
    );
    assert_eq!(host.connected(), ["false", "true"]);
}

#[tokio::test]
async fn a_poll_that_is_answered_with_401_is_a_refused_password() {
    let server = Server::new(|_| response("401 Unauthorized", "", "")).await;
    let host = Host::new().await;
    let _device = Device::over(&host.context(), server.link(""))
        .poll(Duration::from_secs(1), |device: HttpDevice| async move {
            device.ask(Request::get("/")).await?.body().map(drop)
        })
        .start();
    host.wait_line("the device answered 401").await;
    assert_eq!(host.connected(), ["false"]);
}

#[tokio::test]
async fn a_body_that_is_too_long_is_an_error_and_the_next_request_is_answered() {
    let server = Server::new(|asked| match asked.line.contains("large") {
        true => ok(&"x".repeat(4 * 1024 * 1024 + 1)),
        false => ok("fine"),
    })
    .await;
    let host = Host::new().await;
    let device = connected(&host, server.link("")).await;
    let answer = device.ask(Request::get("/large")).await.unwrap();
    let error = answer.body().unwrap_err();
    assert_eq!(
        error.message(),
        "the answer of the device is longer than 4 MiB"
    );
    let answer = device.ask(Request::get("/small")).await.unwrap();
    assert_eq!(answer.body().unwrap().text(), "fine");
    assert_eq!(host.connected(), ["false", "true"]);
}

#[tokio::test]
async fn a_redirect_is_followed_on_the_same_server_and_never_to_another() {
    let elsewhere = Server::new(|_| ok("stolen")).await;
    let away = format!("location: http://{}/\r\n", elsewhere.at);
    let server = Server::new(move |asked| match asked.line.split(' ').nth(1) {
        Some("/old") => response("302 Found", "location: /new\r\n", ""),
        Some("/away") => response("302 Found", &away, ""),
        Some("/circle") => response("302 Found", "location: /circle?\r\n", ""),
        _ => ok("here"),
    })
    .await;
    let host = Host::new().await;
    let device = connected(&host, server.link("").basic("riser", "s3cret").unwrap()).await;
    let answer = device.ask(Request::get("/old")).await.unwrap();
    assert_eq!(answer.body().unwrap().text(), "here");
    let answer = device.ask(Request::get("/away")).await.unwrap();
    assert_eq!(answer.status(), 302);
    let answer = device.ask(Request::post("/old")).await.unwrap();
    assert_eq!(answer.status(), 302);
    assert_eq!(elsewhere.connections(), 0);
}

#[tokio::test]
async fn a_server_that_closes_after_each_answer_stays_connected() {
    let server = Server::new(|_| response("200 OK", "connection: close\r\n", "fine")).await;
    let host = Host::new().await;
    let device = connected(&host, server.link("")).await;
    // Behind each other, so that a request comes to a connection that is just closing; what may have run would not be sent again.
    let asked = (0..20).map(|_| device.ask(Request::post("/")));
    for answer in join_all(asked).await {
        assert_eq!(answer.unwrap().body().unwrap().text(), "fine");
    }
    assert_eq!(host.connected(), ["false", "true"]);
    assert_eq!(server.connections(), 21);
}

#[tokio::test]
async fn a_request_that_may_have_run_is_not_sent_again_and_one_that_is_idempotent_is() {
    let count = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&count);
    // It hangs up on the first of each, without a word.
    let server = Server::new(move |asked| {
        let is_poll = asked.line.starts_with("GET / ");
        let is_first = !is_poll && counted.fetch_add(1, Ordering::SeqCst) == 0;
        if is_first { String::new() } else { ok("fine") }
    })
    .await;
    let host = Host::new().await;
    let device = connected(&host, server.link("")).await;
    let answer = device.ask(Request::get("/twice")).await.unwrap();
    assert_eq!(answer.body().unwrap().text(), "fine");
    assert_eq!(count.swap(0, Ordering::SeqCst), 2);
    let error = device.ask(Request::post("/once")).await.unwrap_err();
    assert!(error.message().contains("may have run it"), "{error}");
    assert_eq!(count.load(Ordering::SeqCst), 1);
}
