//! What the black-box tests stand on: the real binary as a child process, and clients that speak to it over real sockets.
//!
//! - `gateway` starts, stops and restarts the binary; `process` is any child whose output is kept.
//! - `socket` is a websocket client for tests of frames; `wire` one that answers nothing by itself, for tests of the protocol below.
//! - `terminal` runs the binary's own client commands; `front` puts TLS before a gateway.
//! - `http` asks one plain request, and `specification` looks whether the answer is as specified; `page` is PlaceOS's own client library in a Node process.
//! - `transport` connects clients, plain or by TLS, for which `certificate` makes the certificates.
//! - `places` has the frames of requests and answers, `buildings` what there is to talk to.
//! - `document` reads the project's own documents.
//!
//! Nothing here sleeps: whatever is waited for has a deadline and fails with what was seen last.
//! Every process is ended by its own id when its owner is dropped; what it said is printed if the test failed.

mod buildings;
mod certificate;
mod deadline;
mod document;
mod folder;
mod front;
mod gateway;
mod http;
mod page;
mod places;
mod process;
mod socket;
pub(crate) mod specification;
mod terminal;
mod transport;
mod wire;

pub(crate) use buildings::{BUILDING, Key};
pub(crate) use certificate::Certificate;
pub(crate) use deadline::{DEADLINE, within};
pub(crate) use document::{Block, Document, root};
pub(crate) use folder::Folder;
pub(crate) use front::Front;
pub(crate) use gateway::{CERTIFICATE_FILE, CONTROL, Gateway, KEY_FILE, Plan, Refusal};
pub(crate) use http::{Request, Response};
pub(crate) use page::{Carrier, Page, SignIn};
pub(crate) use places::{Place, bookings, display, scratch};
pub(crate) use process::{Process, Stream};
pub(crate) use socket::{Door, TestClient};
pub(crate) use terminal::{Ran, Terminal};
pub(crate) use transport::{Endpoint, Transport};
pub(crate) use wire::{Fin, Opcode, WireClient};
