//! What a building consists of: the checked content of a building file or a store.

mod apps;
mod automation;
mod commands;
mod decimal;
mod entities;
mod fields;
mod flaws;
mod layers;
mod levels;
mod paths;
mod process;
pub mod rules;
#[cfg(test)]
pub(crate) mod samples;
mod services;
mod statuses;

use std::fmt;
use std::sync::Arc;

use fields::collection;

use driver_types::{Clearance, JsonText, ModuleId, ModuleName, SystemId};

pub use apps::{
    AppKey, AppKeys, AppLimits, AppSigning, AppWebhook, AppWebhooks, ChannelApp, WebhookEvent,
};
pub use automation::{
    Action, ArgumentFault, Condition, Conditions, Cron, EXPRESSION_FUNCTIONS, Evaluated,
    EventSource, Hook, HookAnswer, HookMethod, HookName, InvalidCron, Items, LocalPath, Mention,
    Operator, Order, Parameters, Procedure, ProcedureId, RequiredHeaders, Steps, TimeSpan, Trigger,
    TriggerId, TriggerPath, Variable, WebhookKey, WholePath,
};
pub use commands::{
    CommandAction, CommandCall, CommandError, CommandErrors, CommandParameter, CommandSchema,
    CommandType, CustomCommand, ParameterKind,
};
pub use decimal::Decimal;
pub use entities::{EntityDomain, EntityOverride};
pub use fields::{
    Collection, Content, Field, JsonKind, Kind, LEVELS, Value, Values, Wrong, one_of,
};
pub use flaws::Flaw;
pub use layers::sets_anything;
pub use levels::{LeveledSettings, SettingsLevel};
pub use paths::{FunctionPath, InvalidPath, ModuleFunction, StatusPath};
pub use process::{DriverProcess, InvalidProcess, is_variable_name};
pub use services::{SERVICE_ICON_BYTES, SERVICE_NAME_CHARS, Service};
pub use statuses::ModuleStatuses;

use crate::model::rules::Thing;
use crate::model::{
    DeviceKind, Entry, Expiry, KeyId, MetadataName, ParentId, Secret, UserId, ZoneId,
};

/// A whole building. Ids are unique within each list, and every reference has its target.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Building {
    /// Zones in the order of the file.
    pub zones: Vec<Zone>,
    /// Systems in the order of the file.
    pub systems: Vec<System>,
    /// Modules in the order of the file.
    pub modules: Vec<Module>,
    /// People and services.
    pub users: Vec<User>,
    /// API keys.
    pub api_keys: Vec<ApiKey>,
    /// Metadata of the other entries.
    pub metadata: Vec<Metadata>,
    /// How statuses look as entities, in the order of the file.
    pub entities: Vec<EntityOverride>,
    /// Commands of one's own, in the order of the file.
    pub commands: Vec<CustomCommand>,
    /// Apps with channels of their own, in the order of the file.
    pub apps: Vec<ChannelApp>,
    /// Services that send messages to people's devices, in the order of the file.
    pub services: Vec<Service>,
    /// Procedures, in the order of the file.
    pub procedures: Vec<Procedure>,
    /// Hooks, in the order of the file.
    pub hooks: Vec<Hook>,
    /// Triggers, in the order of the file.
    pub triggers: Vec<Trigger>,
}

impl Building {
    /// Every entry, kind by kind, what is referred to before what refers to it.
    pub fn into_entries(self) -> impl Iterator<Item = Entry> {
        let Self {
            zones,
            systems,
            modules,
            users,
            api_keys,
            metadata,
            entities,
            commands,
            apps,
            services,
            procedures,
            hooks,
            triggers,
        } = self;
        let zones = zones.into_iter().map(Entry::Zone);
        let modules = modules.into_iter().map(Entry::Module);
        let systems = systems.into_iter().map(Entry::System);
        let users = users.into_iter().map(Entry::User);
        let api_keys = api_keys.into_iter().map(Entry::ApiKey);
        let metadata = metadata.into_iter().map(Entry::Metadata);
        let entities = entities.into_iter().map(Entry::Entity);
        let commands = commands.into_iter().map(Entry::Command);
        let apps = apps.into_iter().map(Entry::App);
        let services = services.into_iter().map(Entry::Service);
        let procedures = procedures.into_iter().map(Entry::Procedure);
        let hooks = hooks.into_iter().map(Entry::Hook);
        let triggers = triggers.into_iter().map(Entry::Trigger);
        zones
            .chain(modules)
            .chain(systems)
            .chain(users)
            .chain(api_keys)
            .chain(metadata)
            .chain(entities)
            .chain(commands)
            .chain(apps)
            .chain(services)
            .chain(procedures)
            .chain(hooks)
            .chain(triggers)
    }
}

collection! {
    /// A group of systems.
    Zone, "zones", "a zone" {
        /// The id.
        id: ZoneId => own(Thing::Zone).must("an id, such as `id: zone-level-1`"),
        /// The name for people.
        name: String => must("a name for people, such as `name: Level 1`"),
        /// A name for screens, where it differs.
        display_name: Option<String>,
        /// A few words for people.
        description: String,
        /// Tags such as `org`, `building`, `level`.
        tags: Vec<String>,
        /// The zone around this one.
        parent_id: Option<ZoneId>,
        /// Where it is, as `latitude,longitude` or in words.
        location: Option<String>,
        /// A code of its owner's, such as that of a level.
        code: Option<String>,
        /// What kind of zone it is, in its owner's words.
        sort: Option<String> => called("type"),
        /// How many of something are in it, such as desks.
        count: u32,
        /// How many people fit in.
        capacity: u32,
        /// An id on a map, or the address of one.
        map_id: Option<String>,
        /// An IANA time zone.
        timezone: Option<String> => is(Kind::TimeZone),
        /// Addresses of pictures.
        images: Vec<String>,
        /// Ids of what its screens play.
        playlists: Vec<String>,
        /// Its id in a service of places.
        place_id: Option<String>,
        /// Settings for the modules of its systems, a JSON object with `${ENV:…}` already filled in; may hold passwords.
        settings: Secret => filled_in().other_form("settings_json"),
        /// To whom settings are shown over REST, by their names: 0 and 1 to support staff, 2 to administrators, 3 to nobody, which holds for every other.
        settings_levels: JsonText => is(Kind::Json(JsonKind::Object)).shaped(levels::flaws),
    }
}

collection! {
    /// A room or group of modules.
    System, "systems", "a system" {
        /// The id.
        id: SystemId => own(Thing::System).must("an id, such as `id: sys-board-room`"),
        /// The name for people.
        name: String => must("a name for people, such as `name: Board Room`"),
        /// A name for screens, where it differs.
        display_name: Option<String>,
        /// A few words for people.
        description: String,
        /// The mailbox of the room's calendar.
        email: Option<String>,
        /// How many people fit in.
        capacity: u32,
        /// Whether it can be booked.
        bookable: bool,
        /// What the room has, for searches.
        features: Vec<String>,
        /// An id on a map.
        map_id: Option<String>,
        /// An IANA time zone.
        timezone: Option<String> => is(Kind::TimeZone),
        /// Where people get help.
        support_url: Option<String>,
        /// The zones it is in, outermost first by habit.
        zones: Vec<ZoneId>,
        /// Its modules; the order gives the index of like-named ones.
        modules: Vec<ModuleId>,
        /// A code of its owner's.
        code: Option<String>,
        /// What kind of room it is, in its owner's words.
        sort: Option<String> => called("type"),
        /// Whether people from outside may see it, for apps.
        public: bool,
        /// Whether a booking has to be approved, for apps.
        approval: bool,
        /// Addresses of pictures.
        images: Vec<String>,
        /// Groups of people whose badges open it, for apps.
        security_groups: Vec<String>,
        /// Where its timetable is shown.
        timetable_url: Option<String>,
        /// Where pictures of its cameras come from.
        camera_snapshot_urls: Vec<String>,
        /// Where its cameras are controlled.
        camera_url: Option<String>,
        /// Where it is booked, if by no calendar.
        room_booking_url: Option<String>,
        /// How many panels hang there.
        installed_ui_devices: u32,
        /// Whether it is a screen that plays.
        signage: bool,
        /// How the screen hangs.
        orientation: String => is(Kind::Word(ORIENTATIONS)).or(unspecified),
        /// Ids of what the screen plays.
        playlists: Vec<String>,
        /// What apps keep of its floor plan.
        space_config: JsonText => is(Kind::Json(JsonKind::Object)).other_form("space_config_json"),
        /// Settings for its modules, a JSON object with `${ENV:…}` already filled in; may hold passwords.
        settings: Secret => filled_in().other_form("settings_json"),
        /// To whom settings are shown over REST, by their names: 0 and 1 to support staff, 2 to administrators, 3 to nobody, which holds for every other.
        settings_levels: JsonText => is(Kind::Json(JsonKind::Object)).shaped(levels::flaws),
    }
}

collection! {
    /// A module to run.
    Module, "modules", "a module" {
        /// The id.
        id: ModuleId => own(Thing::Module).must("an id, such as `id: mod-display-1`"),
        /// Which driver.
        driver: DriverRef => must("the id of a driver, such as `driver: virtual`"),
        /// The name clients use; the driver's own when absent.
        name: Option<ModuleName>,
        /// Where the device is.
        uri: Option<String> => is(Kind::Address).filled_in(),
        /// The settings, a JSON object with `${ENV:…}` already filled in; may hold passwords.
        settings: Secret => filled_in().other_form("settings_json").always_written(),
        /// To whom settings are shown over REST, by their names: 0 and 1 to support staff, 2 to administrators, 3 to nobody, which holds for every other.
        settings_levels: JsonText => is(Kind::Json(JsonKind::Object)).shaped(levels::flaws),
        /// What people wrote down about it.
        notes: String,
        /// Whether drivers are to close the connection after each message, for apps.
        makebreak: bool,
        /// Whether its device may be away without a warning, for apps.
        ignore_connected: bool,
        /// Whether it goes on as it is when its systems are started or stopped.
        ignore_startstop: bool,
        /// Whether it is to run only while it is called, for apps.
        launch_on_execute: bool,
        /// How much its faults matter.
        alert_level: Option<String> => is(Kind::Word(ALERT_LEVELS)),
        /// Whether it is to run, which it is where nothing is said. A file that says nothing leaves it as people have put it.
        running: Option<bool>,
        /// Which of its statuses clients of an app see without a credential of their own: `public`, a list of names.
        statuses: ModuleStatuses => shaped(ModuleStatuses::flaws),
    }
}

/// How a screen can hang.
const ORIENTATIONS: &[&str] = &["unspecified", "landscape", "portrait", "square"];

/// How a screen hangs of which that is not said.
fn unspecified() -> Value<'static> {
    Value::Text("unspecified".into())
}

/// How much faults can matter.
const ALERT_LEVELS: &[&str] = &["low", "medium", "high", "critical"];

impl Zone {
    /// A zone with nothing but its id.
    pub fn new(id: &ZoneId) -> Self {
        of_id(id)
    }
}

impl System {
    /// A system with nothing but its id.
    pub fn new(id: &SystemId) -> Self {
        of_id(id)
    }
}

impl User {
    /// A user with nothing but their id.
    pub fn new(id: &UserId) -> Self {
        of_id(id)
    }
}

impl Module {
    /// A module with nothing but its id, whose driver is none that there is.
    pub fn new(id: &ModuleId) -> Self {
        of_id(id)
    }

    /// Its own settings as JSON, without what is set around it.
    pub fn settings(&self) -> JsonText {
        JsonText::parse(self.settings.expose()).unwrap_or_else(|_| JsonText::null())
    }

    /// Whether it is to run.
    pub fn is_to_run(&self) -> bool {
        self.running != Some(false)
    }

    /// Whether all that another has in another way is that it is to run, or not to.
    pub fn differs_in_running(&self, other: &Self) -> bool {
        let running = other.running;
        self.running != running
            && *other
                == Self {
                    running,
                    ..self.clone()
                }
    }

    /// Whether a module that is to be like this one can go on as it runs.
    pub fn runs_as(&self, other: &Self) -> bool {
        self.driver == other.driver && self.uri == other.uri && self.settings == other.settings
    }
}

impl ApiKey {
    /// A key of this user that opens what `public` does, with a user's clearance.
    pub fn new(id: &KeyId, secret: KeySecret, user: &UserId) -> Self {
        let values = Values::none()
            .with("id", id.value())
            .with("secret", secret.value())
            .with("user", user.value());
        Self::build(values).expect("all else has a default")
    }
}

/// An entry of a collection in which all but the id has a default.
fn of_id<C: Collection, I: Content>(id: &I) -> C {
    C::build(Values::none().with("id", id.value())).expect("all but the id has a default")
}

/// Which code a module runs.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum DriverRef {
    /// A driver that is linked into the gateway, by its id.
    LinkedIn(String),
    /// A program that the gateway runs for each module.
    Process(Arc<DriverProcess>),
}

impl DriverRef {
    /// The driver's id, or what stands for it: for people, and for what has to tell drivers apart.
    pub fn as_str(&self) -> &str {
        match self {
            Self::LinkedIn(id) => id,
            Self::Process(process) => process.as_str(),
        }
    }
}

collection! {
    /// A person or service.
    User, "users", "a user" {
        /// The id.
        id: UserId => own(Thing::User).must("an id, such as `id: user-ann`"),
        /// The address, unique.
        email: String => is(Kind::Email).must("an address, such as `email: ann@example.test`"),
        /// The name for people.
        name: String => like("email"),
        /// What the user may do at most.
        level: Clearance => always_written(),
        /// Groups, for rights per zone.
        groups: Vec<String>,
        /// The password with which the user signs in; absent for a user with API keys only.
        password: Option<Password> => filled_in().other_form("password_hash"),
        /// The first name, where `name` does not begin with it.
        first_name: Option<String>,
        /// The last name, where `name` does not end with it.
        last_name: Option<String>,
        /// What friends call them.
        nickname: Option<String>,
        /// A telephone number.
        phone: Option<String>,
        /// The country where they work.
        country: Option<String>,
        /// The building where they work.
        building: Option<String>,
        /// The department that they belong to.
        department: Option<String>,
        /// The language in which apps speak to them, such as `en` or `de-CH`.
        preferred_language: Option<String>,
        /// The address of a picture.
        image: Option<String>,
        /// The id of a picture that was uploaded.
        photo_upload_id: Option<String>,
        /// The colours of apps.
        ui_theme: Option<String>,
        /// Whatever else is to be known.
        misc: Option<String>,
        /// What they are called where they sign in elsewhere.
        login_name: Option<String>,
        /// Their number among the staff.
        staff_id: Option<String>,
        /// The number of their badge.
        card_number: Option<String>,
        /// Whether apps may show where they are.
        locatable: bool => or(yes),
        /// When and where they work, day by day of the week.
        work_preferences: JsonText => is(Kind::Json(JsonKind::List)).or(empty_list).other_form("work_preferences_json"),
        /// The same for single days.
        work_overrides: JsonText => is(Kind::Json(JsonKind::Object)).other_form("work_overrides_json"),
    }
}

fn yes() -> Value<'static> {
    Value::Flag(true)
}

fn empty_list() -> Value<'static> {
    Value::Json("[]".into())
}

/// What a user signs in with.
#[derive(Debug, Clone, PartialEq)]
pub enum Password {
    /// The password itself; hashed where it is stored.
    Plain(Secret),
    /// An argon2 hash in its usual text form, `$argon2id$…`.
    Hashed(Secret),
}

collection! {
    /// An API key.
    ApiKey, "api_keys", "an API key" {
        /// The public half.
        id: KeyId => must("an id, such as `id: panel-key`"),
        /// The secret half.
        secret: KeySecret => filled_in().other_form("secret_hash")
            .must("a long random text, such as `secret: \"${ENV:PANEL_SECRET}\"`"),
        /// Whose key it is.
        user: UserId => must("the id of the user whose key it is"),
        /// What the key may do at most.
        level: Clearance => always_written(),
        /// Which parts of the API it opens.
        scopes: Vec<Scope> => or(public).always_written(),
        /// When given, only these systems and those in `zones`.
        systems: Vec<SystemId> => restricts(),
        /// When given, only systems in these zones and those in `systems`.
        zones: Vec<ZoneId> => restricts(),
        /// What kind of device holds it. The key of a fixed device, and what is made with it, does not lapse by idleness.
        device: DeviceKind => called("fixed_device"),
        /// When it ends by itself.
        expires: Option<Expiry>,
        /// What people call it; its id when absent.
        name: Option<String>,
        /// A few words for people.
        description: String,
    }
}

/// The scopes of a key that says none.
fn public() -> Value<'static> {
    Value::Texts(vec![Scope::PUBLIC.into()])
}

/// The secret half of an API key.
#[derive(Debug, Clone, PartialEq)]
pub enum KeySecret {
    /// The secret itself; hashed where it is stored.
    Plain(Secret),
    /// Its hash in text form, `hmac-sha512$…`.
    Hashed(Secret),
}

/// How the text form of an API key's hash begins.
pub const KEY_HASH_PREFIX: &str = "hmac-sha512$";

/// Whatever an app keeps beside an entry: a JSON object under a name.
#[derive(Debug, Clone, PartialEq)]
pub struct Metadata {
    /// Whose it is and what it is called.
    pub id: MetadataId,
    /// A few words for people.
    pub description: String,
    /// The content, any JSON.
    pub details: JsonText,
    /// Groups whose members may change it.
    pub editors: Vec<String>,
}

/// Written out, since the first two fields are one in the type.
impl Collection for Metadata {
    const LIST: &'static str = "metadata";
    const PLACE: &'static str = "metadata";
    const FIELDS: &'static [Field<Self>] = &[
        Field::of::<ParentId>("parent", "Whose it is.", |entry: &Self| {
            entry.id.parent.value()
        })
        .must("the id of what it belongs to"),
        Field::of::<MetadataName>("name", "What it is called.", |entry: &Self| {
            entry.id.name.value()
        })
        .must("a name, such as `name: settings`"),
        Field::of::<String>("description", "A few words for people.", |entry: &Self| {
            entry.description.value()
        }),
        Field::of::<JsonText>("details", "The content, any JSON.", |entry: &Self| {
            entry.details.value()
        })
        .other_form("details_json"),
        Field::of::<Vec<String>>(
            "editors",
            "Groups whose members may change it.",
            |entry: &Self| entry.editors.value(),
        ),
    ];

    fn build(values: Values<'_, Self>) -> Result<Self, Vec<Wrong>> {
        let mut making = values.in_order();
        let (parent, name) = (making.next(), making.next());
        match (parent, name, making.next(), making.next(), making.next()) {
            (Some(parent), Some(name), Some(description), Some(details), Some(editors)) => {
                Ok(Self {
                    id: MetadataId { parent, name },
                    description,
                    details,
                    editors,
                })
            }
            _ => Err(making.wrong),
        }
    }
}

/// What a zone says of groups of people in its rooms. Upper and lower case are the same.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ZonePermissions {
    /// May call nothing.
    pub refused: Vec<String>,
    /// Call as support staff do.
    pub support: Vec<String>,
    /// Call as administrators do.
    pub admin: Vec<String>,
}

/// What the metadata of a zone says of groups of people.
/// The error is what is wrong with it, for people and as what follows the word `details`; only administrators then call anything in the zone's rooms.
pub type PermissionsRead = Result<ZonePermissions, &'static str>;

/// Which metadata: the entry that it belongs to, and its name there.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MetadataId {
    /// The id of a zone, system, module or user.
    pub parent: ParentId,
    /// The name, unique for its parent.
    pub name: MetadataName,
}

/// Parent and name in one text, which no other pair has: neither may have a line end in it.
impl fmt::Display for MetadataId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\n{}", self.parent, self.name)
    }
}

/// A part of the API: `public`, `systems.read`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    /// The part, in lower case.
    pub name: String,
    /// Reading, writing or both.
    pub access: ScopeAccess,
}

/// What a scope lets one do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScopeAccess {
    /// Only read.
    Read,
    /// Only write.
    Write,
    /// Both.
    Full,
}

impl Scope {
    /// The name of the scope that opens everything.
    pub const PUBLIC: &'static str = "public";

    /// Reads `name`, `name.read` or `name.write`, in any case. `None` for an empty name or another ending.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.to_ascii_lowercase();
        let (name, access) = match text.split_once('.') {
            None => (text.as_str(), ScopeAccess::Full),
            Some((name, "read")) => (name, ScopeAccess::Read),
            Some((name, "write")) => (name, ScopeAccess::Write),
            Some(_) => return None,
        };
        (!name.is_empty()).then(|| Self {
            name: name.to_owned(),
            access,
        })
    }

    /// Whether this scope includes the other one.
    pub fn covers(&self, other: &Self) -> bool {
        (self.name == other.name || self.name == Self::PUBLIC)
            && self.reads() >= other.reads()
            && self.writes() >= other.writes()
    }

    /// What both open; `None` when that is nothing.
    pub fn meet(&self, other: &Self) -> Option<Self> {
        let name = match (self.name.as_str(), other.name.as_str()) {
            (Self::PUBLIC, name) => name,
            (name, Self::PUBLIC) => name,
            (name, other) => (name == other).then_some(name)?,
        };
        let (reads, writes) = (
            self.reads() && other.reads(),
            self.writes() && other.writes(),
        );
        let access = match (reads, writes) {
            (true, true) => ScopeAccess::Full,
            (true, false) => ScopeAccess::Read,
            (false, true) => ScopeAccess::Write,
            (false, false) => return None,
        };
        Some(Self {
            name: name.to_owned(),
            access,
        })
    }

    /// Whether the scope lets one write.
    pub fn writes(&self) -> bool {
        self.access != ScopeAccess::Read
    }

    /// Whether the scope lets one read.
    pub fn reads(&self) -> bool {
        self.access != ScopeAccess::Write
    }
}

/// Written as [`Scope::parse`] reads it.
impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        match self.access {
            ScopeAccess::Full => Ok(()),
            ScopeAccess::Read => f.write_str(".read"),
            ScopeAccess::Write => f.write_str(".write"),
        }
    }
}
