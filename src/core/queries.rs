//! What a dialect asks of the building without HTTP: systems, modules, what their statuses say and what they can be asked to do.
//!
//! Answered through a slot like a call, since a shared store of statuses has to be asked itself.

use tokio::sync::oneshot;
use tokio::sync::oneshot::error::TryRecvError;

use crate::core::Core;
use crate::core::access::{Caller, may_see};
use crate::core::reply::ReplySlot;
use crate::model::{
    Failure, FailureKind, Found, ModuleId, ModulePath, Query, Reply, State, System, SystemId,
};

impl Core {
    /// Answers a query of a caller who has been [authorized](Self::authorize), with what is within reach.
    pub fn query(&self, who: &Caller, query: Query, slot: ReplySlot) {
        let found = match query {
            Query::Systems => Ok(Found::Systems(self.systems_within_reach(who))),
            Query::Modules(system) => self.modules_of(&system).map(Found::Modules),
            Query::Functions(path) => self
                .in_building(&path.into())
                .and_then(|module| self.known_interface(&module))
                .map(Found::Functions),
            Query::Statuses(path) => match self.in_building(&path.into()) {
                Ok(module) => return self.answer_state(&module, slot),
                Err(failure) => Err(failure),
            },
        };
        slot.answer(found.map(Reply::Found));
    }

    fn systems_within_reach(&self, who: &Caller) -> Vec<SystemId> {
        let directory = self.directory();
        let within_reach = |system: &&System| may_see(&directory, who.policy(), &system.id).is_ok();
        let systems = directory.systems().filter(within_reach);
        systems.map(|system| system.id.clone()).collect()
    }

    fn modules_of(&self, system: &SystemId) -> Result<Vec<(ModulePath, ModuleId)>, Failure> {
        let directory = self.directory();
        let system = directory.system(system).ok_or_else(|| {
            let message = format!("could not find system {system}");
            Failure::new(FailureKind::SystemNotFound, message)
        })?;
        let slots = directory.slots(system).into_iter();
        let mut modules: Vec<(ModulePath, ModuleId)> = slots
            .map(|((module, index), id)| {
                let path = ModulePath {
                    system: system.id.clone(),
                    module,
                    index,
                };
                (path, id)
            })
            .collect();
        modules.sort_by(|(a, _), (b, _)| (&a.module, a.index).cmp(&(&b.module, b.index)));
        Ok(modules)
    }

    fn answer_state(&self, module: &ModuleId, slot: ReplySlot) {
        let (answer, mut answered) = oneshot::channel();
        self.state(module, answer);
        let reply = |state: State| Ok(Reply::Found(Found::Statuses(state)));
        match answered.try_recv() {
            Ok(state) => slot.answer(reply(state)),
            // A dropped slot answers too.
            Err(TryRecvError::Closed) => drop(slot),
            Err(TryRecvError::Empty) => drop(self.main.spawn(async move {
                if let Ok(state) = answered.await {
                    slot.answer(reply(state));
                }
            })),
        }
    }
}
