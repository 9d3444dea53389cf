//! What is known of a module's statuses at one moment, wherever it was read: what entities are written from.

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::model::{
    Act, Cause, Event, JsonText, Key, ModulePath, Newest, Revision, State, StatusName, Timestamp,
};

/// The status that every module has.
pub(super) fn connected() -> &'static StatusName {
    static CONNECTED: LazyLock<StatusName> = LazyLock::new(StatusName::connected);
    &CONNECTED
}

/// What is known of the statuses of one module.
#[derive(Debug)]
pub struct Known<'a> {
    source: Source<'a>,
    /// A status of which something else is known than the source says.
    instead: Option<(&'a StatusName, Fact<'a>)>,
}

#[derive(Debug)]
enum Source<'a> {
    Nothing,
    Newest(&'a Newest),
    Facts(&'a HashMap<&'a StatusName, Fact<'a>>),
    Read(HashMap<&'a StatusName, Fact<'a>>),
}

/// What is known of one status.
#[derive(Debug, Clone, Copy)]
pub struct Fact<'a> {
    /// Its value.
    pub value: Option<&'a JsonText>,
    /// When it was written.
    pub at: Timestamp,
    /// In the course of what.
    pub act: Option<&'a Act>,
    /// Its place among the changes.
    pub revision: Revision,
}

impl<'a> Fact<'a> {
    fn of_event(event: &'a Event) -> Option<(&'a Event, &'a StatusName, Self)> {
        match event {
            Event::Value {
                path,
                value,
                at,
                cause,
                revision,
                ..
            } => {
                let act = match cause {
                    Cause::Act(act) => Some(&**act),
                    Cause::Module | Cause::Store | Cause::Building | Cause::Follow => None,
                };
                let fact = Self {
                    value: value.as_ref(),
                    at: *at,
                    act,
                    revision: *revision,
                };
                Some((event, &path.status, fact))
            }
            Event::Entry { .. }
            | Event::Line(_)
            | Event::Bus(_)
            | Event::Call(_)
            | Event::Topic(_)
            | Event::Message(_) => None,
        }
    }
}

impl<'a> Known<'a> {
    /// Nothing at all.
    pub fn nothing() -> Self {
        Self::of(Source::Nothing)
    }

    /// What a follower of the module has got.
    pub fn of_newest(newest: &'a Newest) -> Self {
        Self::of(Source::Newest(newest))
    }

    /// What all statuses say when they are read at this moment. When each was written is not known, so they count as written then.
    pub fn of_state(state: &'a State, at: Timestamp) -> Self {
        let fact = |(name, value): &'a (StatusName, JsonText)| {
            let fact = Fact {
                value: Some(value),
                at,
                act: None,
                revision: Revision(0),
            };
            (name, fact)
        };
        Self::of(Source::Read(state.iter().map(fact).collect()))
    }

    /// What a follower of the module has got together with this event.
    pub fn with(newest: &'a Newest, event: &'a Event) -> Self {
        let instead = Fact::of_event(event).map(|(_, status, fact)| (status, fact));
        Self {
            source: Source::Newest(newest),
            instead,
        }
    }

    /// What a follower of the module had got before this event.
    pub fn before(newest: &'a Newest, event: &'a Event) -> Self {
        let known = Self::of_newest(newest);
        let Event::Value { path, old, .. } = event else {
            return known;
        };
        let Some((_, _, fact)) = Fact::of_event(event) else {
            return known;
        };
        let earlier = known.fact(&path.status);
        let earlier = earlier.filter(|earlier| earlier.revision < fact.revision);
        let before = match earlier {
            Some(earlier) => Fact {
                value: old.as_ref(),
                ..earlier
            },
            // When what was merged away was written is no longer known.
            None => Fact {
                value: old.as_ref(),
                at: Timestamp(0),
                act: None,
                revision: Revision(0),
            },
        };
        Self {
            source: known.source,
            instead: Some((&path.status, before)),
        }
    }

    fn of(source: Source<'a>) -> Self {
        Self {
            source,
            instead: None,
        }
    }

    /// What is known of a status.
    pub fn fact(&self, status: &StatusName) -> Option<Fact<'a>> {
        if let Some((name, fact)) = &self.instead
            && *name == status
        {
            return Some(*fact);
        }
        match &self.source {
            Source::Nothing => None,
            Source::Newest(newest) => {
                let event = newest.get(newest.place(Key::Status(status)))?;
                let (_, _, fact) = Fact::of_event(event)?;
                Some(fact)
            }
            Source::Facts(facts) => facts.get(status).copied(),
            Source::Read(facts) => facts.get(status).copied(),
        }
    }

    /// The value of a status; `None` while it has none, and for `null`.
    pub fn value(&self, status: &StatusName) -> Option<&'a JsonText> {
        self.fact(status)?.value.filter(|value| !value.is_null())
    }
}

/// What is known of several modules at one moment: the snapshot in the answer to those who begin to follow them.
#[derive(Debug, Default)]
pub struct Snapshot<'a>(HashMap<&'a ModulePath, HashMap<&'a StatusName, Fact<'a>>>);

impl<'a> Snapshot<'a> {
    /// Sorts events by their modules.
    pub fn new(events: &'a [Event]) -> Self {
        let mut modules: HashMap<_, HashMap<_, _>> = HashMap::new();
        for (event, status, fact) in events.iter().filter_map(Fact::of_event) {
            if let Event::Value { path, .. } = event {
                modules
                    .entry(&path.module)
                    .or_default()
                    .insert(status, fact);
            }
        }
        Self(modules)
    }

    /// What is known of a module.
    pub fn known(&'a self, module: &ModulePath) -> Known<'a> {
        match self.0.get(module) {
            Some(facts) => Known::of(Source::Facts(facts)),
            None => Known::nothing(),
        }
    }
}
