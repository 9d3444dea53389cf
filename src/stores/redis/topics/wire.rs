//! The texts of topics in Redis: what is published on their channels, and reports. Each is a JSON array; messages and what members say stand in it with the bytes that they came with.

use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use crate::model::{
    ClusterConnectionId, JsonText, Member, ProcessId, Publication, Publisher, Reported, Timestamp,
    TopicId, TopicReport, TopicRules,
};
use crate::stores::redis::keyspace::TOPICS;

/// The channel on which processes are told that there are reports.
pub(super) fn reported_channel() -> String {
    format!("{TOPICS}reported")
}

/// The channel on which processes are told that one has taken a lease anew.
pub(super) fn began_channel() -> String {
    format!("{TOPICS}began")
}

/// The channel of a topic.
pub(super) fn topic_channel(topic: &TopicId) -> String {
    format!("{TOPICS}of/{topic}")
}

/// The channel on which a process is answered.
pub(super) fn process_channel(process: ProcessId) -> String {
    format!("{TOPICS}to/{}", process.0)
}

/// The topic of a channel.
pub(super) fn topic_of(channel: &str) -> Option<TopicId> {
    let name = channel.strip_prefix(TOPICS)?.strip_prefix("of/")?;
    TopicId::new(name).ok()
}

/// What is published to a topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum TopicNote {
    Message {
        message: JsonText,
        except: Option<ClusterConnectionId>,
        /// Of one that is kept: when it came, in microseconds by Redis's clock.
        since: Option<u64>,
    },
    Joined {
        member: Member,
        by: Option<ClusterConnectionId>,
    },
    /// A user who is in says something else of themselves.
    Info(Member),
    Left(Arc<str>),
    Count(u64),
}

/// What is published to a process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ProcessNote {
    /// A request to come in is answered.
    Answer {
        request: u64,
        /// There are as many members as may be.
        is_full: bool,
        connections: u64,
        last: Option<KeptMessage>,
        /// Where they were asked for.
        members: Option<Vec<Member>>,
    },
    /// A topic was read.
    Read {
        topic: TopicId,
        connections: u64,
        last: Option<KeptMessage>,
        members: Vec<Member>,
    },
}

/// A message that is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct KeptMessage {
    /// When it came, in microseconds by Redis's clock.
    pub(super) since: u64,
    pub(super) except: Option<ClusterConnectionId>,
    pub(super) message: JsonText,
}

impl TopicNote {
    /// Reads what a channel of a topic has brought. None where another program has written it.
    pub(super) fn parse(payload: &[u8]) -> Option<Self> {
        let parts = parts(payload)?;
        let (kind, rest) = parts.split_first()?;
        match (read::<String>(kind)?.as_str(), rest) {
            ("message", [since, except, message]) => Some(Self::Message {
                message: JsonText::from_raw(message),
                except: connection(except)?,
                since: read(since)?,
            }),
            ("joined", [user, info, by]) => Some(Self::Joined {
                member: member(user, info)?,
                by: connection(by)?,
            }),
            ("info", [user, info]) => Some(Self::Info(member(user, info)?)),
            ("left", [user]) => Some(Self::Left(read(user)?)),
            ("count", [count]) => Some(Self::Count(read(count)?)),
            _ => None,
        }
    }
}

impl ProcessNote {
    /// Reads what the channel of a process has brought.
    pub(super) fn parse(payload: &[u8]) -> Option<Self> {
        let parts = parts(payload)?;
        let (kind, rest) = parts.split_first()?;
        match (read::<String>(kind)?.as_str(), rest) {
            ("answer", [request, outcome, connections, last, all]) => Some(Self::Answer {
                request: read(request)?,
                is_full: read::<String>(outcome)? == "full",
                connections: read(connections)?,
                last: KeptMessage::read(last)?,
                members: match all.get() {
                    "null" => None,
                    _ => Some(members(all)?),
                },
            }),
            ("read", [topic, connections, last, all]) => Some(Self::Read {
                topic: TopicId::new(&read::<String>(topic)?).ok()?,
                connections: read(connections)?,
                last: KeptMessage::read(last)?,
                members: members(all)?,
            }),
            _ => None,
        }
    }
}

impl KeptMessage {
    /// Reads what is kept of a topic. None where that is no message.
    pub(super) fn parse(text: &[u8]) -> Option<Self> {
        let [since, except, message] = parts(text)?.try_into().ok()?;
        Some(Self {
            since: read(since)?,
            except: connection(except)?,
            message: JsonText::from_raw(message),
        })
    }

    /// The same, or `null`.
    fn read(raw: &RawValue) -> Option<Option<Self>> {
        match raw.get() {
            "null" => Some(None),
            text => Some(Some(Self::parse(text.as_bytes())?)),
        }
    }
}

/// What a publication is on its topic's channel, where it is not kept.
pub(super) fn message_text(publication: &Publication) -> String {
    let except = connection_text(publication.except);
    format!(
        r#"["message",null,{except},{}]"#,
        publication.message.as_str()
    )
}

/// A connection as JSON.
pub(super) fn connection_text(connection: Option<ClusterConnectionId>) -> String {
    // Digits and a dot.
    connection.map_or_else(|| "null".to_owned(), |id| format!("\"{id}\""))
}

/// What is reported of a client's message, behind the topic and the time.
pub(super) fn published_text(by: &Publisher, message: &JsonText) -> String {
    let connection = connection_text(Some(by.connection));
    let user = serde_json::Value::from(by.user.as_deref());
    format!(r#""published",{connection},{user},{}"#, message.as_str())
}

/// What the scripts read of an app's rules.
pub(super) fn rules_text(rules: TopicRules) -> &'static str {
    match (rules.tells_count, rules.reports) {
        (true, true) => "cr",
        (true, false) => "c",
        (false, true) => "r",
        (false, false) => "",
    }
}

/// Reads a report. None where another program has written it.
pub(super) fn report(text: &[u8]) -> Option<TopicReport> {
    let parts = parts(text)?;
    let [topic, at, kind, rest @ ..] = &parts[..] else {
        return None;
    };
    let what = match (read::<String>(kind)?.as_str(), rest) {
        ("occupied", []) => Reported::Occupied,
        ("vacated", []) => Reported::Vacated,
        ("joined", [user]) => Reported::Joined(read(user)?),
        ("left", [user]) => Reported::Left(read(user)?),
        ("missed", []) => Reported::Missed,
        ("count", [count]) => Reported::Count(read(count)?),
        ("published", [by, user, message]) => Reported::Published {
            by: Publisher {
                connection: connection(by)??,
                user: read(user)?,
            },
            message: JsonText::from_raw(message),
        },
        _ => return None,
    };
    Some(TopicReport {
        topic: TopicId::new(&read::<String>(topic)?).ok()?,
        at: Timestamp(read(at)?),
        what,
    })
}

fn parts(text: &[u8]) -> Option<Vec<&RawValue>> {
    serde_json::from_slice(text).ok()
}

fn read<T: DeserializeOwned>(raw: &RawValue) -> Option<T> {
    serde_json::from_str(raw.get()).ok()
}

/// A connection, or `null`.
fn connection(raw: &RawValue) -> Option<Option<ClusterConnectionId>> {
    match read::<Option<String>>(raw)? {
        None => Some(None),
        Some(text) => Some(Some(ClusterConnectionId::parse(&text)?)),
    }
}

fn member(user: &RawValue, info: &RawValue) -> Option<Member> {
    Some(Member {
        user: read(user)?,
        info: match info.get() {
            "null" => None,
            _ => Some(JsonText::from_raw(info)),
        },
    })
}

fn members(raw: &RawValue) -> Option<Vec<Member>> {
    let flat = parts(raw.get().as_bytes())?;
    let pairs = flat.chunks_exact(2);
    pairs.map(|pair| member(pair[0], pair[1])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ConnectionId;

    const BY: Option<ClusterConnectionId> = Some(ClusterConnectionId {
        process: ProcessId(7),
        connection: ConnectionId(1),
    });

    fn json(text: &str) -> JsonText {
        JsonText::parse(text).unwrap()
    }

    fn ann(info: Option<&str>) -> Member {
        Member {
            user: Arc::from("ann"),
            info: info.map(json),
        }
    }

    #[test]
    fn a_message_keeps_its_bytes() {
        let publication = Publication {
            topic: TopicId::new("4201/a").unwrap(),
            message: json("{ \"n\": 1.0 ,\n \"big\":12345678901234567890}"),
            except: BY,
            kept: false,
            by: None,
        };
        let text = message_text(&publication);
        let expected = TopicNote::Message {
            message: publication.message,
            except: BY,
            since: None,
        };
        assert_eq!(TopicNote::parse(text.as_bytes()), Some(expected));
    }

    #[test]
    fn what_scripts_tell_is_read() {
        for (text, note) in [
            (
                r#"["joined","ann",{"a": 1.0},"7.1"]"#,
                TopicNote::Joined {
                    member: ann(Some(r#"{"a": 1.0}"#)),
                    by: BY,
                },
            ),
            (r#"["info","ann",null]"#, TopicNote::Info(ann(None))),
            (r#"["left","a\/\u00fc"]"#, TopicNote::Left(Arc::from("a/ü"))),
            (r#"["count",3]"#, TopicNote::Count(3)),
        ] {
            assert_eq!(TopicNote::parse(text.as_bytes()), Some(note), "{text}");
        }
        let text = r#"["answer",5,"in",2,[9,null,"x"],["ann",null]]"#;
        let answer = ProcessNote::Answer {
            request: 5,
            is_full: false,
            connections: 2,
            last: Some(KeptMessage {
                since: 9,
                except: None,
                message: json("\"x\""),
            }),
            members: Some(vec![ann(None)]),
        };
        assert_eq!(ProcessNote::parse(text.as_bytes()), Some(answer));
        let text = r#"["read","4201\/a",0,null,[]]"#;
        let read = ProcessNote::Read {
            topic: TopicId::new("4201/a").unwrap(),
            connections: 0,
            last: None,
            members: vec![],
        };
        assert_eq!(ProcessNote::parse(text.as_bytes()), Some(read));
    }

    #[test]
    fn what_another_program_wrote_is_nothing() {
        for text in [
            "",
            "[]",
            "null",
            "{}",
            "[1]",
            r#"["message"]"#,
            r#"["message",null,"x",1]"#,
            r#"["count","many"]"#,
            r#"["joined",1,null,null]"#,
            r#"["left","a""#,
            r#"["answer",1,"in",1,[1],null]"#,
            r#"["read","",0,null,[]]"#,
            r#"["4201/a",1,"published",null,null,1]"#,
        ] {
            assert_eq!(TopicNote::parse(text.as_bytes()), None, "{text}");
            assert_eq!(ProcessNote::parse(text.as_bytes()), None, "{text}");
            assert_eq!(report(text.as_bytes()), None, "{text}");
        }
    }
}
