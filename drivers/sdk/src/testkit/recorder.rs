//! The host of one module under test: it keeps all that the module says, runs its tasks, and passes on what it asks about others.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};

use driver_types::{
    CallChain, CallResult, ChannelName, Followed, ModuleCall, ModulePlace, RequestFailed,
    SystemDescription, SystemRef,
};
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, ready};
use futures_util::stream::{BoxStream, StreamExt};
use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::system::CallScope;
use crate::testkit::room::Membership;
use crate::testkit::{Call, Line, Publication, message_of};
use crate::{
    Error, FunctionName, Instance, Interface, JsonText, LogLevel, ModuleId, ModuleSink, Outcome,
    Spawn, StatusName, StatusRefused,
};

/// The host of one module.
pub(super) struct Recorder {
    pub(super) module: ModuleId,
    pub(super) seen: watch::Sender<Seen>,
    tasks: Mutex<JoinSet<()>>,
    /// What time it was, and when that was.
    started: (Timestamp, Instant),
    pub(super) membership: Option<Membership>,
    /// There when the module has started.
    instance: OnceLock<Weak<dyn Instance>>,
    ended: watch::Sender<bool>,
}

#[derive(Debug, Default)]
pub(super) struct Seen {
    pub(super) statuses: BTreeMap<String, String>,
    pub(super) publications: Vec<Publication>,
    pub(super) lines: Vec<Line>,
    pub(super) calls: Vec<Call>,
    /// How often each status was published again although it had not changed.
    pub(super) signals: BTreeMap<String, u64>,
}

impl Recorder {
    pub(super) fn new(module: ModuleId, now: Timestamp, membership: Option<Membership>) -> Self {
        Self {
            module,
            seen: watch::Sender::default(),
            tasks: Mutex::default(),
            started: (now, Instant::now()),
            membership,
            instance: OnceLock::new(),
            ended: watch::Sender::new(false),
        }
    }

    pub(super) fn tasks(&self) -> MutexGuard<'_, JoinSet<()>> {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The module has started: from here on it can be called.
    pub(super) fn begin(&self, instance: &Arc<dyn Instance>) {
        let first = self.instance.set(Arc::downgrade(instance));
        assert!(first.is_ok(), "a module starts once");
    }

    /// The module, while it runs.
    pub(super) fn instance(&self) -> Option<Arc<dyn Instance>> {
        self.instance.get()?.upgrade()
    }

    /// Ends what the module asked of others, and takes it out of its room.
    pub(super) fn leave(&self) {
        self.ended.send_replace(true);
        if let Some(membership) = &self.membership {
            membership.leave(&self.module);
        }
    }

    /// Runs a call of the module. A panic is an error, as it is for the gateway's callers.
    pub(super) fn run(
        &self,
        instance: Arc<dyn Instance>,
        chain: CallChain,
        function: &FunctionName,
        arguments: &JsonText,
    ) -> impl Future<Output = Result<Outcome, Error>> + Send + use<> {
        self.seen.send_modify(|seen| {
            seen.calls.push(Call {
                function: function.to_string(),
                arguments: arguments.to_string(),
            });
        });
        let (function, arguments) = (function.clone(), arguments.clone());
        let call = async move { instance.call(&function, &arguments).await };
        async move {
            match AssertUnwindSafe(CallScope::run(chain, call))
                .catch_unwind()
                .await
            {
                Ok(result) => result,
                Err(panic) => {
                    let message = message_of(&*panic);
                    Err(Error::new(format_args!("panicked: {message}")))
                }
            }
        }
    }

    fn membership(&self) -> Result<&Membership, RequestFailed> {
        let alone = "the module stands in no system; a test starts it in a `Room`";
        let alone = || RequestFailed::new(RequestFailed::NOT_FOUND, alone);
        self.membership.as_ref().ok_or_else(alone)
    }

    /// Waits until the module has ended.
    fn ended(&self) -> impl Future<Output = ()> + Send + use<> {
        let mut ended = self.ended.subscribe();
        async move {
            // The sender gone is an end too.
            let _ended = ended.wait_for(|ended| *ended).await;
        }
    }
}

impl ModuleSink for Recorder {
    fn set_status(&self, name: &StatusName, value: Option<JsonText>) -> Result<(), StatusRefused> {
        let name = name.to_string();
        let value = value.map(|value| value.to_string());
        self.seen.send_if_modified(|seen| {
            let changed = seen.statuses.get(&name) != value.as_ref();
            if changed {
                match value.clone() {
                    Some(value) => seen.statuses.insert(name.clone(), value),
                    None => seen.statuses.remove(&name),
                };
                seen.publications.push(Publication { name, value });
            }
            changed
        });
        Ok(())
    }

    fn signal_status(&self, name: &StatusName) {
        self.seen.send_modify(|seen| {
            if let Some(value) = seen.statuses.get(name.as_str()) {
                *seen.signals.entry(name.to_string()).or_default() += 1;
                seen.publications.push(Publication {
                    name: name.to_string(),
                    value: Some(value.clone()),
                });
            }
        });
    }

    fn status(&self, name: &StatusName) -> Option<JsonText> {
        let seen = self.seen.borrow();
        let text = seen.statuses.get(name.as_str())?;
        Some(JsonText::parse(text).expect("it came as JSON text"))
    }

    fn wants_line(&self, _: LogLevel) -> bool {
        true
    }

    fn line(&self, level: LogLevel, message: String) {
        self.seen
            .send_modify(|seen| seen.lines.push(Line { level, message }));
    }

    fn interface_changed(&self, _: Interface) {
        // A linked-in driver's interface is that of its definition.
    }

    fn may_act(&self) -> bool {
        true
    }

    fn describe_system(
        &self,
        system: &SystemRef,
    ) -> BoxFuture<'static, Result<SystemDescription, RequestFailed>> {
        let described = self.membership().and_then(|member| member.describe(system));
        ready(described).boxed()
    }

    fn read_status(
        &self,
        module: &ModulePlace,
        status: &StatusName,
    ) -> BoxFuture<'static, Result<Option<JsonText>, RequestFailed>> {
        let found = self.membership().and_then(|member| member.find(module));
        ready(found.map(|found| found.status(status))).boxed()
    }

    fn call_module(
        &self,
        call: ModuleCall,
    ) -> BoxFuture<'static, Result<CallResult, RequestFailed>> {
        let answer = match self.membership() {
            Ok(membership) => membership.call(&call),
            Err(failure) => return ready(Err(failure)).boxed(),
        };
        let ended = self.ended();
        async move {
            tokio::select! {
                answer = answer => answer,
                () = ended => Err(RequestFailed::new(
                    RequestFailed::UNANSWERED,
                    "the module that called has ended",
                )),
            }
        }
        .boxed()
    }

    fn follow(&self, what: Followed) -> Result<BoxStream<'static, JsonText>, RequestFailed> {
        let followed = self.membership()?.follow(what)?;
        Ok(followed.take_until(self.ended()).boxed())
    }

    fn publish(&self, channel: &ChannelName, message: JsonText) -> Result<(), RequestFailed> {
        self.membership()?.publish(channel, message);
        Ok(())
    }
}

impl Spawn for Recorder {
    fn spawn(&self, task: BoxFuture<'static, ()>) {
        self.tasks().spawn(task);
    }

    fn now(&self) -> Timestamp {
        let (then, since) = self.started;
        then + SignedDuration::try_from(since.elapsed()).expect("a test is short")
    }
}
