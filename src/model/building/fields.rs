//! What the fields of every collection have in common: how a field is described, and its content in a form that any shape can write and read.
//!
//! Separate from the collections, which only list their fields.
//! The building file, the stores and the dialects walk the lists, so that a new field is one line in one of them.
//! How a value looks in YAML, in a store or on a wire is theirs to say.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use driver_types::{Clearance, JsonText, ModuleId, ModuleName, SystemId, is_json_number};

use super::{CommandType, DriverProcess, DriverRef, Flaw, KeySecret, Password, Scope};
use crate::model::rules::Thing;
use crate::model::{
    AppId, DeviceKind, Expiry, KeyId, MetadataName, ParentId, Secret, UserId, ZoneId,
};

/// The words for what a caller or key may do at most.
pub const LEVELS: &[&str] = &["user", "support", "admin"];

/// A type of entries, with the one list of its fields.
pub trait Collection: Sized + 'static {
    /// What the list of such entries is called in a file and in a store.
    const LIST: &'static str;
    /// What people call one of them, with its article.
    const PLACE: &'static str;
    /// The fields, in the order in which they are written.
    const FIELDS: &'static [Field<Self>];

    /// Makes an entry of the content of its fields.
    ///
    /// # Errors
    ///
    /// Every field that cannot be as it is.
    fn build(values: Values<'_, Self>) -> Result<Self, Vec<Wrong>>;

    /// The field of this name.
    fn field(name: &str) -> Option<&'static Field<Self>> {
        Self::FIELDS.iter().find(|field| field.name == name)
    }
}

/// A field that cannot be as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrong {
    /// Its name.
    pub field: &'static str,
    /// Why not, to go on behind the name.
    pub reason: String,
}

/// The content of a field. It may be a secret, so it is never shown for debugging.
#[derive(Clone, PartialEq)]
pub enum Value<'a> {
    /// There is none.
    Nothing,
    /// A text, an id, or a word.
    Text(Cow<'a, str>),
    /// Texts or ids.
    Texts(Vec<Cow<'a, str>>),
    /// True or false.
    Flag(bool),
    /// A whole number.
    Number(u64),
    /// JSON as it was written.
    Json(Cow<'a, str>),
    /// A secret itself.
    Plain(Secret),
    /// The hash of a secret.
    Hash(Secret),
}

impl<'a> Value<'a> {
    /// The texts, where it is one or several.
    pub fn into_texts(self) -> Vec<Cow<'a, str>> {
        match self {
            Self::Text(text) => vec![text],
            Self::Texts(texts) => texts,
            Self::Nothing
            | Self::Flag(_)
            | Self::Number(_)
            | Self::Json(_)
            | Self::Plain(_)
            | Self::Hash(_) => Vec::new(),
        }
    }

    /// The text, where it is one.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Nothing
            | Self::Texts(_)
            | Self::Flag(_)
            | Self::Number(_)
            | Self::Json(_)
            | Self::Plain(_)
            | Self::Hash(_) => None,
        }
    }
}

impl fmt::Debug for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// What a field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Text.
    Text,
    /// A URI, in which somebody may sign in.
    Address,
    /// The address of a user, which no other user has in any case.
    Email,
    /// Texts.
    Texts,
    /// True or false.
    Flag,
    /// A whole number from 0 to this one.
    Count(u32),
    /// A moment in Unix seconds.
    Moment,
    /// The IANA's name of a time zone. One that is kept already may be of an earlier version, and need not be there.
    TimeZone,
    /// One of these words.
    Word(&'static [&'static str]),
    /// Parts of the API.
    Scopes,
    /// The id of the entry itself.
    Id(Thing),
    /// What clients call a module.
    ModuleName,
    /// What metadata is called.
    MetadataName,
    /// The id of such a thing.
    Reference(Thing),
    /// The ids of such things, each once.
    References(Thing),
    /// The path of a status.
    StatusPath,
    /// JSON that is kept byte for byte.
    Json(JsonKind),
    /// The secret half of an API key.
    KeySecret,
    /// A password.
    Password,
}

/// What kept JSON has to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JsonKind {
    /// Anything.
    Any,
    /// An object.
    Object,
    /// A list.
    List,
    /// A number.
    Number,
}

impl JsonKind {
    /// Whether this JSON text is of the kind.
    pub fn fits(self, json: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Object => json.starts_with('{'),
            Self::List => json.starts_with('['),
            Self::Number => is_json_number(json),
        }
    }

    /// In words for people.
    pub fn noun(self) -> &'static str {
        match self {
            Self::Any => "JSON",
            Self::Object => "a JSON object",
            Self::List => "a JSON list",
            Self::Number => "a number",
        }
    }
}

/// Finds what is wrong with JSON that has a form of its own.
pub(super) type Shaped = fn(&JsonText) -> Vec<Flaw>;

/// One field of a collection.
pub struct Field<C> {
    /// Its name, in files and stores.
    pub name: &'static str,
    /// What it is, for people.
    text: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// Whether it can be without content; otherwise its empty content is `default`.
    pub optional: bool,
    /// What holds where it is left out.
    pub default: fn() -> Value<'static>,
    /// It has to be written, and this is how.
    pub must: Option<&'static str>,
    /// The field whose content it has where it is left out.
    pub like: Option<&'static str>,
    /// The key of a file under which the same stands in another form: a hash in the place of the secret, a JSON text in the place of YAML, the secret in the place of the public key.
    pub other_form: Option<&'static str>,
    /// Whether it is written even where it has its default.
    always_written: bool,
    /// Whether a file may have `${ENV:…}` in it.
    pub filled_in: bool,
    /// The keys of its items under which alone it is so; everywhere where there are none.
    pub filled_at: &'static [&'static str],
    /// Whether something in it takes rights away, so that nothing in it gives them.
    pub restricts: bool,
    /// Whether `null` in so many letters is a value of it in a file, where it else is as good as nothing.
    pub null_counts: bool,
    /// What is wrong with its JSON, where that has a form of its own.
    pub shape: Option<fn(&JsonText) -> Vec<Flaw>>,
    get: for<'a> fn(&'a C) -> Value<'a>,
}

impl<C> fmt::Debug for Field<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

impl<C> Field<C> {
    /// A field of this type, as its type says.
    pub const fn of<T: Content>(
        name: &'static str,
        text: &'static str,
        get: for<'a> fn(&'a C) -> Value<'a>,
    ) -> Self {
        Self {
            name,
            text,
            kind: T::KIND,
            optional: T::OPTIONAL,
            default: T::default_value,
            must: None,
            like: None,
            other_form: None,
            always_written: false,
            filled_in: false,
            filled_at: &[],
            restricts: false,
            null_counts: false,
            shape: None,
            get,
        }
    }

    pub(super) const fn called(self, name: &'static str) -> Self {
        Self { name, ..self }
    }

    pub(super) const fn must(self, remedy: &'static str) -> Self {
        let must = Some(remedy);
        Self { must, ..self }
    }

    pub(super) const fn own(self, thing: Thing) -> Self {
        let kind = Kind::Id(thing);
        Self { kind, ..self }
    }

    pub(super) const fn is(self, kind: Kind) -> Self {
        Self { kind, ..self }
    }

    pub(super) const fn or(self, default: fn() -> Value<'static>) -> Self {
        Self { default, ..self }
    }

    pub(super) const fn like(self, other: &'static str) -> Self {
        let like = Some(other);
        Self { like, ..self }
    }

    pub(super) const fn other_form(self, key: &'static str) -> Self {
        let other_form = Some(key);
        Self { other_form, ..self }
    }

    pub(super) const fn null_counts(self) -> Self {
        let null_counts = true;
        Self {
            null_counts,
            ..self
        }
    }

    pub(super) const fn always_written(self) -> Self {
        let always_written = true;
        Self {
            always_written,
            ..self
        }
    }

    pub(super) const fn filled_in(self) -> Self {
        let filled_in = true;
        Self { filled_in, ..self }
    }

    pub(super) const fn filled_at(self, keys: &'static [&'static str]) -> Self {
        Self {
            filled_in: true,
            filled_at: keys,
            ..self
        }
    }

    pub(super) const fn restricts(self) -> Self {
        let restricts = true;
        Self { restricts, ..self }
    }

    pub(super) const fn shaped(self, shape: Shaped) -> Self {
        let shape = Some(shape);
        Self { shape, ..self }
    }

    /// What it is, for people.
    pub fn text(&self) -> &'static str {
        self.text.trim_ascii()
    }

    /// Its content in an entry.
    pub fn value<'a>(&self, entry: &'a C) -> Value<'a> {
        (self.get)(entry)
    }

    /// What the kind of a field says beyond its type.
    fn check(&self, value: &Value<'_>) -> Result<(), String> {
        if let Kind::Word(words) = self.kind
            && let Some(word) = value.text()
            && !words.contains(&word)
        {
            return Err(format!("must be {}", one_of(words)));
        }
        if let Kind::Json(kind) = self.kind
            && let Value::Json(json) = value
            && !kind.fits(json)
        {
            return Err(format!("must be {}", kind.noun()));
        }
        if let (Some(shape), Value::Json(json)) = (self.shape, value)
            && let Ok(json) = JsonText::parse(json)
            && let Some(flaw) = shape(&json).first()
        {
            return Err(flaw.to_string());
        }
        Ok(())
    }

    /// Whether this content can be left out, and is there all the same when the entry is read again.
    pub fn goes_without(&self, value: &Value<'_>) -> bool {
        let is_free = self.must.is_none() && self.like.is_none() && !self.always_written;
        is_free && *value == (self.default)()
    }
}

/// The content of every field of an entry that is to be made.
#[derive(Debug)]
pub struct Values<'a, C> {
    values: Vec<Value<'a>>,
    of: std::marker::PhantomData<fn() -> C>,
}

impl<'a, C: Collection> Values<'a, C> {
    /// Nothing in any field, which stands for the defaults.
    pub fn none() -> Self {
        Self {
            values: C::FIELDS.iter().map(|_| Value::Nothing).collect(),
            of: std::marker::PhantomData,
        }
    }

    /// Those of an entry.
    pub fn of(entry: &'a C) -> Self {
        Self {
            values: C::FIELDS.iter().map(|field| field.value(entry)).collect(),
            of: std::marker::PhantomData,
        }
    }

    /// The content of a field; nothing for one that there is not.
    pub fn get(&self, name: &str) -> &Value<'a> {
        let found = C::FIELDS.iter().zip(&self.values);
        let mut found = found.filter(|(field, _)| field.name == name);
        found.next().map_or(&Value::Nothing, |(_, value)| value)
    }

    /// Puts the content of a field in place of what is there.
    pub fn put(&mut self, name: &str, content: Value<'a>) {
        let mut fields = C::FIELDS.iter().zip(&mut self.values);
        if let Some((_, value)) = fields.find(|(field, _)| field.name == name) {
            *value = content;
        }
    }

    /// The same with this content.
    #[must_use]
    pub fn with(mut self, name: &str, content: Value<'a>) -> Self {
        self.put(name, content);
        self
    }

    /// The same, ready to be made into the fields in their order.
    pub(super) fn in_order(mut self) -> Making<'a, C> {
        for index in 0..self.values.len() {
            let field = &C::FIELDS[index];
            if self.values[index] == Value::Nothing {
                self.values[index] = match field.like {
                    Some(other) => self.get(other).clone(),
                    None => (field.default)(),
                };
            }
        }
        Making {
            fields: C::FIELDS.iter(),
            values: self.values.into_iter(),
            wrong: Vec::new(),
        }
    }
}

/// Makes the fields of an entry one by one.
pub(super) struct Making<'a, C: 'static> {
    fields: std::slice::Iter<'static, Field<C>>,
    values: std::vec::IntoIter<Value<'a>>,
    /// What cannot be as it is.
    pub(super) wrong: Vec<Wrong>,
}

impl<C> Making<'_, C> {
    /// The next field, if its content can be as it is.
    pub(super) fn next<T: Content>(&mut self) -> Option<T> {
        let (field, value) = (self.fields.next()?, self.values.next()?);
        let made = if value == Value::Nothing && !T::OPTIONAL {
            Err("must be there".to_owned())
        } else {
            field.check(&value).and_then(|()| T::make(value))
        };
        match made {
            Ok(made) => Some(made),
            Err(reason) => {
                let field = field.name;
                self.wrong.push(Wrong { field, reason });
                None
            }
        }
    }
}

/// `user, support or admin`.
pub fn one_of(words: &[&str]) -> String {
    match words.split_last() {
        Some((last, [])) => (*last).to_owned(),
        Some((last, others)) => format!("{} or {last}", others.join(", ")),
        None => String::new(),
    }
}

/// Lists the fields of a collection, and makes its type of them.
///
/// A field is described by its comment, its type, and behind `=>` what its type does not say.
macro_rules! collection {
    (
        $(#[$about:meta])*
        $name:ident, $list:literal, $place:literal {
            $(
                $(#[doc = $text:literal])+
                $field:ident: $type:ty $(=> $($with:ident($($how:expr),*)).+)?
            ),+ $(,)?
        }
    ) => {
        $(#[$about])*
        #[derive(Debug, Clone, PartialEq)]
        pub struct $name {
            $($(#[doc = $text])+ pub $field: $type,)+
        }

        impl $crate::model::Collection for $name {
            const LIST: &'static str = $list;
            const PLACE: &'static str = $place;
            const FIELDS: &'static [$crate::model::Field<Self>] = &[$(
                $crate::model::Field::of::<$type>(
                    stringify!($field),
                    concat!($($text),+),
                    |entry: &Self| $crate::model::Content::value(&entry.$field),
                )$($(.$with($($how),*))+)?
            ),+];

            fn build(
                values: $crate::model::Values<'_, Self>,
            ) -> Result<Self, Vec<$crate::model::Wrong>> {
                let mut making = values.in_order();
                $(let $field = making.next::<$type>();)+
                match ($($field,)+) {
                    ($(Some($field),)+) => Ok(Self { $($field),+ }),
                    _ => Err(making.wrong),
                }
            }
        }
    };
}
pub(super) use collection;

/// A type that a field can have.
pub trait Content: Sized {
    /// What it holds.
    const KIND: Kind;
    /// Whether there can be nothing in it.
    const OPTIONAL: bool = false;

    /// What holds where a field of the type is left out.
    fn default_value() -> Value<'static> {
        Value::Nothing
    }

    /// The content.
    fn value(&self) -> Value<'_>;

    /// Makes it of the content.
    ///
    /// # Errors
    ///
    /// Why it cannot be made, to go on behind the name of the field.
    fn make(value: Value<'_>) -> Result<Self, String>;
}

pub(super) fn misfit<T>() -> Result<T, String> {
    Err("is of another kind".to_owned())
}

impl<T: Content> Content for Option<T> {
    const KIND: Kind = T::KIND;
    const OPTIONAL: bool = true;

    fn value(&self) -> Value<'_> {
        self.as_ref().map_or(Value::Nothing, T::value)
    }

    fn make(value: Value<'_>) -> Result<Self, String> {
        if value == Value::Nothing {
            return Ok(None);
        }
        T::make(value).map(Some)
    }
}

/// Types whose content is one kind of value: their kind, that value, what holds where a field is left out, how the value is got and how the type is made of it.
macro_rules! contents {
    ($($type:ty: $kind:expr, $value:ident, $default:expr, |$it:ident| $get:expr, |$given:ident| $make:expr;)+) => {
        $(impl Content for $type {
            const KIND: Kind = $kind;

            fn default_value() -> Value<'static> {
                $default
            }

            fn value(&self) -> Value<'_> {
                let $it = self;
                Value::$value($get)
            }

            fn make(value: Value<'_>) -> Result<Self, String> {
                let Value::$value($given) = value else {
                    return misfit();
                };
                $make
            }
        })+
    };
}

pub(super) use contents;

contents! {
    String: Kind::Text, Text, Value::Text("".into()), |it| it.into(), |given| Ok(given.into_owned());
    bool: Kind::Flag, Flag, Value::Flag(false), |it| *it, |given| Ok(given);
    u32: Kind::Count(u32::MAX), Number, Value::Number(0), |it| (*it).into(), |given| Self::try_from(given).map_err(|_| format!("must be a whole number from 0 to {}", Self::MAX));
    Expiry: Kind::Moment, Number, Value::Nothing, |it| it.as_secs(), |given| Self::from_secs(given).ok_or_else(|| "must be a moment in Unix seconds".to_owned());
    DeviceKind: Kind::Flag, Flag, Value::Flag(false), |it| *it == Self::Fixed, |is_fixed| Ok(if is_fixed { Self::Fixed } else { Self::Personal });
    Clearance: Kind::Word(LEVELS), Text, Value::Text("user".into()), |it| it.as_str().into(), |word| level(&word);
    JsonText: Kind::Json(JsonKind::Any), Json, Value::Json("{}".into()), |it| it.as_str().into(), |json| checked(Self::parse(&json));
    // Settings: a JSON object that may hold passwords.
    Secret: Kind::Json(JsonKind::Object), Json, Value::Json("{}".into()), |it| it.expose().into(), |json| checked(JsonText::parse(&json)).map(|json| Self::new(json.as_str()));
    Vec<String>: Kind::Texts, Texts, Value::Texts(Vec::new()), |it| it.iter().map(Into::into).collect(), |texts| Ok(texts.into_iter().map(Cow::into_owned).collect());
    Vec<Scope>: Kind::Scopes, Texts, Value::Texts(Vec::new()), |it| it.iter().map(|scope| Cow::Owned(scope.to_string())).collect(), |texts| texts.iter().map(|text| scope(text)).collect();
    Vec<ZoneId>: Kind::References(Thing::Zone), Texts, Value::Texts(Vec::new()), |it| it.iter().map(|id| id.as_str().into()).collect(), |ids| ids.iter().map(|id| checked(ZoneId::new(id))).collect();
    Vec<SystemId>: Kind::References(Thing::System), Texts, Value::Texts(Vec::new()), |it| it.iter().map(|id| id.as_str().into()).collect(), |ids| ids.iter().map(|id| checked(SystemId::new(id))).collect();
    Vec<ModuleId>: Kind::References(Thing::Module), Texts, Value::Texts(Vec::new()), |it| it.iter().map(|id| id.as_str().into()).collect(), |ids| ids.iter().map(|id| checked(ModuleId::new(id))).collect();
    ZoneId: Kind::Reference(Thing::Zone), Text, Value::Nothing, |it| it.as_str().into(), |id| checked(Self::new(&id));
    UserId: Kind::Reference(Thing::User), Text, Value::Nothing, |it| it.as_str().into(), |id| checked(Self::new(&id));
    ParentId: Kind::Reference(Thing::Parent), Text, Value::Nothing, |it| it.as_str().into(), |id| checked(Self::new(&id));
    SystemId: Kind::Id(Thing::System), Text, Value::Nothing, |it| it.as_str().into(), |id| checked(Self::new(&id));
    ModuleId: Kind::Id(Thing::Module), Text, Value::Nothing, |it| it.as_str().into(), |id| checked(Self::new(&id));
    KeyId: Kind::Id(Thing::ApiKey), Text, Value::Nothing, |it| it.as_str().into(), |id| checked(Self::new(&id));
    AppId: Kind::Id(Thing::App), Text, Value::Nothing, |it| it.as_str().into(), |id| checked(Self::new(&id));
    CommandType: Kind::Id(Thing::Command), Text, Value::Nothing, |it| it.as_str().into(), |id| checked(Self::new(&id));
    ModuleName: Kind::ModuleName, Text, Value::Nothing, |it| it.as_str().into(), |name| checked(Self::new(&name));
    MetadataName: Kind::MetadataName, Text, Value::Nothing, |it| it.as_str().into(), |name| checked(Self::new(&name));
}

/// The id of a linked-in driver as a text, a process as JSON.
impl Content for DriverRef {
    const KIND: Kind = Kind::Reference(Thing::Driver);

    /// No driver has the empty id, and the check of the entries against each other says so.
    fn default_value() -> Value<'static> {
        Value::Text("".into())
    }

    fn value(&self) -> Value<'_> {
        match self {
            Self::LinkedIn(id) => Value::Text(id.into()),
            Self::Process(process) => Value::Json(process.json().into()),
        }
    }

    fn make(value: Value<'_>) -> Result<Self, String> {
        match value {
            Value::Text(id) => Ok(Self::LinkedIn(id.into_owned())),
            Value::Json(process) => checked(DriverProcess::read(&process))
                .map(|process| Self::Process(Arc::new(process))),
            Value::Nothing
            | Value::Texts(_)
            | Value::Flag(_)
            | Value::Number(_)
            | Value::Plain(_)
            | Value::Hash(_) => misfit(),
        }
    }
}

pub(super) fn checked<T, E: fmt::Display>(made: Result<T, E>) -> Result<T, String> {
    made.map_err(|reason| reason.to_string())
}

fn level(word: &str) -> Result<Clearance, String> {
    let levels = [Clearance::User, Clearance::Support, Clearance::Admin];
    let level = levels.into_iter().find(|level| level.as_str() == word);
    level.ok_or_else(|| format!("must be {}", one_of(LEVELS)))
}

fn scope(text: &str) -> Result<Scope, String> {
    let scope = Scope::parse(text);
    scope.ok_or_else(|| "must be names, each alone or with .read or .write".to_owned())
}

/// What is a secret itself or its hash.
macro_rules! secrets {
    ($($type:ident: $kind:expr),+) => {
        $(impl Content for $type {
            const KIND: Kind = $kind;

            fn value(&self) -> Value<'_> {
                match self {
                    Self::Plain(secret) => Value::Plain(secret.clone()),
                    Self::Hashed(hash) => Value::Hash(hash.clone()),
                }
            }

            fn make(value: Value<'_>) -> Result<Self, String> {
                if let Value::Plain(secret) = value {
                    return Ok(Self::Plain(secret));
                }
                let Value::Hash(hash) = value else {
                    return misfit();
                };
                Ok(Self::Hashed(hash))
            }
        })+
    };
}

secrets! {
    KeySecret: Kind::KeySecret,
    Password: Kind::Password
}
