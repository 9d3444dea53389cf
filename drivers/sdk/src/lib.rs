//! Everything a driver author needs.
//!
//! A driver is a struct with one attributed `impl` block: its public `async fn(&self, …)` are what clients call,
//! and the interface metadata is read off their signatures and doc comments.
//! The gateway starts an instance of it, a *module*, through [`Definition`]; everything the module says goes up through its [`Context`].
//! A driver imports this crate and nothing of the gateway.
//!
//! # A driver
//!
//! ```
//! use std::time::Duration;
//!
//! use driver_sdk::schemars::JsonSchema;
//! use driver_sdk::serde::{Deserialize, Serialize};
//! use driver_sdk::{Context, Error, LogLevel, driver};
//!
//! /// A screen that goes up and down.
//! pub struct Screen {
//!     context: Context,
//!     slack: Duration,
//! }
//!
//! /// What the building file may say about a screen.
//! #[derive(Deserialize)]
//! #[serde(crate = "driver_sdk::serde", default, deny_unknown_fields)]
//! struct Settings {
//!     slack_seconds: u64,
//! }
//!
//! impl Default for Settings {
//!     fn default() -> Self {
//!         Self { slack_seconds: 2 }
//!     }
//! }
//!
//! /// Where a screen can be.
//! #[derive(Clone, Copy, Serialize, Deserialize, JsonSchema)]
//! #[serde(crate = "driver_sdk::serde", rename_all = "snake_case")]
//! #[schemars(crate = "driver_sdk::schemars")]
//! pub enum Position {
//!     /// Out of sight.
//!     Up,
//!     /// In front of the wall.
//!     Down,
//! }
//!
//! /// A projection screen with a motor.
//! #[driver(id = "screen", name = "Screen", implements("Moveable"))]
//! impl Screen {
//!     async fn start(context: Context) -> Result<Self, Error> {
//!         let settings: Settings = context.settings()?;
//!         let watch = context.clone();
//!         context.every(Duration::from_secs(60), move || {
//!             watch.log(LogLevel::Debug, || "the motor is well".to_owned());
//!             std::future::ready(watch.set_connected(true))
//!         });
//!         let slack = Duration::from_secs(settings.slack_seconds);
//!         Ok(Self { context, slack })
//!     }
//!
//!     /// Moves the screen.
//!     pub async fn r#move(&self, #[default(Position::Down)] position: Position) -> Result<(), Error> {
//!         self.wait_for_motor().await;
//!         self.context.set("position", &position)
//!     }
//!
//!     /// Whether the screen is in sight.
//!     #[name("down?")]
//!     pub async fn is_down(&self) -> Result<bool, Error> {
//!         let position = self.context.get("position")?;
//!         Ok(matches!(position, Some(Position::Down)))
//!     }
//!
//!     /// Learns anew where the ends are.
//!     #[support]
//!     pub async fn calibrate(&self) -> Result<(), Error> {
//!         Err(Error::new("a person must stand by").with_code(409))
//!     }
//!
//!     /// Private, so it is not for clients.
//!     async fn wait_for_motor(&self) {
//!         // Never `std::thread::sleep`: it would hold up other modules.
//!         tokio::time::sleep(self.slack).await;
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() {
//! // In the driver's tests:
//! use driver_sdk::testkit::Module;
//!
//! let module = Module::start(&Screen::DEFINITION, "{}").await.unwrap();
//! module.call("move", r#"{"position": "down"}"#).await.unwrap();
//! module.wait_status("position", r#""down""#).await;
//! # assert_eq!(module.call("down?", "[]").await.unwrap().value.as_str(), "true");
//! # }
//! ```
//!
//! # The attribute
//!
//! [`driver`] takes `id` (by which a building file names the driver), `name` (the module name that clients use by default)
//! and, if it fits, `implements` with the names of the interfaces that the driver has. It adds the constant `DEFINITION` to the struct.
//!
//! | in the block | meaning |
//! |---|---|
//! | `async fn start(context: Context) -> Result<Self, Error>` | starts an instance; after a failure it is tried again, later each time |
//! | `async fn stop(&self)`, optional | puts the device in order before the instance is dropped |
//! | `pub async fn name(&self, …)` | a function that clients call |
//! | any other item | the driver's own |
//! | the block's doc comment, a method's | the description for people |
//! | `#[support]`, `#[admin]` on a method | the clearance that a caller needs |
//! | `#[name("power?")]` on a method | its name for clients, where Rust's rules do not allow it |
//! | `#[default(…)]` on a parameter | the value that stands in for an absent argument or `null` |
//! | a parameter `Option<T>` | `None` stands in |
//!
//! A parameter's type implements `Deserialize` and [`JsonSchema`](schemars::JsonSchema), with a default `Serialize` too;
//! [`JsonText`] takes any JSON as it is, and an integer takes every whole number, `5.0` and `5e0` too. A method returns nothing, a value that implements `Serialize`, an [`Outcome`] with a response code of its own,
//! or a `Result` of these with [`Error`].
//!
//! # Derives
//!
//! A driver needs neither `serde` nor `schemars` in its own `Cargo.toml`: derive through the re-exports and say where they are,
//! as in the example: `#[serde(crate = "driver_sdk::serde")]` and `#[schemars(crate = "driver_sdk::schemars")]`.
//!
//! # Devices
//!
//! [`transport`] connects a device over TCP, TLS, UDP, a serial port, a websocket or HTTP, keeps `connected`, and sends one command after the other.
//!
//! # Tests
//!
//! The feature `testkit`, for a driver's `[dev-dependencies]`, brings `driver_sdk::testkit`: a host in memory
//! that starts a module, calls it and waits for what it publishes, also with Tokio's clock paused.
//!
//! # What a driver may rely on
//!
//! - Calls start in the order in which they arrive and run side by side; a panic restarts the module, and its other callers are answered.
//! - Statuses are gone when a module starts: what holds is what it sets again. Setting an equal value publishes nothing.
//! - Nothing on [`Context`] waits, so it can be used while a lock is held.

mod arguments;
mod context;
mod definition;
mod error;
mod outcome;
mod reading;
mod schema;
#[cfg(feature = "testkit")]
pub mod testkit;
pub mod transport;

#[doc(hidden)]
#[path = "private.rs"]
pub mod __private;

pub use context::{Context, Spawn};
pub use definition::{Calling, Definition, Instance, Outcome, Starting};
pub use driver_sdk_macros::driver;
pub use driver_types::{
    Clearance, Function, FunctionName, Interface, InvalidId, InvalidJson, JsonText, LogLevel,
    ModuleId, ModuleIndex, ModuleName, ModuleSink, NotWhole, Parameter, StatusName, StatusRefused,
    SystemId, whole_number,
};
pub use error::Error;
pub use futures_util::future::BoxFuture;
pub use outcome::IntoOutcome;
pub use {schemars, serde};
