//! Whether an event of the bus is the one that a trigger waits for.

use crate::expressions::{Object, Value};
use crate::model::{BusEvent, Clearance, Condition, EventSource, JsonText};

/// Who announced an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Announcer {
    /// The building by itself: a trigger, a hook, a procedure.
    Automation,
    /// A module, or a caller with the clearance that the event says.
    Other,
}

/// What an event has to be.
#[derive(Debug, Clone)]
pub struct EventPattern {
    name: String,
    data: Value,
    from: EventSource,
}

impl EventPattern {
    /// That of a condition; `None` for one that no event brings about.
    pub fn of(condition: &Condition) -> Option<Self> {
        match condition {
            Condition::Event { name, data, from } => Some(Self {
                name: name.clone(),
                data: Value::of_json(data),
                from: *from,
            }),
            Condition::Status { .. }
            | Condition::Cron { .. }
            | Condition::At(_)
            | Condition::Webhook(_) => None,
        }
    }

    /// Whether an event is such a one.
    pub fn fits(&self, event: &BusEvent, announcer: Announcer) -> bool {
        self.name == *event.name
            && self.trusts(event.level, announcer)
            && self.fits_data(&event.data)
    }

    fn trusts(&self, level: Clearance, announcer: Announcer) -> bool {
        match (self.from, announcer) {
            (EventSource::Anyone, _) | (_, Announcer::Automation) => true,
            (EventSource::Trusted, Announcer::Other) => match level {
                Clearance::Support | Clearance::Admin => true,
                Clearance::User => false,
            },
        }
    }

    /// Some announce what an event says within an object `args`, others beside its name.
    fn fits_data(&self, data: &JsonText) -> bool {
        if self.data == Value::from(Object::new()) {
            return true;
        }
        let data = Value::of_json(data);
        let inner = match &data {
            Value::Object(members) => members.get("args"),
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::Text(_)
            | Value::List(_)
            | Value::Json(_) => None,
        };
        match inner {
            Some(inner @ Value::Object(_)) => has(inner, &self.data),
            Some(_) | None => has(&data, &self.data),
        }
    }
}

/// Whether a value has all that a pattern says: an object may have more members, at every level. Values nest no deeper than they are opened.
fn has(value: &Value, pattern: &Value) -> bool {
    match (value, pattern) {
        (Value::Object(members), Value::Object(wanted)) => wanted
            .iter()
            .all(|(name, wanted)| members.get(name).is_some_and(|value| has(value, wanted))),
        (value, pattern) => value == pattern,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::model::{Act, Conditions, Timestamp};

    fn pattern(condition: &str) -> EventPattern {
        let json = JsonText::parse(&format!("[{condition}]")).unwrap();
        let conditions = Conditions::read(&json).unwrap();
        EventPattern::of(&conditions.list()[0]).unwrap()
    }

    fn event(data: &str, level: Clearance) -> BusEvent {
        BusEvent {
            name: Arc::from("doors"),
            data: JsonText::parse(data).unwrap(),
            level,
            act: Arc::new(Act { id: 1, user: None }),
            at: Timestamp(0),
        }
    }

    #[track_caller]
    fn check(condition: &str, data: &str, expect: bool) {
        let event = event(data, Clearance::Support);
        let fits = pattern(condition).fits(&event, Announcer::Other);
        assert_eq!(fits, expect, "{condition} {data}");
    }

    #[test]
    fn an_event_has_the_name_and_at_least_the_data() {
        check(r#"{"event":"doors"}"#, r#"{"who":"Ann"}"#, true);
        check(r#"{"event":"doors"}"#, "null", true);
        check(r#"{"event":"door"}"#, "{}", false);
        let ann = r#"{"event":"doors","data":{"who":"Ann","at":{"level":1}}}"#;
        check(ann, r#"{"x":1,"who":"Ann","at":{"level":1.0,"y":2}}"#, true);
        check(ann, r#"{"who":"Ann","at":{"y":2}}"#, false);
        check(ann, r#"{"who":"Ann"}"#, false);
        check(ann, "[]", false);
    }

    #[test]
    fn types_are_kept() {
        check(r#"{"event":"doors","data":{"n":1}}"#, r#"{"n":"1"}"#, false);
        check(
            r#"{"event":"doors","data":{"n":"true"}}"#,
            r#"{"n":true}"#,
            false,
        );
        check(
            r#"{"event":"doors","data":{"n":[1]}}"#,
            r#"{"n":[1,2]}"#,
            false,
        );
        check(r#"{"event":"doors","data":{"n":null}}"#, "{}", false);
    }

    #[test]
    fn data_within_args_goes_before_what_stands_beside_it() {
        let ann = r#"{"event":"doors","data":{"who":"Ann"}}"#;
        check(ann, r#"{"args":{"who":"Ann"}}"#, true);
        check(ann, r#"{"args":{"who":"Bob"},"who":"Ann"}"#, false);
        check(ann, r#"{"args":[1],"who":"Ann"}"#, true);
    }

    #[test]
    fn events_of_users_count_only_where_anyone_may_announce_them() {
        let by_user = event("{}", Clearance::User);
        let trusted = pattern(r#"{"event":"doors"}"#);
        assert!(!trusted.fits(&by_user, Announcer::Other));
        assert!(trusted.fits(&by_user, Announcer::Automation));
        let anyone = pattern(r#"{"event":"doors","from":"anyone"}"#);
        assert!(anyone.fits(&by_user, Announcer::Other));
    }
}
