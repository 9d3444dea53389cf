//! What drivers say of the `uri` and the `settings` of their modules, put into the words of a file: a line, and a remedy.
//!
//! What belongs there is the drivers' to say; where it stands in the file is looked up here.

use std::collections::{HashMap, HashSet};

use crate::model::{
    Building, Collection, Configuration, DriverRef, Misfit, Module, ModuleId, Place, Secret, Step,
    System, Unfit, Zone, ZoneId, nearest,
};

use super::node::{Kind, Node};
use super::parse::Parsed;
use super::problem::{Position, Problem, ProblemKind, is_word};
use super::{KnownDriver, variables};

/// How many unknown keys get a "did you mean", as references do.
const SUGGESTIONS_MAX: usize = 100;

/// Adds what is wrong with the configuration of the modules to the problems found so far.
pub(super) fn check(root: &Node, parsed: &mut Parsed, drivers: &[KnownDriver]) {
    let configurations: HashMap<&str, &Configuration> = drivers
        .iter()
        .map(|driver| (driver.id, &driver.configuration))
        .collect();
    let entries = Entries::of(root);
    let layers = Layers::of(&parsed.building);
    // What is wrong with a value already, a variable that is not set for one, is said once.
    let told: HashSet<Position> = parsed.problems.iter().map(|problem| problem.at).collect();
    let mut suggestions_left = SUGGESTIONS_MAX;
    for module in &parsed.building.modules {
        let Some(entry) = entries.module(&module.id) else {
            continue;
        };
        let configuration = match &module.driver {
            DriverRef::LinkedIn(id) => configurations.get(id.as_str()),
            DriverRef::Process(_) => {
                if module.name.is_none() {
                    let (at, kind) = (entry.at, ProblemKind::NoModuleName);
                    parsed.problems.push(Problem { at, kind });
                }
                // It checks its settings itself, when it runs.
                None
            }
        };
        let Some(configuration) = configuration else {
            continue;
        };
        let around = layers.around(module);
        let settings = around.iter().map(|layer| layer.settings);
        let configured = module.configured(settings, configuration);
        let configured = configured.as_ref().unwrap_or(module);
        let unfit = configuration.check(module.uri.as_deref(), &configured.settings());
        let problems = unfit.iter().map(|unfit| {
            let around = around.iter().rev();
            let around = around.filter_map(|layer| entries.entry(layer.list, layer.id));
            let source = source(entry, around, &unfit.place);
            problem(source, unfit, &mut suggestions_left)
        });
        let new = problems.filter(|problem| !told.contains(&problem.at));
        parsed.problems.extend(new);
    }
}

/// The entries of the file that have settings, by their list and id.
struct Entries<'n>(HashMap<(&'static str, String), &'n Node>);

impl<'n> Entries<'n> {
    fn of(root: &'n Node) -> Self {
        let lists = [Zone::LIST, System::LIST, Module::LIST];
        let entries = lists.into_iter().flat_map(|list| {
            let items = value(root, list).into_iter().flat_map(items);
            items.filter_map(move |entry| {
                let Kind::Text(id) = &value(entry, "id")?.kind else {
                    return None;
                };
                Some(((list, variables::unescape(id)), entry))
            })
        });
        Self(entries.collect())
    }

    fn module(&self, id: &ModuleId) -> Option<&'n Node> {
        self.entry(Module::LIST, id.as_str())
    }

    fn entry(&self, list: &'static str, id: &str) -> Option<&'n Node> {
        self.0.get(&(list, id.to_owned())).copied()
    }
}

/// What is set around modules.
struct Layers<'b> {
    zones: HashMap<&'b ZoneId, &'b Zone>,
    /// The system of each module that stands in exactly one.
    system: HashMap<&'b ModuleId, Option<&'b System>>,
}

/// The settings of one zone or system.
struct Layer<'b> {
    list: &'static str,
    id: &'b str,
    settings: &'b Secret,
}

impl<'b> Layers<'b> {
    fn of(building: &'b Building) -> Self {
        let mut system = HashMap::new();
        for each in &building.systems {
            for module in &each.modules {
                let only = |found: &mut Option<&System>| *found = None;
                system.entry(module).and_modify(only).or_insert(Some(each));
            }
        }
        let zones = building.zones.iter().map(|zone| (&zone.id, zone));
        Self {
            zones: zones.collect(),
            system,
        }
    }

    /// What is set around a module, the outermost first.
    fn around(&self, module: &Module) -> Vec<Layer<'b>> {
        let Some(Some(system)) = self.system.get(&module.id) else {
            return Vec::new();
        };
        let zones = system.zones.iter().filter_map(|id| self.zones.get(id));
        let zones = zones.map(|zone| Layer {
            list: Zone::LIST,
            id: zone.id.as_str(),
            settings: &zone.settings,
        });
        let system = Layer {
            list: System::LIST,
            id: system.id.as_str(),
            settings: &system.settings,
        };
        zones.chain([system]).collect()
    }
}

/// The entry whose settings have the first key on the way to a place: the module, or the innermost of those around it.
fn source<'n>(
    module: &'n Node,
    around: impl IntoIterator<Item = &'n Node>,
    place: &Place,
) -> &'n Node {
    let Place::Settings(steps) = place else {
        return module;
    };
    let Some(Step::Key(key)) = steps.first() else {
        return module;
    };
    let has_key =
        |entry: &&Node| value(entry, "settings").is_some_and(|it| value(it, key).is_some());
    let mut entries = [module].into_iter().chain(around);
    entries.find(has_key).unwrap_or(module)
}

/// The items of a list.
pub(super) fn items(node: &Node) -> impl Iterator<Item = &Node> {
    let items = match &node.kind {
        Kind::List(items) => items.as_slice(),
        Kind::Null
        | Kind::Bool(_)
        | Kind::Number(_)
        | Kind::Digits
        | Kind::Text(_)
        | Kind::Map(_) => &[],
    };
    items.iter()
}

/// The value of a key of a map.
pub(super) fn value<'n>(node: &'n Node, key: &str) -> Option<&'n Node> {
    let Kind::Map(fields) = &node.kind else {
        return None;
    };
    let mut fields = fields.iter();
    let found = fields.find(|(name, _)| name.text == key);
    found.map(|(_, value)| value)
}

fn problem(entry: &Node, unfit: &Unfit, suggestions_left: &mut usize) -> Problem {
    let Unfit { place, misfit } = unfit;
    let (what, steps) = match place {
        Place::Uri => ("the module", [].as_slice()),
        Place::Settings(steps) => ("the settings", steps.as_slice()),
    };
    let start = match place {
        Place::Uri => value(entry, "uri"),
        Place::Settings(_) => value(entry, "settings").or_else(|| value(entry, "settings_json")),
    };
    let found = start.map_or(entry, |start| walk(start, steps));
    let kind = match misfit {
        Misfit::Unknown(known) => {
            let Some((Step::Key(key), above)) = steps.split_last() else {
                return other(found.at, place, "is not known; remove it");
            };
            let map = start.map_or(entry, |start| walk(start, above));
            let at = key_position(map, key).unwrap_or(map.at);
            return unknown(at, key, known, map, suggestions_left);
        }
        Misfit::Missing { key, expected } => ProblemKind::NoSetting {
            what,
            key: key.clone(),
            expected: expected.clone().unwrap_or_else(|| "it".to_owned()),
        },
        Misfit::Expected(expected) => {
            return other(found.at, place, &format!("must be {expected}"));
        }
        Misfit::Other(reason) => {
            let remedy = match place {
                Place::Uri => "remove it",
                Place::Settings(_) => "correct it",
            };
            return other(found.at, place, &format!("{reason}; {remedy}"));
        }
    };
    let at = found.at;
    Problem { at, kind }
}

fn other(at: Position, place: &Place, reason: &str) -> Problem {
    let kind = ProblemKind::Setting {
        setting: shown(place),
        reason: reason.to_owned(),
    };
    Problem { at, kind }
}

/// A key that has more than a word, or no value and nothing like it, may be a value itself whose colon is missing: it is not shown.
fn unknown(
    at: Position,
    key: &str,
    known: &[String],
    map: &Node,
    suggestions_left: &mut usize,
) -> Problem {
    let similar = if *suggestions_left > 0 {
        *suggestions_left -= 1;
        nearest(key, known.iter().map(String::as_str))
    } else {
        None
    };
    let has_value = value(map, key).is_some_and(|value| !matches!(value.kind, Kind::Null));
    let is_shown = is_word(key) && (similar.is_some() || has_value);
    let remedy = match similar {
        Some(similar) => format!("did you mean `{similar}`?"),
        None if known.is_empty() => "remove it, since there is nothing to set".to_owned(),
        None => format!("there may be {}", known.join(", ")),
    };
    let kind = ProblemKind::UnknownKey {
        key: if is_shown {
            key.to_owned()
        } else {
            String::new()
        },
        place: "the settings",
        remedy,
    };
    Problem { at, kind }
}

/// As far down as the steps lead. Settings that are a JSON text are one value here.
pub(super) fn walk<'n>(start: &'n Node, steps: &[Step]) -> &'n Node {
    let mut node = start;
    for step in steps {
        let next = match (step, &node.kind) {
            (Step::Key(key), Kind::Map(_)) => value(node, key),
            (Step::Item(index), Kind::List(items)) => items.get(*index),
            (
                Step::Key(_) | Step::Item(_),
                Kind::Null
                | Kind::Bool(_)
                | Kind::Number(_)
                | Kind::Digits
                | Kind::Text(_)
                | Kind::List(_)
                | Kind::Map(_),
            ) => None,
        };
        let Some(next) = next else { break };
        node = next;
    }
    node
}

pub(super) fn key_position(map: &Node, key: &str) -> Option<Position> {
    let Kind::Map(fields) = &map.kind else {
        return None;
    };
    let mut fields = fields.iter();
    let found = fields.find(|(name, _)| name.text == key);
    found.map(|(name, _)| name.at)
}

/// `` the setting `registers.door` ``; a name that may be more than a word is left out.
fn shown(place: &Place) -> String {
    let Place::Settings(steps) = place else {
        return "`uri`".to_owned();
    };
    let is_shown = |step: &Step| match step {
        Step::Key(key) => is_word(key),
        Step::Item(_) => true,
    };
    match steps.as_slice() {
        [] => "`settings`".to_owned(),
        steps if steps.iter().all(is_shown) => format!("the setting `{place}`"),
        _ => "this setting".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::building_file::read;
    use crate::model::rules::ForeignRules;
    use crate::model::{JsonText, OnChange, UriPresence, UriRule};

    /// A driver that says of its settings what the first of them asks for.
    const LAMP: KnownDriver = KnownDriver {
        id: "lamp",
        configuration: Configuration {
            uri: UriRule {
                presence: UriPresence::Needed,
                schemes: &["tcp"],
            },
            schema: || {
                let schema =
                    r#"{"properties": {"unit": {}, "ports": {}}, "additionalProperties": false}"#;
                JsonText::parse(schema).expect("it is JSON")
            },
            check: |settings| {
                let known = || vec!["unit".to_owned(), "ports".to_owned()];
                let key = |key: &str| Step::Key(key.to_owned());
                let number = || Misfit::Expected("a whole number".to_owned());
                let missing = Misfit::Missing {
                    key: "unit".to_owned(),
                    expected: Some("a whole number".to_owned()),
                };
                if settings.as_str() == r#"{"unit":1}"# {
                    return vec![];
                }
                let (steps, misfit) = match settings.as_str() {
                    text if text.contains("hunter") => {
                        (vec![key("pass hunter2")], Misfit::Unknown(known()))
                    }
                    text if text.contains("unt") => (vec![key("unt")], Misfit::Unknown(known())),
                    text if text.contains("colour") => {
                        (vec![key("colour")], Misfit::Unknown(known()))
                    }
                    text if text.contains("ports") => (vec![key("ports"), Step::Item(1)], number()),
                    text if text.contains("unit") => (vec![key("unit")], number()),
                    _ => (vec![], missing),
                };
                let place = Place::Settings(steps);
                vec![Unfit { place, misfit }]
            },
            on_change: OnChange::Restart,
        },
        interface: None,
    };

    #[track_caller]
    fn check(module: &str, expect: &[&str]) {
        let text = format!("modules:\n  - {{id: m, driver: lamp, {module}}}\n");
        let environment = BTreeMap::new();
        let problems =
            read("b.yaml", &text, &[LAMP], ForeignRules::NONE, &environment).unwrap_err();
        let told: Vec<String> = problems.to_string().lines().map(str::to_owned).collect();
        assert_eq!(told, expect, "{text}");
    }

    #[test]
    fn each_mistake_is_told_where_it_stands() {
        let uri = "uri: 'tcp://a'";
        let told = |module: &str, expect: &str| check(&format!("{uri}, {module}"), &[expect]);
        told(
            "settings: {unt: 1}",
            "b.yaml:2:54: unknown key `unt` in the settings; did you mean `unit`?",
        );
        told(
            "settings: {colour: 1}",
            "b.yaml:2:54: unknown key `colour` in the settings; there may be unit, ports",
        );
        told(
            "settings: {ports: [1, x]}",
            "b.yaml:2:65: the setting `ports[1]` must be a whole number",
        );
        told(
            "settings: {}",
            "b.yaml:2:53: the settings have no `unit`; add a whole number",
        );
        check(
            uri,
            &["b.yaml:2:5: the settings have no `unit`; add a whole number"],
        );
        told(
            "settings_json: '{\"unit\": \"x\"}'",
            "b.yaml:2:58: the setting `unit` must be a whole number",
        );
        check(
            "uri: 'udp://a', settings: {unit: x}",
            &[
                "b.yaml:2:32: `uri` must be an address that begins with tcp://",
                "b.yaml:2:60: the setting `unit` must be a whole number",
            ],
        );
        check(
            "settings: {unit: x}",
            &[
                "b.yaml:2:5: the module has no `uri`; add an address that begins with tcp://",
                "b.yaml:2:44: the setting `unit` must be a whole number",
            ],
        );
    }

    #[track_caller]
    fn check_around(zone: &str, system: &str, module: &str, expect: &[&str]) {
        let text = format!(
            "zones:\n  - {{id: z, name: Z, {zone}}}\nsystems:\n  - {{id: s, name: S, zones: [z], modules: [m], {system}}}\nmodules:\n  - {{id: m, driver: lamp, uri: 'tcp://a', {module}}}\n"
        );
        let read = read(
            "b.yaml",
            &text,
            &[LAMP],
            ForeignRules::NONE,
            &BTreeMap::new(),
        );
        let told = read.err().map(|problems| problems.to_string());
        let told: Vec<&str> = told.iter().flat_map(|told| told.lines()).collect();
        assert_eq!(told, expect, "{text}");
    }

    #[test]
    fn what_is_set_around_a_module_counts_and_is_told_where_it_stands() {
        check_around("settings: {unit: 1}", "", "", &[]);
        check_around("", "settings: {unit: 1}", "", &[]);
        check_around(
            "settings: {unit: x}",
            "",
            "",
            &["b.yaml:2:39: the setting `unit` must be a whole number"],
        );
        check_around(
            "settings: {unit: 1}",
            "settings: {unit: x}",
            "",
            &["b.yaml:4:65: the setting `unit` must be a whole number"],
        );
        // What the module says itself is what holds.
        check_around("settings: {unit: x}", "", "settings: {unit: 1}", &[]);
        check_around("settings: {unit: 1, other_drivers: x}", "", "", &[]);
    }

    #[test]
    fn a_key_that_may_be_a_password_is_not_shown() {
        check(
            "uri: 'tcp://a', settings: {pass hunter2: }",
            &["b.yaml:2:54: unknown key in the settings; there may be unit, ports"],
        );
    }

    #[test]
    fn what_is_wrong_with_a_value_already_is_told_once() {
        check(
            "uri: 'tcp://a', settings: {unit: '${ENV:UNIT}'}",
            &[
                "b.yaml:2:60: the environment variable UNIT is not set; set it before starting riser",
            ],
        );
    }
}
