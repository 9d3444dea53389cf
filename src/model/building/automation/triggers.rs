//! Triggers: steps that are done by themselves, when conditions hold.
//!
//! Separate from hooks, since nobody waits for what comes of them.

use driver_types::{Clearance, JsonText, Step, SystemId};

use super::super::fields::collection;
use super::super::flaws::Flaw;
use super::super::{Kind, yes};
use super::conditions::{Condition, Conditions};
use super::local_path::{LocalPath, WholePath};
use super::steps::{Evaluated, Mention, Steps};
use super::{ACTING_LEVELS, ProcedureId, TimeSpan, TriggerId};
use crate::model::rules::Thing;
use crate::model::{FunctionPath, StatusPath};

collection! {
    /// Steps that are done when conditions hold.
    Trigger, "triggers", "a trigger" {
        /// The id.
        id: TriggerId => own(Thing::Trigger).must("an id, such as `id: trig-warm`"),
        /// The name for people.
        name: String,
        /// A few words for people.
        description: String,
        /// The system that it belongs to: where its state is bound, and where paths of two parts lead.
        system: Option<SystemId> => is(Kind::Reference(Thing::System)),
        /// What has to be so, all of it.
        when: Conditions => filled_at(&["secret", "header"]).other_form("when_json").shaped(Conditions::flaws)
            .must("its conditions, such as `when: [{event: doors}]`"),
        /// What is done then.
        then: Steps => other_form("then_json").shaped(Steps::flaws),
        /// How long it is silent after it fired, or would have.
        debounce: Option<TimeSpan>,
        /// With which clearance it acts.
        level: Clearance => is(Kind::Word(ACTING_LEVELS)),
        /// Whether it fires. One that does not may lack conditions, and the system of its paths.
        enabled: bool => or(yes),
        /// Whether people are to look at it before others.
        important: bool,
    }
}

/// A path that a trigger mentions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TriggerPath {
    /// Of a status that it follows.
    Status(StatusPath),
    /// Of a function that it calls.
    Function(FunctionPath),
}

impl Trigger {
    /// What its fields do not say together, each as a field and the flaw in it.
    ///
    /// One that is not enabled may be unfinished.
    pub fn mistakes(&self) -> Vec<(&'static str, Flaw)> {
        if !self.enabled {
            return Vec::new();
        }
        let is_empty = self.when.list().is_empty();
        let no_conditions = is_empty.then(|| {
            let reason = "is empty, so it would never fire; add a condition, such as `{event: doors}`, or say `enabled: false`";
            ("when", Flaw::other(&[], reason))
        });
        let system = self.system.as_ref();
        let statuses = self.statuses().into_iter();
        let statuses = statuses.filter_map(|status| status.no_system(system));
        let functions = self.then.functions("then").into_iter();
        let functions = functions.filter_map(|function| function.no_system(system));
        let mistakes = no_conditions.into_iter().chain(statuses);
        mistakes.chain(functions).collect()
    }

    /// The statuses that it follows.
    fn statuses(&self) -> Vec<Mention<&LocalPath<StatusPath>>> {
        let conditions = self.when.list().iter().enumerate();
        let statuses = conditions.filter_map(|(place, condition)| match condition {
            Condition::Status { path, .. } => Some(Mention {
                field: "when",
                steps: vec![Step::Item(place), Step::Key("status".to_owned())],
                of: path,
            }),
            Condition::Event { .. }
            | Condition::Cron { .. }
            | Condition::At(_)
            | Condition::Webhook(_) => None,
        });
        statuses.collect()
    }

    /// All paths that it mentions, as whole ones. What lacks its system is among the [mistakes](Self::mistakes) alone.
    pub fn paths(&self) -> Vec<Mention<TriggerPath>> {
        let system = self.system.as_ref();
        let statuses = self.statuses().into_iter();
        let statuses = statuses.filter_map(|it| it.within(system, TriggerPath::Status));
        let functions = self.then.functions("then").into_iter();
        let functions = functions.filter_map(|it| it.within(system, TriggerPath::Function));
        statuses.chain(functions).collect()
    }

    /// The procedures that it runs, each with what it is given.
    pub fn procedures(&self) -> Vec<Mention<(&ProcedureId, Option<&JsonText>)>> {
        self.then.procedures("then")
    }

    /// All that is evaluated.
    pub fn evaluated(&self) -> Vec<Mention<Evaluated<'_>>> {
        self.then.evaluated("then")
    }

    /// Whether a request can fire it, at an address that no hook can have.
    pub fn is_webhook(&self) -> bool {
        let mut conditions = self.when.list().iter();
        conditions.any(|condition| matches!(condition, Condition::Webhook(_)))
    }
}

impl<P: WholePath> Mention<&LocalPath<P>> {
    pub(super) fn within<T>(
        self,
        system: Option<&SystemId>,
        of: impl Fn(P) -> T,
    ) -> Option<Mention<T>> {
        let path = self.of.within(system)?;
        Some(Mention {
            field: self.field,
            steps: self.steps,
            of: of(path),
        })
    }

    /// What is wrong with a path that leaves out its system where there is none.
    pub(super) fn no_system(self, system: Option<&SystemId>) -> Option<(&'static str, Flaw)> {
        if self.of.within(system).is_some() {
            return None;
        }
        let reason = "has no system; a path has three parts, such as sys-board/Display_1/power, and may leave out the first in a trigger that has a `system`";
        let mut flaw = Flaw::other(&[], reason);
        flaw.steps = self.steps;
        Some((self.field, flaw))
    }
}
