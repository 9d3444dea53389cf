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
//! use driver_sdk::{Context, Error, LogLevel, Seconds, driver, settings};
//!
//! /// A screen that goes up and down.
//! pub struct Screen {
//!     context: Context,
//!     slack: Seconds,
//! }
//!
//! /// What the building file may say about a screen.
//! #[settings]
//! struct Settings {
//!     /// How long the motor takes to start.
//!     #[default(Seconds::new(2))]
//!     slack_seconds: Seconds,
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
//!     async fn start(context: Context, settings: Settings) -> Result<Self, Error> {
//!         let watch = context.clone();
//!         context.every(Duration::from_secs(60), move || {
//!             watch.log(LogLevel::Debug, || "the motor is well".to_owned());
//!             std::future::ready(watch.set_connected(true))
//!         });
//!         let slack = settings.slack_seconds;
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
//!         tokio::time::sleep(self.slack.duration()).await;
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
//! and, if it fits, `implements` with the names of the interfaces that the driver has, and `uri` (see [Settings](#settings)).
//! It adds the constant `DEFINITION` to the struct.
//!
//! | in the block | meaning |
//! |---|---|
//! | `async fn start(context: Context, settings: Settings) -> Result<Self, Error>` | starts an instance; after a failure it is tried again, later each time; a driver without settings leaves the second one out |
//! | `async fn settings_changed(&self, settings: Settings) -> Result<(), Error>`, optional | takes other settings while the instance runs; without it, and after a failure, the module is started again |
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
//! # Settings
//!
//! [`settings`](macro@settings) makes a struct what a building file may say under `settings`, and each of its fields a key there;
//! a field's doc comment is its description for people, its type what belongs there.
//! A field without a default must be there, unless it is an `Option`; `#[default(…)]` gives one, and `#[default]` is the type's own.
//! A field may be of any type that implements `Deserialize` and [`JsonSchema`](schemars::JsonSchema);
//! [`settings`](macro@settings) on a struct or an enum of the driver's own derives both, and names an enum's values `like_this`.
//! A time is [`Seconds`], in a field whose name ends in `_seconds`.
//!
//! The gateway holds each module to it before anything starts, and names every mistake with its line:
//! a key that is not there in the struct (unless it is `#[settings(open)]`), a value of another kind, a needed key that is missing.
//!
//! The option `uri` says the same of the address of the device, which [`Context::uri`] gives:
//!
//! | option | meaning |
//! |---|---|
//! | `uri(needed, "tcp", "tls")` | the module must have one, which begins with `tcp://` or `tls://` |
//! | `uri(optional, "http", "https")` | it may have one |
//! | `uri(default = "udp://255.255.255.255:9", "udp")` | this one stands in |
//! | `uri(optional)` | it may have one of any kind |
//! | none | it has none |
//!
//! # Derives
//!
//! A driver needs neither `serde` nor `schemars` in its own `Cargo.toml`: derive what is not settings through the re-exports and say where they are,
//! as in the example: `#[serde(crate = "driver_sdk::serde")]` and `#[schemars(crate = "driver_sdk::schemars")]`.
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
mod seconds;
mod settings;
#[cfg(feature = "testkit")]
pub mod testkit;

#[doc(hidden)]
#[path = "private.rs"]
pub mod __private;

pub use context::{Context, Spawn};
pub use definition::{Calling, Definition, Instance, Outcome, Starting};
pub use driver_sdk_macros::{driver, settings};
pub use driver_types::{
    Clearance, Configuration, Function, FunctionName, Interface, InvalidId, InvalidJson, JsonText,
    LogLevel, ModuleId, ModuleIndex, ModuleName, ModuleSink, NotWhole, Parameter, StatusName,
    StatusRefused, SystemId, UriPresence, UriRule, whole_number,
};
pub use error::Error;
pub use futures_util::future::BoxFuture;
pub use outcome::IntoOutcome;
pub use seconds::Seconds;
pub use settings::Settings;
pub use {schemars, serde};
