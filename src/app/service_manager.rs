//! Tells systemd, or whatever else named a socket in `NOTIFY_SOCKET`, how far the gateway is: the other half of `Type=notify`.
//!
//! Separate because it is the only place that knows of a service manager. Without that variable nothing is sent.

use std::io;

use sd_notify::NotifyState;

/// Clients can connect.
pub(super) fn ready() {
    tell(&[NotifyState::Ready]);
}

/// Told to read the configuration again; [`ready`] ends it.
pub(super) fn reloading() {
    match NotifyState::monotonic_usec_now() {
        Ok(now) => tell(&[NotifyState::Reloading, now]),
        Err(error) => complain(&error),
    }
}

/// Told to stop: what takes time from here on is the draining.
pub(super) fn stopping() {
    tell(&[NotifyState::Stopping]);
}

/// The manager may have gone, or not listen: that stops no gateway, but an operator who waits for it wants to know why.
fn tell(state: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(state) {
        complain(&error);
    }
}

fn complain(error: &io::Error) {
    tracing::warn!(%error, "could not tell the service manager how the gateway fares; check NOTIFY_SOCKET");
}
