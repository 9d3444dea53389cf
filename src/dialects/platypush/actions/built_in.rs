//! The actions that are built in, one line each: which plugin has it, what it is given, and what it does.

use crate::dialects::platypush::actions::sight::Sight;
use crate::dialects::platypush::actions::{Plan, config, discover, gateway, variable};
use crate::dialects::platypush::errors::ActionError;
use crate::dialects::platypush::message::Arguments;
use crate::model::{JsonText, nearest};

/// An action that is built in.
#[derive(Debug)]
pub(super) struct BuiltIn {
    /// The plugin that has it.
    pub(super) plugin: &'static str,
    /// Its name.
    pub(super) action: &'static str,
    /// What it does, for people.
    pub(super) text: &'static str,
    /// What it is given, in the order of a list.
    pub(super) parameters: &'static [Parameter],
    /// Does it.
    pub(super) run: fn(&Given<'_>, &Sight<'_>) -> Result<Plan, ActionError>,
}

/// What an action is given.
#[derive(Debug)]
pub(super) struct Parameter {
    /// Its name.
    pub(super) name: &'static str,
    /// Its type, in Python's words.
    pub(super) kind: &'static str,
    /// Whether it has to be given.
    pub(super) required: bool,
    /// What it is, for people.
    pub(super) text: &'static str,
}

/// The arguments of an action that is built in.
pub(super) struct Given<'g> {
    of: &'static BuiltIn,
    arguments: &'g Arguments,
}

impl BuiltIn {
    /// The arguments, to be read by their names.
    pub(super) fn given<'g>(&'static self, arguments: &'g Arguments) -> Given<'g> {
        let of = self;
        Given { of, arguments }
    }
}

impl<'g> Given<'g> {
    /// All arguments.
    pub(super) fn arguments(&self) -> &'g Arguments {
        self.arguments
    }

    /// An argument.
    pub(super) fn get(&self, name: &str) -> Option<JsonText> {
        self.arguments.get(self.place(name), name)
    }

    /// An argument that is a text; `None` where there is none.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        self.arguments.read(self.place(name), name)
    }

    /// An argument that has to be a text.
    pub(super) fn needed(&self, name: &'static str) -> Result<String, ActionError> {
        self.text(name).ok_or_else(|| {
            let mut parameters = self.of.parameters.iter();
            let parameter = parameters.find(|it| it.name == name);
            ActionError::Argument {
                action: self.of.action,
                name,
                what: parameter.map_or("a text", |it| it.text),
            }
        })
    }

    fn place(&self, name: &str) -> usize {
        let mut parameters = self.of.parameters.iter();
        let place = parameters.position(|it| it.name == name);
        place.unwrap_or(usize::MAX)
    }
}

/// Finds an action. `None` where no plugin is called so.
pub(super) fn find(plugin: &str, action: &str) -> Result<Option<&'static BuiltIn>, ActionError> {
    let of_plugin = || BUILT_IN.iter().filter(|it| it.plugin == plugin);
    if of_plugin().next().is_none() {
        return Ok(None);
    }
    let found = of_plugin().find(|it| it.action == action);
    found.map(Some).ok_or_else(|| {
        let near = nearest(action, of_plugin().map(|it| it.action));
        ActionError::NoSuch {
            what: "action",
            name: format!("{plugin}.{action}"),
            near: near.map(|near| format!("{plugin}.{near}")),
        }
    })
}

/// The plugins that are built in, each once.
pub(super) fn plugins<'p>() -> impl Iterator<Item = &'p str> {
    let plugins = BUILT_IN.chunk_by(|one, next| one.plugin == next.plugin);
    plugins.map(|all| all[0].plugin)
}

const fn needs(name: &'static str, kind: &'static str, text: &'static str) -> Parameter {
    Parameter {
        name,
        kind,
        required: true,
        text,
    }
}

const fn takes(name: &'static str, kind: &'static str, text: &'static str) -> Parameter {
    Parameter {
        name,
        kind,
        required: false,
        text,
    }
}

const SYSTEM: Parameter = needs("system", "str", "a system, by its id or its word");
const MODULE: Parameter = needs("module", "str", "a module, such as Display");
const INDEX: Parameter = takes(
    "index",
    "int",
    "which of several like-named modules, from 1",
);
const PLUGINS: Parameter = takes("plugins", "list", "the plugins whose entities are wanted");

/// Stands for an argument of any name, as `**kwargs` does in Python.
pub(super) const ANY_NAME: &str = "**";

const VALUE: Parameter = takes(ANY_NAME, "Any", "a value, by the name of its variable");

macro_rules! built_in {
    ($($plugin:literal: { $($action:literal ($($parameter:expr),*) $text:literal => $run:path;)+ })+) => {
        /// All of them, those of one plugin side by side.
        pub(super) static BUILT_IN: &[BuiltIn] = &[$($(
            BuiltIn {
                plugin: $plugin,
                action: $action,
                text: $text,
                parameters: &[$($parameter),*],
                run: $run,
            },
        )+)+];
    };
}

built_in! {
    "application": {
        "get_pending_actions"() "No actions: the monitor tells of those that begin from when it is opened." => discover::pending;
    }
    "config": {
        "get"() "What the gateway is, without secrets." => config::all;
        "get_backends"() "The backends, by name." => config::backends;
        "get_config_dir"() "A text: files of Platypush there are none." => config::folder;
        "get_config_file"() "A text: files of Platypush there are none." => config::file;
        "get_device_id"() "The name of the gateway." => config::device_id;
        "get_plugins"() "The plugins, by name." => config::plugins;
        "get_procedures"() "The procedures, by name." => discover::procedures;
    }
    "entities": {
        "execute"(
            needs("id", "str", "the id of an entity"),
            needs("action", "str", "a function of the module that has it")
        ) "Calls a function of the module that has an entity." => gateway::execute;
        "get"(PLUGINS) "Statuses, each as an entity." => gateway::entities;
        "scan"(PLUGINS) "Statuses, each as an entity." => gateway::entities;
    }
    "gateway": {
        "exec"(
            SYSTEM,
            MODULE,
            needs("function", "str", "a function of the module"),
            takes("args", "Any", "what the function is given"),
            INDEX
        ) "Calls a function of a module." => gateway::exec;
        "modules"(takes("system", "str", "a system, by its id or its word")) "The modules, of one system or of all." => gateway::modules;
        "status"(SYSTEM, MODULE, takes("name", "str", "one status"), INDEX) "What a module says." => gateway::status;
        "systems"() "The systems." => gateway::systems;
    }
    "inspect": {
        "get_all_backends"() "The backends, with what they are." => discover::backends;
        "get_all_events"() "The types of events." => discover::events;
        "get_all_plugins"(takes("html_doc", "bool", "passed over")) "The plugins, with their actions." => discover::plugins;
        "get_config"() "What the gateway is, without secrets." => config::all;
        "get_enabled_backends"() "The names of the backends." => discover::backend_names;
        "get_enabled_plugins"() "The names of the plugins." => discover::plugin_names;
        "get_procedures"() "The procedures, by name." => discover::procedures;
    }
    "procedures": {
        "exec"(needs("procedure", "str", "the name of a procedure")) "Runs a procedure." => gateway::run;
        "status"(takes("names", "list", "the procedures that are wanted")) "The procedures, by name." => discover::procedures;
    }
    "user": {
        "get_user_by_session"(takes("session_token", "str", "passed over")) "Who the client is." => config::user;
        "get_users"() "The client alone: other users are not shown." => config::users;
    }
    "utils": {
        "rst_to_html"(needs("text", "str", "a text")) "A text as HTML, in paragraphs." => config::html;
    }
    "variable": {
        "get"(
            takes("name", "str", "one variable"),
            takes("default_value", "Any", "what is put out where the variable says nothing")
        ) "One variable, or all, by name: the statuses of the module Variables." => variable::get;
        "set"(VALUE) "Sets one variable, which is an argument of its own name." => variable::set;
        "unset"(needs("name", "str", "a variable")) "Removes a variable." => variable::unset;
    }
}
