//! What a change of the building means for a client: what it follows, and what it is told.
//!
//! All of it is said before anything is written about the building as it is then.
//! Whose credentials are restricted to some systems is told of entities alone, and asks for the rest.

use std::sync::Arc;

use serde_json::json;

use crate::dialects::Surroundings;
use crate::dialects::Wanted;
use crate::dialects::home_assistant::entities::{
    Action, Changed, Context, Difference, Entity, Known, View,
};
use crate::dialects::home_assistant::limits;
use crate::dialects::home_assistant::session::commands::{Commands, Turn};
use crate::dialects::home_assistant::session::entities::change_of_state;
use crate::dialects::home_assistant::session::events::Happening;
use crate::dialects::home_assistant::session::reading::Purpose;
use crate::dialects::home_assistant::session::subscriptions::{
    STATE_CHANGED, Subscribed, Subscription,
};
use crate::dialects::home_assistant::wire::frames::{put_comma, put_json};
use crate::model::{BuildingView, Timestamp};

impl Commands {
    /// The building has changed.
    pub(super) fn building_changed(&mut self, before: &Surroundings, turn: &mut Turn<'_>) {
        let surroundings = turn.ambient.surroundings;
        let (old, new) = (&before.home_assistant, &surroundings.home_assistant);
        let difference = new.difference(old);
        if !has_same_systems(&before.building, &surroundings.building) {
            self.look_again(turn);
        }
        for subscription in &self.subscriptions {
            self.tell_removed(subscription, &difference, turn);
        }
        let refollowed = self.subscriptions.iter().map(|subscription| {
            let (ended, begun) = refollow(subscription, &difference, old);
            (subscription.id, ended, begun)
        });
        for (id, ended, begun) in refollowed.collect::<Vec<_>>() {
            self.unfollow(ended, turn);
            if !begun.is_empty() {
                let purpose = Purpose::Refresh(Arc::clone(&difference));
                self.follow_and_read(id, begun, purpose, turn);
            }
        }
        self.triggers_look_around(new);
        self.templates_look_around(turn);
        if self.sight().is_whole() {
            self.tell_registries(&difference, turn);
        }
    }

    /// Tells a subscription which of its entities are gone.
    fn tell_removed(
        &self,
        subscription: &Subscription,
        difference: &Difference,
        turn: &mut Turn<'_>,
    ) {
        let sight = self.sight();
        let gone = difference.entities_removed.iter();
        let gone = gone.filter(|entity| sight.has_module(&entity.path));
        match &subscription.about {
            Subscribed::Nothing
            | Subscribed::Status(_)
            | Subscribed::Template(_)
            | Subscribed::Triggers(_) => {}
            Subscribed::Entities(filter) => {
                let gone: Vec<&Arc<Entity>> =
                    gone.filter(|entity| filter.passes(&entity.id)).collect();
                if !gone.is_empty() {
                    turn.frames
                        .event(subscription.id, |out| put_removed(&gone, out));
                }
            }
            Subscribed::Events(names) if names.have(STATE_CHANGED) => {
                for entity in gone {
                    // What it said last is gone with its module.
                    let mut last = Vec::new();
                    entity.write_state(&Known::nothing(), &mut last);
                    let last = String::from_utf8(last).expect("a state is JSON");
                    let data = change_of_state(&entity.id, &last, "null");
                    let happening = happening(STATE_CHANGED, &data, turn);
                    turn.frames
                        .event(subscription.id, |out| happening.write(out));
                }
            }
            Subscribed::Events(_) => {}
        }
    }

    /// Tells those who wait for it what has become of areas, floors, labels, devices, entities and services.
    fn tell_registries(&self, difference: &Difference, turn: &mut Turn<'_>) {
        let entries = [
            ("area_registry_updated", "area_id", &difference.areas),
            ("floor_registry_updated", "floor_id", &difference.floors),
            ("label_registry_updated", "label_id", &difference.labels),
            ("device_registry_updated", "device_id", &difference.devices),
        ];
        for (name, key, changed) in entries {
            for Changed { id, action } in changed.iter().take(limits::REGISTRY_EVENTS_MAX) {
                self.tell_registry(name, key, id, *action, turn);
            }
        }
        let entities = [
            (&difference.entities_added, Action::Create),
            (&difference.entities_removed, Action::Remove),
            (&difference.entities_changed, Action::Update),
        ];
        for (entities, action) in entities {
            for entity in entities.iter().take(limits::REGISTRY_EVENTS_MAX) {
                let id = &entity.id;
                self.tell_registry("entity_registry_updated", "entity_id", id, action, turn);
            }
        }
        let services = [
            ("service_registered", &difference.services_added),
            ("service_removed", &difference.services_removed),
        ];
        for (name, services) in services {
            for (domain, service) in services.iter().take(limits::REGISTRY_EVENTS_MAX) {
                let data = json!({"domain": domain, "service": service}).to_string();
                let happening = happening(name, &data, turn);
                self.tell_subscribers(&happening, turn);
            }
        }
    }

    fn tell_registry(&self, name: &str, key: &str, id: &str, action: Action, turn: &mut Turn<'_>) {
        let mut data = json!({"action": action.as_str(), key: id});
        match action {
            // What it was before is not said, and clients ask for the whole anyway.
            Action::Update => data["changes"] = json!({}),
            Action::Create | Action::Remove => {}
        }
        let data = data.to_string();
        let happening = happening(name, &data, turn);
        self.tell_subscribers(&happening, turn);
    }
}

/// Something that the gateway does by itself, at this moment.
fn happening<'h>(name: &'h str, data: &'h str, turn: &Turn<'_>) -> Happening<'h> {
    Happening {
        name,
        data,
        at: Timestamp::from_secs((turn.ambient.clock)()),
        context: Context {
            id: (turn.ambient.draw)(),
            user: None,
        },
    }
}

/// What a subscription follows no longer, and what it follows anew, in this order.
///
/// A module with other entities is in the second list whole, so that its present state comes once more.
fn refollow(
    subscription: &Subscription,
    difference: &Difference,
    old: &View,
) -> (Vec<Wanted>, Vec<Wanted>) {
    let (about, number) = (&subscription.about, subscription.number);
    let removed = difference.modules_removed.iter();
    let mut ended: Vec<Wanted> = removed
        .flat_map(|module| about.follows_of(number, module))
        .collect();
    let changed = difference.modules_changed.iter();
    let mut begun: Vec<Wanted> = Vec::new();
    for module in changed.chain(&difference.modules_added) {
        let now = about.follows_of(number, module);
        let before = old.module(&module.path);
        let before = before.map(|before| about.follows_of(number, before));
        let before = before.into_iter().flatten();
        ended.extend(before.filter(|before| !now.contains(before)));
        begun.extend(now);
    }
    (ended, begun)
}

fn put_removed(gone: &[&Arc<Entity>], out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"r\":[");
    for (number, entity) in gone.iter().enumerate() {
        put_comma(number, out);
        put_json(&*entity.id, out);
    }
    out.extend_from_slice(b"]}");
}

fn has_same_systems(one: &BuildingView, other: &BuildingView) -> bool {
    let [one, other] = [one, other].map(|building| building.systems.iter());
    one.map(|view| &view.system.id)
        .eq(other.map(|view| &view.system.id))
}
