//! The entities of one module at its place.

use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;
use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use crate::model::{EntityOverride, Interface, ModulePath, ModuleView, StatusName};

use super::compound::Abilities;
use super::context::write_text;
use super::domain::Domain;
use super::draft::{Draft, button, single};
use super::entity::{Entity, Key};
use super::known::connected;
use super::limits::{ENTITIES_PER_MODULE_MAX, ENTITY_ID_MAX_BYTES, WINDOW};
use super::part::Property;
use super::schema::Kind;
use super::setter::Settable;
use super::slug::{first_free, slug};

/// A module at its place: a device in Home Assistant, with its entities.
#[derive(Debug)]
pub struct ModuleEntities {
    /// The place.
    pub path: Arc<ModulePath>,
    /// Its entities: each stands at its place. `connected` is always among them.
    pub entities: Vec<Arc<Entity>>,
    /// It as a device.
    pub device_id: Arc<str>,
    /// What people call it: `Display 1`.
    pub name: Arc<str>,
    /// The domain of the services that its functions are: `display`.
    pub domain: Arc<str>,
    pub(super) made_of: Ingredients,
    /// Which entities a status is in.
    by_status: HashMap<StatusName, Vec<u32>>,
}

/// All that a module's entities are made of.
#[derive(Debug)]
pub(super) struct Ingredients {
    pub(super) module: Arc<ModuleView>,
    /// The system as an area.
    pub(super) area_id: Arc<str>,
    pub(super) overrides: Vec<Arc<EntityOverride>>,
}

/// The ids that are taken, of entities that were made before.
pub(super) type Taken = HashSet<Arc<str>>;

impl ModuleEntities {
    /// Makes the entities, or takes those of before where nothing has changed.
    pub(super) fn new(
        made_of: Ingredients,
        domain: &Arc<str>,
        before: Option<&Arc<Self>>,
        taken: &mut Taken,
    ) -> Arc<Self> {
        if let Some(before) = before
            && before.made_of.is_same(&made_of)
            && before.domain == *domain
            && !before
                .entities
                .iter()
                .any(|entity| taken.contains(&entity.id))
        {
            taken.extend(before.entities.iter().map(|entity| Arc::clone(&entity.id)));
            return Arc::clone(before);
        }
        let alike = before.filter(|before| before.made_of.is_like(&made_of));
        let known = alike.map_or(&[][..], |before| before.entities.as_slice());
        let path = Arc::clone(&made_of.module.path);
        let name: Arc<str> = format!("{} {}", path.module, path.index).into();
        let device_id: Arc<str> = hash(&path, "device", "").into();
        let mut entities: Vec<Arc<Entity>> = Vec::new();
        for (place, draft) in in_order(drafts(&made_of), known).into_iter().enumerate() {
            let before = known.get(place);
            let naming = Naming {
                path: &path,
                area_id: &made_of.area_id,
                device: &name,
                device_id: &device_id,
            };
            let id = naming.id(&draft, before, taken);
            taken.insert(Arc::clone(&id));
            let entity = naming.entity(draft, id, u32::try_from(place).unwrap_or(u32::MAX));
            entities.push(match before {
                Some(before) if **before == entity => Arc::clone(before),
                Some(before) => Arc::new(entity.remembering(before)),
                None => Arc::new(entity),
            });
        }
        Arc::new(Self {
            path,
            by_status: by_status(&entities),
            entities,
            device_id,
            name,
            domain: Arc::clone(domain),
            made_of,
        })
    }

    /// What its driver is, for people.
    pub fn model(&self) -> &str {
        &self.made_of.module.driver_text
    }

    /// Its functions and statuses, once its driver has told them.
    pub fn interface(&self) -> Option<&Arc<Interface>> {
        self.made_of.module.interface.as_ref()
    }

    /// The system as an area.
    pub fn area_id(&self) -> &Arc<str> {
        &self.made_of.area_id
    }

    /// The windows that a [`Form`](super::super::Form) needs for all of its entities.
    pub fn windows(&self) -> impl Iterator<Item = u8> + use<> {
        let count = self.entities.len().div_ceil(WINDOW as usize).max(1);
        (0..=u8::MAX).take(count)
    }

    /// The windows that have entities which are wanted, each with the mask of these.
    pub fn masks(&self, is_wanted: impl Fn(&Entity) -> bool) -> Vec<(u8, u64)> {
        let mut masks: Vec<(u8, u64)> = Vec::new();
        for entity in self.entities.iter().filter(|entity| is_wanted(entity)) {
            let (window, bit) = entity.window();
            match masks.last_mut() {
                Some((last, mask)) if *last == window => *mask |= bit,
                Some(_) | None => masks.push((window, bit)),
            }
        }
        masks
    }

    /// The entities that a status is in, of those that a form has.
    pub(super) fn touched(
        &self,
        status: &StatusName,
        window: u8,
        mask: u64,
    ) -> impl Iterator<Item = &Arc<Entity>> {
        let all = status.is_connected().then_some(&self.entities);
        let some = match all {
            Some(_) => None,
            None => self.by_status.get(status),
        };
        let some = some.into_iter().flatten();
        let some = some.filter_map(|place| self.entities.get(*place as usize));
        let all = all.into_iter().flatten();
        all.chain(some).filter(move |entity| {
            let (its_window, bit) = entity.window();
            its_window == window && mask & bit != 0
        })
    }
}

impl Ingredients {
    /// Whether entities of the one may go on among those of the other: nothing is different but what has been seen.
    fn is_like(&self, other: &Self) -> bool {
        self.module.driver == other.module.driver
            && is_same_interface(&self.module, &other.module)
            && self.overrides == other.overrides
    }

    /// Whether the same entities are made of both.
    fn is_same(&self, other: &Self) -> bool {
        self.is_like(other)
            && self.area_id == other.area_id
            && self.module.path == other.module.path
            && self.module.driver_text == other.module.driver_text
            && self.module.statuses == other.module.statuses
    }
}

/// Nearly always they share one.
fn is_same_interface(one: &ModuleView, other: &ModuleView) -> bool {
    match (&one.interface, &other.interface) {
        (Some(one), Some(other)) => Arc::ptr_eq(one, other) || one == other,
        (one, other) => one.is_none() && other.is_none(),
    }
}

fn by_status(entities: &[Arc<Entity>]) -> HashMap<StatusName, Vec<u32>> {
    let mut by_status: HashMap<StatusName, Vec<u32>> = HashMap::new();
    for entity in entities {
        for status in entity.statuses() {
            let places = by_status.entry(status.clone()).or_default();
            if places.last() != Some(&entity.place) {
                places.push(entity.place);
            }
        }
    }
    by_status
}

/// All entities of a module, in the order in which they are listed when it is new.
fn drafts(made_of: &Ingredients) -> Vec<Draft> {
    let module = &made_of.module;
    let nothing = Interface::default();
    let interface = module.interface.as_deref().unwrap_or(&nothing);
    let properties = properties(made_of, interface);
    let wanted = |status: &StatusName| {
        let mut overrides = made_of.overrides.iter();
        let wanted = overrides.find(|wanted| wanted.status.target().status == *status);
        wanted.map(|wanted| &**wanted)
    };
    let singles = properties
        .iter()
        .filter_map(|property| single(property, wanted(&property.status)));
    let abilities = Abilities {
        module: module.path.module.as_str(),
        interface,
        properties: &properties,
    };
    let functions = interface.functions.iter();
    let buttons = functions.filter_map(|(name, function)| button(name, function));
    let mut seen = HashSet::new();
    let drafts = singles.chain(abilities.drafts()).chain(buttons);
    let drafts = drafts.filter(|draft| seen.insert(draft.key.clone()));
    drafts.take(ENTITIES_PER_MODULE_MAX).collect()
}

/// All statuses of a module: `connected`, those that its driver declares, those that the building's file names, and those that it has had.
fn properties(made_of: &Ingredients, interface: &Interface) -> Vec<Property> {
    let seen: HashMap<_, _> = {
        let seen = made_of.module.statuses.iter();
        seen.map(|seen| (&seen.name, seen.shape)).collect()
    };
    let named = made_of
        .overrides
        .iter()
        .map(|wanted| &wanted.status.target().status);
    let listed = made_of.module.statuses.iter().map(|seen| &seen.name);
    let all = [connected()].into_iter().chain(interface.statuses.keys());
    let mut known = HashSet::new();
    let all = all.chain(named).chain(listed);
    all.filter(|status| known.insert(*status))
        .map(|status| {
            let declared = interface.statuses.get(status);
            let declared = declared.and_then(|declared| Kind::of_schema(&declared.schema));
            let shape = seen.get(status).copied().map(Kind::of_shape);
            let kind = declared.or(shape);
            Property {
                status: status.clone(),
                settable: Settable::find(interface, status, kind.as_ref()),
                kind,
            }
        })
        .collect()
}

/// The drafts of entities that were there before at their places, and the others behind them.
fn in_order(drafts: Vec<Draft>, before: &[Arc<Entity>]) -> Vec<Draft> {
    let places: HashMap<&Key, usize> = {
        let before = before.iter().enumerate();
        before.map(|(place, entity)| (&entity.key, place)).collect()
    };
    let kept = drafts
        .iter()
        .filter(|draft| places.contains_key(&draft.key));
    if kept.count() != before.len() {
        return drafts;
    }
    let place = |draft: &Draft| places.get(&draft.key).copied().unwrap_or(usize::MAX);
    let mut drafts = drafts;
    drafts.sort_by_key(place);
    drafts
}

/// What the names of a module's entities have in common.
struct Naming<'a> {
    path: &'a Arc<ModulePath>,
    area_id: &'a Arc<str>,
    device: &'a Arc<str>,
    device_id: &'a Arc<str>,
}

impl Naming<'_> {
    /// The id of an entity: the one that it had, else the first that is free.
    fn id(&self, draft: &Draft, before: Option<&Arc<Entity>>, taken: &Taken) -> Arc<str> {
        let before = before.filter(|before| before.key == draft.key);
        let before = before.filter(|before| before.area_id == *self.area_id);
        if let Some(before) = before
            && !taken.contains(&before.id)
        {
            return Arc::clone(&before.id);
        }
        let module = slug(self.path.module.as_str());
        let index = self.path.index.to_string();
        let suffix = draft.suffix.as_deref().map(slug).unwrap_or_default();
        let parts = [self.area_id, module.as_str(), &index, &suffix];
        let parts = parts.into_iter().filter(|part| !part.is_empty());
        let word = parts.collect::<Vec<_>>().join("_");
        let mut id = format!("{}.{word}", draft.key.domain.as_str());
        // Room for a number behind it.
        let max = ENTITY_ID_MAX_BYTES - 8;
        if id.len() > max {
            let mark = hash(self.path, draft.key.domain.as_str(), &draft.key.of);
            id.truncate(max - 9);
            id.truncate(id.trim_end_matches('_').len());
            id.push('_');
            id.push_str(&mark[..8]);
        }
        first_free(&id, |id| taken.contains(id)).into()
    }

    fn entity(&self, draft: Draft, id: Arc<str>, place: u32) -> Entity {
        let short_name: Option<Arc<str>> = match (&draft.name, &draft.suffix) {
            (Some(name), _) => Some(name.as_str().into()),
            (None, Some(suffix)) => Some(title(suffix).into()),
            (None, None) => None,
        };
        let name: Arc<str> = match (&draft.name, &draft.suffix) {
            (Some(name), _) => name.as_str().into(),
            (None, Some(suffix)) => format!("{} {}", self.device, words(suffix)).into(),
            (None, None) => Arc::clone(self.device),
        };
        let fixed = self.fixed(&draft, &name);
        Entity {
            unique_id: hash(self.path, draft.key.domain.as_str(), &draft.key.of).into(),
            id,
            domain: draft.key.domain,
            name,
            short_name,
            device_id: Arc::clone(self.device_id),
            area_id: Arc::clone(self.area_id),
            device_class: draft.device_class.as_deref().map(Arc::from),
            unit: draft.unit.as_deref().map(Arc::from),
            category: draft.category,
            path: Arc::clone(self.path),
            key: draft.key,
            place,
            deciding: draft.face.deciding(),
            face: draft.face,
            attributes: draft.attributes,
            fixed,
        }
    }

    /// The attributes that do not change, as the members of an object.
    fn fixed(&self, draft: &Draft, name: &str) -> Box<str> {
        let mut members = Vec::new();
        let mut text = |name: &str, text: &str| {
            if !members.is_empty() {
                members.push(b',');
            }
            write_text(&mut members, name);
            members.push(b':');
            write_text(&mut members, text);
        };
        text("friendly_name", name);
        text("gateway_system", self.path.system.as_str());
        let module = format!("{}_{}", self.path.module, self.path.index);
        text("gateway_module", &module);
        if !draft.key.of.is_empty() && draft.key.domain != Domain::Button {
            text("gateway_status", &draft.key.of);
        }
        if let Some(unit) = &draft.unit {
            text("unit_of_measurement", unit);
        }
        if let Some(class) = &draft.device_class {
            text("device_class", class);
        }
        let mut fixed = String::from_utf8(members).expect("JSON is text");
        for (name, json) in &draft.fixed {
            write!(fixed, ",\"{name}\":{json}").expect("a String takes everything");
        }
        fixed.into()
    }
}

/// A status or a function in words: `audio_mute` is `audio mute`.
fn words(name: &str) -> String {
    name.replace('_', " ").trim().to_owned()
}

/// The same with a capital.
fn title(name: &str) -> String {
    let words = words(name);
    let mut characters = words.chars();
    match characters.next() {
        Some(first) => first.to_uppercase().chain(characters).collect(),
        None => words,
    }
}

/// What stands for a thing of a module's on every node and after every restart.
fn hash(path: &ModulePath, kind: &str, of: &str) -> String {
    let ModulePath {
        system,
        module,
        index,
    } = path;
    let index = index.to_string();
    let mut hash = Sha256::new();
    for part in [system.as_str(), module.as_str(), &index, kind, of] {
        // No id has a control character in it.
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    hex(&hash.finalize()[..16])
}

/// Bytes in hexadecimal digits.
fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a String takes everything");
        text
    })
}
