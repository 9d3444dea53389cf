//! A driver that is linked into the gateway.
