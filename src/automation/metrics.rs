//! The metrics of automation.

use metrics::{Counter, Gauge};

/// The room's own measures.
#[derive(Debug)]
pub(super) struct AutomationMetrics {
    procedures: Outcomes,
    hooks: Outcomes,
    triggers: Outcomes,
    /// Moments at which a trigger should have fired, and that were over when the clock was looked at.
    pub(super) moments_missed: Counter,
    running: Gauge,
}

/// A run that is under way, until it is dropped.
pub(super) struct UnderWay(Gauge);

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.decrement(1);
    }
}

/// What began a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RunKind {
    /// Somebody who asked for the procedure.
    Procedure,
    /// A request to an address.
    Hook,
    /// A trigger that fired.
    Trigger,
}

/// How runs of one kind came out.
#[derive(Debug)]
pub(super) struct Outcomes {
    /// They came to their end.
    pub(super) done: Counter,
    /// A step failed, or they took too much.
    pub(super) failed: Counter,
    /// Too many were under way.
    pub(super) refused: Counter,
}

impl AutomationMetrics {
    pub(super) fn new() -> Self {
        metrics::describe_counter!(
            "riser_automation_runs_total",
            "Runs of procedures and of the steps of triggers, by what began them and by how they came out"
        );
        metrics::describe_counter!(
            "riser_automation_moments_missed_total",
            "Times that triggers did not fire at their time, since the clock was set forward or the machine stood still"
        );
        metrics::describe_gauge!("riser_automation_runs", "Runs that are under way");
        Self {
            procedures: Outcomes::of("procedure"),
            hooks: Outcomes::of("hook"),
            triggers: Outcomes::of("trigger"),
            moments_missed: metrics::counter!("riser_automation_moments_missed_total"),
            running: metrics::gauge!("riser_automation_runs"),
        }
    }

    /// A run begins.
    pub(super) fn begin(&self) -> UnderWay {
        self.running.increment(1);
        UnderWay(self.running.clone())
    }

    /// Those of one kind.
    pub(super) fn of(&self, kind: RunKind) -> &Outcomes {
        match kind {
            RunKind::Procedure => &self.procedures,
            RunKind::Hook => &self.hooks,
            RunKind::Trigger => &self.triggers,
        }
    }
}

impl Outcomes {
    fn of(kind: &'static str) -> Self {
        let outcome = |outcome: &'static str| metrics::counter!("riser_automation_runs_total", "kind" => kind, "outcome" => outcome);
        Self {
            done: outcome("done"),
            failed: outcome("failed"),
            refused: outcome("refused"),
        }
    }
}
