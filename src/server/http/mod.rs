//! Plain HTTP: routes, and who may take them.
//!
//! Each dialect has a folder for its resources, and `kit` has what they share. `health.rs` is for operators, `redirect.rs` sends clients that come unencrypted on,
//! and `openapi.rs` describes every resource.
//! `console` has the pages in which people see the building. `folder.rs` serves files, for the pages of a dialect and from the folders that the settings name.
//! `edge.rs` has what holds for every request and every answer.
//! `mounts.rs` has the table of what stands where, `shared.rs` what several dialects have at one path, `cors.rs` says which other origins' pages may read the answers.

mod called;
mod console;
pub(super) mod cors;
pub(super) mod edge;
mod folder;
mod health;
mod home_assistant;
pub(super) mod kit;
pub(super) mod mounts;
mod openapi;
mod placeos;
mod platypush;
mod pusher;
mod pushjet;
mod redirect;
mod shared;

pub(super) use crate::server::http::folder::PackedFiles;
pub(super) use crate::server::http::home_assistant::LoginFlows;
pub(super) use crate::server::http::placeos::OnceDoor;
pub(super) use crate::server::http::placeos::node_api;
pub(super) use crate::server::http::placeos::shadowed::foreign_rules;
pub(super) use crate::server::http::platypush::PlatypushDoor;
pub(super) use crate::server::http::pusher::Fallbacks;
pub(super) use crate::server::http::pushjet::PushjetDoor;
