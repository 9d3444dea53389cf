//! The gateway from outside: the real binary, real sockets, real clients.
//!
//! The comments `§10 case N` name the cases of the table "Black-box test cases" in the protocol's fact sheet;
//! `waiting.rs` lists those that need more than the gateway has.

#[path = "../harness/mod.rs"]
mod harness;

mod bind;
mod check;
mod client;
mod completion;
mod conformance;
mod dashboard;
mod debug;
mod demo;
mod documents;
mod door;
mod edits;
mod exec;
mod faults;
mod frames;
mod healthy;
mod heartbeat;
mod keeping;
mod office;
mod page;
mod panel;
mod refusals;
mod reload;
mod resources;
mod rest;
mod restricted;
mod service_manager;
mod shutdown;
mod sign_in;
mod slow;
mod terminal;
mod tls;
mod waiting;
mod zones;
