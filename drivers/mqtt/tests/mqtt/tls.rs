//! A broker behind TLS.

use driver_sdk::serde_json::json;
use test_support::{Certificate, Folder};

use crate::broker::{Broker, Door};
use crate::module::{self, status, wait_line};

#[tokio::test]
async fn a_broker_with_tls_is_believed_when_its_authority_is_trusted() {
    let certificate = Certificate::new();
    let broker = Broker::start(Door::Tls(&certificate)).await;
    let folder = Folder::new();
    let authority = folder.write("authority.pem", &certificate.chain);
    let uri = format!("mqtts://localhost:{}", broker.port);
    let settings = json!({"trust": {"authority": authority}});
    let module = module::start(&uri, settings).await;
    module.wait_connected(true).await;
    module.call("publish", ("a", 1)).await.unwrap();
    let anyone = module::start(&uri, json!({"trust": "anyone", "client_id": "anyone"})).await;
    anyone.wait_connected(true).await;
}

#[tokio::test]
async fn a_broker_whose_certificate_is_not_trusted_gets_no_password() {
    let broker = Broker::start(Door::Tls(&Certificate::new())).await;
    let folder = Folder::new();
    let authority = folder.write("authority.pem", &Certificate::new().chain);
    let uri = format!("mqtts://127.0.0.1:{}", broker.port);
    let settings = json!({"password": "secret", "trust": {"authority": authority}});
    let module = module::start(&uri, settings).await;
    wait_line(
        &module,
        "its certificate is signed by no authority that is trusted here",
    )
    .await;
    assert_eq!(status(&module, "connected").as_deref(), Some("false"));
}
