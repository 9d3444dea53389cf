//! Procedures and the steps of triggers, ready to be run: every expression is read once.
//!
//! Separate from the model's steps, which keep expressions as they are written.

use std::fmt::{self, Write as _};
use std::sync::Arc;
use std::time::Duration;

use super::filled::Filled;
use crate::expressions::{Expression, ExpressionError, Text};
use crate::model::{
    Action, EXPRESSION_FUNCTIONS, FunctionPath, Items, Order, Procedure, ProcedureId, Steps,
    SystemId, Trigger, Variable,
};

/// What can be run.
#[derive(Debug, Clone)]
pub struct Program {
    pub(super) parameters: Vec<Variable>,
    pub(super) steps: List,
}

/// Steps one after another.
pub(super) type List = Arc<[Step]>;

/// One step.
#[derive(Debug)]
pub(super) enum Step {
    Call {
        path: FunctionPath,
        args: Option<Filled>,
        result: Option<Variable>,
    },
    Run {
        procedure: ProcedureId,
        args: Option<Filled>,
        result: Option<Variable>,
    },
    If {
        condition: Expression,
        then: List,
        otherwise: List,
    },
    For {
        variable: Variable,
        items: Values,
        body: List,
        order: Order,
    },
    While {
        condition: Arc<Expression>,
        body: List,
    },
    Set(Vec<(Variable, Filled)>),
    Wait(Duration),
    Publish {
        name: Text,
        data: Filled,
    },
    Notify(Message),
    Return(Filled),
}

/// A message to those who subscribe to a service.
#[derive(Debug)]
pub(super) struct Message {
    pub(super) service: String,
    pub(super) text: Text,
    pub(super) title: Option<Text>,
    pub(super) link: Option<Text>,
    pub(super) level: u8,
}

/// The values of a `for`.
#[derive(Debug)]
pub(super) enum Values {
    Expression(Expression),
    List(Filled),
}

/// A step that cannot be run, and why. Where a building was checked there is none.
#[derive(Debug, thiserror::Error)]
#[error("{place}: {reason}")]
pub struct Unrunnable {
    /// The step.
    pub place: Place,
    /// Why.
    pub reason: String,
}

/// Where a step stands, for people: `step 3 → then → 1`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Place(Vec<Part>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    /// Which step, counted from 1.
    Step(usize),
    /// Which steps of it.
    Key(Arc<str>),
}

impl Place {
    pub(super) fn step(&mut self, number: usize) {
        self.0.push(Part::Step(number));
    }

    pub(super) fn key(&mut self, key: &str) {
        self.0.push(Part::Key(Arc::from(key)));
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (depth, part) in self.0.iter().enumerate() {
            f.write_str(if depth > 0 { " → " } else { "step " })?;
            match part {
                Part::Step(number) => write!(f, "{number}")?,
                Part::Key(key) => f.write_str(key)?,
            }
        }
        Ok(())
    }
}

impl Program {
    /// Makes a procedure ready.
    ///
    /// # Errors
    ///
    /// The first step that cannot be run.
    pub fn of_procedure(procedure: &Procedure) -> Result<Self, Unrunnable> {
        Ok(Self {
            parameters: procedure.parameters.list().to_vec(),
            steps: Making::new(None).list(&procedure.steps)?,
        })
    }

    /// Makes the steps of a trigger ready. They have no parameters.
    ///
    /// # Errors
    ///
    /// The first step that cannot be run.
    pub fn of_trigger(trigger: &Trigger) -> Result<Self, Unrunnable> {
        Ok(Self {
            parameters: Vec::new(),
            steps: Making::new(trigger.system.as_ref()).list(&trigger.then)?,
        })
    }
}

/// What steps are made ready within.
struct Making<'a> {
    /// Where paths of two parts lead.
    system: Option<&'a SystemId>,
    place: Place,
}

impl<'a> Making<'a> {
    fn new(system: Option<&'a SystemId>) -> Self {
        let place = Place::default();
        Self { system, place }
    }

    /// Steps nest no deeper than they are read, so this calls itself no oftener.
    fn list(&mut self, steps: &Steps) -> Result<List, Unrunnable> {
        let mut made = Vec::new();
        for (number, action) in (1..).zip(steps.list()) {
            self.place.step(number);
            made.push(self.step(action)?);
            self.place.0.pop();
        }
        Ok(made.into())
    }

    fn list_of(&mut self, key: &str, steps: &Steps) -> Result<List, Unrunnable> {
        self.place.key(key);
        let list = self.list(steps);
        self.place.0.pop();
        list
    }

    fn step(&mut self, action: &Action) -> Result<Step, Unrunnable> {
        Ok(match action {
            Action::Call { path, args, result } => Step::Call {
                path: path
                    .within(self.system)
                    .ok_or_else(|| self.unrunnable("its path has no system"))?,
                args: self.optional(args.as_ref(), Filled::parse)?,
                result: result.clone(),
            },
            Action::Run {
                procedure,
                args,
                result,
            } => Step::Run {
                procedure: procedure.clone(),
                args: self.optional(args.as_ref(), Filled::parse)?,
                result: result.clone(),
            },
            Action::If {
                condition,
                then,
                otherwise,
            } => Step::If {
                condition: self.expression(condition)?,
                then: self.list_of("then", then)?,
                otherwise: self.list_of("else", otherwise)?,
            },
            Action::For {
                variable,
                items,
                body,
                order,
            } => Step::For {
                variable: variable.clone(),
                items: match items {
                    Items::Expression(source) => Values::Expression(self.expression(source)?),
                    Items::List(json) => Values::List(self.read(Filled::parse(json))?),
                },
                body: self.list_of("do", body)?,
                order: *order,
            },
            Action::While { condition, body } => Step::While {
                condition: Arc::new(self.expression(condition)?),
                body: self.list_of("do", body)?,
            },
            Action::Set(variables) => {
                let variables = variables.iter();
                let variables = variables
                    .map(|(name, json)| Ok((name.clone(), self.read(Filled::parse(json))?)));
                Step::Set(variables.collect::<Result<_, _>>()?)
            }
            Action::Wait(span) => Step::Wait(span.get()),
            Action::Publish { name, data } => Step::Publish {
                name: self.text(name)?,
                data: self.read(Filled::parse(data))?,
            },
            Action::Notify {
                service,
                message,
                title,
                link,
                level,
            } => Step::Notify(Message {
                service: service.clone(),
                text: self.text(message)?,
                title: self.optional(title.as_deref(), text)?,
                link: self.optional(link.as_deref(), text)?,
                level: *level,
            }),
            Action::Return(value) => Step::Return(self.read(Filled::parse(value))?),
        })
    }

    fn expression(&self, source: &str) -> Result<Expression, Unrunnable> {
        self.read(Expression::parse(source, EXPRESSION_FUNCTIONS))
    }

    fn text(&self, source: &str) -> Result<Text, Unrunnable> {
        self.read(text(source))
    }

    fn optional<S: ?Sized, T>(
        &self,
        source: Option<&S>,
        parse: impl Fn(&S) -> Result<T, ExpressionError>,
    ) -> Result<Option<T>, Unrunnable> {
        source.map(|source| self.read(parse(source))).transpose()
    }

    fn read<T>(&self, read: Result<T, ExpressionError>) -> Result<T, Unrunnable> {
        read.map_err(|error| self.unrunnable(&format!("at {error}")))
    }

    fn unrunnable(&self, reason: &str) -> Unrunnable {
        Unrunnable {
            place: self.place.clone(),
            reason: reason.to_owned(),
        }
    }
}

fn text(source: &str) -> Result<Text, ExpressionError> {
    Text::parse(source, EXPRESSION_FUNCTIONS)
}

impl Step {
    /// What it does, for a history: names of the building, and no value.
    pub(super) fn what(&self) -> String {
        let mut text = String::new();
        // Writing to a String cannot fail.
        let _ = match self {
            Self::Call { path, .. } => write!(text, "call {path}"),
            Self::Run { procedure, .. } => write!(text, "run {procedure}"),
            Self::If { .. } => write!(text, "if"),
            Self::For { .. } => write!(text, "for"),
            Self::While { .. } => write!(text, "while"),
            Self::Set(variables) => {
                let names: Vec<&str> = variables.iter().map(|(name, _)| name.as_str()).collect();
                write!(text, "set {}", names.join(", "))
            }
            Self::Wait(span) => write!(text, "wait {} ms", span.as_millis()),
            Self::Publish { .. } => write!(text, "publish"),
            Self::Notify(message) => write!(text, "notify {}", message.service),
            Self::Return(_) => write!(text, "return"),
        };
        text
    }
}
