//! The ids that no request could ask for, because another route has the same word: the websocket hides a system `control`.
//!
//! Made of the specification of the routes, so that a new route brings its words with it.
//! A building file and a creation are held to it; what a store has already stays.

use std::sync::LazyLock;

use utoipa::OpenApi;

use crate::dialects::placeos::permissions;
use crate::model::EntryId;
use crate::model::rules::{ForeignRules, ShadowedId, Thing};
use crate::server::http::placeos::{Engine, Websocket};

/// What the routes call the ids of entries.
const PARAMETERS: &[(&str, Thing)] = &[
    ("{system}", Thing::System),
    ("{zone}", Thing::Zone),
    ("{module}", Thing::Module),
    ("{user}", Thing::User),
    ("{key}", Thing::ApiKey),
    ("{entity}", Thing::Entity),
    ("{command}", Thing::Command),
    ("{app}", Thing::App),
    ("{service}", Thing::Service),
    ("{procedure}", Thing::Procedure),
    ("{hook}", Thing::Hook),
    ("{trigger}", Thing::Trigger),
];

/// Each of them.
fn shadowed_ids() -> &'static [ShadowedId] {
    static IDS: LazyLock<Vec<ShadowedId>> = LazyLock::new(|| {
        let specifications = [Engine::openapi(), Websocket::openapi()];
        let paths = specifications
            .iter()
            .flat_map(|part| part.paths.paths.keys());
        shadowed_by(&paths.map(String::as_str).collect::<Vec<_>>())
    });
    &IDS
}

/// What a building is held to by those who ask for it over HTTP.
pub(in crate::server) fn foreign_rules() -> ForeignRules<'static> {
    ForeignRules {
        shadowed: shadowed_ids(),
        misread: permissions::misread,
    }
}

/// Whether an entry that is to be made would have one.
pub(in crate::server::http) fn is_shadowed(entry: &EntryId) -> bool {
    let (thing, id) = match entry {
        EntryId::Zone(id) => (Thing::Zone, id.as_str()),
        EntryId::System(id) => (Thing::System, id.as_str()),
        EntryId::Module(id) => (Thing::Module, id.as_str()),
        EntryId::User(id) => (Thing::User, id.as_str()),
        EntryId::ApiKey(id) => (Thing::ApiKey, id.as_str()),
        EntryId::Entity(id) => (Thing::Entity, id.as_str()),
        EntryId::Command(id) => (Thing::Command, id.as_str()),
        EntryId::App(id) => (Thing::App, id.as_str()),
        EntryId::Service(id) => (Thing::Service, id.as_str()),
        EntryId::Procedure(id) => (Thing::Procedure, id.as_str()),
        EntryId::Hook(id) => (Thing::Hook, id.as_str()),
        EntryId::Trigger(id) => (Thing::Trigger, id.as_str()),
        EntryId::Metadata(_) => return false,
    };
    let mut all = shadowed_ids().iter();
    all.any(|word| word.thing == thing && word.id == id)
}

/// The words that stand where an id does: `/systems/control` beside `/systems/{system}`.
fn shadowed_by(paths: &[&str]) -> Vec<ShadowedId> {
    let places = || paths.iter().filter_map(|path| path.rsplit_once('/'));
    let mut shadowed = Vec::new();
    for (collection, parameter) in places() {
        let thing = PARAMETERS.iter().find(|(name, _)| *name == parameter);
        // Deeper down a name has an index with it, which no word has.
        let Some((_, thing)) = thing.filter(|_| !collection.contains('{')) else {
            continue;
        };
        for (beside, word) in places() {
            if beside == collection && !word.is_empty() && !word.starts_with('{') {
                shadowed.push(ShadowedId {
                    thing: *thing,
                    id: word.to_owned(),
                });
            }
        }
    }
    shadowed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_word_that_stands_where_an_id_does_is_in_the_list() {
        let mut found: Vec<(Thing, &str)> = shadowed_ids()
            .iter()
            .map(|word| (word.thing, word.id.as_str()))
            .collect();
        found.sort_by_key(|(_, id)| *id);
        let expect = [
            (Thing::System, "control"),
            (Thing::User, "current"),
            (Thing::ApiKey, "inspect"),
            (Thing::Zone, "tags"),
            (Thing::System, "with_emails"),
        ];
        assert_eq!(found, expect);
    }

    #[test]
    fn every_kind_of_entry_has_its_parameter_among_the_routes() {
        let specification = Engine::openapi();
        for (parameter, _) in PARAMETERS {
            let mut paths = specification.paths.paths.keys();
            assert!(
                paths.any(|path| path.ends_with(parameter) && path.matches('/').count() == 2),
                "{parameter}"
            );
        }
    }
}
