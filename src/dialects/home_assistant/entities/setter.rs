//! How a status is set: which function of its module takes a value for it.

use crate::model::{Function, FunctionName, Interface, JsonText, StatusName};

use super::schema::Kind;

/// A function that takes a value for a status, and what stands around the value among its arguments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Setter {
    function: FunctionName,
    before: String,
    after: String,
}

/// A function with all its arguments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Order {
    /// The function.
    pub(super) function: FunctionName,
    /// Its arguments: a JSON array or object.
    pub(super) arguments: JsonText,
}

/// How a status is set, and what the values are that can be set.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Settable {
    /// How.
    pub(super) setter: Setter,
    /// Of what kind, where that is said.
    pub(super) kind: Option<Kind>,
}

impl Order {
    /// A call without arguments.
    pub(super) fn without_arguments(function: &FunctionName) -> Self {
        Self {
            function: function.clone(),
            arguments: JsonText::parse("[]").expect("it is JSON"),
        }
    }
}

impl Setter {
    /// The call that sets this JSON value.
    pub(super) fn order(&self, value: &str) -> Order {
        let arguments = format!("{}{value}{}", self.before, self.after);
        Order {
            function: self.function.clone(),
            arguments: JsonText::parse(&arguments).expect("JSON in JSON is JSON"),
        }
    }

    fn new(function: &FunctionName, before: &str, after: &str) -> Self {
        Self {
            function: function.clone(),
            before: before.to_owned(),
            after: after.to_owned(),
        }
    }
}

impl Settable {
    /// How a status is set, if it is, whose values are of this kind.
    ///
    /// By `set_<name>`, by a function of its own name, by the function that a known interface has for it, or by `set(name, value)`.
    pub(super) fn find(
        interface: &Interface,
        status: &StatusName,
        kind: Option<&Kind>,
    ) -> Option<Self> {
        if status.is_connected() {
            return None;
        }
        let name = status.as_str();
        let own = [format!("set_{name}"), name.to_owned()];
        let own = own
            .iter()
            .find_map(|function| single(interface, function, kind));
        own.or_else(|| of_interface(interface, name, kind))
            .or_else(|| of_any(interface, name))
    }
}

/// A function that needs one argument, of this kind.
fn single(interface: &Interface, name: &str, kind: Option<&Kind>) -> Option<Settable> {
    let (name, function) = interface.functions.get_key_value(name)?;
    let (first, others) = function.parameters.split_first()?;
    let accepted = Kind::of_schema(&first.schema);
    let is_one = others.iter().all(|other| other.default.is_some());
    let fits = match (kind, &accepted) {
        (Some(kind), Some(accepted)) => kind.fits(accepted),
        (_, _) => true,
    };
    (is_one && fits).then(|| Settable {
        setter: Setter::new(name, "[", "]"),
        kind: accepted,
    })
}

/// The functions that PlaceOS's interfaces have for statuses of other names.
fn of_interface(interface: &Interface, status: &str, kind: Option<&Kind>) -> Option<Settable> {
    match status {
        "audio_mute" | "mute" => single(interface, "mute_audio", kind),
        "video_mute" => single(interface, "mute_video", kind),
        "input" | "source" => single(interface, "switch_to", kind),
        _ => of_lights(interface, status),
    }
}

/// The scene of an area is its status `area1`, and its level `area1_level`. What has more parts in its name may mean several things, and cannot be set.
fn of_lights(interface: &Interface, status: &str) -> Option<Settable> {
    let area = status.strip_prefix("area")?;
    let (area, function, value) = match area.strip_suffix("_level") {
        Some(area) => (area, "set_lighting_level", "level"),
        None => (area, "set_lighting_scene", "scene"),
    };
    if area.is_empty() || area.contains('_') {
        return None;
    }
    let (name, function) = interface.functions.get_key_value(function)?;
    let has = |wanted: &str| function.parameters.iter().any(|known| known.name == wanted);
    if !has(value) || !has("area") {
        return None;
    }
    let id = match area.parse::<u32>() {
        Ok(number) if number.to_string() == area => area.to_owned(),
        Ok(_) | Err(_) => JsonText::of(area).ok()?.to_string(),
    };
    let parameter = function
        .parameters
        .iter()
        .find(|known| known.name == value)?;
    Some(Settable {
        setter: Setter::new(
            name,
            &format!("{{\"{value}\":"),
            &format!(",\"area\":{{\"id\":{id}}}}}"),
        ),
        kind: Kind::of_schema(&parameter.schema),
    })
}

/// `set(name, value)`, which sets any status.
fn of_any(interface: &Interface, status: &str) -> Option<Settable> {
    let (name, set) = interface.functions.get_key_value("set")?;
    if !is_set(set) {
        return None;
    }
    let status = JsonText::of(status).ok()?;
    Some(Settable {
        setter: Setter::new(name, &format!("[{status},"), "]"),
        kind: None,
    })
}

fn is_set(function: &Function) -> bool {
    let names = function.parameters.iter().map(|known| known.name.as_str());
    names.eq(["name", "value"])
}
