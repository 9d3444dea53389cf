//! The terminal client of a running gateway: bind, exec and debug over its websocket, lists over HTTP.
//!
//! Separate because it is a program of its own that happens to be in the same binary: it reaches a gateway through the public interface of the dialect placeos,
//! as any other client does, so the gateway may be on another machine and of another version.
//!
//! - `address` and `arguments` read what is named on the command line.
//! - `gateway` knows where the gateway is and opens streams to it, `tls` knows which authorities to trust; `rest` and `socket` speak over them, `answer` reads refusals.
//! - `frames` has the shapes of the websocket.
//! - `watch` follows something across lost connections: `bind` and `debug`. `exec` sends nothing again that may have run. `lists` is for the eye, `healthy` for health checks.
//! - `status` shows a module from within. `contexts` saves gateways under names.
//! - `admin` reads and replaces the whole building, and makes and revokes keys.
//! - `output` prints data, in lines for people or for scripts; `error` has the exit codes.
//! - `names` is what a shell completes.

mod address;
mod admin;
mod answer;
mod arguments;
mod bind;
mod contexts;
mod debug;
mod error;
mod exec;
mod frames;
mod gateway;
mod healthy;
mod limits;
mod lists;
mod names;
mod output;
mod rest;
mod socket;
mod status;
mod stop;
mod text;
mod tls;
mod watch;

use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

use jiff::tz::TimeZone;
use tokio::runtime::Builder;

use crate::model::{BindingPath, LogLevel, ModuleAddress, SystemId};

pub use crate::model::{Expiry, Secret};

pub use address::{
    BIND_FORM, BadAddress, DEBUG_FORM, EXEC_FORM, bindings, call, status, system, target,
};
pub use admin::{Admin, AppSecrets, ChangeRow, KeyRow, MadeKey, NewKey, key_table};
pub use arguments::BadArgument;
pub use contexts::{ContextCommand, context_names};
pub use debug::{level, levels};
pub use error::ClientError;
pub use exec::{Call, Retry};
pub use gateway::GatewayOptions;
pub use names::{Name, Names};
pub use output::{Form, Notices};
pub use status::StatusTarget;
pub use watch::{Lines, Until};

use gateway::Gateway;
use output::{Output, Paint};

/// A command for a gateway.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invocation {
    /// Which gateway.
    pub gateway: GatewayOptions,
    /// How to print.
    pub form: Form,
    /// Which messages to print beside that.
    pub notices: Notices,
    /// What to do.
    pub action: Action,
}

/// What to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Print the values of statuses.
    Bind {
        /// The statuses, each once.
        paths: Vec<BindingPath>,
        /// How many of them.
        until: Until,
    },
    /// Call a function and print what it returns.
    Exec {
        /// The call.
        call: Call,
        /// How long to wait; the gateway's own deadline alone when absent.
        timeout: Option<Duration>,
        /// What to do about a call that did not run.
        retry: Retry,
    },
    /// Print a module's log.
    Debug {
        /// The module.
        target: ModuleAddress,
        /// The lowest level that is printed.
        level: LogLevel,
        /// How many lines.
        until: Until,
    },
    /// Print the systems.
    Systems {
        /// Only those that match.
        text: Option<String>,
    },
    /// Print the modules.
    Modules {
        /// Only those of this system.
        system: Option<SystemId>,
    },
    /// Print what modules say of themselves and what can be called.
    Status(StatusTarget),
    /// Ask whether the gateway should get traffic.
    Healthy,
    /// Save, list, choose or forget a gateway.
    Context(ContextCommand),
}

/// Runs a command, with data on stdout and messages on stderr. A reader that closes stdout ends the command without a failure.
pub fn run(
    invocation: &Invocation,
    environment: &BTreeMap<String, String>,
) -> Result<(), ClientError> {
    let Invocation {
        gateway,
        form,
        notices,
        action,
    } = invocation;
    let (mut out, mut beside) = (io::stdout(), io::stderr());
    let paint = Paint::of_stdout(environment);
    let output = Output::new(&mut out, &mut beside, *form, paint, TimeZone::system());
    let mut output = output.with(*notices);
    if let Action::Context(command) = action {
        return contexts::run(command, environment, &mut output);
    }
    let gateway = Gateway::new(gateway, environment)?;
    match block_on(act(&gateway, action, &mut output))? {
        Err(ClientError::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        done => done,
    }
}

async fn act(
    gateway: &Gateway,
    action: &Action,
    output: &mut Output<'_>,
) -> Result<(), ClientError> {
    match action {
        Action::Bind { paths, until } => bind::run(gateway, paths, *until, output).await,
        Action::Exec {
            call,
            timeout,
            retry,
        } => exec::run(gateway, call, *timeout, *retry, output).await,
        Action::Debug {
            target,
            level,
            until,
        } => debug::run(gateway, target, *level, *until, output).await,
        Action::Systems { text } => lists::systems(gateway, text.as_deref(), output).await,
        Action::Modules { system } => lists::modules(gateway, system.as_ref(), output).await,
        Action::Status(target) => status::run(gateway, target, output).await,
        Action::Healthy => healthy::run(gateway, output).await,
        // It needs no gateway.
        Action::Context(_) => Ok(()),
    }
}

/// Runs a future on this thread.
fn block_on<T>(future: impl Future<Output = T>) -> Result<T, ClientError> {
    let runtime = Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|source| ClientError::System {
            doing: "start a runtime",
            source,
        })?;
    let done = runtime.block_on(future);
    // The system's resolver has a thread of its own, which may hang after its answer is no longer needed.
    runtime.shutdown_background();
    Ok(done)
}
