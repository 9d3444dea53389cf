//! Does one step: evaluates what stands in it, and says what it wants.
//!
//! Separate from the branch, which says which step is next.

use std::sync::Arc;

use super::arguments::scope;
use super::branch::{Branch, Child, Frame, Machine};
use super::place::note;
use super::{Goal, Notice};
use crate::automation::filled::{Filled, Unfilled};
use crate::automation::program::{List, Message, Place, Step, Values};
use crate::expressions::{ExpressionError, Text, Value};
use crate::model::{JsonText, Order, ProcedureId, Variable};

/// What comes of one step.
pub(super) enum Flow {
    /// The next one follows.
    On,
    /// The procedure returns.
    Return(Value),
}

/// Why a step cannot be done, without its place.
pub(super) enum Halt {
    /// It failed.
    Failed(String),
    /// The run has taken all that it may.
    Exhausted(String),
}

impl From<String> for Halt {
    fn from(reason: String) -> Self {
        Self::Failed(reason)
    }
}

impl From<ExpressionError> for Halt {
    fn from(error: ExpressionError) -> Self {
        Self::Failed(format!("at {error}"))
    }
}

impl From<Unfilled> for Halt {
    fn from(unfilled: Unfilled) -> Self {
        Self::Failed(unfilled.to_string())
    }
}

impl Branch {
    /// Does one step, or begins it. The error is why it cannot.
    pub(super) fn step(
        &mut self,
        step: &Step,
        machine: &mut Machine<'_>,
        place: &Place,
    ) -> Result<Flow, Halt> {
        let windows = machine.around.windows;
        match step {
            Step::Call { path, args, result } => {
                let args = self.args(args.as_ref(), machine)?.map(by_name_or_position);
                let path = path.clone();
                self.want(machine, step, Goal::Call { path, args }, result.clone());
                return Ok(Flow::On);
            }
            Step::Wait(span) => {
                self.want(machine, step, Goal::Wait(*span), None);
                return Ok(Flow::On);
            }
            Step::Publish { name, data } => {
                let name = self.text(name, machine)?;
                let data = data.evaluate(&self.scope, windows)?.to_json();
                self.want(machine, step, Goal::Publish { name, data }, None);
                return Ok(Flow::On);
            }
            Step::Notify(message) => {
                let notice = self.notice(message, machine)?;
                self.want(machine, step, Goal::Notify(notice), None);
                return Ok(Flow::On);
            }
            Step::Run {
                procedure,
                args,
                result,
            } => {
                let args = self.args(args.as_ref(), machine)?;
                self.enter(procedure, args.as_ref(), result.clone(), machine)?;
            }
            Step::If {
                condition,
                then,
                otherwise,
            } => match condition.evaluate(&self.scope, windows)?.is_true() {
                true => self.list("then", then),
                false => self.list("else", otherwise),
            },
            Step::For {
                variable,
                items,
                body,
                order,
            } => {
                let items = self.items(items, machine)?;
                self.begin_rounds(variable, items, body, *order, machine)?;
            }
            Step::While { condition, body } => self.frames.push(Frame::While {
                condition: condition.clone(),
                rounds: 0,
                body: body.clone(),
            }),
            Step::Set(variables) => {
                for (name, value) in variables {
                    let value = value.evaluate(&self.scope, windows)?;
                    self.scope.set(name.as_str(), value);
                }
            }
            Step::Return(value) => {
                let value = value.evaluate(&self.scope, windows)?;
                note(machine, place, step);
                return Ok(Flow::Return(value));
            }
        }
        note(machine, place, step);
        Ok(Flow::On)
    }

    fn args(&self, args: Option<&Filled>, machine: &Machine<'_>) -> Result<Option<Value>, Halt> {
        let windows = machine.around.windows;
        let args = args.map(|args| args.evaluate(&self.scope, windows));
        Ok(args.transpose()?)
    }

    /// Begins a procedure, with variables of its own.
    fn enter(
        &mut self,
        procedure: &ProcedureId,
        args: Option<&Value>,
        result: Option<Variable>,
        machine: &Machine<'_>,
    ) -> Result<(), Halt> {
        let most = machine.bounds.depth;
        if self.depth >= most {
            return Err(Halt::Exhausted(format!(
                "runs procedures more than {most} deep; one may run itself"
            )));
        }
        let program = machine.around.procedures.find(procedure);
        let program = program.ok_or_else(|| format!("there is no procedure `{procedure}`"))?;
        let event = self.scope.get("event").cloned().unwrap_or(Value::Null);
        let inner = scope(&program.parameters, args, event)
            .map_err(|reason| format!("`{procedure}` {reason}"))?;
        self.depth += 1;
        self.frames.push(Frame::Procedure {
            caller: std::mem::replace(&mut self.scope, inner),
            result,
        });
        self.list(procedure.as_str(), &program.steps);
        Ok(())
    }

    fn notice(&self, message: &Message, machine: &Machine<'_>) -> Result<Notice, Halt> {
        let optional = |text: &Option<Text>| {
            let text = text.as_ref().map(|text| self.text(text, machine));
            text.transpose()
        };
        Ok(Notice {
            service: message.service.clone(),
            message: self.text(&message.text, machine)?,
            title: optional(&message.title)?,
            link: optional(&message.link)?,
            level: message.level,
        })
    }

    fn text(&self, text: &Text, machine: &Machine<'_>) -> Result<String, Halt> {
        let value = text.evaluate(&self.scope, machine.around.windows)?;
        // What is one whole expression keeps its type, and is written as JSON here.
        Ok(match value {
            Value::Text(text) => text.to_string(),
            Value::Null => String::new(),
            other @ (Value::Bool(_)
            | Value::Number(_)
            | Value::List(_)
            | Value::Object(_)
            | Value::Json(_)) => other.to_json().as_str().to_owned(),
        })
    }

    fn items(&self, items: &Values, machine: &Machine<'_>) -> Result<Arc<[Value]>, Halt> {
        let windows = machine.around.windows;
        let value = match items {
            Values::Expression(expression) => expression.evaluate(&self.scope, windows)?,
            Values::List(list) => list.evaluate(&self.scope, windows)?,
        };
        let Value::List(items) = value else {
            return Err(Halt::Failed(format!(
                "`in` needs a list, and this is {}",
                value.kind()
            )));
        };
        let most = machine.bounds.rounds;
        match items.len() > most {
            true => Err(Halt::Failed(format!("has more than {most} rounds"))),
            false => Ok(items),
        }
    }

    fn begin_rounds(
        &mut self,
        variable: &Variable,
        items: Arc<[Value]>,
        body: &List,
        order: Order,
        machine: &mut Machine<'_>,
    ) -> Result<(), Halt> {
        let frame = match order {
            Order::OneByOne => Frame::Rounds {
                variable: variable.clone(),
                items,
                next: 0,
                body: body.clone(),
            },
            Order::Parallel => {
                let most = machine.bounds.branches;
                if machine.spent.branches + items.len() > most {
                    return Err(Halt::Failed(format!(
                        "does more than {most} rounds at one time"
                    )));
                }
                machine.spent.branches += items.len();
                let children = items.iter().map(|item| {
                    let mut scope = self.scope.clone();
                    scope.set(variable.as_str(), item.clone());
                    Child {
                        branch: Self::within(Some("do"), body.clone(), scope, self.depth),
                        ended: None,
                    }
                });
                Frame::Parallel(children.collect())
            }
        };
        self.frames.push(frame);
        Ok(())
    }
}

/// Arguments as a call takes them: a single value is the first.
fn by_name_or_position(args: Value) -> JsonText {
    match args {
        Value::Object(_) | Value::List(_) => args.to_json(),
        one @ (Value::Null
        | Value::Bool(_)
        | Value::Number(_)
        | Value::Text(_)
        | Value::Json(_)) => Value::from(vec![one]).to_json(),
    }
}
