//! Evaluates a tree: one call per node, one arm per kind of node.
//!
//! It calls itself as deeply as the source nests, which the scan has bounded, and each node costs a step.
//! What stands around expressions in a template is in `parts`.
//! A name without a value is followed as "nothing there" as long as somebody may ask for that (`default`, `is defined`), and is an error or null then.

mod parts;

use std::sync::Arc;

use super::error::{ExpressionError, Mistake, Position};
use super::limits::{INPUT_MAX_BYTES, OUTPUT_MAX_BYTES};
use super::number::Number;
use super::operators;
use super::render::Manner;
use super::scope::{Scope, Windows};
use super::tree::{Arguments, Kind, Node, Operator, Part};
use super::value::{Object, Value, ValueKind};
use super::work::Work;

/// What becomes of a name that nothing has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missing {
    /// It is an error, which says what may be meant.
    Error,
    /// It is empty in a text and null elsewhere, which is how Home Assistant renders templates unless it is told to be strict.
    Empty,
}

/// One evaluation.
pub(super) struct Evaluation<'e> {
    scope: &'e Scope,
    windows: &'e dyn Windows,
    missing: Missing,
    work: Work,
    /// What the loops around have named, the innermost last.
    locals: Vec<(Arc<str>, Value)>,
}

type Evaluated<T> = Result<T, ExpressionError>;

impl<'e> Evaluation<'e> {
    pub(super) fn begin(
        scope: &'e Scope,
        windows: &'e dyn Windows,
        missing: Missing,
        manner: Manner,
    ) -> Evaluated<Self> {
        if !scope.fits(INPUT_MAX_BYTES) {
            let most = INPUT_MAX_BYTES;
            return Err(Mistake::InputTooLarge { most }.at(Position::START));
        }
        Ok(Self {
            scope,
            windows,
            missing,
            work: Work::new(manner),
            locals: Vec::new(),
        })
    }

    /// The value of a whole expression.
    pub(super) fn result(&mut self, node: &Node) -> Evaluated<Value> {
        let value = self.value(node)?;
        match value.fits(&mut { OUTPUT_MAX_BYTES }) {
            true => Ok(value),
            false => Err(Mistake::TooLarge {
                most: OUTPUT_MAX_BYTES,
            }
            .at(node.at)),
        }
    }

    /// The text of a template.
    pub(super) fn text(&mut self, parts: &[Part]) -> Evaluated<String> {
        let mut text = String::new();
        self.parts(parts, &mut text)?;
        Ok(text)
    }

    /// The value of a node; null where an object has no such key.
    fn value(&mut self, node: &Node) -> Evaluated<Value> {
        if let Some(value) = self.maybe(node)? {
            return Ok(value);
        }
        match (self.missing, self.nameless(node)) {
            (Missing::Error, Some(error)) => Err(error),
            (Missing::Error, None) | (Missing::Empty, _) => Ok(Value::Null),
        }
    }

    /// The error of a name that nothing has, when that is where a node begins.
    fn nameless(&self, mut node: &Node) -> Option<ExpressionError> {
        loop {
            if let Kind::Variable(name) = &node.kind {
                let is_unknown = self.variable(name).is_none();
                return is_unknown.then(|| self.unknown(name).at(node.at));
            }
            node = if let Kind::Attribute(of, _) = &node.kind {
                of
            } else if let Kind::Item(both) = &node.kind {
                &both.0
            } else {
                return None;
            };
        }
    }

    /// The same for where nothing is shown as nothing.
    fn shown(&mut self, node: &Node) -> Evaluated<Option<Value>> {
        match self.missing {
            Missing::Error => self.value(node).map(Some),
            Missing::Empty => self.maybe(node),
        }
    }

    /// The value of a node; `None` for a name that nothing has, and for what would be in it.
    fn maybe(&mut self, node: &Node) -> Evaluated<Option<Value>> {
        let at = node.at;
        self.work.budget.step().map_err(|mistake| mistake.at(at))?;
        let made = match &node.kind {
            Kind::Constant(value) => Ok(value.clone()),
            Kind::Variable(name) => return Ok(self.variable(name).cloned()),
            Kind::List(items) => self.list(items)?,
            Kind::Object(members) => self.object(members)?,
            Kind::Not(of) => Ok(Value::Bool(!self.value(of)?.is_true())),
            Kind::Negative(of) => {
                let of = self.value(of)?;
                let number = of.number_for("`-`");
                number.and_then(Number::negative).map(Value::Number)
            }
            Kind::And(both) => {
                let left = self.value(&both.0)?;
                return match left.is_true() {
                    true => self.value(&both.1).map(Some),
                    false => Ok(Some(left)),
                };
            }
            Kind::Or(both) => {
                let left = self.value(&both.0)?;
                return match left.is_true() {
                    true => Ok(Some(left)),
                    false => self.value(&both.1).map(Some),
                };
            }
            Kind::Binary(Operator::Concatenate, both) => {
                let nothing = || Value::text("");
                let left = self.shown(&both.0)?.unwrap_or_else(nothing);
                let right = self.shown(&both.1)?.unwrap_or_else(nothing);
                operators::binary(&self.work, Operator::Concatenate, &left, &right)
            }
            Kind::Binary(operator, both) => {
                let (left, right) = (self.value(&both.0)?, self.value(&both.1)?);
                operators::binary(&self.work, *operator, &left, &right)
            }
            Kind::Compare(first, others) => {
                let mut left = self.value(first)?;
                let mut holds = true;
                for (comparison, node) in others {
                    let right = self.value(node)?;
                    holds = operators::compare(&self.work, *comparison, &left, &right)
                        .map_err(|mistake| mistake.at(at))?;
                    if !holds {
                        break;
                    }
                    left = right;
                }
                Ok(Value::Bool(holds))
            }
            Kind::If(choice) => {
                let holds = self.value(&choice.test)?.is_true();
                return match (holds, &choice.otherwise) {
                    (true, _) => self.shown(&choice.then),
                    (false, Some(otherwise)) => self.shown(otherwise),
                    (false, None) => Ok(None),
                };
            }
            Kind::Attribute(of, name) => {
                return self.part(of, &Value::Text(name.clone()), at);
            }
            Kind::Item(both) => {
                let key = self.value(&both.1)?;
                return self.part(&both.0, &key, at);
            }
            Kind::Slice(range) => {
                let of = self.value(&range.of)?;
                let bounds = [
                    self.whole(range.start.as_ref())?,
                    self.whole(range.stop.as_ref())?,
                    self.whole(range.step.as_ref())?,
                ];
                operators::slice(&self.work, &of, bounds)
            }
            Kind::Filter(filter, of, arguments) => {
                let of = self.value(of)?;
                let arguments = self.arguments(arguments)?;
                filter.apply(&self.work, &of, &arguments)
            }
            Kind::Default(of, arguments) => {
                let value = self.maybe(of)?;
                return self.or_default(value, arguments);
            }
            Kind::Test(predicate, of, arguments) => {
                let of = self.value(of)?;
                let arguments = self.arguments(arguments)?;
                let other = arguments.first().and_then(Option::as_ref);
                predicate.holds(&self.work, &of, other).map(Value::Bool)
            }
            Kind::Defined(of) => Ok(Value::Bool(self.maybe(of)?.is_some())),
            Kind::Range(bounds) => {
                let mut numbers = Vec::with_capacity(bounds.len());
                for bound in bounds {
                    numbers.extend(self.whole(Some(bound))?);
                }
                operators::range(&self.work, &numbers)
            }
            Kind::Call(function, arguments) => self.call(function, arguments)?,
        };
        made.map(Some).map_err(|mistake| mistake.at(at))
    }

    fn variable(&self, name: &str) -> Option<&Value> {
        let local = self.locals.iter().rev().find(|(local, _)| &**local == name);
        local
            .map(|(_, value)| value)
            .or_else(|| self.scope.get(name))
    }

    fn unknown(&self, name: &str) -> Mistake {
        if name == "null" {
            // JSON's word; Jinja has another.
            return Mistake::Unknown {
                what: "variable",
                name: name.to_owned(),
                meant: Some("none".to_owned()),
            };
        }
        let locals = self.locals.iter().map(|(name, _)| &**name);
        Mistake::unknown("variable", name, self.scope.names().chain(locals))
    }

    fn list(&mut self, nodes: &[Node]) -> Evaluated<Result<Value, Mistake>> {
        if let Err(mistake) = self.work.budget.items(nodes.len()) {
            return Ok(Err(mistake));
        }
        let items = nodes.iter().map(|node| self.value(node));
        Ok(Ok(Value::list(items.collect::<Evaluated<_>>()?)))
    }

    fn object(&mut self, nodes: &[(Node, Node)]) -> Evaluated<Result<Value, Mistake>> {
        if let Err(mistake) = self.work.budget.items(nodes.len() * 2) {
            return Ok(Err(mistake));
        }
        let mut members = Object::with_capacity(nodes.len());
        for (name, value) in nodes {
            let Value::Text(name) = self.value(name)? else {
                return Ok(Err(Mistake::Unsupported {
                    what: "a key that is no text",
                    remedy: "put it in quotes",
                }));
            };
            members.insert(name, self.value(value)?);
        }
        Ok(Ok(Value::from(members)))
    }

    /// What stands in a value at a key. What is in nothing is nothing, where nothing may be.
    fn part(&mut self, of: &Node, key: &Value, at: Position) -> Evaluated<Option<Value>> {
        let Some(of) = self.maybe(of)? else {
            return Ok(None);
        };
        if of.kind() == ValueKind::Null && self.missing == Missing::Empty {
            return Ok(None);
        }
        operators::item(&self.work, &of, key).map_err(|mistake| mistake.at(at))
    }

    fn arguments(&mut self, arguments: &Arguments) -> Evaluated<Vec<Option<Value>>> {
        let argument = |node: &Option<Node>| node.as_ref().map(|node| self.value(node)).transpose();
        arguments.iter().map(argument).collect()
    }

    /// `default`: where there is nothing, or with a second argument that is true, nothing that is true either.
    fn or_default(
        &mut self,
        value: Option<Value>,
        arguments: &Arguments,
    ) -> Evaluated<Option<Value>> {
        let arguments = self.arguments(arguments)?;
        let argument = |place: usize| arguments.get(place).cloned().flatten();
        let also_false = argument(1).is_some_and(|value| value.is_true());
        Ok(Some(match value {
            Some(value) if value.is_true() || !also_false => value,
            Some(_) | None => argument(0).unwrap_or_else(|| Value::text("")),
        }))
    }

    fn whole(&mut self, node: Option<&Node>) -> Evaluated<Option<i128>> {
        let Some(node) = node else { return Ok(None) };
        let value = self.value(node)?;
        if value.kind() == ValueKind::Null {
            return Ok(None);
        }
        let whole = value.as_number().and_then(Number::as_whole);
        whole.map(Some).ok_or_else(|| {
            Mistake::Kind {
                what: "a place",
                wants: "a whole number",
                is: value.kind(),
            }
            .at(node.at)
        })
    }

    fn call(&mut self, function: &str, nodes: &[Node]) -> Evaluated<Result<Value, Mistake>> {
        let arguments = nodes.iter().map(|node| self.value(node));
        let arguments: Vec<Value> = arguments.collect::<Evaluated<_>>()?;
        let answer = match self.windows.call(function, &arguments) {
            Ok(answer) => answer,
            Err(refusal) => {
                return Ok(Err(Mistake::Refused {
                    function: function.to_owned(),
                    reason: refusal.0,
                }));
            }
        };
        let mut left = INPUT_MAX_BYTES;
        if !answer.fits(&mut left) {
            return Ok(Err(Mistake::TooLarge {
                most: INPUT_MAX_BYTES,
            }));
        }
        let counted = self.work.budget.make(INPUT_MAX_BYTES - left);
        Ok(counted.map(|()| answer))
    }
}
