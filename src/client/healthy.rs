//! `riser healthy`: whether a gateway should get traffic, for health checks in places that have no other program to ask with.

use hyper::Method;
use hyper::body::Bytes;
use serde::Serialize;

use crate::client::error::ClientError;
use crate::client::gateway::Gateway;
use crate::client::output::Output;
use crate::client::rest::{Resource, Rest};

#[derive(Serialize)]
struct Healthy {
    healthy: bool,
}

/// Asks once. Every failure is exit code 1, because a health check knows only that beside 0.
pub(super) async fn run(gateway: &Gateway, output: &mut Output<'_>) -> Result<(), ClientError> {
    let mut rest = Rest::new(gateway);
    let asked = rest.send(
        "readiness",
        Method::GET,
        Resource::readiness(),
        Bytes::new(),
    );
    match asked.await {
        Ok(_) => output.done(&Healthy { healthy: true }),
        Err(error) => Err(ClientError::Failed {
            what: "not healthy".to_owned(),
            reason: error.to_string(),
        }),
    }
}
