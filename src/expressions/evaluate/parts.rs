//! Renders the parts of a template: text, values, `if` and `for`.
//!
//! Separate because it writes, through the one counting writer, where the rest of the evaluation answers.

use std::sync::Arc;

use super::super::error::{Mistake, Position};
use super::super::render::Output;
use super::super::tree::{Loop, Part};
use super::super::value::{Object, Value, ValueKind};
use super::{Evaluated, Evaluation};

impl Evaluation<'_> {
    pub(super) fn parts(&mut self, parts: &[Part], text: &mut String) -> Evaluated<()> {
        for part in parts {
            match part {
                Part::Literal(literal) => {
                    self.write(text, Position::START, |out| out.push(literal))?
                }
                Part::Value(node) => {
                    if let Some(value) = self.shown(node)? {
                        self.write(text, node.at, |out| out.value(&value))?;
                    }
                }
                Part::If {
                    test,
                    then,
                    otherwise,
                } => {
                    let holds = self.value(test)?.is_true();
                    self.parts(if holds { then } else { otherwise }, text)?;
                }
                Part::For(each) => self.each(each, text)?,
            }
        }
        Ok(())
    }

    fn write(
        &self,
        text: &mut String,
        at: Position,
        write: impl FnOnce(&mut Output<'_>) -> Result<(), Mistake>,
    ) -> Evaluated<()> {
        let before = std::mem::take(text);
        let mut output = Output::behind(before, &self.work.budget, self.work.manner);
        let result = write(&mut output);
        *text = output.finish();
        result.map_err(|mistake| mistake.at(at))
    }

    fn each(&mut self, each: &Loop, text: &mut String) -> Evaluated<()> {
        let at = each.over.at;
        let over = self.shown(&each.over)?.unwrap_or(Value::list(Vec::new()));
        let all = self.work.items(&over, "`for`");
        let mut items = Vec::new();
        for item in all.map_err(|mistake| mistake.at(at))? {
            let chosen = match &each.only_if {
                Some(test) => {
                    let outside = self.locals.len();
                    self.name(each, &item)?;
                    let holds = self.value(test)?.is_true();
                    self.locals.truncate(outside);
                    holds
                }
                None => true,
            };
            if chosen {
                items.push(item);
            }
        }
        if items.is_empty() {
            return self.parts(&each.otherwise, text);
        }
        let count = items.len();
        for (index, item) in items.iter().enumerate() {
            let outside = self.locals.len();
            self.name(each, item)?;
            let place = self.place(index, count).map_err(|mistake| mistake.at(at))?;
            self.locals.push((Arc::from("loop"), place));
            self.parts(&each.body, text)?;
            self.locals.truncate(outside);
        }
        Ok(())
    }

    /// Gives an item of a loop its name, or what is in it the names.
    fn name(&mut self, each: &Loop, item: &Value) -> Evaluated<()> {
        if let [name] = &*each.names {
            self.locals.push((name.clone(), item.clone()));
            return Ok(());
        }
        let at = each.over.at;
        let items = self.work.items(item, "several names in `for`");
        let items = items.map_err(|mistake| mistake.at(at))?;
        if items.len() != each.names.len() {
            return Err(Mistake::Kind {
                what: "several names in `for`",
                wants: "lists with as many items as names",
                is: ValueKind::List,
            }
            .at(at));
        }
        self.locals.extend(each.names.iter().cloned().zip(items));
        Ok(())
    }

    /// What `loop` says inside of one.
    fn place(&self, index: usize, count: usize) -> Result<Value, Mistake> {
        let number = |number: usize| Value::from(u64::try_from(number).unwrap_or(u64::MAX));
        let members = [
            ("index", number(index + 1)),
            ("index0", number(index)),
            ("revindex", number(count - index)),
            ("revindex0", number(count - index - 1)),
            ("first", Value::Bool(index == 0)),
            ("last", Value::Bool(index + 1 == count)),
            ("length", number(count)),
        ];
        self.work.budget.items(members.len() * 2)?;
        let members = members.map(|(name, value)| (Arc::from(name), value));
        Ok(Value::from(Object::from_iter(members)))
    }
}
