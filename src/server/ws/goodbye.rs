//! What a newcomer is told behind the upgrade when it may not come in. Such a client never becomes a connection.

use std::future::poll_fn;
use std::io;

use tokio::time::timeout;

use crate::dialects::{CloseFrame, DialectKind, Out};
use crate::model::CloseReason;
use crate::server::http::authn::Told;
use crate::server::limits::CLOSE_DEADLINE;
use crate::server::ws::frames::{seal_text, write_close};
use crate::server::ws::wire::Wire;

/// The last frames to a client that may not come in.
pub(super) fn to_newcomer(kind: DialectKind, told: Told) -> Vec<u8> {
    match told {
        Told::Reason(why) => last_frames(kind, why),
        Told::Frame(frame) => {
            let mut frames = Vec::new();
            write_close(&mut frames, frame);
            frames
        }
    }
}

/// What a dialect says of the reason, and its close frame.
pub(super) fn last_frames(kind: DialectKind, why: CloseReason) -> Vec<u8> {
    let (mut frames, mut steps) = (Vec::with_capacity(32), Vec::new());
    let mut out = Out::new(&mut frames, seal_text, &mut steps);
    let close: Option<CloseFrame> = kind.goodbye(why, &mut out);
    if let Some(close) = close {
        write_close(&mut frames, close);
    }
    frames
}

/// Writes the last frames and lets the client read them, within bounded time.
pub(super) async fn say(wire: &Wire, frames: &[u8]) {
    let said = async {
        write_all(wire, frames).await?;
        wire.shutdown_write();
        // What the client still sends is read and dropped, lest the kernel answer it with a reset that overtakes our frames.
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

async fn write_all(wire: &Wire, mut frames: &[u8]) -> io::Result<()> {
    while !frames.is_empty() {
        match wire.try_write(frames) {
            Ok(written) => frames = &frames[written..],
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
