//! A calendar server behind TLS: whose certificate the driver believes.

use serde_json::json;
use test_support::Certificate;

use crate::harness::{Radicale, begin, settings};

#[tokio::test]
async fn a_server_with_tls_is_believed_as_the_settings_say() {
    let certificate = Certificate::new();
    let server = Radicale::with_tls(&certificate).await;
    let uri = format!("https://localhost:{}/board/room/", server.port);
    let with = |key: &str, value| {
        let mut settings = settings(0.2);
        settings[key] = value;
        settings
    };

    let unknown = begin(&uri, settings(0.2)).await.unwrap();
    let refusal = "its certificate is signed by no authority that is trusted here";
    unknown.wait_line(refusal).await;
    let authority = server.folder.path().join("chain.pem");
    let known = begin(&uri, with("ca", json!(authority))).await.unwrap();
    known.wait_connected(true).await;
    let unchecked = begin(&uri, with("verify", json!(false))).await.unwrap();
    unchecked.wait_connected(true).await;
}
