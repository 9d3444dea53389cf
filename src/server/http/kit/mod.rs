//! What the HTTP resources of every dialect share. It knows no dialect: what differs between them is asked of a [`HttpDialect`].
//!
//! - `dialect` says what a dialect provides, for handlers by its type and before them by its row of the mount table; `request` lets callers in before a handler runs.
//! - `arrival` says where a request came from and by what, also through proxies.
//! - `body` reads bodies, `precondition` reads `If-Match`, `pace` bounds how fast one may go who is not known.
//! - `answers` and `rejection` become HTTP.

mod answers;
mod arrival;
mod body;
mod dialect;
mod pace;
mod precondition;
mod rejection;
mod request;

pub(super) use answers::{Answer, json, json_text, json_with, tagged, text};
pub(in crate::server) use arrival::Arrival;
pub(super) use arrival::arrival;
pub(super) use body::{Body, BodyMax, read_body};
pub(in crate::server) use dialect::Words;
pub(super) use dialect::{Access, HttpDialect};
pub(super) use pace::{Pace, Paces};
pub(super) use precondition::Precondition;
pub(in crate::server) use rejection::HttpRejection;
pub(super) use request::{
    Administrator, Known, Operator, OwnAllow, Reader, ReadsHead, RequestContext, Resource,
    Supporter, Writer, address, known, reads_head, state_of,
};
pub(in crate::server) use request::{forbid, foreign_page, header_text};
