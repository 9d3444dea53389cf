//! Procedures: steps with a name and parameters.
//!
//! Separate from hooks and triggers, which run them.

use driver_types::JsonText;

use super::super::fields::{collection, misfit};
use super::super::flaws::Flaw;
use super::super::{Content, Kind, Value};
use super::limits::VARIABLES_MAX;
use super::steps::{Evaluated, Mention, Steps};
use super::{ProcedureId, Variable, variable};
use crate::model::FunctionPath;
use crate::model::rules::Thing;

collection! {
    /// Steps that can be run by name.
    Procedure, "procedures", "a procedure" {
        /// The id.
        id: ProcedureId => own(Thing::Procedure).must("an id, such as `id: at_home`"),
        /// The variables that it is given, in their order.
        parameters: Parameters,
        /// What it does.
        steps: Steps => other_form("steps_json").shaped(Steps::flaws)
            .must("what it does, such as `steps: [{wait: 2s}]`"),
    }
}

/// The parameters of a procedure, each once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Parameters(Vec<Variable>);

impl Parameters {
    /// All of them, in their order.
    pub fn list(&self) -> &[Variable] {
        &self.0
    }

    /// Those that these arguments do not give, and those that nothing takes.
    ///
    /// A list fills the parameters in their order, and so does a single value.
    pub fn faults(&self, args: Option<&JsonText>) -> Vec<ArgumentFault> {
        let named = |json: &JsonText| json.to::<indexmap::IndexMap<String, JsonText>>().ok();
        if let Some(args) = args
            .filter(|args| args.as_str().starts_with('{'))
            .and_then(named)
        {
            let missing = self
                .0
                .iter()
                .filter(|name| !args.contains_key(name.as_str()));
            let missing = missing.cloned().map(ArgumentFault::Missing);
            let is_known = |name: &str| self.0.iter().any(|own| own.as_str() == name);
            let unknown = args.keys().filter(|name| !is_known(name));
            let unknown = unknown.cloned().map(ArgumentFault::Unknown);
            return missing.chain(unknown).collect();
        }
        let given = match args {
            None => 0,
            Some(list) if list.as_str().starts_with('[') => {
                list.to::<Vec<JsonText>>().map_or(0, |items| items.len())
            }
            Some(_) => 1,
        };
        match given > self.0.len() {
            true => vec![ArgumentFault::TooMany(self.0.len())],
            false => {
                let missing = self.0.iter().skip(given);
                missing.cloned().map(ArgumentFault::Missing).collect()
            }
        }
    }
}

/// Why arguments do not fit a procedure, to go on behind what gives them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ArgumentFault {
    /// A parameter gets nothing.
    #[error("gives no `{0}`, which the procedure needs; add it to `args`")]
    Missing(Variable),
    /// There is no such parameter.
    #[error("gives `{0}`, which is no parameter of the procedure")]
    Unknown(String),
    /// There are more than parameters.
    #[error("gives more than the {0} parameters of the procedure")]
    TooMany(usize),
}

impl Content for Parameters {
    const KIND: Kind = Kind::Texts;

    fn default_value() -> Value<'static> {
        Value::Texts(Vec::new())
    }

    fn value(&self) -> Value<'_> {
        Value::Texts(self.0.iter().map(|name| name.as_str().into()).collect())
    }

    fn make(value: Value<'_>) -> Result<Self, String> {
        let Value::Texts(names) = value else {
            return misfit();
        };
        if names.len() > VARIABLES_MAX {
            return Err(format!("must be at most {VARIABLES_MAX}"));
        }
        let mut parameters = Vec::new();
        for name in names {
            let Some(parameter) = Variable::new(&name) else {
                return Err(format!("must each be {}", variable::EXPECTED));
            };
            if parameters.contains(&parameter) {
                return Err(format!("has `{parameter}` twice; remove one of them"));
            }
            parameters.push(parameter);
        }
        Ok(Self(parameters))
    }
}

impl Procedure {
    /// What its fields do not say together, each as a field and the flaw in it.
    pub fn mistakes(&self) -> Vec<(&'static str, Flaw)> {
        let functions = self.steps.functions("steps");
        let functions = functions.into_iter();
        functions.filter_map(|it| it.no_system(None)).collect()
    }

    /// The paths of functions that it calls. What lacks its system is among the [mistakes](Self::mistakes) alone.
    pub fn paths(&self) -> Vec<Mention<FunctionPath>> {
        let functions = self.steps.functions("steps").into_iter();
        functions
            .filter_map(|it| it.within(None, |path| path))
            .collect()
    }

    /// The procedures that it runs, each with what it is given.
    pub fn procedures(&self) -> Vec<Mention<(&ProcedureId, Option<&JsonText>)>> {
        self.steps.procedures("steps")
    }

    /// All that is evaluated.
    pub fn evaluated(&self) -> Vec<Mention<Evaluated<'_>>> {
        self.steps.evaluated("steps")
    }
}
