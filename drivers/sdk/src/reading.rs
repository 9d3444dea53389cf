//! Reads JSON as a type, with errors that say where it does not fit and what belongs there.
//!
//! What was there is left out of the errors: it may be a password or two megabytes.

use serde::Deserialize;

use crate::Error;

/// As much of a foreign text as an error repeats.
const SHORT_MAX_CHARS: usize = 100;

/// Reads a JSON text. Nesting deeper than 128 levels is an error, except where the type keeps JSON as text.
pub(crate) fn read<'a, T: Deserialize<'a>>(json: &'a str) -> Result<T, Error> {
    serde_json::from_str(json).map_err(|_| misfit::<T>(json))
}

/// The start of a text that somebody else chose.
pub(crate) fn short(text: &str) -> String {
    text.chars().take(SHORT_MAX_CHARS).collect()
}

/// Reads again, and keeps track of the path: it costs too much for a text that fits.
fn misfit<'a, T: Deserialize<'a>>(json: &'a str) -> Error {
    let mut deserializer = serde_json::Deserializer::from_str(json);
    let Err(error) = serde_path_to_error::deserialize::<_, T>(&mut deserializer) else {
        return Error::new("there is more than one JSON value");
    };
    let path = error.path().to_string();
    let reason = reason(error.inner());
    if path == "." {
        Error::new(reason)
    } else {
        Error::new(reason).prefixed(&short(&path))
    }
}

/// What the type expected, without what it found and without the position.
fn reason(error: &serde_json::Error) -> String {
    let message = error.to_string();
    let position = format!(" at line {} column {}", error.line(), error.column());
    let message = message.strip_suffix(&position).unwrap_or(&message);
    match message.rsplit_once(", expected ") {
        Some((_, expected)) => format!("expected {}", short(expected)),
        None => short(message),
    }
}
