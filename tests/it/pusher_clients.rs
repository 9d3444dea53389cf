//! The gateway as a Pusher: Pusher's own clients and server libraries, Laravel Echo and Pysher, all unmodified, and bare requests where a test wants what no library sends.
//!
//! A file has a theme; `Row N` names a row of the table of what real clients exercise.
//! `script` drives the foreign programs, `pages`, `backend` and `watcher` are those programs, `socket` is a bare websocket, `app` the building and its signatures.

mod app;
mod backend;
mod pages;
mod script;
mod socket;
mod watcher;

mod batches;
mod cached;
mod channels;
mod client_events;
mod echo;
mod encrypted;
mod fallback;
mod faults;
mod frames;
mod handshake;
mod liveness;
mod nodes;
mod presence;
mod pysher;
mod questions;
mod refusals;
mod restarts;
mod rooms;
mod signing;
mod tls;
mod triggers;
mod users;
mod watchlists;
mod webhooks;
