//! Automation: what the building does by itself.
//!
//! A room beside the core, which acts on the building by the core's ports as everybody else does.
//!
//! - `host` runs the modules of the building's own, whose drivers are here.
//! - `alerts` is the driver that says what the services of a system have sent.
//! - `own_alerts` has services tell what is wrong with the gateway itself.
//!
//! - `engine` runs procedures and hooks, and `triggers` is the driver of the module that runs the triggers of a system.
//! - `ports` are what all of them act by; `causes` counts what led to what.
//!
//! How steps are run and when a trigger fires is a pure half: nothing in it reads a clock, does I/O or waits.
//! Statuses, events, moments and answers come in as arguments, and what is to be done comes out as values that the engine carries out.
//!
//! - `edges` says when a trigger fires; `comparison` and `events` whether a condition holds, `gate` how often it may, `state` how it looks to clients.
//! - `schedule` says when it is time.
//! - `program` has steps whose expressions are read, and `filled` JSON with expressions in it.
//! - `run` does the steps of one run; `history` tells what they did.

mod alerts;
mod causes;
mod comparison;
mod edges;
mod engine;
mod events;
mod filled;
mod gate;
mod history;
mod host;
mod kept;
mod limits;
mod metrics;
mod own_alerts;
mod ports;
mod program;
mod run;
mod schedule;
mod settings;
mod state;
mod triggers;

pub use edges::{Edges, Look, Turn};
pub use events::{Announcer, EventPattern};
pub use history::{History, StepDone};
pub use host::OwnHost;
pub use limits::Bounds;
pub use own_alerts::{CertificateEnd, OwnAlerts};
pub use program::{Place, Program, Unrunnable};
pub use run::{Answer, Around, Failure, Goal, Notice, Procedures, Progress, Run, Want, WantId};
pub use schedule::Schedule;
pub use settings::AlertSettings;
pub use state::{ConditionKey, TriggerState};
