//! The modules that are followed whole, as far as they have come: a part of what `interest` keeps, under its lock.
//!
//! One pattern brings the messages of all modules while one of them is followed whole, and each is read when the pattern is there.
//! It is one for all because Redis looks at every pattern for each message, and because it lets a user without all channels subscribe
//! only to the very patterns that the user's rights name.

use std::collections::{HashMap, HashSet};

use tokio::time::Instant;

use crate::model::{ModuleId, StatusName};
use crate::stores::redis::statuses::line::{Line, QueuePosition};

/// What is followed whole.
#[derive(Debug, Default)]
pub(super) struct WholeModules {
    modules: HashMap<ModuleId, Whole>,
    unread: Line<ModuleId>,
    pattern: Pattern,
}

/// A module that is followed whole.
#[derive(Debug, Default)]
struct Whole {
    phase: WholePhase,
    /// The statuses of which a message came since the module was asked for: what is read of them is older.
    published: HashSet<StatusName>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum WholePhase {
    /// There is no connection.
    #[default]
    Offline,
    /// Waits to be read.
    Unread(QueuePosition),
    /// Was asked for.
    Reading,
    /// All its statuses are known.
    Known,
}

/// The subscription to the messages of all modules.
#[derive(Debug, Default, PartialEq, Eq)]
enum Pattern {
    #[default]
    Absent,
    Present,
    /// No module is followed whole any more; it is to end at this time.
    Lingering(Instant),
}

/// What is to become of the pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Listening {
    /// It is to be subscribed to.
    Begin,
    /// Its subscription is to end.
    End,
}

impl WholeModules {
    pub(super) fn follow(&mut self, module: &ModuleId, is_online: bool) {
        let whole = self.modules.entry(module.clone()).or_default();
        if is_online && whole.phase == WholePhase::Offline {
            whole.phase = WholePhase::Unread(self.unread.join(module.clone()));
        }
        if let Pattern::Lingering(_) = self.pattern {
            self.pattern = Pattern::Present;
        }
    }

    /// The pattern stays until `due`. Says whether all statuses of the module were known.
    pub(super) fn unfollow(&mut self, module: &ModuleId, due: Instant) -> bool {
        let phase = self.modules.remove(module).map(|whole| whole.phase);
        if let Some(WholePhase::Unread(place)) = phase {
            self.unread.leave(place);
        }
        if self.modules.is_empty() && self.pattern == Pattern::Present {
            self.pattern = Pattern::Lingering(due);
        }
        phase == Some(WholePhase::Known)
    }

    pub(super) fn is_followed(&self, module: &ModuleId) -> bool {
        self.modules.contains_key(module)
    }

    /// The id of a module that is followed whole.
    pub(super) fn find(&self, module: &str) -> Option<ModuleId> {
        let (module, _) = self.modules.get_key_value(module)?;
        Some(module.clone())
    }

    /// Whether a read of the whole module will tell each of its statuses that is followed by then.
    pub(super) fn will_tell(&self, module: &ModuleId) -> bool {
        let whole = self.modules.get(module);
        whole.is_some_and(|whole| match whole.phase {
            WholePhase::Unread(_) | WholePhase::Reading => true,
            WholePhase::Offline | WholePhase::Known => false,
        })
    }

    /// There is a connection without any subscription. Says how many modules are to be read.
    pub(super) fn begin(&mut self) -> usize {
        for (module, whole) in &mut self.modules {
            whole.phase = WholePhase::Unread(self.unread.join(module.clone()));
        }
        self.modules.len()
    }

    /// The connection was lost.
    pub(super) fn end(&mut self) {
        self.unread.clear();
        self.pattern = Pattern::Absent;
        for whole in self.modules.values_mut() {
            *whole = Whole::default();
        }
    }

    /// When the pattern is to end.
    pub(super) fn due(&self) -> Option<Instant> {
        match self.pattern {
            Pattern::Lingering(due) => Some(due),
            Pattern::Absent | Pattern::Present => None,
        }
    }

    /// What is to become of the pattern now.
    pub(super) fn listening(&mut self, now: Instant) -> Option<Listening> {
        let (pattern, change) = match self.pattern {
            Pattern::Absent if !self.modules.is_empty() => (Pattern::Present, Listening::Begin),
            Pattern::Lingering(due) if due <= now => (Pattern::Absent, Listening::End),
            Pattern::Absent | Pattern::Present | Pattern::Lingering(_) => return None,
        };
        self.pattern = pattern;
        Some(change)
    }

    /// The modules to be read next, at most `max`.
    pub(super) fn next(&mut self, max: usize) -> Vec<ModuleId> {
        let mut next = Vec::new();
        while next.len() < max
            && let Some(module) = self.unread.pop()
        {
            if let Some(whole) = self.modules.get_mut(&module) {
                whole.phase = WholePhase::Reading;
                whole.published.clear();
            }
            next.push(module);
        }
        next
    }

    /// A message of a status was passed on.
    pub(super) fn published(&mut self, module: &ModuleId, status: &StatusName) {
        if let Some(whole) = self.modules.get_mut(module)
            && whole.phase == WholePhase::Reading
        {
            whole.published.insert(status.clone());
        }
    }

    /// A read has come: the statuses that are newer than it; `None` when it is no longer wanted.
    pub(super) fn was_read(&mut self, module: &ModuleId) -> Option<HashSet<StatusName>> {
        let whole = self.modules.get_mut(module)?;
        (whole.phase == WholePhase::Reading).then(|| std::mem::take(&mut whole.published))
    }

    /// What was read has been told.
    pub(super) fn is_known(&mut self, module: &ModuleId) {
        if let Some(whole) = self.modules.get_mut(module)
            && whole.phase == WholePhase::Reading
        {
            whole.phase = WholePhase::Known;
        }
    }
}
