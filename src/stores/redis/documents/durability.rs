//! Finds out whether the server keeps anything on its disk, so that the log can warn when it does not.

use redis::aio::MultiplexedConnection;
use std::collections::HashMap;

/// Whether what is committed outlives the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Durability {
    /// It writes to its disk, at once or from time to time.
    Kept,
    /// It is gone when the server ends.
    Lost,
    /// It does not say.
    Unknown,
}

/// Asks the server.
pub(super) async fn durability(connection: &mut MultiplexedConnection) -> Durability {
    let info: Result<String, _> = redis::cmd("INFO")
        .arg("persistence")
        .query_async(connection)
        .await;
    match info {
        Ok(text) if text.lines().any(|line| line == "aof_enabled:1") => return Durability::Kept,
        Ok(_) => {}
        Err(_) => return Durability::Unknown,
    }
    // Only the settings say whether it takes snapshots, and not every user may ask for them.
    let settings: Result<HashMap<String, String>, _> = redis::cmd("CONFIG")
        .arg("GET")
        .arg("save")
        .query_async(connection)
        .await;
    match settings {
        Ok(settings) if settings.get("save").is_some_and(String::is_empty) => Durability::Lost,
        Ok(_) => Durability::Kept,
        Err(_) => Durability::Unknown,
    }
}
