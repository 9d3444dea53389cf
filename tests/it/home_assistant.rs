//! The gateway as a Home Assistant: Home Assistant's own clients, unmodified, and a bare websocket where a test wants frames that no client sends.
//!
//! A file has a theme; what is for one file alone stands there.

mod dashboard;
mod entities;
mod events;
mod frames;
mod many;
mod python;
mod reconnect;
mod rest;
mod services;
mod sign_in;
