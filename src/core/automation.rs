//! The port to the building's automation, as the core and the doors need it.
//!
//! What is behind it stands on the core, so the core is given it before it is there itself.

use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::{self, BoxFuture};

use crate::core::access::Caller;
use crate::core::call_watch::CallWatch;
use crate::core::reply::ReplySlot;
use crate::model::{
    CallTarget, Failure, FailureKind, HookOutcome, HookRequest, JsonText, RunRequest,
};

/// What the building does by itself, or by a name that somebody gives.
pub trait Automation: Send + Sync + 'static {
    /// Runs a procedure with the rights of a caller who has been [authorized](super::AccessControl::authorize). Its result is the answer; a run that nobody waits for any more goes on.
    fn run(&self, caller: &Caller, run: RunRequest, answer: ReplySlot);

    /// Does what an address `/hook/NAME` does. Whoever waits for that gives up the answer alone when the future is dropped.
    fn hook(&self, request: HookRequest) -> BoxFuture<'static, HookOutcome>;
}

/// That of a core on which nothing runs.
#[derive(Debug, Clone, Copy)]
pub struct NoAutomation;

impl Automation for NoAutomation {
    fn run(&self, _: &Caller, _: RunRequest, answer: ReplySlot) {
        let message = "nothing runs here";
        answer.answer(Err(Failure::new(FailureKind::FunctionNotFound, message)));
    }

    fn hook(&self, _: HookRequest) -> BoxFuture<'static, HookOutcome> {
        future::ready(HookOutcome::Unknown).boxed()
    }
}

/// Automation whose runs are watched as calls are.
pub(super) struct WatchedAutomation {
    pub(super) automation: Arc<dyn Automation>,
    pub(super) calls: CallWatch,
}

impl Automation for WatchedAutomation {
    fn run(&self, caller: &Caller, run: RunRequest, answer: ReplySlot) {
        let answer = self.calls.begin(caller, answer, || {
            let arguments = run.arguments.clone().unwrap_or_else(JsonText::null);
            (CallTarget::Procedure(run.procedure.clone()), arguments)
        });
        self.automation.run(caller, run, answer);
    }

    fn hook(&self, request: HookRequest) -> BoxFuture<'static, HookOutcome> {
        self.automation.hook(request)
    }
}
