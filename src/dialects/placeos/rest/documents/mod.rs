//! What clients send to change the building, and the part of the answers that says the same back: both are made from the lists of fields in the model.
//!
//! A field that is left out keeps what is there, and `null` is its empty value; that is how PlaceOS reads both `PATCH` and `PUT`.
//! What was answered can be sent back and changes nothing: a value that is the one shown is passed over, and so is what riser finds out by itself, as `words` lists it.
//! Any other field is refused by its name, so nothing that a client says is lost without a word.
//! What a field can be is checked here; how entries fit together is the core's to check.

mod read;
mod schema;
mod shown;
#[cfg(test)]
mod tests;
mod words;

use std::borrow::Cow;
use std::fmt;

use crate::dialects::placeos::rest::InvalidField;
use crate::dialects::placeos::rest::address::with_scheme_of;
use crate::model::{
    ApiKey, ChannelApp, CustomCommand, EntityOverride, Field, Hook, JsonText, Kind, Metadata,
    MetadataId, MetadataName, Module, Procedure, Service, System, UriRule, User, Value, Values,
    Zone, is_time_zone,
};

pub use read::{Unreadable, read};
pub(super) use schema::fields as fields_schema;
pub(super) use shown::Shown;
pub(super) use words::OF_EVERY_ENTRY;
pub use words::{Own, Resource, SentBack};

/// A zone to be made or changed.
pub type ZoneDocument = Document<Zone>;
/// A system to be made or changed.
pub type SystemDocument = Document<System>;
/// A module to be made or changed.
pub type ModuleDocument = Document<Module>;
/// A user to be made or changed.
pub type UserDocument = Document<User>;
/// An API key to be made or changed.
pub type KeyDocument = Document<ApiKey>;
/// Metadata to be made or changed.
pub type MetadataDocument = Document<Metadata>;
/// An entity to be made or changed.
pub type EntityDocument = Document<EntityOverride>;
/// A command to be made or changed.
pub type CommandDocument = Document<CustomCommand>;
/// An app to be made or changed.
pub type AppDocument = Document<ChannelApp>;
/// A service to be made or changed.
pub type ServiceDocument = Document<Service>;
/// A procedure to be made or changed.
pub type ProcedureDocument = Document<Procedure>;
/// A hook to be made or changed.
pub type HookDocument = Document<Hook>;

/// An entry to be made or changed. What is left out stays as it is.
#[derive(Clone)]
pub struct Document<C: Resource> {
    fields: Vec<(&'static Field<C>, Value<'static>)>,
    own: Vec<(&'static str, Value<'static>)>,
}

/// Shows which fields it has and nothing of what they say, which may be a password.
impl<C: Resource> fmt::Debug for Document<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fields = self.fields.iter().map(|(field, _)| field.name);
        f.debug_set()
            .entries(fields.chain(self.own.iter().map(|(name, _)| *name)))
            .finish()
    }
}

impl<C: Resource> Document<C> {
    /// A new entry, with this content where the document says nothing.
    ///
    /// # Errors
    ///
    /// Every field that cannot be as it is.
    pub fn make(&self, otherwise: Values<'_, C>) -> Result<C, Vec<InvalidField>> {
        self.put_into(None, otherwise)
    }

    /// Puts what the document says in place of what is there.
    ///
    /// # Errors
    ///
    /// Every field that cannot be as it is; the entry stays as it was.
    pub fn amend(&self, entry: &mut C) -> Result<(), Vec<InvalidField>> {
        *entry = self.put_into(Some(entry), Values::of(entry))?;
        Ok(())
    }

    fn put_into(
        &self,
        before: Option<&C>,
        mut values: Values<'_, C>,
    ) -> Result<C, Vec<InvalidField>> {
        let mut wrong = Vec::new();
        for (field, value) in &self.fields {
            let is_back = before.is_some_and(|entry| is_shown(entry, field, value));
            if is_back || matches!(field.kind, Kind::Id(_)) && *value == Value::Nothing {
                continue;
            }
            match refused(field, value, before.is_some()) {
                Some(reason) => wrong.push(InvalidField::new(word_of(field), reason)),
                None => values.put(field.name, value.clone()),
            }
        }
        wrong.extend(C::amend_own(self, before, &mut values).err());
        let made = C::build(values).map_err(|more| {
            wrong.extend(more.into_iter().map(|more| {
                let word = C::field(more.field).map_or(more.field, word_of);
                InvalidField::new(word, more.reason)
            }));
        });
        match made {
            Ok(made) if wrong.is_empty() => Ok(made),
            Ok(_) | Err(()) => Err(wrong),
        }
    }

    /// What it gives for a field of the model.
    fn given(&self, name: &str) -> Option<&Value<'static>> {
        let mut fields = self.fields.iter();
        let found = fields.find(|(field, _)| field.name == name);
        found.map(|(_, value)| value)
    }

    /// What it gives for a field of PlaceOS's own.
    fn own(&self, name: &str) -> Option<&Value<'static>> {
        let found = self.own.iter().find(|(own, _)| *own == name);
        found.map(|(_, value)| value)
    }
}

/// Whether a value is the one that is shown of an entry. An empty text says nothing, and kept JSON may be null.
fn is_shown<C: Resource>(entry: &C, field: &Field<C>, value: &Value<'_>) -> bool {
    let shown = entry.shown(field);
    let is_nothing = shown.text() == Some("") || shown == Value::Json(Cow::Borrowed("null"));
    shown == *value || *value == Value::Nothing && is_nothing
}

/// Why a field cannot be put, as far as the type of the entry does not know it.
fn refused<C>(field: &Field<C>, value: &Value<'_>, is_there: bool) -> Option<&'static str> {
    let is_id = matches!(field.kind, Kind::Id(_));
    if is_id && is_there {
        return Some("cannot be changed");
    }
    let is_zone = |text: &str| is_time_zone(text);
    let is_wrong = field.kind == Kind::TimeZone && !value.text().is_none_or(is_zone);
    is_wrong.then_some("is no IANA time zone such as Europe/London")
}

/// What clients call a field, in an error.
fn word_of<C: Resource>(field: &'static Field<C>) -> &'static str {
    C::word(field.name).unwrap_or(field.name)
}

impl Document<Module> {
    /// The system in which the module is to stand, if the document names one.
    pub fn system(&self) -> Option<&str> {
        let system = self.own("control_system_id")?.text();
        system.filter(|system| !system.is_empty())
    }

    /// Puts a scheme that the driver takes into an address that the document gives by its parts. A URI that it gives itself stays.
    pub fn complete_uri(&self, module: &mut Module, rule: UriRule) {
        let parts = ["ip", "port", "tls", "udp"];
        let is_by_parts = parts.iter().any(|part| self.own(part).is_some());
        let is_given = self.own("uri").and_then(Value::text) == module.uri.as_deref();
        if is_by_parts && !is_given {
            let uri = module.uri.take();
            module.uri = uri.map(|uri| with_scheme_of(uri, rule));
        }
    }
}

/// What becomes of the details that are there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Details {
    /// They are replaced: `PUT`.
    Replaced,
    /// The fields of an object are put into the object that is there: `PATCH`.
    Merged,
}

impl Document<Metadata> {
    /// The name, without which metadata is none.
    ///
    /// # Errors
    ///
    /// Why the name cannot be one.
    pub fn name(&self) -> Result<MetadataName, Vec<InvalidField>> {
        let given = self.given("name").and_then(Value::text);
        let name = MetadataName::new(given.unwrap_or_default());
        name.map_err(|reason| vec![InvalidField::new("name", reason.to_string())])
    }

    /// The metadata of this id, which is there already or not.
    ///
    /// # Errors
    ///
    /// Every field that cannot be as it is.
    pub fn beside(
        &self,
        id: &MetadataId,
        before: Option<&Metadata>,
        how: Details,
    ) -> Result<Metadata, Vec<InvalidField>> {
        let parent = Value::Text(Cow::Borrowed(id.parent.as_str()));
        if self.given("parent").is_some_and(|given| *given != parent) {
            let reason = "must be the one that the path names";
            return Err(vec![InvalidField::new("parent_id", reason)]);
        }
        let Some(before) = before else {
            return self.make(Values::none().with("parent", parent));
        };
        let mut document = self.clone();
        if how == Details::Merged {
            document.merge(&before.details);
        }
        let mut metadata = before.clone();
        document.amend(&mut metadata)?;
        Ok(metadata)
    }

    /// Puts the fields of the details into those that are there. What is no object takes the place of whatever is there.
    fn merge(&mut self, before: &JsonText) {
        let details = self.fields.iter_mut();
        for (_, value) in details.filter(|(field, _)| field.name == "details") {
            if let Value::Json(given) = value
                && let Ok(given) = JsonText::parse(given)
                && let Some(merged) = before.merged(&given)
            {
                *value = Value::Json(Cow::Owned(merged.as_str().to_owned()));
            }
        }
    }
}
