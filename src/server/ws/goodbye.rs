//! The refusal of a client behind the upgrade. Such a client never becomes a connection.

use std::future::poll_fn;
use std::io;

use tokio::time::timeout;

use crate::dialects::{Carrier, DialectKind};
use crate::server::limits::CLOSE_DEADLINE;
use crate::server::ws::carrier::{self, last_messages};
use crate::server::ws::entering::Told;
use crate::server::ws::wire::Wire;

/// The last messages to a refused client.
pub(super) fn to_newcomer(kind: DialectKind, carrier: Carrier, told: Told) -> Vec<u8> {
    match told {
        Told::Reason(why) => last_messages(kind, carrier, why),
        Told::Frame(frame) => {
            let mut messages = Vec::new();
            carrier::end(carrier, &mut messages, frame);
            messages
        }
    }
}

/// Writes the last messages and lets the client read them, within bounded time.
pub(super) async fn say(wire: &Wire, messages: &[u8]) {
    let said = async {
        write_all(wire, messages).await?;
        wire.shutdown_write();
        // What the client still sends is read and dropped, lest the kernel answer it with a reset that overtakes what we said.
        let mut dropped = [0; 512];
        loop {
            poll_fn(|cx| wire.poll_readable(cx)).await?;
            match wire.try_read(&mut dropped) {
                Ok(0) => return Ok(()),
                Ok(_) => {}
                Err(error) if may_go_on(&error) => {}
                Err(error) => return Err(error),
            }
        }
    };
    let _: Result<io::Result<()>, _> = timeout(CLOSE_DEADLINE, said).await;
    wire.shutdown();
}

async fn write_all(wire: &Wire, mut messages: &[u8]) -> io::Result<()> {
    while !messages.is_empty() {
        match wire.try_write(messages) {
            Ok(written) => messages = &messages[written..],
            Err(error) if may_go_on(&error) => wire.writable().await?,
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn may_go_on(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted
    )
}
