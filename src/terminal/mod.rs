//! The terminal client of a running gateway: bind, exec and debug over its websocket, lists over HTTP.
//!
//! Separate because it is a program of its own that happens to be in the same binary: it reaches a gateway through the public doors of the dialect placeos,
//! as any other client does, and so may talk to one on another machine and of another version.
