//! Messages: JSON objects of the type `request`, `response` or `event`.
//!
//! What a client sends is delimited and not rebuilt: ids, arguments and data go on byte for byte.

mod event;
mod fields;
mod request;
mod response;

pub use event::{EventMessage, Ignored};
pub(super) use event::{put_event, shown_event};
pub use fields::Fields;
pub use request::{Arguments, BadRequest, MessageId, RequestMessage};
pub use response::put_response;

use crate::model::Timestamp;

/// A moment as messages have it: seconds since 1970 with a fraction.
pub(super) fn seconds(at: Timestamp) -> String {
    let fraction = format!("{:06}", at.0 % 1_000_000);
    match fraction.trim_end_matches('0') {
        "" => format!("{}.0", at.as_secs()),
        fraction => format!("{}.{fraction}", at.as_secs()),
    }
}

/// Writes a value as JSON. Nothing that this dialect writes can fail.
pub(super) fn put_json(value: &(impl serde::Serialize + ?Sized), out: &mut Vec<u8>) {
    // Writing into a Vec does not fail, and every map here has texts for keys.
    let _ = serde_json::to_writer(out, value);
}

/// 32 hexadecimal digits, as Platypush draws ids.
pub(super) fn hex_id(drawn: u128) -> String {
    format!("{drawn:032x}")
}
