//! Tells an address what a module does while it does it, so that an onlooker can say which process acted, and when.
//!
//! A report is one line of JSON, answered by the line `ok`; the module waits for the answer before it goes on.
//! So what is reported stands to the module as a device does: whoever acts on it has to reach it.

use std::io;
use std::time::Duration;

use driver_sdk::serde::Serialize;
use driver_sdk::{Error, JsonText, ModuleId};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::sync::Mutex;
use tokio::time::timeout;

/// How long an answer may take; past it, what was to be done fails.
const ANSWER_DEADLINE: Duration = Duration::from_secs(5);

/// The longest answer that is read.
const ANSWER_MAX_BYTES: u64 = 64;

/// What a module reports to.
#[derive(Debug)]
pub(crate) struct Reporter {
    module: ModuleId,
    /// Host and port.
    address: String,
    /// The connection between two reports. Held while one is made, so that they go out one after the other.
    idle: Mutex<Option<BufReader<TcpStream>>>,
}

/// One line.
#[derive(Serialize)]
#[serde(crate = "driver_sdk::serde")]
struct Report<'a> {
    process: u32,
    module: &'a str,
    what: &'a str,
}

impl Reporter {
    /// To an address such as `tcp://127.0.0.1:9000`.
    pub(crate) fn new(module: ModuleId, uri: &str) -> Result<Self, Error> {
        let address = uri.strip_prefix("tcp://").ok_or_else(|| {
            Error::new("the setting 'report' is no address such as tcp://127.0.0.1:9000")
        })?;
        Ok(Self {
            module,
            address: address.to_owned(),
            idle: Mutex::default(),
        })
    }

    /// Reports one thing and waits until it is taken. It is not reported twice: what fails may have been taken or not.
    pub(crate) async fn say(&self, what: &str) -> Result<(), Error> {
        let line = JsonText::of(&Report {
            process: std::process::id(),
            module: self.module.as_str(),
            what,
        })?;
        let mut idle = self.idle.lock().await;
        // Taken out, so that a report that is abandoned half-way leaves no answer for the next one to read.
        let stream = idle.take();
        let told = timeout(ANSWER_DEADLINE, tell(stream, &self.address, line.as_str()));
        let taken = told.await.unwrap_or(Err(io::ErrorKind::TimedOut.into()));
        let stream = taken.map_err(|error| {
            Error::new(format_args!(
                "the report to {} was not taken: {error}",
                self.address
            ))
        })?;
        *idle = Some(stream);
        Ok(())
    }
}

async fn tell(
    stream: Option<BufReader<TcpStream>>,
    address: &str,
    line: &str,
) -> io::Result<BufReader<TcpStream>> {
    let mut stream = match stream {
        Some(stream) => stream,
        None => BufReader::new(TcpStream::connect(address).await?),
    };
    stream.write_all(format!("{line}\n").as_bytes()).await?;
    let mut answer = String::new();
    let mut bounded = tokio::io::AsyncReadExt::take(&mut stream, ANSWER_MAX_BYTES);
    bounded.read_line(&mut answer).await?;
    if answer.trim_end() == "ok" {
        Ok(stream)
    } else {
        Err(io::Error::other("the answer was not ok"))
    }
}
