//! Ports for what has to be found again at the same place, or is looked for before it is there.

use std::net::{Ipv4Addr, TcpListener};
use std::sync::atomic::{AtomicU16, Ordering};

/// They are taken from below those that the kernel gives to outgoing connections, so that nobody has taken one when its owner comes back.
const FIRST_PORT: u16 = 20_000;
const PORTS: u16 = 10_000;

/// A port of this machine that nobody listens at.
pub fn free_port() -> u16 {
    static COUNT: AtomicU16 = AtomicU16::new(0);
    // Each test is a process of its own, and neighbours begin far from each other.
    let from = std::process::id().wrapping_mul(61);
    let from = u16::try_from(from % u32::from(PORTS)).expect("the ports are few");
    let free = (0..PORTS).find_map(|_| {
        let step = COUNT.fetch_add(1, Ordering::Relaxed);
        let port = FIRST_PORT + from.wrapping_add(step) % PORTS;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).ok()?;
        drop(listener);
        Some(port)
    });
    free.expect("one of ten thousand ports is free")
}
