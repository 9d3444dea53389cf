//! The acts to which the last writes of this node's modules belong, until their values come back from Redis.
//!
//! Redis has no place for an act beside a value, and PlaceOS's programs would not know it. So the node that wrote a value says of it whose act it was, and other nodes do not.
//! A leaf lock between the modules and the reader's task. A value is known by a digest, so what nobody follows takes little memory.

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, MutexGuard};

use crate::model::{Act, BindingKey, ModuleId, StatusChange, StatusName, StatusValue, lock};
use crate::stores::redis::limits::ACTS_PER_STATUS;

/// What was written of late.
#[derive(Debug, Default)]
pub(super) struct Acts {
    written: Mutex<HashMap<ModuleId, HashMap<StatusName, Written>>>,
    digests: RandomState,
}

/// The writes of one status that have not come back, the first one first. There is none unless one of them belongs to an act.
type Written = VecDeque<(Digest, Option<Arc<Act>>)>;

/// Stands for a value, or for none.
type Digest = Option<u64>;

impl Acts {
    /// A module has written a change.
    pub(super) fn wrote(&self, change: &StatusChange) {
        let BindingKey { module, status } = &change.key;
        let mut all = self.all();
        if change.act.is_none() {
            // What follows a write of an act has to be told from it. Most writes follow none.
            let statuses = all.get_mut(module);
            if let Some(written) = statuses.and_then(|statuses| statuses.get_mut(status)) {
                self.note(written, change);
            }
            return;
        }
        let statuses = all.entry(module.clone()).or_default();
        self.note(statuses.entry(status.clone()).or_default(), change);
    }

    fn note(&self, written: &mut Written, change: &StatusChange) {
        if written.len() >= ACTS_PER_STATUS {
            written.pop_front();
        }
        written.push_back((self.digest(change.value.as_ref()), change.act.clone()));
    }

    /// A value was published: whose act it was, if this node wrote it. What was written before it does not come any more.
    pub(super) fn came_back(
        &self,
        key: &BindingKey,
        value: Option<&StatusValue>,
    ) -> Option<Arc<Act>> {
        let mut all = self.all();
        let statuses = all.get_mut(&key.module)?;
        let written = statuses.get_mut(&key.status)?;
        let value = self.digest(value);
        let place = written.iter().position(|(digest, _)| *digest == value)?;
        let (_, act) = written.drain(..=place).next_back()?;
        if written.iter().all(|(_, act)| act.is_none()) {
            statuses.remove(&key.status);
            if statuses.is_empty() {
                all.remove(&key.module);
            }
        }
        act
    }

    /// A value was read: whose act it was, if it is the last that this node wrote.
    pub(super) fn last(&self, key: &BindingKey, value: Option<&StatusValue>) -> Option<Arc<Act>> {
        let all = self.all();
        let (digest, act) = all.get(&key.module)?.get(&key.status)?.back()?;
        act.clone().filter(|_| *digest == self.digest(value))
    }

    /// The module no longer runs here.
    pub(super) fn forget(&self, module: &ModuleId) {
        self.all().remove(module);
    }

    fn digest(&self, value: Option<&StatusValue>) -> Digest {
        // `null` is no value, as for the writer.
        let value = value.filter(|value| !value.is_null());
        value.map(|value| self.digests.hash_one(value.as_str()))
    }

    fn all(&self) -> MutexGuard<'_, HashMap<ModuleId, HashMap<StatusName, Written>>> {
        lock(&self.written)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Origin;
    use crate::stores::status_suite::{json, key};

    #[test]
    fn each_value_that_comes_back_is_said_to_be_of_the_act_that_wrote_it() {
        let acts = Acts::default();
        for (value, act) in [("1", 7), ("2", 8), ("1", 0), ("null", 9)] {
            wrote(&acts, value, act);
        }
        let came = ["1", "2", "1", "null"].map(|value| came_back(&acts, value));
        assert_eq!(came, [Some(7), Some(8), None, Some(9)]);
        assert!(acts.all().is_empty());
    }

    #[test]
    fn what_was_merged_with_a_later_value_is_passed_over() {
        let acts = Acts::default();
        for (value, act) in [("1", 7), ("2", 8), ("3", 0)] {
            wrote(&acts, value, act);
        }
        assert_eq!(came_back(&acts, "2"), Some(8));
        assert_eq!(came_back(&acts, "1"), None);
        assert!(acts.all().is_empty());
    }

    #[test]
    fn what_others_write_is_of_no_act_and_changes_nothing() {
        let acts = Acts::default();
        wrote(&acts, "1", 7);
        assert_eq!(came_back(&acts, "5"), None);
        assert_eq!(acts.last(&key("mod-1", "a"), None), None);
        let last = acts.last(&key("mod-1", "a"), Some(&json("1")));
        assert_eq!(last.map(|act| act.id), Some(7));
        assert_eq!(came_back(&acts, "1"), Some(7));
    }

    #[test]
    fn of_one_status_the_latest_are_kept_and_of_a_module_that_has_gone_none() {
        let acts = Acts::default();
        for number in 0..=ACTS_PER_STATUS {
            wrote(&acts, &number.to_string(), 7);
        }
        assert_eq!(came_back(&acts, "0"), None);
        assert_eq!(came_back(&acts, "1"), Some(7));
        acts.forget(&key("mod-1", "a").module);
        assert_eq!(came_back(&acts, "2"), None);
    }

    /// `mod-1` sets `a` in an act, or by itself where its id is 0.
    fn wrote(acts: &Acts, value: &str, act: u128) {
        acts.wrote(&StatusChange {
            key: key("mod-1", "a"),
            value: Some(json(value)),
            origin: Origin::Push,
            act: (act > 0).then(|| {
                Arc::new(Act {
                    id: act,
                    user: None,
                })
            }),
        });
    }

    fn came_back(acts: &Acts, value: &str) -> Option<u128> {
        let value = json(value);
        let value = Some(&value).filter(|value| !value.is_null());
        let act = acts.came_back(&key("mod-1", "a"), value);
        act.map(|act| act.id)
    }
}
