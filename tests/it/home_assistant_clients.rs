//! The gateway as a Home Assistant: Home Assistant's own clients, unmodified, and a bare websocket where a test wants frames that no client sends.
//!
//! A file has a theme; what is for one file alone stands there. How the HTTP side answers whoever asks it without a client is `home_assistant`.

mod commands;
mod dashboard;
mod entities;
mod events;
mod frames;
mod http;
mod many;
mod nodes;
mod python;
mod reconnect;
mod services;
mod sign_in;
mod tokens;
