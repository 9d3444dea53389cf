//! The names of the keys and channels of topics. `scripts/common.lua` says what stands in each key.
//!
//! They carry one hash tag, since a script changes many of them, and that of their service: two buildings on one Redis have nothing in common.

use crate::model::{ProcessId, ServiceName, TopicId};
use crate::stores::redis::keyspace;

/// The names of one service.
#[derive(Debug, Clone)]
pub(super) struct Names {
    root: String,
}

impl Names {
    pub(super) fn new(service: &ServiceName) -> Self {
        Self {
            root: keyspace::own(service, "topics/"),
        }
    }

    /// What all of them begin with.
    pub(super) fn root(&self) -> &str {
        &self.root
    }

    /// A key.
    pub(super) fn key(&self, name: &str) -> String {
        format!("{}{name}", self.root)
    }

    /// The key of what one topic has of this kind.
    pub(super) fn topic_key(&self, kind: &str, topic: &TopicId) -> String {
        format!("{}{kind}/{topic}", self.root)
    }

    /// The channel of a topic.
    pub(super) fn topic_channel(&self, topic: &TopicId) -> String {
        self.topic_key("of", topic)
    }

    /// The topic of a channel.
    pub(super) fn topic_of(&self, channel: &str) -> Option<TopicId> {
        let name = channel.strip_prefix(&self.root)?.strip_prefix("of/")?;
        TopicId::new(name).ok()
    }

    /// The channel on which a process is answered.
    pub(super) fn process_channel(&self, process: ProcessId) -> String {
        format!("{}to/{}", self.root, process.0)
    }

    /// The channel on which processes are told that there are reports.
    pub(super) fn reported_channel(&self) -> String {
        self.key("reported")
    }

    /// The channel on which processes are told that one has taken a lease anew.
    pub(super) fn began_channel(&self) -> String {
        self.key("began")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_channel_is_of_its_topic() {
        let names = Names::new(&ServiceName::new("riser").unwrap());
        let topic = TopicId::new("4201/of/a").unwrap();
        let channel = names.topic_channel(&topic);
        assert_eq!(channel, "riser/{service_riser}/topics/of/4201/of/a");
        assert_eq!(names.topic_of(&channel), Some(topic));
        assert_eq!(names.topic_of(&names.reported_channel()), None);
        assert_eq!(
            names.topic_of("riser/{service_core}/topics/of/4201/a"),
            None
        );
        assert_eq!(names.topic_of("riser/{service_riser}/topics/of/"), None);
    }
}
