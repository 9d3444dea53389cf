//! The gateway as a Platypush: bare requests and websockets, and programs of other makes: `requests` and `websocket-client` for Python, `wscat`, the classes of Platypush itself that read messages, and its own pages in a browser.
//!
//! `Case N` names a row of the table of black-box tests in the protocol's fact sheet.
//! Case 45, the library, is in `clients/python/tests`.
//! `door` is the building and its requests, `library` drives the foreign programs.

mod door;
mod library;

mod automation;
mod browser;
mod events;
mod executing;
mod hooks;
mod monitor;
mod pages;
mod requests;
mod signing_in;
mod tokens;
mod wscat;
