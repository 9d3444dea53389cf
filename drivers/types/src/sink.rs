//! What a running module says and asks upward, of the gateway's core or of a test.
//!
//! It is separate from the SDK so that a driver's context, every host and the core share this one trait.
//! How a module is started, called and stopped goes the other way and is not told here.

use std::fmt;
use std::future::ready;

use futures_util::future::BoxFuture;
use futures_util::stream::BoxStream;

use crate::{
    CallResult, ChannelName, Followed, Interface, JsonText, LogLevel, ModuleCall, ModulePlace,
    RequestFailed, StatusName, SystemDescription, SystemRef,
};

/// Why a status was not taken, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusRefused(pub String);

impl fmt::Display for StatusRefused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for StatusRefused {}

/// Takes what one module says, and answers what it asks about other modules. None of it waits: an answer is a future.
///
/// After the module was stopped or replaced, what it still says is dropped, what it asks fails, and its follows have ended.
///
/// A sink that knows no other modules leaves out the methods from [`describe_system`](Self::describe_system) on.
pub trait ModuleSink: Send + Sync + 'static {
    /// Publishes a status, or removes it with `None`. A value equal to the last one is dropped.
    ///
    /// An error is a value that the gateway does not keep, since the module has too much of that already; the one before it stays.
    fn set_status(&self, name: &StatusName, value: Option<JsonText>) -> Result<(), StatusRefused>;

    /// Publishes the last value again although it has not changed. Nothing happens without a value.
    fn signal_status(&self, name: &StatusName);

    /// The value that the module last set.
    fn status(&self, name: &StatusName) -> Option<JsonText>;

    /// Whether anybody would see a line of this level.
    fn wants_line(&self, level: LogLevel) -> bool;

    /// Writes a log line.
    fn line(&self, level: LogLevel, message: String);

    /// Tells what the module offers from here on. For drivers that are not described before they run: calls are refused until the first one has come.
    fn interface_changed(&self, interface: Interface);

    /// Whether the module may act. Once it may not it never may again: the host runs nothing of it any more.
    fn may_act(&self) -> bool;

    /// Which modules stand in a system now, and what they offer.
    fn describe_system(
        &self,
        system: &SystemRef,
    ) -> BoxFuture<'static, Result<SystemDescription, RequestFailed>> {
        let _nowhere = system;
        Box::pin(ready(Err(no_others())))
    }

    /// The value that a status of a module has now; `None` without one.
    fn read_status(
        &self,
        module: &ModulePlace,
        status: &StatusName,
    ) -> BoxFuture<'static, Result<Option<JsonText>, RequestFailed>> {
        let _nowhere = (module, status);
        Box::pin(ready(Err(no_others())))
    }

    /// Calls a function of a module, whatever its clearance. The call is on its way when this returns; dropping the future gives up the answer alone.
    ///
    /// It is answered at the latest after two minutes.
    /// A host that runs functions elsewhere than in its own futures keeps the chain of each call that it got, and gives it back with the calls made in it.
    /// It also sets the statuses of such a call within the chain, so that they belong to the call's act.
    fn call_module(
        &self,
        call: ModuleCall,
    ) -> BoxFuture<'static, Result<CallResult, RequestFailed>> {
        let _nowhere = call;
        Box::pin(ready(Err(no_others())))
    }

    /// Follows something until the stream is dropped. What does not stand there yet can be followed.
    ///
    /// The stream ends with the module, and when the gateway stops. A module has a bounded number of follows; one more is refused.
    fn follow(&self, what: Followed) -> Result<BoxStream<'static, JsonText>, RequestFailed> {
        let _nowhere = what;
        Err(no_others())
    }

    /// Sends a message to all that follow a channel on this node.
    fn publish(&self, channel: &ChannelName, message: JsonText) -> Result<(), RequestFailed> {
        let _nowhere = (channel, message);
        Err(no_others())
    }
}

fn no_others() -> RequestFailed {
    RequestFailed::new(
        RequestFailed::UNAVAILABLE,
        "there are no other modules here",
    )
}
