//! What clients ask of the building's automation: that a procedure is run, or what an address `/hook/NAME` does.
//!
//! Separate from the entries that say what is done then: these are asked again and again, by whoever may.

use std::fmt;
use std::net::IpAddr;

use driver_types::JsonText;

use crate::model::{Failure, ProcedureId};

/// A procedure that somebody wants to be run, with the rights that they have themselves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunRequest {
    /// Which.
    pub procedure: ProcedureId,
    /// What it is given: an object by name, a list in the order of its parameters, or a single value.
    pub arguments: Option<JsonText>,
}

/// A request to an address `/hook/NAME`, by whoever sent it.
#[derive(Clone, PartialEq, Eq)]
pub struct HookRequest {
    /// What stands behind `/hook/`.
    pub name: String,
    /// The method, in capitals.
    pub method: String,
    /// What stands in the query: of each key the first value, in the order of the keys.
    pub args: Vec<(String, String)>,
    /// The body: JSON as it is, a form as an object, any other text as text; null where it is not what it says.
    pub data: JsonText,
    /// The headers, named as `X-Token` is.
    pub headers: Vec<(String, String)>,
    /// Who sent it.
    pub address: IpAddr,
}

/// Headers that say who somebody is, whatever dialect reads them.
const CREDENTIALS: [&str; 7] = [
    "Authorization",
    "Cookie",
    "Proxy-Authorization",
    "X-Api-Key",
    "X-Csrf-Token",
    "X-Session-Token",
    "X-Token",
];

impl HookRequest {
    /// Whether a header of this name says who somebody is, and so is nobody else's to see.
    pub fn is_credential(header: &str) -> bool {
        let mut names = CREDENTIALS.iter();
        names.any(|name| name.eq_ignore_ascii_case(header))
    }
}

/// Headers, queries and bodies may hold secrets.
impl fmt::Debug for HookRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HookRequest")
            .field("name", &self.name)
            .field("method", &self.method)
            .finish_non_exhaustive()
    }
}

/// What came of such a request.
#[derive(Debug)]
pub enum HookOutcome {
    /// There is nothing of that name. Who follows the bus has been told.
    Unknown,
    /// It is not called by that method.
    NotAllowed {
        /// By which it is, as the header `Allow` has them.
        allow: String,
    },
    /// The request lacks what it has to show.
    Refused,
    /// There are too many at the moment.
    Busy,
    /// It was done, and this is answered.
    Answered(HookReply),
    /// It failed.
    Failed(Failure),
}

/// What the caller of an address is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HookReply {
    /// The status code.
    pub status: u16,
    /// Headers of its own.
    pub headers: Vec<(String, String)>,
    /// The body: text as it is, anything else as JSON; none for null.
    pub body: JsonText,
}
