//! What discovery has found: which things there are, which topic described each, and where their values are.
//!
//! Separate from `discovery`, which reads one description and remembers nothing, and from the topic table,
//! which has what the settings say. It neither sends nor waits.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::mem;

use driver_sdk::{JsonText, StatusName};

use crate::discovery::{Description, Thing};
use crate::limits::THINGS_MAX;
use crate::topic_table::Change;

/// The things of one module. Each has a name that no other has.
#[derive(Default)]
pub(crate) struct Things {
    found: BTreeMap<StatusName, Found>,
    /// The names of the things that a topic describes.
    described_at: BTreeMap<String, BTreeSet<StatusName>>,
    /// The names of the things whose values are at a topic.
    valued_at: HashMap<String, BTreeSet<StatusName>>,
    /// Whether more things than allowed have come.
    is_full: bool,
}

struct Found {
    thing: Thing,
    /// The topic of its description.
    at: String,
}

impl Things {
    pub(crate) fn get(&self, name: &str) -> Option<&Thing> {
        self.found.get(name).map(|found| &found.thing)
    }

    /// The topics where values are.
    pub(crate) fn topics(&self) -> impl Iterator<Item = &String> {
        self.valued_at.keys()
    }

    /// The names of the things whose values are at a topic.
    pub(crate) fn valued_at(&self, topic: &str) -> impl Iterator<Item = &StatusName> {
        self.valued_at.get(topic).into_iter().flatten()
    }

    /// Takes in what a topic describes now, in the place of what it described before. The names that are taken are left alone.
    pub(crate) fn describe(
        &mut self,
        at: &str,
        description: Description,
        taken: &BTreeSet<StatusName>,
        changes: &mut Vec<Change>,
    ) {
        let stays: BTreeSet<&StatusName> = description.things.iter().map(|it| &it.name).collect();
        let described = self.described_at.get(at).into_iter().flatten();
        let gone: Vec<StatusName> = described
            .filter(|name| !stays.contains(name))
            .cloned()
            .collect();
        for name in gone {
            self.forget(&name, changes);
        }
        for left_out in description.left_out {
            changes.push(Change::Note(format!("at '{at}': {left_out}")));
        }
        for thing in description.things {
            let other = self.found.get(&thing.name).map(|found| found.at.as_str());
            let reason = match other {
                _ if taken.contains(&thing.name) => "the settings have the name",
                Some(other) if other != at => "there is another of the name",
                Some(_) | None => {
                    self.keep(at, thing, changes);
                    continue;
                }
            };
            let name = &thing.name;
            let note = format!("the thing '{name}' at '{at}' is left out: {reason}");
            changes.push(Change::Note(note));
        }
    }

    /// Keeps a thing, whose name is this topic's to give.
    fn keep(&mut self, at: &str, thing: Thing, changes: &mut Vec<Change>) {
        let before = self.found.get(&thing.name).map(|found| &found.thing);
        if before.is_none() && self.found.len() >= THINGS_MAX {
            if !mem::replace(&mut self.is_full, true) {
                let warning =
                    format!("there are more than {THINGS_MAX} things; others are left out");
                changes.push(Change::Warning(warning));
            }
            return;
        }
        let keeps_value = before.is_some_and(|before| before.state == thing.state);
        if !keeps_value {
            self.forget(&thing.name, changes);
            if let Some(state) = &thing.state {
                let names = self.valued_at.entry(state.as_str().to_owned()).or_default();
                names.insert(thing.name.clone());
            }
            changes.push(Change::Topics);
        }
        let described = self.described_at.entry(at.to_owned()).or_default();
        described.insert(thing.name.clone());
        let at = at.to_owned();
        self.found.insert(thing.name.clone(), Found { thing, at });
    }

    /// A thing is gone, and its value with it.
    fn forget(&mut self, name: &StatusName, changes: &mut Vec<Change>) {
        let Some(Found { thing, at }) = self.found.remove(name) else {
            return;
        };
        if let Some(names) = self.described_at.get_mut(&at) {
            names.remove(name);
            if names.is_empty() {
                self.described_at.remove(&at);
            }
        }
        if let Some(state) = &thing.state
            && let Some(names) = self.valued_at.get_mut(state.as_str())
        {
            names.remove(name);
            if names.is_empty() {
                self.valued_at.remove(state.as_str());
            }
        }
        changes.push(Change::Set(thing.name, JsonText::null()));
        changes.push(Change::Topics);
    }
}
