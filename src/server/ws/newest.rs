//! The newest events of one watch of a worker: what newcomers are told, and those who were behind.
//!
//! A watch of one status has one, kept as it is. A watch of many states has one for each, by its key.
//! An event's place among them stands for its key where that would be too large: in the lists of what connections are behind on.
//! So a place means the same for as long as any follower is behind.

use indexmap::IndexMap;

use crate::model::{Event, Key, KeyBuf, Old};

/// The newest events of a watch.
#[derive(Debug, Default)]
pub(super) enum Newest {
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
    pub(super) fn place(&self, key: Key<'_>) -> u32 {
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

    /// Keeps an event in the place of the one before it. What was before it is for its followers to remember.
    pub(super) fn put(&mut self, mut event: Event) {
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
    pub(super) fn get(&self, place: u32) -> Option<&Event> {
        match self {
            Self::None => None,
            Self::One(event) => (place == 0).then_some(event),
            Self::ByKey(events) => events.get_index(place as usize).map(|(_, event)| event),
        }
    }

    /// The same, to be told with what a follower was told before.
    pub(super) fn get_mut(&mut self, place: u32) -> Option<&mut Event> {
        match self {
            Self::None => None,
            Self::One(event) => (place == 0).then_some(event),
            Self::ByKey(events) => events.get_index_mut(place as usize).map(|(_, event)| event),
        }
    }

    /// How many there are.
    pub(super) fn len(&self) -> u32 {
        match self {
            Self::None => 0,
            Self::One(_) => 1,
            Self::ByKey(events) => u32::try_from(events.len()).unwrap_or(u32::MAX),
        }
    }
}
