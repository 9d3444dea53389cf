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
//! use driver_sdk::interfaces::Powerable;
//! use driver_sdk::schemars::JsonSchema;
//! use driver_sdk::serde::{Deserialize, Serialize};
//! use driver_sdk::{Context, Error, Seconds, Status, TimeZone, debug, driver, settings};
//!
//! /// A screen that goes up and down.
//! pub struct Screen {
//!     context: Context,
//!     settings: Settings,
//! }
//!
//! /// What the building file may say about a screen.
//! #[settings]
//! pub struct Settings {
//!     /// How long the motor takes to start.
//!     #[default(Seconds::new(2))]
//!     slack_seconds: Seconds,
//!     /// How often the motor is looked at.
//!     #[default(Seconds::new(10))]
//!     poll_seconds: Seconds,
//!     /// Where the room is.
//!     #[default]
//!     timezone: TimeZone,
//! }
//!
//! /// Where a screen can be.
//! #[derive(Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
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
//! #[driver(id = "screen", name = "Screen", uri(optional, "tcp"), implements(Powerable))]
//! impl Screen {
//!     /// Where the screen is.
//!     pub const POSITION: Status<Position> = Status::new("position");
//!
//!     async fn start(context: Context, settings: Settings) -> Result<Self, Error> {
//!         Ok(Self { context, settings })
//!     }
//!
//!     /// Moves the screen.
//!     pub async fn r#move(&self, #[default(Position::Down)] position: Position) {
//!         self.wait_for_motor().await;
//!         self.context.set(&Self::POSITION, &position);
//!     }
//!
//!     /// Whether the screen is in sight.
//!     #[name("down?")]
//!     pub async fn is_down(&self) -> bool {
//!         self.context.get(&Self::POSITION) == Some(Position::Down)
//!     }
//!
//!     /// Learns anew where the ends are.
//!     #[support]
//!     pub async fn calibrate(&self) -> Result<(), Error> {
//!         Err(Error::new("a person must stand by").with_code(409))
//!     }
//!
//!     #[every(self.settings.poll_seconds)]
//!     async fn poll(&self) {
//!         debug!(self.context, "the motor is well");
//!         self.context.set_connected(true);
//!     }
//!
//!     #[cron("0 22 * * *", timezone = self.settings.timezone.clone())]
//!     async fn go_up_at_night(&self) {
//!         self.r#move(Position::Up).await;
//!     }
//!
//!     /// Private, so it is not for clients.
//!     async fn wait_for_motor(&self) {
//!         // Never `std::thread::sleep`: it would hold up other modules.
//!         tokio::time::sleep(self.settings.slack_seconds.duration()).await;
//!     }
//! }
//!
//! impl Powerable for Screen {
//!     async fn power(&self, state: bool) -> Result<(), Error> {
//!         self.context.set(&Self::POWER, &state);
//!         Ok(())
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() {
//! // In the driver's tests:
//! use driver_sdk::serde_json::json;
//! use driver_sdk::testkit::Module;
//!
//! let plan = Module::of(&Screen::DEFINITION).at("2026-01-05T21:59:00Z");
//! let module = plan.start(json!({"slack_seconds": 0.5})).await.unwrap();
//! module.call("move", (Position::Down,)).await.unwrap();
//! module.wait(&Screen::POSITION, &Position::Down).await;
//! assert_eq!(module.call("down?", ()).await.unwrap().to(), Ok(true));
//! tokio::time::sleep(std::time::Duration::from_secs(61)).await;
//! assert!(module.status(&Screen::POSITION) == Some(Position::Up));
//! # }
//! ```
//!
//! # The attribute
//!
//! [`driver`] takes `id` (by which a building file names the driver), `name` (the module name that clients use by default)
//! and, if it fits, `implements` (see [Interfaces](#interfaces)) and `uri` (see [Settings](#settings)).
//! It adds the constant `DEFINITION` to the struct.
//!
//! | in the block | meaning |
//! |---|---|
//! | `async fn start(context: Context, settings: Settings) -> Result<Self, Error>` | starts an instance; after a failure it is tried again, later each time; a driver without settings leaves the second one out |
//! | `async fn settings_changed(&self, settings: Settings) -> Result<(), Error>`, optional | takes other settings while the instance runs; without it, and after a failure, the module is started again |
//! | `async fn stop(&self)`, optional | puts the device in order before the instance is dropped |
//! | `pub async fn name(&self, …)` | a function that clients call |
//! | `const NAME: Status<T> = Status::new("name")` | a status (see [Statuses](#statuses)) |
//! | `#[every(…)]`, `#[at(…)]`, `#[cron(…)]` on an `async fn name(&self)` | it is done by the clock (see [Work by the clock](#work-by-the-clock)) |
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
//! A time is [`Seconds`], in a field whose name ends in `_seconds`; a password or a token is a [`Secret`], which no log line shows.
//!
//! Where the installer chooses what is read and what is sent, the fields have types for it, which check it at the same time:
//! [`StatusKey`] is the name of a status as the key of a map, [`JsonPointer`] where a value is in JSON,
//! [`TextTemplate`] and [`JsonTemplate`] what is sent, with places such as `{{ value }}`, and [`TemplateValues`] what callers give for them.
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
//! # Statuses
//!
//! A [`Status`] is a named value that clients see and follow: `self.context.set(&Self::POSITION, &position)`.
//! As a constant of the block its name, the schema of its type and its doc comment are in the module's interface, and setting it cannot fail.
//! [`Status::named`] makes one whose name comes from settings or callers; where callers choose the values too, [`Context::try_set`] says what the gateway does not keep.
//!
//! # Work by the clock
//!
//! | attribute | when |
//! |---|---|
//! | `#[every(60 s)]` | at once, and then once per period, in `ms`, `s`, `min` or `h` |
//! | `#[every(self.settings.poll_seconds)]` | the same with a period of the instance's: a `Duration`, [`Seconds`], or an `Option`, whose `None` is never |
//! | `#[at(self.opens_at)]` | once, at a [`jiff::Timestamp`] that is not past; an `Option` may hold none |
//! | `#[cron("0 8 * * 1-5", timezone = "Europe/Berlin")]` | whenever the pattern says so (minute, hour, day, month, weekday; a sixth in front counts seconds) |
//!
//! A turn that fails is a warning in the log, and the next one comes. A turn that takes long delays the next; those that it missed are left out.
//! Work ends with its instance, and keeps none alive.
//! Where clocks go forward, a cron pattern with a fixed time in the hour that is left out comes right behind it, and one with `*` or `/` goes on with the new time;
//! where they go back, the first comes once and the second in both hours.
//!
//! # Interfaces
//!
//! What devices have in common is a trait of [`interfaces`]: a driver implements it and names it, `implements(Powerable)`.
//! Its functions, its statuses and its name are then in the driver's interface, and others find its modules by what they can do.
//! A function of the block with the same name goes before that of an interface.
//! [`interface`](macro@interface) on a trait makes one of the driver's own; a text, `implements("Shiny")`, is a name alone.
//! With `interface(callable)` other modules call it by the trait as well (see [Other modules](#other-modules)): then what its functions take implements `Serialize`, and what they give `Deserialize`.
//!
//! # Log lines
//!
//! [`trace!`], [`debug!`], [`info!`], [`notice!`], [`warn!`](macro@warn), [`error!`](macro@error) and [`fatal!`] take the context and what `format!` takes;
//! the message is only made when it would be seen.
//!
//! # Derives
//!
//! A driver needs neither `serde` nor `schemars` in its own `Cargo.toml`: derive what is not settings through the re-exports and say where they are,
//! as in the example: `#[serde(crate = "driver_sdk::serde")]` and `#[schemars(crate = "driver_sdk::schemars")]`.
//!
//! # Devices
//!
//! [`transport`] connects a device over TCP, TLS, UDP, a serial port, a websocket or HTTP, keeps `connected`, and sends one command after the other.
//!
//! # Other modules
//!
//! [`Context::system`] is the room that the module stands in, and [`Context::system_by_id`] any other: a [`System`] finds modules
//! by name and index, by the interface that they implement, or by a function that they have.
//! A [`ModuleRef`] calls one, also by the traits of [`interfaces`], reads its statuses and follows them.
//! Both are names and hold nothing: they stay good through a re-map and a restart of either module.
//!
//! ```
//! use driver_sdk::interfaces::Powerable;
//! use driver_sdk::{Context, Error, ModuleRef};
//! # async fn example(context: Context) -> Result<(), Error> {
//!
//! let display = context.system().get("Display", 1)?;
//! display.power(true).await?;                             // an interface's function
//! let volume: u8 = display.call("volume", (40,)).await?.to()?;
//! let mut power = display.follow(&ModuleRef::POWER)?;     // what it is now, and then each change
//! while let Some(power) = power.next().await {
//!     context.publish("displays", &power)?;               // to all that subscribe to the channel
//! }
//! # drop(volume);
//! # Ok(())
//! # }
//! ```
//!
//! A call has two minutes. One that would lead back to itself, A to B to A, ends with an error that shows the way.
//! What a module follows and waits for ends with it.
//!
//! # Processes
//!
//! A driver is linked into the gateway, or runs as a process of its own: [`process::run`] in a `main` of one line, and the driver stays as it is.
//!
//! # Tests
//!
//! The feature `testkit`, for a driver's `[dev-dependencies]`, brings `driver_sdk::testkit`: a host in memory
//! that starts a module, calls it and waits for what it publishes, also with Tokio's clock paused;
//! in a `Room` of it several modules stand side by side.
//!
//! # What a driver may rely on
//!
//! - Calls start in the order in which they arrive and run side by side; a panic restarts the module, and its other callers are answered.
//! - Statuses are gone when a module starts: what holds is what it sets again. Setting an equal value publishes nothing.
//! - Nothing on [`Context`] waits, so it can be used while a lock is held.

// The attributes' code speaks of `::driver_sdk`, here too.
extern crate self as driver_sdk;

mod arguments;
mod context;
mod definition;
mod error;
pub mod interfaces;
mod log;
mod outcome;
mod pointer;
pub mod process;
mod reading;
mod schedule;
mod schema;
mod seconds;
mod secret;
mod settings;
mod status;
mod status_key;
pub mod system;
mod template;
#[cfg(feature = "testkit")]
pub mod testkit;
mod time_zone;
pub mod transport;

#[doc(hidden)]
#[path = "private.rs"]
pub mod __private;

pub use context::{Context, Spawn};
pub use definition::{Calling, Definition, Instance, Outcome, Starting};
pub use driver_sdk_macros::{driver, interface, settings};
pub use driver_types::{
    Clearance, Configuration, Function, FunctionName, Interface, InvalidId, InvalidJson, JsonText,
    LogLevel, ModuleDescription, ModuleId, ModuleIndex, ModuleName, ModuleSink, ModuleSlot,
    NotWhole, OnChange, Parameter, Published, RequestFailed, StatusName, StatusRefused,
    SystemDescription, SystemId, UriPresence, UriRule, whole_number,
};
// For hosts alone.
#[doc(hidden)]
pub use driver_types::{
    CallChain, CallResult, ChannelName, Followed, ModuleCall, ModulePlace, SystemRef,
};
pub use error::Error;
pub use futures_util::future::BoxFuture;
pub use outcome::IntoOutcome;
pub use pointer::JsonPointer;
pub use seconds::Seconds;
pub use secret::Secret;
pub use settings::Settings;
pub use status::Status;
pub use status_key::StatusKey;
pub use system::{Follow, ModuleRef, System};
pub use template::{JsonTemplate, TemplateValues, TextTemplate};
pub use time_zone::TimeZone;
pub use {jiff, schemars, serde, serde_json};
