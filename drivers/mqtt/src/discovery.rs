//! Home Assistant's discovery: devices say at the broker which topics they have.
//!
//! Separate because it knows the form of these descriptions and neither a connection nor a status.
//! A description stands at `PREFIX/COMPONENT/[NODE/]OBJECT/config`; its keys have short forms, and `~` stands for a common beginning of its topics.
//! Where the component is `device` it describes several things at once, and what it says of its topics holds for those that say nothing else.
//! Templates are not carried out: the status is all of the payload.
//! Source: Home Assistant's documentation of *MQTT Discovery*.

use std::collections::BTreeMap;
use std::fmt;

use driver_sdk::serde_json;
use driver_sdk::{JsonText, StatusName};

use crate::limits::{DISCOVERED_TEXT_MAX_BYTES, THINGS_MAX};
use crate::packet::Retain;
use crate::topic::Topic;

/// A thing that says which topics it has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Thing {
    /// The name of its status: its unique id, else the object id of its topic.
    pub(crate) name: StatusName,
    /// Where its value is.
    pub(crate) state: Option<Topic>,
    /// How it takes another.
    pub(crate) command: Option<ThingCommand>,
}

/// How a thing takes a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ThingCommand {
    pub(crate) topic: Topic,
    /// What is sent for true.
    pub(crate) on: JsonText,
    /// What is sent for false.
    pub(crate) off: JsonText,
    pub(crate) retain: Retain,
}

impl ThingCommand {
    /// The value as the thing knows it.
    pub(crate) fn value(&self, value: JsonText) -> JsonText {
        match value.as_str() {
            "true" => self.on.clone(),
            "false" => self.off.clone(),
            _ => value,
        }
    }
}

/// The topics where things may be described.
pub(crate) fn filters(prefix: &Topic) -> [String; 2] {
    let prefix = prefix.as_str();
    [
        format!("{prefix}/+/+/config"),
        format!("{prefix}/+/+/+/config"),
    ]
}

/// What a topic describes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Subject<'a> {
    /// One thing.
    Thing { object_id: &'a str },
    /// A device with all of its things.
    Device,
}

/// What is described at this topic; `None` where nothing is.
pub(crate) fn subject<'a>(prefix: &Topic, topic: &'a str) -> Option<Subject<'a>> {
    let rest = topic.strip_prefix(prefix.as_str())?.strip_prefix('/')?;
    let levels: Vec<&str> = rest.split('/').collect();
    match levels[..] {
        ["device", _, "config"] | ["device", _, _, "config"] => Some(Subject::Device),
        [_, object_id, "config"] | [_, _, object_id, "config"] => {
            Some(Subject::Thing { object_id })
        }
        _ => None,
    }
}

/// What a description says: the things that there are, and what is none and why.
#[derive(Debug, Default)]
pub(crate) struct Description {
    pub(crate) things: Vec<Thing>,
    pub(crate) left_out: Vec<LeftOut>,
}

/// What a description does not make a thing of.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct LeftOut {
    /// The component of a device; `None` for all that is described.
    component: Option<String>,
    reason: &'static str,
}

impl fmt::Display for LeftOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reason = self.reason;
        match &self.component {
            Some(component) => write!(f, "the component '{component}' is left out: {reason}"),
            None => write!(f, "what is described is left out: {reason}"),
        }
    }
}

/// Reads a description. An empty one says that there is nothing any more.
pub(crate) fn read(subject: &Subject<'_>, bytes: &[u8]) -> Description {
    if bytes.is_empty() {
        return Description::default();
    }
    let members = str::from_utf8(bytes).map_err(|_| "it is no text");
    let members = members.and_then(|text| members_of(serde_json::from_str(text)));
    let read = members.and_then(|members| match subject {
        Subject::Thing { object_id } => {
            let thing = thing(Some(object_id), &Members(members))?;
            Ok(Description {
                things: vec![thing],
                left_out: Vec::new(),
            })
        }
        Subject::Device => device(&Members(members)),
    });
    read.unwrap_or_else(|reason| Description {
        things: Vec::new(),
        left_out: vec![LeftOut {
            component: None,
            reason,
        }],
    })
}

/// The things of a device. A component that says its platform alone is one that was removed.
fn device(said: &Members) -> Result<Description, &'static str> {
    let components = said.get("components", "cmps");
    let components = components.ok_or("it is a device without components")?;
    let components = members_of(components.to())?;
    if components.len() > THINGS_MAX {
        return Err("it is a device with too many components");
    }
    let mut description = Description::default();
    for (component, config) in components {
        let read = members_of(config.to()).and_then(|config| {
            let is_removed = config.keys().all(|key| key == "platform" || key == "p");
            let of_component = || thing(None, &Members(config).with_shared(said));
            (!is_removed).then(of_component).transpose()
        });
        match read {
            Ok(None) => {}
            Ok(Some(thing)) if description.has(&thing.name) => {
                description.leave_out(component, "the device has another of its id");
            }
            Ok(Some(thing)) => description.things.push(thing),
            Err(reason) => description.leave_out(component, reason),
        }
    }
    Ok(description)
}

impl Description {
    fn has(&self, name: &StatusName) -> bool {
        self.things.iter().any(|thing| thing.name == *name)
    }

    fn leave_out(&mut self, component: String, reason: &'static str) {
        let component = Some(component);
        self.left_out.push(LeftOut { component, reason });
    }
}

/// The thing that these keys describe. Where the topic has no object id for it, it needs an id of its own.
fn thing(object_id: Option<&str>, said: &Members) -> Result<Thing, &'static str> {
    let name = said.text("unique_id", "uniq_id")?;
    let name = name.as_deref().or(object_id);
    let name = name.ok_or("it has no unique id")?;
    let name = StatusName::new(name).map_err(|_| "its id can be no name of a status")?;
    if name.is_connected() {
        return Err("its id is `connected`, which every module has");
    }
    let base = said.text("~", "~")?;
    let topic = |long, short| -> Result<Option<Topic>, &'static str> {
        let Some(topic) = said.text(long, short)? else {
            return Ok(None);
        };
        let topic = with_base(&topic, base.as_deref());
        if topic.len() > DISCOVERED_TEXT_MAX_BYTES {
            return Err("one of its topics is too long");
        }
        Topic::new(&topic)
            .map(Some)
            .map_err(|_| "one of its topics is none")
    };
    let state = topic("state_topic", "stat_t")?;
    let command = match topic("command_topic", "cmd_t")? {
        None => None,
        Some(topic) => Some(ThingCommand {
            topic,
            on: said.payload("payload_on", "pl_on", "ON")?,
            off: said.payload("payload_off", "pl_off", "OFF")?,
            retain: said.retain()?,
        }),
    };
    match state.is_none() && command.is_none() {
        true => Err("it has neither a state topic nor a command topic"),
        false => Ok(Thing {
            name,
            state,
            command,
        }),
    }
}

/// The keys that a device says for all of its components that do not say them, long and short.
const SHARED: [(&str, &str); 3] = [
    ("~", "~"),
    ("state_topic", "stat_t"),
    ("command_topic", "cmd_t"),
];

type ByKey = BTreeMap<String, JsonText>;

/// The keys of a description, long or short.
struct Members(ByKey);

/// The members of what should be an object.
fn members_of<E>(read: Result<ByKey, E>) -> Result<ByKey, &'static str> {
    read.map_err(|_| "it is no JSON object")
}

impl Members {
    fn get(&self, long: &str, short: &str) -> Option<&JsonText> {
        let found = self.0.get(long).or_else(|| self.0.get(short));
        found.filter(|value| !value.is_null())
    }

    /// These of a component, with those that its device says for it.
    fn with_shared(mut self, device: &Self) -> Self {
        for (long, short) in SHARED {
            if self.get(long, short).is_none()
                && let Some(value) = device.get(long, short)
            {
                self.0.insert(long.to_owned(), value.clone());
            }
        }
        self
    }

    fn text(&self, long: &str, short: &str) -> Result<Option<String>, &'static str> {
        let text = self.get(long, short).map(JsonText::to).transpose();
        text.map_err(|_| "one of its ids and topics is no text")
    }

    /// What is sent for true or false.
    fn payload(&self, long: &str, short: &str, default: &str) -> Result<JsonText, &'static str> {
        let said = self.get(long, short).cloned();
        let payload = said.or_else(|| JsonText::of(default).ok());
        payload
            .filter(|payload| payload.as_str().len() <= DISCOVERED_TEXT_MAX_BYTES)
            .ok_or("one of its payloads is too long")
    }

    fn retain(&self) -> Result<Retain, &'static str> {
        let retain = self.get("retain", "ret").map(JsonText::to).transpose();
        let retain = retain.map_err(|_| "its `retain` is neither true nor false")?;
        Ok(Retain::of(retain.unwrap_or(false)))
    }
}

/// A topic with the common beginning, or end, of the description's.
fn with_base(topic: &str, base: Option<&str>) -> String {
    let Some(base) = base else {
        return topic.to_owned();
    };
    match (topic.strip_prefix('~'), topic.strip_suffix('~')) {
        (Some(rest), _) => format!("{base}{rest}"),
        (None, Some(rest)) => format!("{rest}{base}"),
        (None, None) => topic.to_owned(),
    }
}

#[cfg(test)]
mod tests;
