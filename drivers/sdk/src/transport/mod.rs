//! How a driver talks to its device: over TCP, TLS, UDP, a serial port, a websocket or HTTP.
//!
//! A [`Device`] keeps a connection and a queue. Its driver says where the device is (a [`Link`]), where a message ends ([`Tokens`]),
//! and what to read from it; then it sends [`Command`]s. What follows is the same for every device:
//!
//! - **Connected.** The status `connected` is the transport's: false until `on_connected` and the first poll are through and the device has said something;
//!   false at once when its connection breaks, and when it has owed an answer for 5 s (or for a command's longer timeout).
//!   Other statuses stay. A call fails at once while it is false, with the reason.
//! - **Again.** After 1, 2, 4, 8, 10, 10 … seconds the device is tried again, without end; with a refused password (an [`Error`](crate::Error) of the code
//!   [`REFUSED`]) after 1, 2, 4 … 60. Then `on_connected` runs, the poll reads everything afresh, and `connected` is true.
//! - **Rest.** A device that closes its connection while no command is in flight is not lost. The connection is opened again for the next command or poll,
//!   or after 5 s to see whether the device is still there; `connected` stays true if that works. HTTP waits for the next request.
//! - **One at a time.** A command is sent when the one before it is answered, by priority and then in order. The queue is bounded; a full one refuses.
//! - **Once.** A call is answered exactly once. A command is sent again only if it is [`idempotent`](Command::idempotent);
//!   if a connection breaks after another was sent, its caller learns that the device may have run it.
//! - **In step.** When a command that takes any message for its answer gets none, a late answer would be taken for the next one's,
//!   so the connection is made anew. [`answered_by`](Command::answered_by) makes that needless.
//!
//! Callers are told with codes as in HTTP: 503 not connected, 504 no answer, 502 broken while it was on its way, 429 too many wait, 409 replaced by a later one of its name.
//!
//! # A driver of a line protocol
//!
//! ```
//! use std::time::Duration;
//!
//! use driver_sdk::transport::{Device, Tcp, Tokens};
//! use driver_sdk::{Context, Error, Status, driver};
//!
//! /// A screen that goes by `POWER?`, `POWER ON` and `POWER OFF`, each line answered by one.
//! pub struct Screen(Device);
//!
//! #[driver(id = "screen", name = "Screen", uri(needed, "tcp"))]
//! impl Screen {
//!     const POWER: Status<bool> = Status::new("power");
//!
//!     async fn start(context: Context) -> Result<Self, Error> {
//!         let uri = context.uri().unwrap_or_default();
//!         let link = Tcp::new(uri, 23, Tokens::delimited("\r"))?;
//!         let screen = Device::over(&context, link).poll(Duration::from_secs(10), move |device| {
//!             let context = context.clone();
//!             async move {
//!                 let power = device.ask("POWER?\r").await?.text();
//!                 context.set(&Self::POWER, &(power == "POWER ON"));
//!                 Ok(())
//!             }
//!         });
//!         Ok(Self(screen.start()))
//!     }
//!
//!     /// Switches the screen.
//!     pub async fn power(&self, state: bool) -> Result<String, Error> {
//!         let line = if state { "POWER ON\r" } else { "POWER OFF\r" };
//!         Ok(self.0.ask(line).await?.text())
//!     }
//! }
//! # use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! #     let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
//! #     let uri = format!("tcp://{}", listener.local_addr().unwrap());
//! #     let screen = async {
//! #         let (stream, _) = listener.accept().await.unwrap();
//! #         let (mut reader, mut line) = (BufReader::new(stream), Vec::new());
//! #         while reader.read_until(b'\r', &mut line).await.unwrap() > 0 {
//! #             let answer: &[u8] = if line == b"POWER?\r" { b"POWER ON\r" } else { b"OK\r" };
//! #             reader.write_all(answer).await.unwrap();
//! #             line.clear();
//! #         }
//! #     };
//! #     let client = async {
//! #         let module = driver_sdk::testkit::Module::of(&Screen::DEFINITION).uri(&uri).start(driver_sdk::serde_json::json!({})).await.unwrap();
//! #         module.wait_connected(true).await;
//! #         assert_eq!(module.status(&Screen::POWER), Some(true));
//! #         assert_eq!(module.call("power", (false,)).await.unwrap().value.as_str(), "\"OK\"");
//! #     };
//! #     tokio::select! { () = screen => panic!("the screen ended"), () = client => {} }
//! # }
//! ```
//!
//! # The parts
//!
//! `device` is the handle and its description, `actor` the task that keeps it connected, `queue` and `command` what waits, `link` an open connection,
//! `tokens` where messages end. A transport implements [`Link`] in a file of its own and knows nothing of the others.

mod actor;
mod address;
mod backoff;
mod command;
mod device;
mod errors;
mod headers;
mod http;
mod limits;
mod link;
mod message;
mod queue;
mod serial;
mod tcp;
mod tls;
mod tokens;
mod udp;
mod websocket;

pub use command::Command;
pub use device::{Device, DeviceBuilder};
pub use errors::{AWAY, REFUSED};
pub use http::{Http, Request, Response};
pub use link::{Connection, Link};
pub use message::Message;
pub use serial::Serial;
pub use tcp::Tcp;
pub use tls::Trust;
pub use tokens::{ByteOrder, Length, Tokens};
pub use udp::Udp;
pub use websocket::Websocket;
