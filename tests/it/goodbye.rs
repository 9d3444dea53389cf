//! The terminal client and a gateway that stops: who answers the goodbye and lets go holds up nothing.

use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::{WebSocketStream, accept_async};

use crate::harness::{DEADLINE, Terminal, within};

/// The next client of something that speaks websocket.
async fn accept(listener: &TcpListener) -> WebSocketStream<TcpStream> {
    let (stream, _) = listener.accept().await.expect("a client connects");
    accept_async(stream).await.expect("it speaks websocket")
}

#[tokio::test]
async fn a_bind_answers_the_goodbye_and_lets_go_before_it_connects_again() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let terminal = Terminal::bare()
        .variable("RISER_URL", &url)
        .variable("RISER_API_KEY", "key.secret");
    let _bind = terminal.start(&["bind", "sys-1", "Display", "power"]);
    let asking = async {
        let mut first = accept(&listener).await;
        let request = first.next().await.expect("a bind").expect("a frame");
        let request: Value = serde_json::from_str(request.to_text().expect("text")).expect("JSON");
        assert_eq!(request["cmd"], "bind");
        let goodbye = CloseFrame {
            code: 1001.into(),
            reason: "".into(),
        };
        let close = Message::Close(Some(goodbye));
        first.send(close).await.expect("it is there");
        // The answer and the end of the stream come before the next connection.
        let answered = async move {
            let answer = first.next().await.expect("an answer").expect("a frame");
            assert!(matches!(answer, Message::Close(Some(_))), "{answer:?}");
            drop(first);
        };
        tokio::select! {
            biased;
            () = answered => {}
            _ = listener.accept() => panic!("it connects again and keeps the stream that was closed"),
        }
        accept(&listener).await;
    };
    within(DEADLINE, || "the client to come back".to_owned(), asking).await;
}
