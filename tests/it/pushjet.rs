//! The gateway as a Pushjet: its own library for Python and Apprise, both unmodified, listeners over a websocket and over TCP, and bare requests where a test wants what no library sends.
//!
//! `Case N` names a row of the table of black-box tests in the protocol's fact sheet.
//! `door` is the building and its requests, `library` drives the foreign programs, `listener` is a bare listener.

mod door;
mod library;
mod listener;

mod alerts;
mod apprise;
mod cluster;
mod creating;
mod devices;
mod kept;
mod listening;
mod refusals;
mod sending;
mod services;
