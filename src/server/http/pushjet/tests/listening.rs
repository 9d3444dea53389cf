//! Listeners: by websocket at both addresses, and on a plain stream.

use std::pin::pin;

use futures_util::{SinkExt, StreamExt};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{WebSocketStream, client_async};

use super::*;
use crate::model::ServiceKey;

async fn open(at: SocketAddr, path: &str) -> WebSocketStream<TcpStream> {
    let stream = TcpStream::connect(at).await.unwrap();
    let opened = client_async(format!("ws://{at}{path}"), stream);
    timeout(PATIENCE, opened).await.unwrap().unwrap().0
}

async fn hear(socket: &mut WebSocketStream<TcpStream>) -> Value {
    loop {
        match timeout(PATIENCE, socket.next()).await.unwrap() {
            Some(Ok(Message::Text(text))) => return serde_json::from_str(&text).unwrap(),
            Some(Ok(Message::Ping(_))) => {}
            other => panic!("no text but {other:?}"),
        }
    }
}

/// Waits for something while the listener goes on to answer pings, as every client does.
async fn meanwhile(socket: &mut WebSocketStream<TcpStream>, until: impl Future<Output = ()>) {
    let mut until = pin!(until);
    loop {
        tokio::select! {
            () = &mut until => return,
            heard = socket.next() => {
                assert!(matches!(heard, Some(Ok(Message::Ping(_)))), "{heard:?}");
            }
        }
    }
}

async fn hear_framed(stream: &mut TcpStream) -> Value {
    let mut frame = Vec::new();
    while frame.last() != Some(&3) {
        frame.push(timeout(PATIENCE, stream.read_u8()).await.unwrap().unwrap());
    }
    assert_eq!(frame[0], 2);
    serde_json::from_slice(&frame[1..frame.len() - 1]).unwrap()
}

async fn send(at: SocketAddr, secret: &str, text: &str) {
    let form = format!("secret={secret}&message={text}");
    ask(at, "POST", "/pushjet/message", &form)
        .await
        .is(200, ok());
}

/// Waits until every device has read what a service has sent.
async fn all_read(core: &TestCore, service: &str) {
    let service = ServiceKey::parse(service).unwrap();
    let read = async {
        loop {
            let tallies = core.core.messages.tallies(vec![service.clone()]);
            if tallies.await.unwrap()[0].unread == 0 {
                return;
            }
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, read).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_listener_gets_what_is_unread_and_then_what_comes() {
    serve(settings(), async |core, at| {
        let (public, secret) = make(at.main, "Boiler").await;
        let subscription = format!("/pushjet/subscription?uuid={UUID}");
        let service = format!("service={public}");
        ask(at.main, "POST", &subscription, &service).await;
        for (place, path) in [
            (at.main, "/pushjet/ws"),
            (at.own, "/ws"),
            (at.websocket, "/"),
        ] {
            send(at.main, &secret, "before").await;
            let mut socket = open(place, path).await;
            socket.send(Message::text("no uuid")).await.unwrap();
            assert_eq!(hear(&mut socket).await["error"]["id"], 1);
            socket.send(Message::text(UUID)).await.unwrap();
            assert_eq!(hear(&mut socket).await, ok());
            assert_eq!(hear(&mut socket).await["message"]["message"], "before");
            send(at.main, &secret, "live").await;
            assert_eq!(hear(&mut socket).await["message"]["message"], "live");
            meanwhile(&mut socket, all_read(core, &public)).await;
            assert_eq!(take(at.main, UUID).await, [""; 0], "{path}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_listener_on_a_stream_says_its_bare_uuid() {
    serve(settings(), async |core, at| {
        let (public, secret) = make(at.main, "Boiler").await;
        let subscription = format!("/pushjet/subscription?uuid={UUID}");
        let service = format!("service={public}");
        ask(at.main, "POST", &subscription, &service).await;
        let mut stream = TcpStream::connect(at.stream).await.unwrap();
        stream.set_nodelay(true).unwrap();
        // 36 bytes that are no uuid, and then one in two packets.
        stream.write_all(&[b'x'; 36]).await.unwrap();
        assert_eq!(hear_framed(&mut stream).await["error"]["id"], 1);
        stream.write_all(&UUID.as_bytes()[..20]).await.unwrap();
        stream.write_all(&UUID.as_bytes()[20..]).await.unwrap();
        assert_eq!(hear_framed(&mut stream).await, ok());
        // What comes later is not looked at.
        stream.write_all(&[0xff; 100]).await.unwrap();
        send(at.main, &secret, "live").await;
        assert_eq!(hear_framed(&mut stream).await["message"]["message"], "live");
        all_read(core, &public).await;
        ask(at.main, "DELETE", &subscription, &service).await;
        assert_eq!(
            hear_framed(&mut stream).await["subscription"]["active"],
            false
        );
    })
    .await;
}
