//! The order in which things stop.
//!
//! 1. New connections are refused and readiness fails.
//! 2. Every client gets a close frame (1001) and has the drain deadline to answer it.
//! 3. Plain HTTP requests that are under way get a moment to finish, while the modules stop.
//!
//! The runtimes end after that, which is `app`'s to do.

use std::io;
use std::pin::pin;

use actix_server::Server as ActixServer;
use futures_util::future::{Either, join, select};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::model::{Audience, CloseReason};
use crate::server::ServerState;
use crate::server::limits::DRAIN_GRACE;

/// Serves until `stop`, then drains.
pub(super) async fn run(
    server: ActixServer,
    state: &ServerState,
    stop: CancellationToken,
) -> io::Result<()> {
    let handle = server.handle();
    let mut server = pin!(server);
    if let Either::Left((ended, _)) = select(server.as_mut(), pin!(stop.cancelled())).await {
        return ended;
    }
    state.admission.drain();
    tracing::info!(
        connections = state.admission.connected(),
        "stopping: every client gets a close frame"
    );
    state
        .core
        .follows
        .close(Audience::All, CloseReason::GoingAway);
    let patience = state.settings.drain_deadline + DRAIN_GRACE;
    let drained = pin!(timeout(patience, state.admission.all_gone()));
    // The server future is polled all the while: it is what keeps the workers going.
    let drained = match select(server.as_mut(), drained).await {
        Either::Left((ended, _)) => return ended,
        Either::Right((drained, _)) => drained,
    };
    if drained.is_err() {
        tracing::warn!(
            connections = state.admission.connected(),
            "some clients did not answer the close frame in time and are cut off"
        );
    }
    let stopped = join(handle.stop(true), state.core.stop());
    let (ended, _) = join(server, stopped).await;
    ended
}
