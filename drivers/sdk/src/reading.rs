//! Reads JSON as a type, with errors that say in words for people where it does not fit and what belongs there.
//!
//! What was there is left out of the errors: it may be a password or two megabytes.

use driver_types::{Misfit, Place, Step, with_plain_whole_numbers};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_path_to_error::Segment;

use crate::Error;

/// A mistake with its place in the text.
pub(crate) type Misplaced = (Vec<Step>, Misfit);

/// As much of a foreign text as an error repeats.
const SHORT_MAX_CHARS: usize = 100;

/// Reads a JSON text. Nesting deeper than 128 levels is an error, except where the type keeps JSON as text.
///
/// A whole number may have a point or an exponent: JSON Schema, by which drivers describe themselves, counts `5.0` as an integer.
pub(crate) fn read<T: DeserializeOwned>(json: &str) -> Result<T, Error> {
    try_read(json).map_err(said)
}

/// The same, with the mistake's place and what it is.
pub(crate) fn try_read<T: DeserializeOwned>(json: &str) -> Result<T, Misplaced> {
    serde_json::from_str(json).or_else(|_| {
        // Behind a failure alone: it takes a second look at the text, and Rust's own readers see most texts as we do.
        let plain = with_plain_whole_numbers(json);
        let read = plain.and_then(|plain| serde_json::from_str(&plain).ok());
        read.ok_or_else(|| misfit::<T>(json))
    })
}

/// Cuts a JSON text into parts that stay where they are.
pub(crate) fn cut<'a, T: Deserialize<'a>>(json: &'a str) -> Result<T, Error> {
    serde_json::from_str(json).map_err(|_| said(misfit::<T>(json)))
}

/// The start of a text that somebody else chose.
pub(crate) fn short(text: &str) -> String {
    text.chars().take(SHORT_MAX_CHARS).collect()
}

/// Reads again, and keeps track of the path: it costs too much for a text that fits.
pub(crate) fn misfit<'a, T: Deserialize<'a>>(json: &'a str) -> Misplaced {
    let mut deserializer = serde_json::Deserializer::from_str(json);
    let Err(error) = serde_path_to_error::deserialize::<_, T>(&mut deserializer) else {
        let reason = "there is more than one JSON value".to_owned();
        return (Vec::new(), Misfit::Other(reason));
    };
    let steps = error.path().iter().filter_map(|segment| match segment {
        Segment::Seq { index } => Some(Step::Item(*index)),
        Segment::Map { key } | Segment::Enum { variant: key } => Some(Step::Key(short(key))),
        Segment::Unknown => None,
    });
    let steps = steps.collect();
    (steps, Misfit::of(error.inner()))
}

/// What is wrong, behind its place if that is not the whole text.
pub(crate) fn in_words(place: &Place, misfit: &Misfit) -> String {
    match place.to_string() {
        path if path.is_empty() => misfit.to_string(),
        path => format!("{}: {misfit}", short(&path)),
    }
}

fn said((steps, misfit): Misplaced) -> Error {
    Error::new(in_words(&Place::Settings(steps), &misfit))
}
