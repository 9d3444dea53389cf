//! Runs a driver as a process of its own, without a changed line in the driver.
//!
//! A program is two lines; a building file names it as `driver: {command: [./lamp]}`:
//!
//! ```no_run
//! # use driver_sdk::{Context, Error, driver};
//! # struct Lamp;
//! # /// A lamp.
//! # #[driver(id = "lamp", name = "Lamp")]
//! # impl Lamp {
//! #     async fn start(_: Context) -> Result<Self, Error> { Ok(Self) }
//! # }
//! fn main() -> std::process::ExitCode {
//!     driver_sdk::process::run(&Lamp::DEFINITION)
//! }
//! ```
//!
//! As a process a driver can be written in another version of the kit than the gateway's, may crash or block its thread without harm to others, and can be ended.
//! [`protocol`] has the messages, which the gateway's side reads and writes by the same types; `api-spec/asyncapi/driver.yaml` describes them.
//! Other modules are found, called and followed as from a linked-in driver; only a refusal to follow or to publish comes later, as a warning in the log.
//! Starting, watching and ending the process is the gateway's business and not told here.

mod module;
mod outbox;
pub mod protocol;
mod requests;

use std::io::{self, BufRead, Read, Write};
use std::process::ExitCode;
use std::sync::Arc;
use std::thread;

use tokio::runtime::Builder;
use tokio::sync::mpsc;

use crate::Definition;
use module::{Ended, Served};
use outbox::Outbox;
use protocol::LINE_MAX_BYTES;

/// Lines from the gateway that wait to be looked at. Past it the rest waits in the pipe.
const LINES_WAITING_MAX: usize = 64;

/// The exit code after a panic, as Rust's own programs have it.
const PANICKED: u8 = 101;

/// Runs one module of this driver for the gateway that has started the process, and returns when its stdin ends or the driver panics.
///
/// Everything runs on this thread: a driver that blocks it answers no heartbeat, and the gateway ends the process.
/// Nothing else may write to stdout; stderr is the module's log.
#[must_use = "it is the process's own exit code"]
pub fn run(definition: &Definition) -> ExitCode {
    let runtime = match Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            // Nobody is left to tell when stderr is closed too.
            let _ = writeln!(io::stderr(), "could not start a runtime: {error}");
            return ExitCode::FAILURE;
        }
    };
    let outbox = Arc::new(Outbox::default());
    let writing = {
        let outbox = Arc::clone(&outbox);
        thread::spawn(move || outbox.write_to(io::stdout()))
    };
    let (lines, inbox) = mpsc::channel(LINES_WAITING_MAX);
    thread::spawn(move || read_lines(io::stdin().lock(), &lines));
    let served = Served::new(*definition, Arc::clone(&outbox));
    let ended = runtime.block_on(served.serve(inbox));
    outbox.close();
    // A writer that panicked has nothing more to write.
    let _ = writing.join();
    match ended {
        Ended::InGoodOrder => ExitCode::SUCCESS,
        Ended::Panicked => ExitCode::from(PANICKED),
    }
}

/// Hands on one line after the other until stdin ends or one is too long, which no gateway sends.
fn read_lines(mut stdin: impl BufRead, lines: &mpsc::Sender<Vec<u8>>) {
    loop {
        let mut line = Vec::new();
        let bound = u64::try_from(LINE_MAX_BYTES).unwrap_or(u64::MAX);
        let read = stdin.by_ref().take(bound).read_until(b'\n', &mut line);
        if read.is_err() || line.pop() != Some(b'\n') || lines.blocking_send(line).is_err() {
            return;
        }
    }
}
