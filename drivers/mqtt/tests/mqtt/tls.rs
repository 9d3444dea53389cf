//! A broker behind TLS.

use driver_sdk::serde_json::json;
use driver_sdk::testkit::Module;
use test_support::{Certificate, Folder};

use crate::broker::{Broker, Door};
use crate::module;

#[tokio::test]
async fn a_broker_with_tls_is_believed_as_the_settings_say() {
    let certificate = Certificate::new();
    let broker = Broker::start(Door::Tls(&certificate)).await;
    let folder = Folder::new();
    let authority = folder.write("authority.pem", &certificate.chain);
    let uri = format!("mqtts://localhost:{}", broker.port);
    let settings = json!({"ca": authority});
    let module = module::start(&uri, settings).await;
    module.wait_connected(true).await;
    module.call("publish", ("a", 1)).await.unwrap();
    let unchecked = module::start(&uri, json!({"verify": false, "client_id": "unchecked"})).await;
    unchecked.wait_connected(true).await;
}

#[tokio::test]
async fn a_broker_whose_certificate_is_not_trusted_gets_no_password() {
    let broker = Broker::start(Door::Tls(&Certificate::new())).await;
    let folder = Folder::new();
    let authority = folder.write("authority.pem", &Certificate::new().chain);
    let uri = format!("mqtts://127.0.0.1:{}", broker.port);
    let settings = json!({"password": "secret", "ca": authority});
    let module = module::start(&uri, settings).await;
    module
        .wait_line("its certificate is signed by no authority that is trusted here")
        .await;
    assert_eq!(module.json("connected").as_deref(), Some("false"));
}

#[tokio::test]
async fn a_file_of_an_authority_beside_no_check_at_all_is_refused() {
    let starting = Module::of(&driver_mqtt::Mqtt::DEFINITION).uri("mqtts://127.0.0.1:1");
    let settings = json!({"ca": "authority.pem", "verify": false});
    let error = starting.start(settings).await.unwrap_err();
    let expect = "`ca` names whose certificates are believed and `verify: false` believes all; leave one out";
    assert_eq!(error.message(), expect);
}
