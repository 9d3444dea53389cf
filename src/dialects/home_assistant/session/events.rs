//! Events by name: subscribing to them, and firing them.
//!
//! A changed state is written once for all who follow it, and so is everything on the bus for those who take all of it.
//! Who takes one name of the bus has the session choose.

use std::sync::Arc;

use crate::dialects::home_assistant::entities::{Context, moment};
use crate::dialects::home_assistant::errors::{CommandError, ErrorCode, Translation};
use crate::dialects::home_assistant::limits;
use crate::dialects::home_assistant::session::commands::{Commands, Taken, Turn, Waiting};
use crate::dialects::home_assistant::session::subscriptions::{
    EventNames, STATE_CHANGED, Subscribed,
};
use crate::dialects::home_assistant::wire::Envelope;
use crate::dialects::home_assistant::wire::frames::put_json;
use crate::model::{Event, Failure, JsonText, Reply, Request, Timestamp};

/// What stands for every event.
const ALL: &str = "*";

/// The events that users may have who are no administrators, as in Home Assistant.
const FOR_EVERYONE: [&str; 21] = [
    "area_registry_updated",
    "category_registry_updated",
    "component_loaded",
    "core_config_updated",
    "device_registry_updated",
    "entity_registry_updated",
    "floor_registry_updated",
    "label_registry_updated",
    "labs_updated",
    "lovelace_updated",
    "panels_updated",
    "recorder_5min_statistics_generated",
    "recorder_hourly_statistics_generated",
    "repairs_issue_registry_updated",
    "service_registered",
    "service_removed",
    "shopping_list_updated",
    STATE_CHANGED,
    "themes_updated",
    "user_added",
    "user_removed",
];

/// Something that happened, as far as this dialect alone knows of it.
pub(super) struct Happening<'h> {
    /// Its name.
    pub(super) name: &'h str,
    /// What belongs to it, as JSON.
    pub(super) data: &'h str,
    /// When.
    pub(super) at: Timestamp,
    /// In the course of what.
    pub(super) context: Context<'h>,
}

impl Happening<'_> {
    /// Writes it as clients read events.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"{\"event_type\":");
        put_json(self.name, out);
        out.extend_from_slice(b",\"data\":");
        out.extend_from_slice(self.data.as_bytes());
        out.extend_from_slice(b",\"origin\":\"LOCAL\",\"time_fired\":");
        put_json(&moment(self.at), out);
        out.extend_from_slice(b",\"context\":");
        self.context.write(out);
        out.push(b'}');
    }
}

/// Subscribes to the events of a name, or to all.
pub(super) fn subscribe(
    commands: &mut Commands,
    command: &Envelope<'_>,
    turn: &mut Turn<'_>,
) -> Taken {
    let name = command.fields.text("event_type");
    let names = match name.as_deref() {
        None | Some(ALL) => EventNames::All,
        Some(name) => EventNames::Named(name.into()),
    };
    let is_for_everyone = match &names {
        EventNames::All => false,
        EventNames::Named(name) => FOR_EVERYONE.contains(&&**name),
    };
    if !is_for_everyone && !commands.client.is_admin() {
        return Err(CommandError::unauthorized());
    }
    commands.subscribe_and_follow(command.id, Subscribed::Events(names), turn)
}

/// Announces something on the bus.
pub(super) fn fire(commands: &mut Commands, command: &Envelope<'_>, turn: &mut Turn<'_>) -> Taken {
    let name = command.fields.text("event_type").unwrap_or_default();
    if name.chars().count() > limits::EVENT_TYPE_MAX_CHARS {
        return Err(name_too_long(&name));
    }
    let data = command.fields.get("event_data");
    let act = (turn.ambient.draw)();
    let announce = Request::Announce {
        name: Arc::from(&*name),
        data: data.map_or_else(JsonText::empty_object, JsonText::from_raw),
        act,
    };
    commands.ask(announce, Waiting::Fired(command.id, act), turn);
    Ok(())
}

fn name_too_long(name: &str) -> CommandError {
    let max = limits::EVENT_TYPE_MAX_CHARS;
    let shown: String = name.chars().take(limits::VALUE_SHOWN_CHARS).collect();
    CommandError::new(
        ErrorCode::HomeAssistantError,
        format!("Value {shown} for property event_type has a maximum length of {max} characters"),
    )
    .translated(Translation {
        key: "max_length_exceeded",
        domain: "homeassistant",
        placeholders: vec![
            ("value", shown),
            ("property_name", "event_type".to_owned()),
            ("max_length", max.to_string()),
        ],
    })
}

impl Commands {
    /// An event was announced, or not.
    pub(super) fn fired(
        &mut self,
        id: u64,
        act: u128,
        reply: Result<Reply, Failure>,
        turn: &mut Turn<'_>,
    ) {
        match reply {
            Ok(_) => {
                let context = self.context(act);
                turn.frames.result(id, |out| {
                    out.extend_from_slice(b"{\"context\":");
                    context.write(out);
                    out.push(b'}');
                });
            }
            Err(failure) => turn.frames.error(&id.to_string(), &failure.into()),
        }
    }

    /// The context of what this client does.
    pub(super) fn context(&self, act: u128) -> Context<'_> {
        Context {
            id: act,
            user: Some(&self.client.user),
        }
    }

    /// Tells those who wait for an event of this name about it.
    pub(super) fn tell_subscribers(&self, happening: &Happening<'_>, turn: &mut Turn<'_>) {
        for subscription in &self.subscriptions {
            let wanted = match &subscription.about {
                Subscribed::Events(names) => names.have(happening.name),
                Subscribed::Nothing
                | Subscribed::Entities(_)
                | Subscribed::Status(_)
                | Subscribed::Template(_)
                | Subscribed::Triggers(_) => false,
            };
            if wanted {
                turn.frames
                    .event(subscription.id, |out| happening.write(out));
            }
        }
    }
}

/// Something was announced on the bus, and this subscription may have waited for it.
pub(super) fn happened(id: u64, names: &EventNames, event: &Event, turn: &mut Turn<'_>) {
    let event = match event {
        Event::Bus(event) => event,
        Event::Value { .. }
        | Event::Entry { .. }
        | Event::Line(_)
        | Event::Call(_)
        | Event::Topic(_)
        | Event::Message(_) => {
            return;
        }
    };
    if names.have(&event.name) {
        let happening = Happening {
            name: &event.name,
            data: event.data.as_str(),
            at: event.at,
            context: Context::of_act(&event.act),
        };
        turn.frames.event(id, |out| happening.write(out));
    }
}
