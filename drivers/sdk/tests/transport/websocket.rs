//! Websockets on loopback.

use driver_sdk::transport::{Device, Websocket};
use futures_util::{SinkExt, StreamExt};
use tokio::net::TcpListener;
use tokio_tungstenite::accept_hdr_async;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};

use crate::harness::Host;

/// Whether the request has the right credentials, which are `panel` and `secret`.
#[expect(clippy::result_large_err, reason = "the library's signature")]
fn check(request: &Request, response: Response) -> Result<Response, ErrorResponse> {
    let credentials = request.headers().get("authorization");
    match credentials.is_some_and(|it| it == "Basic cGFuZWw6c2VjcmV0") {
        true => Ok(response),
        false => Err(http::Response::builder().status(401).body(None).unwrap()),
    }
}

#[tokio::test]
async fn a_websocket_carries_texts_both_ways_and_reports_by_themselves() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let uri = format!("ws://{}/events?x=1", listener.local_addr().unwrap());
    let host = Host::new().await;
    let link = Websocket::new(&uri)
        .unwrap()
        .basic("panel", "secret")
        .unwrap();
    let device = Device::over(&host.context(), link)
        .on_message(host.publisher("event"))
        .start();
    let (stream, _) = listener.accept().await.unwrap();
    let mut socket = accept_hdr_async(stream, check).await.unwrap();
    socket.send(Message::text("hello")).await.unwrap();
    host.wait_status("event", "hello").await;
    host.wait_connected(true).await;
    let (answer, ()) = tokio::join!(device.ask("power?"), async {
        let question = socket.next().await.unwrap().unwrap();
        assert_eq!(question, Message::text("power?"));
        socket.send(Message::binary(b"on".to_vec())).await.unwrap();
    });
    assert_eq!(answer.unwrap().text(), "on");
}

#[tokio::test]
async fn a_websocket_that_refuses_the_password_says_so_and_shows_none() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let uri = format!("ws://{}/", listener.local_addr().unwrap());
    let host = Host::new().await;
    let link = Websocket::new(&uri)
        .unwrap()
        .basic("panel", "wrong-one")
        .unwrap();
    assert!(!format!("{link:?}").contains("Basic"));
    let _device = Device::over(&host.context(), link).start();
    let (stream, _) = listener.accept().await.unwrap();
    assert!(accept_hdr_async(stream, check).await.is_err());
    host.wait_line("it refuses the websocket with 401").await;
    assert_eq!(host.connected(), ["false"]);
}
