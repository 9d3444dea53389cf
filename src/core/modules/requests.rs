//! What modules ask about other modules: the port that is implemented above this room, and the bounds of one module's requests.
//!
//! A request belongs to one life of its module, a generation: when that has ended, its calls are answered and its follows are over,
//! whoever still holds them.

use std::sync::{Arc, OnceLock, Weak};

use futures_util::future::{BoxFuture, FutureExt, ready};
use futures_util::stream::{BoxStream, StreamExt};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::core::limits::{MODULE_CALLS_MAX, MODULE_FOLLOWS_MAX};
use crate::driver_host::{
    CallResult, ChannelName, Followed, ModuleCall, ModulePlace, RequestFailed, SystemDescription,
    SystemRef,
};
use crate::model::{JsonText, ModuleId, StatusName};

/// Answers what modules ask about other modules. `who` is the module that asks.
pub(in crate::core) trait OtherModules: Send + Sync + 'static {
    /// Which modules stand in a system now, and what they offer.
    fn describe(
        self: Arc<Self>,
        who: &ModuleId,
        system: &SystemRef,
    ) -> BoxFuture<'static, Result<SystemDescription, RequestFailed>>;

    /// The value that a status has now.
    fn read(
        self: Arc<Self>,
        who: &ModuleId,
        module: &ModulePlace,
        status: &StatusName,
    ) -> BoxFuture<'static, Result<Option<JsonText>, RequestFailed>>;

    /// Calls a function. The call is on its way when this returns.
    fn call(
        self: Arc<Self>,
        who: &ModuleId,
        call: ModuleCall,
    ) -> BoxFuture<'static, Result<CallResult, RequestFailed>>;

    /// Follows something until the stream is dropped.
    fn follow(
        self: Arc<Self>,
        who: &ModuleId,
        what: Followed,
    ) -> Result<BoxStream<'static, JsonText>, RequestFailed>;

    /// Sends a message to all that follow a channel on this node.
    fn publish(
        &self,
        who: &ModuleId,
        channel: &ChannelName,
        message: JsonText,
    ) -> Result<(), RequestFailed>;
}

/// Where the port is found when it is needed. It stands on the modules, so it is made after them and does not outlive the core.
pub(super) type OtherModulesSlot = Arc<OnceLock<Weak<dyn OtherModules>>>;

/// What one generation of a module asks.
#[derive(Debug)]
pub(super) struct Requests {
    module: ModuleId,
    others: OtherModulesSlot,
    /// Cancelled when the generation has ended.
    ended: CancellationToken,
    calls: Arc<Semaphore>,
    follows: Arc<Semaphore>,
}

impl Requests {
    pub(super) fn new(
        module: ModuleId,
        others: OtherModulesSlot,
        ended: CancellationToken,
    ) -> Self {
        Self {
            module,
            others,
            ended,
            calls: Arc::new(Semaphore::new(MODULE_CALLS_MAX)),
            follows: Arc::new(Semaphore::new(MODULE_FOLLOWS_MAX)),
        }
    }

    pub(super) fn describe(
        &self,
        system: &SystemRef,
    ) -> BoxFuture<'static, Result<SystemDescription, RequestFailed>> {
        match self.others() {
            Ok(others) => self.while_alive(others.describe(&self.module, system)),
            Err(failure) => ready(Err(failure)).boxed(),
        }
    }

    pub(super) fn read(
        &self,
        module: &ModulePlace,
        status: &StatusName,
    ) -> BoxFuture<'static, Result<Option<JsonText>, RequestFailed>> {
        match self.others() {
            Ok(others) => self.while_alive(others.read(&self.module, module, status)),
            Err(failure) => ready(Err(failure)).boxed(),
        }
    }

    pub(super) fn call(
        &self,
        call: ModuleCall,
    ) -> BoxFuture<'static, Result<CallResult, RequestFailed>> {
        let others = match self.others() {
            Ok(others) => others,
            Err(failure) => return ready(Err(failure)).boxed(),
        };
        let Ok(permit) = Arc::clone(&self.calls).try_acquire_owned() else {
            let why = format!(
                "the module waits for the answers of {MODULE_CALLS_MAX} calls; this one did not run"
            );
            return ready(Err(RequestFailed::new(RequestFailed::BUSY, why))).boxed();
        };
        let answer = others.call(&self.module, call);
        self.while_alive(async move {
            let _permit = permit;
            answer.await
        })
    }

    pub(super) fn follow(
        &self,
        what: Followed,
    ) -> Result<BoxStream<'static, JsonText>, RequestFailed> {
        let others = self.others()?;
        let Ok(permit) = Arc::clone(&self.follows).try_acquire_owned() else {
            let why = format!("a module follows {MODULE_FOLLOWS_MAX} things at most");
            return Err(RequestFailed::new(RequestFailed::BUSY, why));
        };
        let items = others.follow(&self.module, what)?;
        let held = items.map(move |item| {
            let _permit = &permit;
            item
        });
        Ok(held
            .take_until(self.ended.clone().cancelled_owned())
            .boxed())
    }

    pub(super) fn publish(
        &self,
        channel: &ChannelName,
        message: JsonText,
    ) -> Result<(), RequestFailed> {
        self.others()?.publish(&self.module, channel, message)
    }

    fn others(&self) -> Result<Arc<dyn OtherModules>, RequestFailed> {
        if self.ended.is_cancelled() {
            let why = "the module that asks has ended";
            return Err(RequestFailed::new(RequestFailed::UNAVAILABLE, why));
        }
        let others = self.others.get().and_then(Weak::upgrade);
        others.ok_or_else(|| {
            RequestFailed::new(RequestFailed::UNAVAILABLE, "the gateway is stopping")
        })
    }

    /// The answer, or that the module has ended before it came.
    fn while_alive<T: 'static>(
        &self,
        answer: impl Future<Output = Result<T, RequestFailed>> + Send + 'static,
    ) -> BoxFuture<'static, Result<T, RequestFailed>> {
        let ended = self.ended.clone();
        async move {
            let answer = ended.run_until_cancelled(answer).await;
            answer.unwrap_or_else(|| {
                let why =
                    "the module that asks has ended; whether its call had its effect is not known";
                Err(RequestFailed::new(RequestFailed::UNANSWERED, why))
            })
        }
        .boxed()
    }
}
