//! Reads what has a name and arguments: filters, tests, functions and methods.
//!
//! Separate because here names are looked up and arguments are brought to the places of parameters, which the grammar knows nothing of.

use std::sync::Arc;

use minijinja::machinery::ast::{self, CallArg, CallType};

use super::super::error::{Mistake, Position};
use super::super::filters::{self, Filter};
use super::super::predicates;
use super::super::tree::{Arguments, Kind, Node};
use super::super::value::Value;
use super::{Read, Reader, unsupported};

impl Reader<'_> {
    pub(super) fn filter(
        &self,
        name: &str,
        of: Box<Node>,
        args: &[CallArg<'_>],
        at: Position,
    ) -> Read<Kind> {
        let Some(filter) = filters::find(name) else {
            return Err(Mistake::unknown("filter", name, filters::names()).at(at));
        };
        let taken = self.arguments(filter.name, filter.parameters, filter.required, args, at)?;
        named(filter, &taken).map_err(|mistake| mistake.at(at))?;
        Ok(match filter.name {
            filters::DEFAULT => Kind::Default(of, taken),
            _ => Kind::Filter(filter, of, taken),
        })
    }

    pub(super) fn test(
        &self,
        name: &str,
        of: Box<Node>,
        args: &[CallArg<'_>],
        at: Position,
    ) -> Read<Kind> {
        let Some(predicate) = predicates::find(name) else {
            return Err(Mistake::unknown("test", name, predicates::names()).at(at));
        };
        let parameters = &["other"][..usize::from(predicate.takes_other)];
        let required = parameters.len();
        let taken = self.arguments(predicate.name, parameters, required, args, at)?;
        Ok(match predicate.name {
            predicates::DEFINED => Kind::Defined(of),
            predicates::UNDEFINED => Kind::Not(Box::new(Node {
                at,
                kind: Kind::Defined(of),
            })),
            _ => Kind::Test(predicate, of, taken),
        })
    }

    pub(super) fn call(&self, call: &ast::Call<'_>, at: Position) -> Read<(Position, Kind)> {
        match call.identify_call() {
            CallType::Function("range") => {
                let arguments = self.positional("range", &call.args, at)?;
                match arguments.len() {
                    1..=3 => Ok((at, Kind::Range(arguments))),
                    _ => {
                        let wrong = "takes `stop`, `start, stop` or `start, stop, step`";
                        Err(arguments_mistake("range", wrong).at(at))
                    }
                }
            }
            CallType::Function(name) if self.functions.contains(&name) => {
                let arguments = self.positional(name, &call.args, at)?;
                Ok((at, Kind::Call(Arc::from(name), arguments)))
            }
            CallType::Function(name) => {
                let known = self.functions.iter().copied().chain(["range"]);
                Err(Mistake::unknown("function", name, known).at(at))
            }
            CallType::Method(of, name) => {
                let of = self.boxed(of)?;
                let Some(filter) = filters::method(name) else {
                    return Err(Mistake::unknown("method", name, filters::methods()).at(of.at));
                };
                let at = of.at;
                Ok((at, self.filter(filter, of, &call.args, at)?))
            }
            CallType::Object(_) => Err(unsupported(
                "a call of a result",
                "call a function by its name",
                at,
            )),
        }
    }

    fn positional(&self, of: &str, args: &[CallArg<'_>], at: Position) -> Read<Vec<Node>> {
        let one = |arg: &CallArg<'_>| match arg {
            CallArg::Pos(expr) => self.node(expr),
            CallArg::Kwarg(..) => {
                Err(arguments_mistake(of, "takes its arguments in order, without names").at(at))
            }
            CallArg::PosSplat(_) | CallArg::KwargSplat(_) => Err(splat(at)),
        };
        args.iter().map(one).collect()
    }

    /// Brings arguments, in order or by name, to the places of the parameters.
    fn arguments(
        &self,
        of: &str,
        parameters: &[&str],
        required: usize,
        args: &[CallArg<'_>],
        at: Position,
    ) -> Read<Arguments> {
        let mut taken: Arguments = vec![None; parameters.len()];
        for (index, arg) in args.iter().enumerate() {
            let (place, expr) = match arg {
                CallArg::Pos(expr) => (Some(index), expr),
                CallArg::Kwarg(name, expr) => {
                    (parameters.iter().position(|known| known == name), expr)
                }
                CallArg::PosSplat(_) | CallArg::KwargSplat(_) => return Err(splat(at)),
            };
            let node = self.node(expr)?;
            let Some(free) = place.and_then(|place| taken.get_mut(place)) else {
                let wrong = match parameters {
                    [] => "takes no such argument; it takes none".to_owned(),
                    some => format!("takes no such argument; it takes {}", some.join(", ")),
                };
                return Err(arguments_mistake(of, &wrong).at(node.at));
            };
            if free.replace(node).is_some() {
                return Err(arguments_mistake(of, "gets an argument twice").at(at));
            }
        }
        match taken[..required].iter().position(Option::is_none) {
            Some(missing) => {
                let wrong = format!("needs the argument {}", parameters[missing]);
                Err(arguments_mistake(of, &wrong).at(at))
            }
            None => Ok(taken),
        }
    }
}

/// A filter or test that is an argument is looked up here too. It stands in quotes, so an error that says it says no value.
fn named(filter: &Filter, arguments: &[Option<Node>]) -> Result<(), Mistake> {
    for (parameter, node) in filter.parameters.iter().zip(arguments) {
        let (Some(node), "filter" | "test") = (node, *parameter) else {
            continue;
        };
        let Kind::Constant(Value::Text(name)) = &node.kind else {
            let wrong = format!("needs its argument {parameter} as a name in quotes");
            return Err(arguments_mistake(filter.name, &wrong));
        };
        if *parameter == "filter" && filters::find(name).is_none() {
            return Err(Mistake::unknown("filter", name, filters::names()));
        }
        if *parameter == "test" && predicates::find(name).is_none() {
            return Err(Mistake::unknown("test", name, predicates::names()));
        }
    }
    Ok(())
}

fn arguments_mistake(of: &str, wrong: &str) -> Mistake {
    Mistake::Arguments {
        of: of.to_owned(),
        wrong: wrong.to_owned(),
    }
}

fn splat(at: Position) -> super::ExpressionError {
    unsupported(
        "`*` before an argument",
        "write the arguments one by one",
        at,
    )
}
