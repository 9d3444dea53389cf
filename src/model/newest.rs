//! The newest events of one watch: for new followers, and for followers that were behind.
//!
//! A watch of one status has one, kept as it is. A watch of many states, as of a whole module, has one for each, by its key;
//! so an entity that is made of several statuses can be written whole when one of them changes.
//! An event's place among them stands for its key where that would be too large: in the lists of what connections are behind on.
//! So a place means the same for as long as any follower is behind.

use indexmap::IndexMap;

use crate::model::{Event, Key, KeyBuf, Old};

/// The newest events of a watch.
#[derive(Debug, Default)]
pub enum Newest {
    /// None has come, or none is kept.
    #[default]
    None,
    /// All that came has this key.
    One(Event),
    /// Several keys. Boxed, since most watches are of one status.
    ByKey(Box<IndexMap<KeyBuf, Event>>),
}

impl Newest {
    /// Where an event with this key stands, or will stand when it is [put](Self::put).
    pub fn place(&self, key: Key<'_>) -> u32 {
        match self {
            Self::None => 0,
            Self::One(event) => u32::from(event.key() != Some(key)),
            Self::ByKey(events) => {
                let place = events.get_index_of(&key.to_buf());
                let place = place.unwrap_or(events.len());
                u32::try_from(place).expect("a watch has fewer than 2^32 keys")
            }
        }
    }

    /// Keeps an event in the place of the one before it. The followers themselves remember the earlier value.
    pub fn put(&mut self, mut event: Event) {
        event.set_old(Old::Nothing);
        let Some(key) = event.key() else {
            return;
        };
        match self {
            Self::None => *self = Self::One(event),
            Self::One(only) if only.key() == Some(key) => *only = event,
            Self::One(_) => {
                let key = key.to_buf();
                if let Self::One(first) = std::mem::take(self) {
                    let first_key = first.key().map(Key::to_buf);
                    let events = first_key.map(|first_key| (first_key, first));
                    let events = events.into_iter().chain([(key, event)]);
                    *self = Self::ByKey(Box::new(events.collect()));
                }
            }
            Self::ByKey(events) => {
                let key = key.to_buf();
                events.insert(key, event);
            }
        }
    }

    /// The event at a place.
    pub fn get(&self, place: u32) -> Option<&Event> {
        match self {
            Self::None => None,
            Self::One(event) => (place == 0).then_some(event),
            Self::ByKey(events) => events.get_index(place as usize).map(|(_, event)| event),
        }
    }

    /// Sets the `old` of the event at a place to what one follower got before it.
    pub fn set_old(&mut self, place: u32, old: Old) {
        let event = match self {
            Self::None => None,
            Self::One(event) => (place == 0).then_some(event),
            Self::ByKey(events) => events.get_index_mut(place as usize).map(|(_, event)| event),
        };
        if let Some(event) = event {
            event.set_old(old);
        }
    }

    /// Keeps nothing with the key of this event. Others may stand elsewhere afterwards.
    pub fn forget(&mut self, event: &Event) {
        let Some(key) = event.key() else {
            return;
        };
        match self {
            Self::None => {}
            Self::One(only) if only.key() == Some(key) => *self = Self::None,
            Self::One(_) => {}
            Self::ByKey(events) => drop(events.swap_remove(&key.to_buf())),
        }
    }

    /// All of them, each with its place.
    pub fn events(&self) -> impl Iterator<Item = (u32, &Event)> {
        (0..self.count()).filter_map(|place| Some((place, self.get(place)?)))
    }

    fn count(&self) -> u32 {
        match self {
            Self::None => 0,
            Self::One(_) => 1,
            Self::ByKey(events) => u32::try_from(events.len()).unwrap_or(u32::MAX),
        }
    }
}
