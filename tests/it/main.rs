//! The gateway from outside: the real binary, real sockets, real clients.
//!
//! The comments `§10 case N` name the cases of the table "Black-box test cases" in the protocol's fact sheet;
//! `waiting.rs` lists those that need more than the gateway has.

#![expect(
    clippy::duplicate_mod,
    reason = "what clients see is tested twice, on either deployment, and written once"
)]

#[path = "../harness/mod.rs"]
mod harness;

mod admin;
mod alone;
mod apps;
mod automation;
mod backoffice;
mod board_room;
mod check;
mod client;
mod completion;
mod conformance;
mod console;
mod dashboard;
mod demo;
mod documents;
mod door;
mod edits;
mod faults;
mod folders;
mod frames;
mod goodbye;
mod healthy;
mod heartbeat;
mod home_assistant;
mod home_assistant_clients;
mod keeping;
mod kept;
mod key_introspection;
mod liveness;
mod manners;
mod mounts;
mod nodes;
mod on_redis;
mod panel;
mod platypush;
mod processes;
mod pusher_clients;
mod pusher_http;
mod pushjet;
mod quotas;
mod redis_bind;
mod redis_debug;
mod redis_door;
mod redis_exec;
mod redis_faults;
mod redis_user;
mod refusals;
mod reload;
mod resources;
mod rest;
mod restricted;
mod rights;
mod room_logic;
mod service_manager;
mod services;
mod shutdown;
mod sign_in;
mod slow;
mod strangers;
mod terminal;
mod tls;
mod tokens;
mod triggers_rest;

mod waiting;
mod zones;
