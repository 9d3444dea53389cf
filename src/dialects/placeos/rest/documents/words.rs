//! Where PlaceOS's documents differ from the lists of fields in the model: what it calls a field, what it says in fields of its own, and what clients send back that is found out and not kept.

use std::borrow::Cow;

use crate::dialects::placeos::rest::InvalidField;
use crate::dialects::placeos::rest::address::{Address, address, uri_for};
use crate::dialects::placeos::rest::documents::{Document, is_shown};
use crate::model::rules::Thing;
use crate::model::{
    ApiKey, ChannelApp, Collection, CustomCommand, EntityOverride, Field, Hook, JsonText, Kind,
    Metadata, Module, Procedure, Service, ServiceKey, System, User, Value, Values, Zone,
};

/// A collection as PlaceOS's resource.
pub trait Resource: Collection + Clone {
    /// What the specification calls one.
    const NAME: &'static str;
    /// What a document of one is, for the specification.
    const ABOUT: &'static str;
    /// Fields in which PlaceOS says in another way what ours say.
    const OWN: &'static [Own] = &[];
    /// What clients send back that is not kept, each with what it has to be.
    const SENT_BACK: &'static [(&'static str, SentBack)];
    /// Whether an answer has a field in which a building file may have `${ENV:…}`. It may hold a secret, so `shown` has to leave that out.
    const SHOWS_FILLED_IN: bool = false;
    /// Fields that administrators alone see of others.
    const PRIVATE: &'static [&'static str] = &[];

    /// What PlaceOS calls a field; `None` for one that it says in fields of its own, or that is none of a client's business.
    fn word(field: &'static str) -> Option<&'static str> {
        Some(field)
    }

    /// What an answer shows of a field.
    fn shown<'a>(&'a self, field: &Field<Self>) -> Value<'a> {
        field.value(self)
    }

    /// What a value of a document means.
    fn meant(_: &str, value: Value<'static>) -> Value<'static> {
        value
    }

    /// Puts what the document says in PlaceOS's own fields; the others are there already.
    ///
    /// # Errors
    ///
    /// The field that cannot be as it is.
    fn amend_own(
        _: &Document<Self>,
        _: Option<&Self>,
        _: &mut Values<'_, Self>,
    ) -> Result<(), InvalidField> {
        Ok(())
    }
}

/// A field of PlaceOS's own.
#[derive(Debug, Clone, Copy)]
pub struct Own {
    /// Its name.
    pub name: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// What it is, for the specification.
    pub text: &'static str,
}

impl Own {
    const fn new(name: &'static str, kind: Kind, text: &'static str) -> Self {
        Self { name, kind, text }
    }
}

/// What may come in a field that is not kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SentBack {
    /// Anything: riser finds it out by itself, or the client alone makes use of it.
    Anything,
    /// A list, which clients put there of their own, or an empty text.
    List,
    /// This number, which clients put where there is none.
    Number(u16),
    /// Nothing, in whichever way a client says it: riser has no such things.
    Nothing,
}

impl SentBack {
    /// Whether this JSON may come.
    pub(in crate::dialects::placeos::rest) fn is(self, json: &str) -> bool {
        match self {
            Self::Anything => true,
            Self::List => json.starts_with('[') || json == "\"\"",
            Self::Number(number) => json.parse() == Ok(number),
            Self::Nothing => ["null", "\"\"", "[]", "{}"].contains(&json),
        }
    }

    /// Why something else may not.
    pub(in crate::dialects::placeos::rest) fn reason(self) -> &'static str {
        match self {
            Self::Anything => "cannot be this",
            Self::Number(_) => "cannot be changed",
            Self::List => "must be left out or an object, for a list says nothing of what they are",
            Self::Nothing => "must be empty, for riser has no such thing",
        }
    }
}

use SentBack::{Anything, List, Nothing};

/// Where pages repeat what a person typed as the password.
const CONFIRMATION: &str = "confirm_password";

/// What PlaceOS says in documents of their own, by which settings are changed.
const SETTINGS_LEVELS: &str = "settings_levels";

impl Resource for Zone {
    const NAME: &'static str = "Zone";
    const ABOUT: &'static str = "A zone to be made or changed.";
    const SENT_BACK: &'static [(&'static str, SentBack)] = &[
        ("children_count", Anything),
        ("created_at", Anything),
        // The zone of `parent_id`, which pages show.
        ("parent_zone", Anything),
        ("settings", List),
        ("trigger_data", Anything),
        ("trigger_list", Anything),
        ("triggers", Nothing),
        ("updated_at", Anything),
        ("version", Anything),
    ];

    fn word(field: &'static str) -> Option<&'static str> {
        Some(field).filter(|field| *field != SETTINGS_LEVELS)
    }
}

impl Resource for System {
    const NAME: &'static str = "System";
    const ABOUT: &'static str = "A system to be made or changed.";
    const SENT_BACK: &'static [(&'static str, SentBack)] = &[
        ("created_at", Anything),
        ("module_data", Anything),
        ("module_list", Anything),
        ("settings", List),
        ("signage_last_seen", Anything),
        ("updated_at", Anything),
        ("version", Anything),
        // The first of `zones`, which pages show.
        ("zone", Anything),
        ("zone_data", Anything),
    ];

    fn word(field: &'static str) -> Option<&'static str> {
        Some(field).filter(|field| *field != SETTINGS_LEVELS)
    }

    fn shown<'a>(&'a self, field: &Field<Self>) -> Value<'a> {
        match (field.name, field.value(self)) {
            // PlaceOS has a text there always.
            ("support_url", Value::Nothing) => Value::Text(Cow::Borrowed("")),
            (_, value) => value,
        }
    }
}

impl Resource for Module {
    const NAME: &'static str = "Module";
    const ABOUT: &'static str = "A module to be made or changed.\n\nIts device is given by a URI, or by `ip`, `port`, `tls` and `udp`.";
    const OWN: &'static [Own] = &[
        Own::new("uri", Kind::Text, ""),
        Own::new("ip", Kind::Text, ""),
        Own::new("port", Kind::Count(u16::MAX as u32), ""),
        Own::new("tls", Kind::Flag, ""),
        Own::new("udp", Kind::Flag, ""),
        Own::new(
            "control_system_id",
            Kind::Reference(Thing::System),
            "The system in which a new module stands. Systems say by themselves which modules are in them, so it changes nothing of a module that is there.",
        ),
    ];
    const SENT_BACK: &'static [(&'static str, SentBack)] = &[
        ("condition", Anything),
        ("connected", Anything),
        ("control_system", Anything),
        ("core_node", Anything),
        ("created_at", Anything),
        ("driver", Anything),
        ("edge", Nothing),
        ("edge_id", Nothing),
        ("error_timestamp", Anything),
        ("has_runtime_error", Anything),
        // The driver's name for its modules.
        ("name", Anything),
        ("role", Anything),
        ("settings", List),
        ("system", Anything),
        ("updated_at", Anything),
        ("version", Anything),
    ];

    fn word(field: &'static str) -> Option<&'static str> {
        match field {
            "driver" => Some("driver_id"),
            "name" => Some("custom_name"),
            "uri" | SETTINGS_LEVELS => None,
            field => Some(field),
        }
    }

    /// A process is shown by what stands for it. Nobody can send another one: which programs run is for the building file to say.
    fn shown<'a>(&'a self, field: &Field<Self>) -> Value<'a> {
        match field.name {
            "driver" => Value::Text(Cow::Borrowed(self.driver.as_str())),
            "running" => Value::Flag(self.is_to_run()),
            _ => field.value(self),
        }
    }

    /// What an answer shows of an address may be less than there is, so one that is sent back unchanged changes nothing.
    fn amend_own(
        document: &Document<Self>,
        before: Option<&Self>,
        values: &mut Values<'_, Self>,
    ) -> Result<(), InvalidField> {
        let uri = before.and_then(|module| module.uri.as_deref());
        let shown = address(uri);
        let part = |name, shown: &str| match document.own(name) {
            None => shown.to_owned(),
            Some(value) => value.text().unwrap_or_default().to_owned(),
        };
        let flag = |name, shown| match document.own(name) {
            None => shown,
            Some(value) => *value == Value::Flag(true),
        };
        let port = match document.own("port") {
            None => shown.port,
            Some(Value::Number(port)) => u16::try_from(*port).unwrap_or_default(),
            Some(_) => 0,
        };
        let given = Address {
            uri: part("uri", &shown.uri),
            ip: part("ip", &shown.ip),
            port,
            tls: flag("tls", shown.tls),
            udp: flag("udp", shown.udp),
        };
        // Clients fill a port in where there is none.
        let without_port = Address {
            port: shown.port,
            ..given.clone()
        };
        let is_shown = given == shown || (shown.ip.is_empty() && without_port == shown);
        if !is_shown {
            values.put("uri", uri_for(uri, &given).map_or(Value::Nothing, text));
        } else if document.own("uri") == Some(&Value::Nothing) {
            values.put("uri", Value::Nothing);
        }
        Ok(())
    }
}

impl Resource for User {
    const NAME: &'static str = "User";
    const ABOUT: &'static str = "A user to be made or changed.";
    const OWN: &'static [Own] = &[
        Own::new("sys_admin", Kind::Flag, ""),
        Own::new("support", Kind::Flag, ""),
        Own::new(
            CONFIRMATION,
            Kind::Password,
            "The password again, as a person typed it. What is not the same is refused.",
        ),
    ];
    const SENT_BACK: &'static [(&'static str, SentBack)] = &[
        ("associated_metadata", Anything),
        ("authority_id", Anything),
        ("created_at", Anything),
        ("email_digest", Anything),
        ("subsystem_access", Anything),
        ("updated_at", Anything),
        ("version", Anything),
    ];
    const PRIVATE: &'static [&'static str] = &["misc", "login_name", "card_number", "ui_theme"];

    fn word(field: &'static str) -> Option<&'static str> {
        Some(field).filter(|field| *field != "level")
    }

    /// Where nothing else is said, the first word of a name is the first name.
    fn shown<'a>(&'a self, field: &Field<Self>) -> Value<'a> {
        let is_said = self.first_name.is_some() || self.last_name.is_some();
        let (first, last) = self.name.split_once(' ').unwrap_or((&self.name, ""));
        match field.name {
            "first_name" if !is_said => Value::Text(Cow::Borrowed(first)),
            "last_name" if !is_said => Value::Text(Cow::Borrowed(last)),
            _ => field.value(self),
        }
    }

    /// Two flags are a level, and two names are one.
    fn amend_own(
        document: &Document<Self>,
        before: Option<&Self>,
        values: &mut Values<'_, Self>,
    ) -> Result<(), InvalidField> {
        if let Some(again) = document.own(CONFIRMATION)
            && document.given("password") != Some(again)
        {
            return Err(InvalidField::new(CONFIRMATION, "is not the password"));
        }
        let level = values.get("level").text().unwrap_or("user").to_owned();
        let flag = |name, before| match document.own(name) {
            None => before,
            Some(value) => *value == Value::Flag(true),
        };
        let is_admin = flag("sys_admin", level == "admin");
        let is_support = flag("support", level != "user");
        let level = match (is_admin, is_support) {
            (true, _) => "admin",
            (false, true) => "support",
            (false, false) => "user",
        };
        values.put("level", Value::Text(Cow::Borrowed(level)));

        let shown = |name| before.and_then(|user| Some(user.shown(Self::field(name)?)));
        let is_new = |name| {
            let (given, field) = (document.given(name), Self::field(name));
            given.zip(field).is_some_and(|(given, field)| {
                before.is_none_or(|user| !is_shown(user, field, given))
            })
        };
        if is_new("first_name") || is_new("last_name") {
            let now = |name| {
                let now = document.given(name).cloned().or_else(|| shown(name));
                let now = now.unwrap_or(Value::Nothing);
                now.text().unwrap_or_default().to_owned()
            };
            let (first, last) = (now("first_name"), now("last_name"));
            if !is_new("name") && !first.is_empty() {
                let name = format!("{first} {last}").trim_end().to_owned();
                values.put("name", Value::Text(Cow::Owned(name)));
            }
            values.put("first_name", text(first));
            values.put("last_name", text(last));
        } else if is_new("name") {
            values.put("first_name", Value::Nothing);
            values.put("last_name", Value::Nothing);
        }
        Ok(())
    }
}

/// A text, or nothing for one in which nothing is.
fn text(text: String) -> Value<'static> {
    match text.is_empty() {
        true => Value::Nothing,
        false => Value::Text(Cow::Owned(text)),
    }
}

impl Resource for ApiKey {
    const NAME: &'static str = "Key";
    const ABOUT: &'static str =
        "An API key to be made or changed. Its secret is made by the gateway and never sent to it.";
    const SENT_BACK: &'static [(&'static str, SentBack)] = &[
        ("authority", Anything),
        ("authority_id", Anything),
        ("created_at", Anything),
        ("updated_at", Anything),
        ("user", Anything),
        ("version", Anything),
    ];

    fn word(field: &'static str) -> Option<&'static str> {
        match field {
            "secret" => None,
            "user" => Some("user_id"),
            "level" => Some("permissions"),
            "expires" => Some("expires_at"),
            field => Some(field),
        }
    }

    fn shown<'a>(&'a self, field: &Field<Self>) -> Value<'a> {
        match (field.name, &self.name) {
            ("name", None) => Value::Text(Cow::Borrowed(self.id.as_str())),
            _ => field.value(self),
        }
    }

    /// PlaceOS knows administrators who are support staff too; here all are.
    fn meant(field: &str, value: Value<'static>) -> Value<'static> {
        match (field, value.text()) {
            ("level", Some("admin_support")) => Value::Text(Cow::Borrowed("admin")),
            _ => value,
        }
    }
}

impl Resource for Metadata {
    const NAME: &'static str = "Metadata";
    const ABOUT: &'static str = "Metadata to be made or changed.";
    const SENT_BACK: &'static [(&'static str, SentBack)] = &[
        ("created_at", Anything),
        // Clients put the parent's there.
        ("id", Anything),
        ("modified_by_id", Anything),
        ("schema", Nothing),
        ("schema_id", Nothing),
        ("updated_at", Anything),
        ("version", Anything),
    ];

    fn word(field: &'static str) -> Option<&'static str> {
        match field {
            "parent" => Some("parent_id"),
            field => Some(field),
        }
    }
}

/// What riser finds out of every entry.
pub(in crate::dialects::placeos::rest) const OF_EVERY_ENTRY: &[(&str, SentBack)] = &[
    ("created_at", Anything),
    ("updated_at", Anything),
    ("version", Anything),
];

impl Resource for EntityOverride {
    const NAME: &'static str = "Entity";
    const ABOUT: &'static str = "How a status is to look as an entity.";
    const SENT_BACK: &'static [(&'static str, SentBack)] = OF_EVERY_ENTRY;
}

impl Resource for CustomCommand {
    const NAME: &'static str = "Command";
    const ABOUT: &'static str = "A command of one's own to be made or changed.";
    const SENT_BACK: &'static [(&'static str, SentBack)] = OF_EVERY_ENTRY;
}

impl Resource for ChannelApp {
    const NAME: &'static str = "App";
    const ABOUT: &'static str = "An app with channels of its own to be made or changed.\n\nA key without a `secret` keeps the one that it has, and so does a webhook whose `url` is as it was shown.";
    const SENT_BACK: &'static [(&'static str, SentBack)] = OF_EVERY_ENTRY;
    const SHOWS_FILLED_IN: bool = true;

    /// Without what the app signs with, and without credentials in addresses.
    fn shown<'a>(&'a self, field: &Field<Self>) -> Value<'a> {
        match field.name {
            "keys" => Value::Json(Cow::Owned(self.keys.shown())),
            "webhooks" => Value::Json(Cow::Owned(self.webhooks.shown())),
            _ => field.value(self),
        }
    }

    fn amend_own(
        document: &Document<Self>,
        before: Option<&Self>,
        values: &mut Values<'_, Self>,
    ) -> Result<(), InvalidField> {
        let Some(before) = before else {
            return Ok(());
        };
        let given = |name| match document.given(name) {
            Some(Value::Json(given)) => JsonText::parse(given).ok(),
            Some(_) | None => None,
        };
        let keys = given("keys").and_then(|given| before.keys.completed(&given));
        let webhooks = given("webhooks").and_then(|given| before.webhooks.completed(&given));
        for (name, whole) in [("keys", keys), ("webhooks", webhooks)] {
            if let Some(whole) = whole {
                values.put(name, Value::Json(Cow::Owned(whole)));
            }
        }
        Ok(())
    }
}

impl Resource for Service {
    const NAME: &'static str = "Service";
    const ABOUT: &'static str = "A service to be made or changed.\n\nA new one has a `public` or a `secret`, and neither of a service that is there can be changed.";
    const OWN: &'static [Own] = &[Own::new(
        "secret",
        Kind::Text,
        "What the service sends by, 32 letters and digits, in the place of `public`, which is made of it. It is kept nowhere and never shown.",
    )];
    const SENT_BACK: &'static [(&'static str, SentBack)] = OF_EVERY_ENTRY;

    /// A secret stands for its public key.
    fn amend_own(
        document: &Document<Self>,
        before: Option<&Self>,
        values: &mut Values<'_, Self>,
    ) -> Result<(), InvalidField> {
        let Some(secret) = document.own("secret").and_then(Value::text) else {
            return Ok(());
        };
        let wrong = |reason: &str| InvalidField::new("secret", reason);
        let key = ServiceKey::of_secret(secret).map_err(wrong)?;
        if before.is_some_and(|before| before.key != key) {
            return Err(wrong("cannot be changed"));
        }
        let public = document.given("public").and_then(Value::text);
        if public.is_some_and(|public| public != key.as_str()) {
            return Err(wrong("is not the one of `public`"));
        }
        values.put("public", Value::Text(Cow::Owned(key.to_string())));
        Ok(())
    }
}

impl Resource for Procedure {
    const NAME: &'static str = "Procedure";
    const ABOUT: &'static str = "A procedure to be made or changed.";
    const SENT_BACK: &'static [(&'static str, SentBack)] = OF_EVERY_ENTRY;
}

impl Resource for Hook {
    const NAME: &'static str = "Hook";
    const ABOUT: &'static str = "A hook to be made or changed.\n\nA `header` that is as it was shown stays; another has all its values.";
    const SENT_BACK: &'static [(&'static str, SentBack)] = OF_EVERY_ENTRY;
    const SHOWS_FILLED_IN: bool = true;

    /// Without what callers have to show.
    fn shown<'a>(&'a self, field: &Field<Self>) -> Value<'a> {
        match field.name {
            "header" => Value::Json(Cow::Owned(self.header.shown())),
            _ => field.value(self),
        }
    }
}
