//! What callers are told when a command comes to nothing, each with the code that HTTP has for it.

use std::io;
use std::time::Duration;

use crate::Error;

/// The code of an error that says the device refuses the password: from `on_connected`, `poll` or a connection, it makes the attempts rarer.
pub const REFUSED: u16 = 401;

/// The code of an error that says that something answers in the device's place, such as a gateway that cannot reach it:
/// from `on_connected` or `poll` it ends the connection, and the device is tried again in the usual times.
pub const AWAY: u16 = 523;

const REPLACED: u16 = 409;
const FULL: u16 = 429;
const BROKEN: u16 = 502;
const NOT_CONNECTED: u16 = 503;
const SILENT: u16 = 504;

pub(super) fn not_connected(why: &str) -> Error {
    Error::new(format_args!("the device is not connected: {why}")).with_code(NOT_CONNECTED)
}

pub(super) fn replaced(name: &str) -> Error {
    let message =
        format_args!("a later command '{name}' has replaced this one, which was not sent");
    Error::new(message).with_code(REPLACED)
}

pub(super) fn full(commands: usize) -> Error {
    Error::new(format_args!(
        "{commands} commands wait for the device already, so this one was not sent; try again later"
    ))
    .with_code(FULL)
}

pub(super) fn broken(why: &str) -> Error {
    Error::new(format_args!(
        "{why} before the command was answered; the device may have run it"
    ))
    .with_code(BROKEN)
}

pub(super) fn silent(timeout: Duration) -> Error {
    Error::new(format_args!(
        "the device did not answer within {} s",
        timeout.as_secs_f64()
    ))
    .with_code(SILENT)
}

/// Why a connection could not be opened.
pub(super) fn unreachable(error: &io::Error) -> Error {
    Error::new(in_words(error)).with_code(NOT_CONNECTED)
}

/// An error of the system without its number, in words where it has better ones.
pub(super) fn in_words(error: &io::Error) -> String {
    let words = WORDS.iter().find(|(kind, _)| *kind == error.kind());
    words.map_or_else(|| error.to_string(), |(_, words)| (*words).to_owned())
}

const WORDS: &[(io::ErrorKind, &str)] = &[
    (io::ErrorKind::ConnectionRefused, "it refuses connections"),
    (
        io::ErrorKind::ConnectionReset,
        "it broke the connection off",
    ),
    (
        io::ErrorKind::ConnectionAborted,
        "it broke the connection off",
    ),
    (io::ErrorKind::BrokenPipe, "it broke the connection off"),
    (io::ErrorKind::UnexpectedEof, "it closed the connection"),
    (io::ErrorKind::HostUnreachable, "no network leads to it"),
    (io::ErrorKind::NetworkUnreachable, "no network leads to it"),
    (io::ErrorKind::TimedOut, "it gives no sign of life"),
    (io::ErrorKind::NotFound, "there is nothing at its address"),
    (
        io::ErrorKind::PermissionDenied,
        "the gateway may not open its address",
    ),
];

/// Whether the other end has ended the connection.
pub(super) fn is_hang_up(error: &io::Error) -> bool {
    use io::ErrorKind as Kind;
    matches!(
        error.kind(),
        Kind::ConnectionReset | Kind::ConnectionAborted | Kind::BrokenPipe | Kind::UnexpectedEof
    )
}
