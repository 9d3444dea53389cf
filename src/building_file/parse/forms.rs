//! What the entries and fields for Home Assistant need beyond their kinds: paths, parts with a form of their own, and what fields do not say together.
//!
//! Separate from the reading of entries in general, which only calls these.

use crate::model::rules::Thing;
use crate::model::{
    CommandCall, CustomCommand, EntityOverride, Field, JsonText, Kind, ModulePath, StatusPath,
    Value, Wrong,
};

use super::{Entry, Parser};
use crate::building_file::flaws;
use crate::building_file::node::Node;
use crate::building_file::problem::{Position, ProblemKind};
use crate::building_file::settings::value;

impl Parser<'_> {
    pub(super) fn entity(&mut self, node: &Node) -> Option<EntityOverride> {
        let entity: EntityOverride = self.read(node)?;
        self.mistakes(node, entity.mistakes());
        Some(entity)
    }

    pub(super) fn command(&mut self, node: &Node) -> Option<CustomCommand> {
        let command: CustomCommand = self.read(node)?;
        if let Some(CommandCall::At(path)) = &command.call {
            let at = value(node, "call").map_or(node.at, |call| call.at);
            self.place(&path.target().module, at);
        }
        self.mistakes(node, command.mistakes());
        self.expressions(node, &command);
        Some(command)
    }

    /// What the fields of an entry do not say together, each at its field.
    pub(super) fn mistakes(&mut self, node: &Node, mistakes: Vec<Wrong>) {
        for Wrong { field, reason } in mistakes {
            let at = value(node, field).map_or(node.at, |field| field.at);
            let key = field.to_owned();
            self.problem(at, ProblemKind::Field { key, reason });
        }
    }

    /// What is wrong inside JSON that has a form of its own.
    pub(super) fn shape<C>(&mut self, entry: Entry<'_>, field: &Field<C>, value: &Value<'_>) {
        let (Some(shape), Value::Json(json)) = (field.shape, value) else {
            return;
        };
        // That another kind of JSON stands there is said already.
        if let Kind::Json(kind) = field.kind
            && !kind.fits(json)
        {
            return;
        }
        let given = entry.get(field.name);
        let given = given.or_else(|| entry.get(field.other_form?));
        let (Some(node), Ok(json)) = (given, JsonText::parse(json)) else {
            return;
        };
        for flaw in shape(&json) {
            let problem = flaws::problem(field.name, node, &flaw);
            self.parsed.problems.push(problem);
        }
    }

    /// The path of a status, whose module must stand there.
    pub(super) fn path(&mut self, entry: Entry<'_>, key: &'static str) -> Option<StatusPath> {
        let (node, text) = self.text_at(entry, key)?;
        match StatusPath::parse(&text) {
            Ok(path) => {
                self.place(&path.target().module, node.at);
                Some(path)
            }
            Err(reason) => {
                self.problem(node.at, ProblemKind::Path { key, reason });
                None
            }
        }
    }

    /// A module must stand at this place.
    pub(super) fn place(&mut self, place: &ModulePath, at: Position) {
        self.refer(Thing::System, place.system.as_str(), at);
        self.parsed.places.push((place.clone(), at));
    }
}
