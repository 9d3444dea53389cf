//! A call as the monitor of Platypush shows it: which action, with what, for how long, and what came of it.

use indexmap::IndexMap;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::dialects::platypush::actions::entity::plugin_name;
use crate::dialects::platypush::message::{hex_id, put_json, seconds};
use crate::dialects::platypush::view::View;
use crate::model::{
    CallNews, CallTarget, FunctionName, JsonText, ModuleAddress, ProcedureId, Timestamp,
};

/// Arguments that are not shown: those that Platypush leaves out, and the names of secrets in riser's drivers.
const HIDDEN: [&str; 6] = [
    "password",
    "new_password",
    "token",
    "access_token",
    "secret",
    "api_key",
];

#[derive(Serialize)]
struct CallShape<'c> {
    id: String,
    action: String,
    args: IndexMap<String, JsonText>,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    origin: Option<&'c str>,
    response: Option<JsonText>,
    started_at: Box<RawValue>,
    completed_at: Option<Box<RawValue>>,
    running_time: Box<RawValue>,
}

/// Writes what has become of a call.
pub(super) fn put_call(news: &CallNews, view: &View, out: &mut Vec<u8>) {
    let call = &news.call;
    let (action, parameters) = match &call.target {
        CallTarget::Function(module, function) => of_function(module, function, view),
        CallTarget::Procedure(id) => of_procedure(id, view),
    };
    let (status, response) = match news.ended.as_ref().map(|ended| &ended.outcome) {
        None => ("running", None),
        Some(Ok(returned)) => ("completed", Some(returned.clone())),
        Some(Err(message)) => ("failed", JsonText::of(message).ok()),
    };
    let ended = news.ended.as_ref().map(|ended| ended.at);
    let ran = ended.map_or(0, |at| at.0.saturating_sub(news.began.0));
    put_json(
        &CallShape {
            id: hex_id(call.id),
            action,
            args: named(&call.arguments, &parameters),
            status,
            origin: call.user.as_ref().map(|user| user.as_str()),
            response,
            started_at: number(news.began),
            completed_at: ended.map(number),
            running_time: number(Timestamp(ran)),
        },
        out,
    );
}

/// What a function is called as an action, and its parameters as far as they are known.
fn of_function<'v>(
    address: &ModuleAddress,
    function: &FunctionName,
    view: &'v View,
) -> (String, Vec<&'v str>) {
    let plugin = match address {
        ModuleAddress::Place(path) => view.plugin_at(path),
        ModuleAddress::Id { id, .. } => {
            let mut plugins = view.rooms().iter().flat_map(|room| &room.plugins);
            plugins.find(|plugin| plugin.module.id == *id)
        }
    };
    let name = match (plugin, address) {
        (Some(plugin), _) => plugin.name.to_string(),
        (None, ModuleAddress::Place(path)) => plugin_name(view, path).to_string(),
        (None, ModuleAddress::Id { id, .. }) => id.to_string(),
    };
    let interface = plugin.and_then(|plugin| plugin.module.interface.as_deref());
    let known = interface.and_then(|interface| interface.functions.get(function));
    let parameters = known.into_iter().flat_map(|known| &known.parameters);
    let parameters = parameters.map(|parameter| &*parameter.name);
    (format!("{name}.{function}"), parameters.collect())
}

/// The same of a procedure.
fn of_procedure<'v>(id: &ProcedureId, view: &'v View) -> (String, Vec<&'v str>) {
    let known = view.procedures().iter().find(|known| known.id == *id);
    let parameters = known.into_iter().flat_map(|known| known.parameters.list());
    let parameters = parameters.map(|parameter| parameter.as_str());
    (format!("procedure.{id}"), parameters.collect())
}

/// Arguments by their names, or by their places where these are not known; without those that are secrets.
fn named(arguments: &JsonText, parameters: &[&str]) -> IndexMap<String, JsonText> {
    let by_place = |values: Vec<JsonText>| {
        let values = values.into_iter().enumerate().map(|(at, value)| {
            let name = parameters.get(at).copied();
            (name.map_or_else(|| at.to_string(), str::to_owned), value)
        });
        values.collect::<IndexMap<String, JsonText>>()
    };
    let mut all = match arguments.as_str().as_bytes().first() {
        Some(b'{') => arguments.to().unwrap_or_default(),
        Some(b'[') => by_place(arguments.to().unwrap_or_default()),
        _ if arguments.is_null() => IndexMap::new(),
        _ => by_place(vec![arguments.clone()]),
    };
    all.retain(|name, _| !HIDDEN.contains(&&**name));
    all
}

/// Seconds as a number.
fn number(at: Timestamp) -> Box<RawValue> {
    RawValue::from_string(seconds(at)).unwrap_or_else(|_| RawValue::NULL.to_owned())
}
