//! The texts of messages in Redis. A message is a JSON array: its number, that of the one before it, when it was sent, its level, title, link and text.
//! What is published is an array too, with a word in front that says what it is.

use std::sync::Arc;

use redis::{Value, from_redis_value_ref};
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use crate::model::{
    DeviceId, Message, MessageLevel, MessageNews, MessageNumber, Notice, ServiceKey, Subscription,
    Timestamp, Unread,
};
use crate::stores::Tally;
use crate::stores::redis::payload::text;

/// What stands in the JSON of a message behind its numbers, which the script gives.
pub(super) fn notice_text(notice: &Notice, at: Timestamp) -> String {
    let level = notice.level.number();
    let texts = [&notice.title, &notice.link, &notice.text];
    let [title, link, text] = texts.map(|text| serde_json::Value::from(text.as_str()));
    format!("{},{level},{title},{link},{text}]", at.0)
}

/// Reads a message. None where another program has written it.
fn message(service: &ServiceKey, json: &[u8]) -> Option<Message> {
    type Parts = (u64, u64, u64, i64, String, String, String);
    let (number, previous, at, level, title, link, text): Parts =
        serde_json::from_slice(json).ok()?;
    Some(Message {
        number: MessageNumber(number),
        previous: MessageNumber(previous),
        service: service.clone(),
        notice: Notice {
            text,
            title,
            link,
            level: MessageLevel::of(level),
        },
        at: Timestamp(at),
    })
}

/// Reads what was published. None where another program has written it.
pub(super) fn news(payload: &[u8]) -> Option<MessageNews> {
    let parts: Vec<&RawValue> = serde_json::from_slice(payload).ok()?;
    let (kind, rest) = parts.split_first()?;
    match (read::<String>(kind)?.as_str(), rest) {
        ("sent", [service, json]) => {
            let service = ServiceKey::new(&read::<String>(service)?).ok()?;
            let message = message(&service, json.get().as_bytes())?;
            Some(MessageNews::Sent(Arc::new(message)))
        }
        ("subscribed", [device, service, since, checked, is_active]) => {
            let since = Timestamp(read(since)?);
            Some(MessageNews::Subscribed {
                device: DeviceId::new(&read::<String>(device)?).ok()?,
                subscription: Subscription {
                    service: ServiceKey::new(&read::<String>(service)?).ok()?,
                    since,
                    checked: since.max(Timestamp(read(checked)?)),
                },
                is_active: read(is_active)?,
            })
        }
        _ => None,
    }
}

fn read<T: DeserializeOwned>(raw: &RawValue) -> Option<T> {
    serde_json::from_str(raw.get()).ok()
}

/// Reads what a device is subscribed to: each service with since when and the number at which that was. Puts the oldest first.
pub(super) fn subscriptions(checked: Timestamp, all: Vec<(String, String)>) -> Vec<Subscription> {
    let mut known: Vec<(u64, Subscription)> = all
        .iter()
        .filter_map(|(service, value)| {
            let (since, number) = value.split_once(' ')?;
            let since = Timestamp(since.parse().ok()?);
            let subscription = Subscription {
                service: ServiceKey::new(service).ok()?,
                since,
                checked: since.max(checked),
            };
            Some((number.parse().ok()?, subscription))
        })
        .collect();
    known.sort_unstable_by_key(|(number, _)| *number);
    let each = known.into_iter();
    each.map(|(_, subscription)| subscription).collect()
}

/// Reads an answer with messages: whether there are more, then service and message of each.
pub(super) fn unread(answer: Vec<Value>) -> Unread {
    let (more, texts) = answer.split_first().unzip();
    let pairs = texts.unwrap_or_default().chunks_exact(2);
    let messages = pairs.filter_map(|pair| {
        let service = std::str::from_utf8(text(&pair[0])?).ok()?;
        let service = ServiceKey::new(service).ok()?;
        message(&service, text(&pair[1])?).map(Arc::new)
    });
    Unread {
        messages: messages.collect(),
        more: more == Some(&Value::Int(1)),
    }
}

/// Reads what a service has sent: how many messages of each level, the last one, and how many are unread.
pub(super) fn tally(service: &ServiceKey, answer: &[Value]) -> Tally {
    let (counts, rest) = answer.split_at(answer.len().min(MessageLevel::ALL.len()));
    let mut by_level = [0; MessageLevel::ALL.len()];
    for (count, value) in by_level.iter_mut().zip(counts) {
        *count = number(value);
    }
    let last = rest.first().and_then(text);
    let last = last.and_then(|json| message(service, json));
    Tally {
        by_level,
        last: last.map(Arc::new),
        unread: rest.last().map_or(0, number),
    }
}

/// A number, or zero where there is none.
fn number(value: &Value) -> u64 {
    from_redis_value_ref(value).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_read_as_it_was_written() {
        let notice = Notice {
            text: " \u{0}\"quoted\"\n".to_owned(),
            title: "Ä".to_owned(),
            link: "https://example.org/?a={b}".to_owned(),
            level: MessageLevel::DANGER,
        };
        let rest = notice_text(&notice, Timestamp(u64::MAX));
        let service = ServiceKey::new("a [\"b\"]").unwrap();
        let published = format!(r#"["sent","a [\"b\"]",[7,5,{rest}]"#);
        let expected = Message {
            number: MessageNumber(7),
            previous: MessageNumber(5),
            service,
            notice,
            at: Timestamp(u64::MAX),
        };
        let expected = MessageNews::Sent(Arc::new(expected));
        assert_eq!(news(published.as_bytes()), Some(expected));
    }

    #[test]
    fn a_subscription_is_checked_when_it_begins() {
        let told = br#"["subscribed","ann","lift",9,4,false]"#;
        let expected = MessageNews::Subscribed {
            device: DeviceId::new("ann").unwrap(),
            subscription: Subscription {
                service: ServiceKey::new("lift").unwrap(),
                since: Timestamp(9),
                checked: Timestamp(9),
            },
            is_active: false,
        };
        assert_eq!(news(told), Some(expected));
    }

    #[test]
    fn what_another_program_has_written_is_left_out() {
        for text in [
            "",
            "7",
            "[]",
            r#"["sent","lift"]"#,
            r#"["sent","",[1,0,2,3,"","","a"]]"#,
            r#"["sent","lift",[1,0,2,3,"","",null]]"#,
            r#"["sent","lift",[-1,0,2,3,"","","a"]]"#,
            r#"["subscribed","ann","lift",9,4]"#,
            r#"["else",1]"#,
        ] {
            assert_eq!(news(text.as_bytes()), None, "{text}");
        }
        let unreadable = Value::BulkString(b"else".to_vec());
        let answer = vec![Value::Int(1), unreadable.clone(), unreadable];
        let expected = Unread {
            messages: Vec::new(),
            more: true,
        };
        assert_eq!(unread(answer), expected);
        let service = ServiceKey::new("lift").unwrap();
        assert_eq!(tally(&service, &[]), Tally::default());
    }
}
