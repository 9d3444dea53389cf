//! How modules act on other modules: what their sinks are asked, over [`BuildingAccess`] and [`Queries`].
//!
//! A module is a caller of its own, which reaches every system with the highest clearance: what its driver does, the building wants.
//! It is authorized and audited like all others.
//! A place in a system of the building is looked up in the directory that descriptions come from, so that a module which was described can be called;
//! one in a system that only the store of several nodes knows is looked up there.

#[cfg(test)]
mod tests;

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::{self, BoxFuture, join_all};
use futures_util::stream::{self, BoxStream, StreamExt};
use tokio::sync::watch;

use crate::core::cluster::outbound::Outbound;
use crate::core::directory::{Directory, ModuleEntry};
use crate::core::modules::{OtherModules, Supervisor};
use crate::core::{BuildingAccess, Caller, ModuleAccess, Principal, Queries, Resolver};
use crate::driver_host::{
    CallResult, ChannelName, Followed, ModuleCall, ModuleDescription, ModulePlace, ModuleSlot,
    RequestFailed, SystemDescription, SystemRef,
};
use crate::model::{
    AutomationId, BindingPath, Clearance, Event, ExecRequest, Failure, FailureKind, JsonText,
    ModuleAddress, ModuleId, ModulePath, Reply, StatusName, Subject, System, SystemId, TopicEvent,
    TopicId,
};

/// Answers the requests of modules.
pub(super) struct ModuleRequests {
    pub(super) access: Arc<dyn BuildingAccess>,
    pub(super) queries: Arc<Queries>,
    pub(super) resolver: Arc<Resolver>,
    pub(super) modules: Arc<Supervisor>,
    /// What is asked of other nodes; `None` when there are none.
    pub(super) outbound: Option<Arc<Outbound>>,
}

impl OtherModules for ModuleRequests {
    fn describe(
        self: Arc<Self>,
        who: &ModuleId,
        system: &SystemRef,
    ) -> BoxFuture<'static, Result<SystemDescription, RequestFailed>> {
        let id = match self.system(who, system) {
            Ok(id) => id,
            Err(failure) => return future::ready(Err(failure)).boxed(),
        };
        async move { self.described(id).await }.boxed()
    }

    fn read(
        self: Arc<Self>,
        who: &ModuleId,
        module: &ModulePlace,
        status: &StatusName,
    ) -> BoxFuture<'static, Result<Option<JsonText>, RequestFailed>> {
        let address = match self.address(who, module) {
            Ok(address) => address,
            Err(failure) => return future::ready(Err(failure)).boxed(),
        };
        let (caller, status) = (caller(who), status.clone());
        async move {
            let access = ModuleAccess::Read;
            let found = self.resolver.resolve_anywhere(&caller, &address, access);
            let module = found.await.map_err(failed)?;
            let state = self.queries.state(&module).await.ok_or_else(|| {
                let why = "the statuses of the module cannot be read at the moment";
                RequestFailed::new(RequestFailed::UNAVAILABLE, why)
            })?;
            let mut state = state.into_iter();
            let value = state.find(|(name, _)| *name == status);
            Ok(value.map(|(_, value)| value))
        }
        .boxed()
    }

    fn call(
        self: Arc<Self>,
        who: &ModuleId,
        call: ModuleCall,
    ) -> BoxFuture<'static, Result<CallResult, RequestFailed>> {
        let module = match self.address(who, &call.module) {
            Ok(module) => module,
            Err(failure) => return future::ready(Err(failure)).boxed(),
        };
        let exec = ExecRequest {
            module,
            function: call.function,
            arguments: call.arguments,
            act: None,
        };
        let answer = self.access.call_within(&caller(who), exec, &call.chain);
        let result = |reply: Result<Reply, Failure>| {
            let reply = reply.map_err(failed)?;
            let (value, code) = reply.returned().ok_or_else(|| {
                RequestFailed::new(RequestFailed::UNANSWERED, "the call was not answered")
            })?;
            let value = value.clone();
            Ok(CallResult { value, code })
        };
        answer.map(result).boxed()
    }

    fn follow(
        self: Arc<Self>,
        who: &ModuleId,
        what: Followed,
    ) -> Result<BoxStream<'static, JsonText>, RequestFailed> {
        match what {
            Followed::Status(
                ModulePlace {
                    system: SystemRef::Id(system),
                    slot,
                },
                status,
            ) => self.status(who, system, &slot, status).map(values),
            Followed::Status(
                ModulePlace {
                    system: SystemRef::Own,
                    slot,
                },
                status,
            ) => Ok(OwnStatus::new(self, who, slot, status).values()),
            Followed::Modules(system) => {
                let changes = SystemChanges {
                    changes: self.modules.changes(),
                    requests: self,
                    who: who.clone(),
                    system,
                    told: None,
                };
                Ok(changes.notices())
            }
            Followed::Channel(channel) => {
                let subject = Subject::Topic(topic(&channel));
                let events = self.access.follow(&caller(who), subject).map_err(failed)?;
                let message = |event| match event {
                    Event::Topic(news) => match &news.event {
                        TopicEvent::Message { message, .. } => Some(message.clone()),
                        TopicEvent::Joined { .. }
                        | TopicEvent::Left { .. }
                        | TopicEvent::Count(_) => None,
                    },
                    Event::Value { .. }
                    | Event::Entry { .. }
                    | Event::Line(_)
                    | Event::Bus(_)
                    | Event::Call(_)
                    | Event::Message(_) => None,
                };
                Ok(events
                    .filter_map(move |event| future::ready(message(event)))
                    .boxed())
            }
        }
    }

    fn publish(
        &self,
        who: &ModuleId,
        channel: &ChannelName,
        message: JsonText,
    ) -> Result<(), RequestFailed> {
        let published = self.access.publish(&caller(who), topic(channel), message);
        published.map_err(failed)
    }
}

impl ModuleRequests {
    /// The system that a module means.
    fn system(&self, who: &ModuleId, system: &SystemRef) -> Result<SystemId, RequestFailed> {
        match system {
            SystemRef::Id(id) => Ok(id.clone()),
            SystemRef::Own => self.own_system(who).ok_or_else(|| {
                let why = "the module stands in no system, so there are no other modules of its own system";
                RequestFailed::new(RequestFailed::NOT_FOUND, why)
            }),
        }
    }

    /// The system that a module stands in: of several the first in the building's order.
    fn own_system(&self, who: &ModuleId) -> Option<SystemId> {
        let directory = self.queries.directory();
        let system = directory.systems_of(who).next()?;
        Some(system.id.clone())
    }

    /// The address of a place. One in the building is that of the module there.
    fn address(&self, who: &ModuleId, place: &ModulePlace) -> Result<ModuleAddress, RequestFailed> {
        let id = self.system(who, &place.system)?;
        let directory = self.queries.directory();
        let Some(system) = directory.system(&id) else {
            return Ok(path(id, &place.slot).into());
        };
        let is_meant =
            |entry: &ModuleEntry, index| entry.name == place.slot.name && index == place.slot.index;
        let mut placed = directory.placed(system);
        let found = placed.find(|(entry, index)| is_meant(entry, *index));
        match found {
            Some((entry, _)) => Ok(ModuleAddress::Id {
                id: entry.module.id.clone(),
                system: Some(id),
            }),
            None => Err(RequestFailed::new(
                RequestFailed::NOT_FOUND,
                format!("could not find module {} in {id}", place.slot),
            )),
        }
    }

    async fn described(&self, id: SystemId) -> Result<SystemDescription, RequestFailed> {
        let directory = self.queries.directory();
        let placed = match (directory.system(&id), &self.outbound) {
            (Some(system), _) => places(&directory, system),
            (None, Some(outbound)) => {
                let slots = outbound.slots(&id).await.map_err(failed)?;
                let placed = slots
                    .into_iter()
                    .map(|((name, index), module)| (module, ModuleSlot { name, index }));
                let mut placed: Vec<_> = placed.collect();
                placed.sort_by(|(_, a), (_, b)| (&a.name, a.index).cmp(&(&b.name, b.index)));
                placed
            }
            (None, None) => Vec::new(),
        };
        if placed.is_empty() && directory.system(&id).is_none() {
            let why = format!("could not find system {id}");
            return Err(RequestFailed::new(RequestFailed::NOT_FOUND, why));
        }
        let modules = placed.into_iter().map(|(id, slot)| async move {
            // One that has not told it yet, or cannot be asked, is there all the same.
            let interface = self.queries.interface(&id).await.ok();
            ModuleDescription {
                id,
                slot,
                interface,
            }
        });
        let modules = join_all(modules).await;
        Ok(SystemDescription { id, modules })
    }

    fn status(
        &self,
        who: &ModuleId,
        system: SystemId,
        slot: &ModuleSlot,
        status: StatusName,
    ) -> Result<BoxStream<'static, Event>, RequestFailed> {
        let subject = Subject::Status(Arc::new(BindingPath {
            module: path(system, slot),
            status,
        }));
        self.access.follow(&caller(who), subject).map_err(failed)
    }
}

/// Where the modules of a system of the building stand.
fn places(directory: &Directory, system: &System) -> Vec<(ModuleId, ModuleSlot)> {
    let placed = directory.placed(system);
    let place = |(entry, index): (&ModuleEntry, _)| {
        let name = entry.name.clone();
        (entry.module.id.clone(), ModuleSlot { name, index })
    };
    placed.map(place).collect()
}

/// A follow of the modules of a system.
struct SystemChanges {
    requests: Arc<ModuleRequests>,
    who: ModuleId,
    system: SystemRef,
    changes: watch::Receiver<()>,
    /// What the follower was told of; nothing before the first change, of which it is always told.
    told: Option<Option<SystemDescription>>,
}

impl SystemChanges {
    fn notices(self) -> BoxStream<'static, JsonText> {
        let notices = stream::unfold(self, |mut this| async {
            this.next().await?;
            Some((JsonText::null(), this))
        });
        notices.boxed()
    }

    /// Waits until the system is described differently; `None` when it will not be.
    async fn next(&mut self) -> Option<()> {
        loop {
            self.changes.changed().await.ok()?;
            let requests = Arc::clone(&self.requests);
            let now = requests.describe(&self.who, &self.system).await.ok();
            let now = Some(now);
            if now != self.told {
                self.told = now;
                return Some(());
            }
        }
    }
}

/// A follow of a status in the system that the follower stands in, which may be another one later.
struct OwnStatus {
    requests: Arc<ModuleRequests>,
    who: ModuleId,
    slot: ModuleSlot,
    status: StatusName,
    changes: watch::Receiver<()>,
    /// The system that is followed now, and the follow.
    now: Option<(SystemId, BoxStream<'static, JsonText>)>,
    /// Whether the follower was told a value last.
    has_value: bool,
}

impl OwnStatus {
    fn new(
        requests: Arc<ModuleRequests>,
        who: &ModuleId,
        slot: ModuleSlot,
        status: StatusName,
    ) -> Self {
        Self {
            changes: requests.modules.changes(),
            requests,
            who: who.clone(),
            slot,
            status,
            now: None,
            has_value: false,
        }
    }

    fn values(self) -> BoxStream<'static, JsonText> {
        let values = stream::unfold(self, |mut this| async {
            let value = this.next().await?;
            this.has_value = !value.is_null();
            Some((value, this))
        });
        values.boxed()
    }

    /// The next value; `None` when the follow has ended.
    async fn next(&mut self) -> Option<JsonText> {
        loop {
            let system = self.requests.own_system(&self.who);
            if system.as_ref() != self.now.as_ref().map(|(system, _)| system) {
                self.now = match system {
                    Some(system) => {
                        let (slot, status) = (&self.slot, self.status.clone());
                        let requests = &self.requests;
                        let events = requests.status(&self.who, system.clone(), slot, status);
                        Some((system, values(events.ok()?)))
                    }
                    None => None,
                };
                let known = match &mut self.now {
                    Some((_, values)) => values.next().now_or_never().flatten(),
                    None => None,
                };
                match known {
                    Some(value) => return Some(value),
                    None if self.has_value => return Some(JsonText::null()),
                    None => {}
                }
            }
            let Self { now, changes, .. } = self;
            let value = async {
                match now {
                    Some((_, values)) => values.next().await,
                    None => future::pending().await,
                }
            };
            // Both arms are cancel-safe: a stream keeps what it was about to give.
            tokio::select! {
                value = value => return value,
                changed = changes.changed() => changed.ok()?,
            }
        }
    }
}

/// The values of the followed status, `null` for none.
fn values(events: BoxStream<'static, Event>) -> BoxStream<'static, JsonText> {
    let value = |event| match event {
        Event::Value { value, .. } => Some(value.unwrap_or_else(JsonText::null)),
        Event::Entry { .. }
        | Event::Line(_)
        | Event::Bus(_)
        | Event::Call(_)
        | Event::Topic(_)
        | Event::Message(_) => None,
    };
    let values = events.filter_map(move |event| future::ready(value(event)));
    values.boxed()
}

/// The caller that a module is.
fn caller(module: &ModuleId) -> Caller {
    let id = AutomationId::new(module.as_str()).expect("all ids follow one rule");
    let principal = Principal::automation(id, Clearance::Admin);
    Caller::new(Arc::new(principal), IpAddr::V4(Ipv4Addr::LOCALHOST))
}

fn path(system: SystemId, slot: &ModuleSlot) -> ModulePath {
    ModulePath {
        system,
        module: slot.name.clone(),
        index: slot.index,
    }
}

fn topic(channel: &ChannelName) -> TopicId {
    TopicId::new(channel.as_str()).expect("all ids follow one rule")
}

/// The failure as drivers see it. The codes are those of [`RequestFailed`].
fn failed(failure: Failure) -> RequestFailed {
    let code = match failure.kind() {
        FailureKind::SystemNotFound
        | FailureKind::ModuleNotFound
        | FailureKind::FunctionNotFound => RequestFailed::NOT_FOUND,
        FailureKind::Unauthenticated
        | FailureKind::UnknownKey
        | FailureKind::Forbidden
        | FailureKind::SystemOutOfReach
        | FailureKind::ModuleOutOfReach
        | FailureKind::Restricted
        | FailureKind::ProtectedModule => RequestFailed::FORBIDDEN,
        FailureKind::Busy => RequestFailed::BUSY,
        FailureKind::Unavailable => RequestFailed::UNAVAILABLE,
        FailureKind::TimedOut | FailureKind::Lost => RequestFailed::UNANSWERED,
        FailureKind::BadRequest
        | FailureKind::DriverFailed
        | FailureKind::TooLarge
        | FailureKind::Internal => failure.response_code(),
    };
    RequestFailed::new(code, failure.message())
}
