//! Reads JSON as a type, with errors that say in words for people where it does not fit and what belongs there.
//!
//! What was there is left out of the errors: it may be a password or two megabytes.

use driver_types::{Misfit, with_plain_whole_numbers};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::Error;

/// As much of a foreign text as an error repeats.
const SHORT_MAX_CHARS: usize = 100;

/// Reads a JSON text. Nesting deeper than 128 levels is an error, except where the type keeps JSON as text.
///
/// A whole number may have a point or an exponent: JSON Schema, by which drivers describe themselves, counts `5.0` as an integer.
pub(crate) fn read<T: DeserializeOwned>(json: &str) -> Result<T, Error> {
    serde_json::from_str(json).or_else(|_| {
        // Behind a failure alone: it takes a second look at the text, and Rust's own readers see most texts as we do.
        let plain = with_plain_whole_numbers(json);
        let read = plain.and_then(|plain| serde_json::from_str(&plain).ok());
        read.ok_or_else(|| misfit::<T>(json))
    })
}

/// Cuts a JSON text into parts that stay where they are.
pub(crate) fn cut<'a, T: Deserialize<'a>>(json: &'a str) -> Result<T, Error> {
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
    let reason = Misfit::of(error.inner());
    if path == "." {
        Error::new(reason)
    } else {
        Error::new(reason).prefixed(&short(&path))
    }
}
