//! Pusher's websocket, so exact that its own clients work unmodified.

pub mod channel;
pub mod frames;
mod limits;
pub mod signature;
