//! The gateway as a Platypush: bare requests and websockets, and programs of other makes: `requests` and `websocket-client` for Python, `wscat`, and the classes of Platypush itself that read messages.
//!
//! `Case N` names a row of the table of black-box tests in the protocol's fact sheet.
//! `door` is the building and its requests, `library` drives the foreign programs.

mod door;
mod library;

mod automation;
mod events;
mod executing;
mod hooks;
mod pages;
mod requests;
mod signing_in;
mod tokens;
mod wscat;
