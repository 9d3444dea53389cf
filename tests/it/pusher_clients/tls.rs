//! Pusher's libraries by TLS.

use serde_json::json;

use super::app::{SIGNS, plan};
use super::backend::Backend;
use crate::harness::{CERTIFICATE_FILE, Certificate};

#[tokio::test]
async fn the_python_library_speaks_tls_with_an_authority_that_it_is_made_to_trust() {
    let gateway = plan().tls(&Certificate::new()).start().await;
    let mut backend = Backend::of(SIGNS, &gateway.url());
    // It looks at nothing but the authorities that come with it.
    let (kind, text) = backend.raised("trigger", json!(["news", "tick", 1])).await;
    assert_eq!(kind, "SSLError", "{text}");

    let certificate = gateway.folder().join(CERTIFICATE_FILE);
    backend
        .tell(json!({"cmd": "trust", "certificate": certificate}))
        .await;
    backend.trigger("news", "tick", json!(1)).await;
    assert_eq!(
        backend.call("channels_info", json!([])).await,
        json!({"channels": {}})
    );
}
