//! Tells systemd, or whatever else named a socket in `NOTIFY_SOCKET`, how far the gateway is: the other half of `Type=notify`.
//!
//! Separate because it is the only place that knows of a service manager. Without that variable nothing is sent.

use std::io;

use sd_notify::NotifyState;

/// Clients can connect.
pub(super) fn ready() {
    tell(&[NotifyState::Ready]);
}

/// The gateway reads its configuration again; [`ready`] ends it.
pub(super) fn reloading() {
    match NotifyState::monotonic_usec_now() {
        Ok(now) => tell(&[NotifyState::Reloading, now]),
        Err(error) => complain(&error),
    }
}

/// The gateway was asked to stop and drains.
pub(super) fn stopping() {
    tell(&[NotifyState::Stopping]);
}

/// The manager may have gone, or not listen: that stops no gateway, but the log says so for an operator who waits for it.
fn tell(state: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(state) {
        complain(&error);
    }
}

fn complain(error: &io::Error) {
    tracing::warn!(%error, "could not notify the service manager; check NOTIFY_SOCKET");
}
