//! What there is: plugins with their actions, procedures, backends and types of events, in Platypush's shapes.

use indexmap::IndexMap;
use serde::Serialize;

use crate::dialects::platypush::actions::Plan;
use crate::dialects::platypush::actions::built_in::{self, ANY_NAME, BUILT_IN, Given};
use crate::dialects::platypush::actions::config::HTTP;
use crate::dialects::platypush::actions::name::STATUS;
use crate::dialects::platypush::actions::reading::json;
use crate::dialects::platypush::actions::sight::Sight;
use crate::dialects::platypush::errors::ActionError;
use crate::dialects::platypush::view::Plugin;
use crate::model::{Clearance, Function, Interface, JsonText, Parameter, Procedure};

type Outcome = Result<Plan, ActionError>;

#[derive(Serialize)]
struct Nothing {}

/// A plugin, with what it can do.
#[derive(Serialize)]
struct PluginShape<'p> {
    name: &'p str,
    #[serde(rename = "type")]
    kind: String,
    doc: &'p str,
    doc_url: Option<&'p str>,
    args: Nothing,
    events: Nothing,
    actions: IndexMap<&'p str, ActionShape<'p>>,
}

#[derive(Serialize)]
struct ActionShape<'a> {
    name: &'a str,
    doc: &'a str,
    doc_url: Option<&'a str>,
    has_kwargs: bool,
    has_varargs: bool,
    returns: Returns,
    args: IndexMap<&'a str, ArgumentShape<'a>>,
}

#[derive(Serialize)]
struct Returns {
    #[serde(rename = "type")]
    kind: Option<&'static str>,
    doc: Option<&'static str>,
}

#[derive(Serialize)]
struct ArgumentShape<'a> {
    name: &'a str,
    #[serde(rename = "type")]
    kind: &'static str,
    required: bool,
    default: Option<&'a JsonText>,
    doc: Option<&'a str>,
}

fn action<'a>(
    name: &'a str,
    doc: &'a str,
    args: impl Iterator<Item = ArgumentShape<'a>>,
) -> (&'a str, ActionShape<'a>) {
    let shape = ActionShape {
        name,
        doc,
        doc_url: None,
        has_kwargs: false,
        has_varargs: false,
        returns: Returns {
            kind: None,
            doc: None,
        },
        args: args.map(|argument| (argument.name, argument)).collect(),
    };
    (name, shape)
}

fn output(value: &(impl Serialize + ?Sized)) -> Outcome {
    json(value).map(Plan::Output)
}

/// The plugins, with their actions.
pub(super) fn plugins(_: &Given<'_>, sight: &Sight<'_>) -> Outcome {
    let ours = BUILT_IN.chunk_by(|one, next| one.plugin == next.plugin);
    let ours = ours.map(|all| {
        let actions = all.iter().map(|it| {
            let is_named = |parameter: &&built_in::Parameter| parameter.name != ANY_NAME;
            let named = it.parameters.iter().filter(is_named);
            let arguments = named.map(|parameter| ArgumentShape {
                name: parameter.name,
                kind: parameter.kind,
                required: parameter.required,
                default: None,
                doc: Some(parameter.text),
            });
            let (name, mut shape) = action(it.action, it.text, arguments);
            shape.has_kwargs = shape.args.len() < it.parameters.len();
            (name, shape)
        });
        PluginShape {
            name: all[0].plugin,
            kind: "gateway".to_owned(),
            doc: "",
            doc_url: None,
            args: Nothing {},
            events: Nothing {},
            actions: actions.collect(),
        }
    });
    let modules = sight.plugins().map(|plugin| of_module(plugin, sight.level));
    let all = ours.chain(modules).map(|plugin| (plugin.name, plugin));
    output(&all.collect::<IndexMap<_, _>>())
}

/// A module. What needs a higher clearance than the client's is left out.
fn of_module(plugin: &Plugin, level: Clearance) -> PluginShape<'_> {
    let interface = plugin.module.interface.as_deref();
    let functions = interface.into_iter().flat_map(|interface: &Interface| {
        let functions = interface.functions.iter();
        functions.filter(move |(_, function)| function.clearance <= level)
    });
    let functions = functions.map(|(name, function): (_, &Function)| {
        let arguments = function.parameters.iter().map(argument);
        action(name.as_str(), &function.description, arguments)
    });
    let name = ArgumentShape {
        name: "name",
        kind: "str",
        required: false,
        default: None,
        doc: Some("one status; without it all are put out"),
    };
    let status = action(STATUS, "What the module says.", [name].into_iter());
    let mut actions: IndexMap<_, _> = functions.collect();
    actions.entry(status.0).or_insert(status.1);
    PluginShape {
        name: &plugin.name,
        kind: format!("gateway.{}", plugin.module.path.module),
        doc: &plugin.module.driver_text,
        doc_url: None,
        args: Nothing {},
        events: Nothing {},
        actions,
    }
}

fn argument(parameter: &Parameter) -> ArgumentShape<'_> {
    ArgumentShape {
        name: &parameter.name,
        kind: python_type(&parameter.schema),
        required: parameter.default.is_none(),
        default: parameter.default.as_ref(),
        doc: None,
    }
}

/// Python's word for the values of a JSON Schema.
fn python_type(schema: &JsonText) -> &'static str {
    #[derive(serde::Deserialize)]
    struct Typed {
        #[serde(rename = "type")]
        kind: Option<String>,
    }
    let typed = schema.to::<Typed>().ok();
    match typed.and_then(|typed| typed.kind).as_deref() {
        Some("boolean") => "bool",
        Some("integer") => "int",
        Some("number") => "float",
        Some("string") => "str",
        Some("array") => "list",
        Some("object") => "dict",
        Some(_) | None => "Any",
    }
}

/// The names of the plugins.
pub(super) fn plugin_names(_: &Given<'_>, sight: &Sight<'_>) -> Outcome {
    let modules = sight.plugins().map(|plugin| &*plugin.name);
    output(&built_in::plugins().chain(modules).collect::<Vec<_>>())
}

/// The procedures, by name: all, or those that are wanted. What they do is not told.
pub(super) fn procedures(given: &Given<'_>, sight: &Sight<'_>) -> Outcome {
    #[derive(Serialize)]
    struct Shape<'p> {
        name: &'p str,
        #[serde(rename = "type")]
        kind: &'static str,
        actions: [(); 0],
        args: Vec<&'p str>,
        _async: bool,
    }
    let wanted: Option<Vec<String>> = given.get("names").and_then(|names| names.to().ok());
    let is_wanted = |procedure: &&Procedure| {
        let name = procedure.id.as_str();
        wanted
            .as_ref()
            .is_none_or(|names| names.iter().any(|it| it == name))
    };
    let all = sight.view().procedures().iter().map(|it| &**it);
    let shapes = all.filter(is_wanted).map(|procedure| {
        let parameters = procedure.parameters.list().iter();
        let shape = Shape {
            name: procedure.id.as_str(),
            kind: "config",
            actions: [],
            args: parameters.map(|parameter| parameter.as_str()).collect(),
            _async: false,
        };
        (shape.name, shape)
    });
    output(&shapes.collect::<IndexMap<_, _>>())
}

/// The backends, with what they are.
pub(super) fn backends(_: &Given<'_>, _: &Sight<'_>) -> Outcome {
    #[derive(Serialize)]
    struct Shape {
        name: &'static str,
        doc: &'static str,
        args: Nothing,
        events: Nothing,
    }
    let shape = Shape {
        name: HTTP,
        doc: "The gateway itself.",
        args: Nothing {},
        events: Nothing {},
    };
    output(&IndexMap::from([(HTTP, shape)]))
}

/// The names of the backends.
pub(super) fn backend_names(_: &Given<'_>, _: &Sight<'_>) -> Outcome {
    output(&[HTTP])
}

/// The actions that run: none that is kept, since the monitor tells of them as they begin.
pub(super) fn pending(_: &Given<'_>, _: &Sight<'_>) -> Outcome {
    let none: [Nothing; 0] = [];
    json(&none).map(Plan::Output)
}

/// The types of events, with what belongs to each.
pub(super) fn events(_: &Given<'_>, _: &Sight<'_>) -> Outcome {
    #[derive(Serialize)]
    struct Shape {
        name: &'static str,
        doc: &'static str,
        args: IndexMap<&'static str, Nothing>,
    }
    let shapes = EVENTS.iter().map(|(name, doc, args)| {
        let args = args.iter().map(|name| (*name, Nothing {}));
        let (args, shape_name) = (args.collect(), *name);
        (
            *name,
            Shape {
                name: shape_name,
                doc,
                args,
            },
        )
    });
    output(&shapes.collect::<IndexMap<_, _>>())
}

/// The types of events: name, meaning, members.
const EVENTS: [(&str, &str, &[&str]); 3] = [
    (
        "platypush.message.event.custom.CustomEvent",
        "What a client or an automation announces by name.",
        &["subtype", "args"],
    ),
    (
        "platypush.message.event.entities.EntityUpdateEvent",
        "A status has another value.",
        &["entity"],
    ),
    (
        "platypush.message.event.http.hook.WebhookEvent",
        "Somebody has called a hook.",
        &["hook", "method", "args", "data", "headers"],
    ),
];
