//! The port for follows: outlets, their watches, and what is sent to all followers.
//!
//! The watch table itself is the room `subscriptions`; here it is joined to the modules, whose logs have more lines while a client follows them.

use std::fmt;
use std::sync::Arc;

use crate::core::access::Caller;
use crate::core::building::BuildingService;
use crate::core::bus::Bus;
use crate::core::cluster::outbound::Outbound;
use crate::core::modules::{Supervisor, new_act};
use crate::core::outlet::{Outlet, OutletId, WatchId};
use crate::core::reply::ReplySlot;
use crate::core::subscriptions::Subscriptions;
use crate::model::{Audience, CloseReason, JsonText, ModuleId, Reply, Subject};

/// Lets outlets follow subjects, and tells those who follow. What is owed to an outlet is pushed to it.
pub struct Follows {
    pub(super) subscriptions: Arc<Subscriptions>,
    pub(super) modules: Arc<Supervisor>,
    pub(super) building: Arc<BuildingService>,
    pub(super) outbound: Option<Arc<Outbound>>,
    /// `None` when the node has the building to itself.
    pub(super) bus: Option<Bus>,
}

impl Follows {
    /// Connects a worker. From here on its outlet gets what its watches and calls owe it.
    pub fn attach(&self, outlet: Arc<dyn Outlet>) -> OutletId {
        self.subscriptions.attach(outlet)
    }

    /// Disconnects a worker, and drops all its watches.
    pub fn detach(&self, outlet: OutletId) {
        self.subscriptions
            .detach(outlet, |module| self.set_debugged(module, false));
    }

    /// Follows a subject, with a new id at every call. What is known of it now is pushed before this returns.
    pub fn watch(&self, outlet: OutletId, subject: Subject) -> WatchId {
        self.subscriptions
            .watch(outlet, subject, |module| self.set_debugged(module, true))
    }

    /// Ends a watch. What is already on its way still comes.
    pub fn unwatch(&self, outlet: OutletId, watch: WatchId) {
        self.subscriptions
            .unwatch(outlet, watch, |module| self.set_debugged(module, false));
    }

    /// Announces something by name to those who follow the bus, with the caller's level.
    /// Followers on this node are told before this returns; those on other nodes soon after, while the store that the nodes share can be reached.
    pub fn announce(&self, who: &Caller, name: Arc<str>, data: JsonText, act: u128) {
        let act = new_act(Some(act), who.user().map(|user| &user.id));
        let event = self
            .subscriptions
            .announce(name, data, who.clearance(), act);
        if let Some(bus) = &self.bus {
            bus.tell(&event);
        }
    }

    fn set_debugged(&self, module: &ModuleId, debugged: bool) {
        if let Some(module) = self.modules.get(module) {
            module.output().set_debugged(debugged);
        }
        match &self.outbound {
            Some(outbound) if debugged => outbound.follow_log(module, self.driver_of(module)),
            Some(outbound) => outbound.unfollow_log(module),
            None => {}
        }
    }

    /// Answers who [follows](Self::watch) the log of a module with [`Reply::Debugging`] as soon as lines that are logged are seen, wherever the module runs;
    /// with a failure when that is not so in good time.
    pub fn when_heard(&self, module: ModuleId, slot: ReplySlot) {
        match &self.outbound {
            Some(outbound) => outbound.when_heard(module, slot),
            None => slot.answer(Ok(Reply::Debugging(module))),
        }
    }

    /// Whether lines of a log that is followed are seen at once, since no other node runs the module.
    pub fn is_heard_here(&self, module: &ModuleId) -> bool {
        self.outbound.is_none() || self.modules.get(module).is_some()
    }

    /// The driver of a module as log lines name it; the module itself where the driver is not known.
    fn driver_of(&self, module: &ModuleId) -> Arc<str> {
        let directory = self.building.directory();
        match directory.module(module) {
            Some(entry) => Arc::from(entry.module.driver.as_str()),
            None => Arc::from(module.as_str()),
        }
    }

    /// Orders every worker to close connections.
    pub fn close(&self, whom: Audience, why: CloseReason) {
        self.subscriptions.close(&whom, why);
    }
}

impl fmt::Debug for Follows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Follows").finish_non_exhaustive()
    }
}
