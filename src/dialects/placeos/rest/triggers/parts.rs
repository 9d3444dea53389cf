//! Conditions and steps in PlaceOS's form.
//!
//! Separate from documents and answers, which both have these. Nothing is left out silently: what has no place in the form is said to have none.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::dialects::placeos::rest::module_slug;
use crate::model::{
    Action, Condition, FunctionName, FunctionPath, JsonText, LocalPath, ModulePath, Operator,
    StatusName, StatusPath, SystemId, Timestamp, Trigger, WebhookKey,
};

/// When a trigger fires.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Conditions {
    #[serde(default)]
    pub(super) comparisons: Vec<Comparison>,
    #[serde(default)]
    pub(super) time_dependents: Vec<TimeDependent>,
}

/// A status that compares so with a value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Comparison {
    pub(super) left: StatusVariable,
    pub(super) operator: String,
    #[schema(value_type = serde_json::Value)]
    pub(super) right: JsonText,
}

/// A status of a module of the room.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct StatusVariable {
    #[serde(rename = "mod")]
    pub(super) module: String,
    pub(super) status: String,
    #[serde(default)]
    pub(super) keys: Vec<String>,
}

/// A moment, or a rule for moments.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct TimeDependent {
    #[serde(rename = "type")]
    pub(super) kind: TimeKind,
    #[serde(default)]
    pub(super) time: Option<u64>,
    #[serde(default)]
    pub(super) cron: Option<String>,
    #[serde(default)]
    pub(super) timezone: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum TimeKind {
    At,
    Cron,
}

/// What a trigger does.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Actions {
    #[serde(default)]
    pub(super) functions: Vec<Call>,
    #[serde(default)]
    #[schema(value_type = Vec<Object>)]
    pub(super) mailers: Vec<JsonText>,
}

/// A function of a module of the room.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Call {
    #[serde(rename = "mod")]
    pub(super) module: String,
    pub(super) method: String,
    #[serde(default)]
    #[schema(value_type = Object)]
    pub(super) args: IndexMap<String, JsonText>,
}

/// PlaceOS's words for operators.
const OPERATORS: [(&str, Operator); 6] = [
    ("equal", Operator::Equal),
    ("not_equal", Operator::NotEqual),
    ("greater_than", Operator::Greater),
    ("greater_than_or_equal", Operator::GreaterOrEqual),
    ("less_than", Operator::Less),
    ("less_than_or_equal", Operator::LessOrEqual),
];

/// What a trigger says in PlaceOS's form, as far as that goes.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Parts {
    pub(super) conditions: Conditions,
    pub(super) actions: Actions,
    pub(super) has_webhook: bool,
    /// Whether it says more.
    pub(super) is_more: bool,
}

impl Parts {
    pub(super) fn of(trigger: &Trigger) -> Self {
        let mut parts = Self::default();
        let system = trigger.system.as_ref();
        for condition in trigger.when.list() {
            let fits = parts.take(condition, system).is_some();
            parts.is_more |= !fits;
        }
        for action in trigger.then.list() {
            match call(action, system) {
                Some(call) => parts.actions.functions.push(call),
                None => parts.is_more = true,
            }
        }
        parts
    }

    /// Whether it names modules of the room around it.
    pub(super) fn names_modules(&self) -> bool {
        !self.conditions.comparisons.is_empty() || !self.actions.functions.is_empty()
    }

    fn take(&mut self, condition: &Condition, system: Option<&SystemId>) -> Option<()> {
        match condition {
            Condition::Status {
                path,
                is,
                than,
                lasts,
            } => {
                let path = path.inside(system).filter(|_| lasts.get().is_zero())?;
                let operator = OPERATORS.iter().find(|(_, operator)| operator == is)?;
                let target = path.target();
                self.conditions.comparisons.push(Comparison {
                    left: StatusVariable {
                        module: slug(&target.module),
                        status: target.status.to_string(),
                        keys: Vec::new(),
                    },
                    operator: operator.0.to_owned(),
                    right: Some(than.clone()).filter(is_constant)?,
                });
            }
            Condition::Cron { cron, timezone } => {
                self.conditions.time_dependents.push(TimeDependent {
                    kind: TimeKind::Cron,
                    time: None,
                    cron: Some(cron.as_str().to_owned()),
                    timezone: timezone.clone(),
                });
            }
            Condition::At(moment) => {
                let is_whole = moment.0.is_multiple_of(MICROS);
                self.conditions.time_dependents.push(TimeDependent {
                    kind: TimeKind::At,
                    time: Some(moment.0 / MICROS).filter(|_| is_whole),
                    cron: None,
                    timezone: None,
                });
                return is_whole.then_some(());
            }
            Condition::Webhook(key) => {
                self.has_webhook = true;
                return matches!(key, WebhookKey::Secret(_)).then_some(());
            }
            Condition::Event { .. } => return None,
        }
        Some(())
    }
}

const MICROS: u64 = 1_000_000;

/// A module as PlaceOS names it within a room.
fn slug(module: &ModulePath) -> String {
    format!("{}_{}", module.module, module.index)
}

/// Whether PlaceOS takes this as a value to compare with: a text, a number, true or false.
fn is_constant(json: &JsonText) -> bool {
    !json.is_null() && !json.as_str().starts_with(['[', '{'])
}

fn call(action: &Action, system: Option<&SystemId>) -> Option<Call> {
    let Action::Call {
        path,
        args,
        result: None,
    } = action
    else {
        return None;
    };
    let path = path.inside(system)?;
    let args = match args {
        None => IndexMap::new(),
        Some(args) if args.as_str().starts_with('{') => args.to().ok()?,
        Some(_) => return None,
    };
    Some(Call {
        module: slug(&path.target().module),
        method: path.target().function.to_string(),
        args,
    })
}

/// Why a part cannot be as it is: the field, and what it can be.
type Misplaced = (String, String);

/// A map of these members, as JSON.
fn object(members: &IndexMap<&str, JsonText>) -> JsonText {
    JsonText::of(members).expect("a map of texts to JSON is JSON")
}

fn text(text: &str) -> JsonText {
    JsonText::of(text).expect("every text can be written as JSON")
}

impl Comparison {
    /// The same as a condition on the system around it, as JSON.
    pub(super) fn condition(&self, place: usize) -> Result<JsonText, Misplaced> {
        let at = |field: &str| format!("conditions.comparisons[{place}].{field}");
        let wrong = |field: &str, reason: &str| (at(field), reason.to_owned());
        let (module, index) = module_slug(&self.left.module)
            .ok_or_else(|| wrong("left.mod", "must be a module with its index, as Display_1"))?;
        let status = StatusName::new(&self.left.status)
            .map_err(|reason| (at("left.status"), reason.to_string()))?;
        if !self.left.keys.is_empty() {
            return Err(wrong(
                "left.keys",
                "must be empty, for a whole status is compared",
            ));
        }
        let mut operators = OPERATORS.iter();
        let operator = operators.find(|(word, _)| *word == self.operator);
        let (_, operator) = operator.ok_or_else(|| {
            let words = OPERATORS.map(|(word, _)| word);
            wrong(
                "operator",
                &format!("must be {}", crate::model::one_of(&words)),
            )
        })?;
        if !is_constant(&self.right) {
            return Err(wrong("right", "must be a text, a number, true or false"));
        }
        let path = LocalPath::around(module, index, |module| StatusPath::new(module, status));
        Ok(object(&IndexMap::from([
            ("status", text(path.as_str())),
            ("is", text(operator.as_str())),
            ("than", self.right.clone()),
        ])))
    }
}

impl TimeDependent {
    /// The same as a condition, as JSON.
    pub(super) fn condition(&self, place: usize) -> Result<JsonText, Misplaced> {
        let wrong = |field: &str, reason: &str| {
            let field = format!("conditions.time_dependents[{place}].{field}");
            Err((field, reason.to_owned()))
        };
        match (self.kind, self.time, &self.cron) {
            (TimeKind::At, Some(seconds), None) if self.timezone.is_none() => {
                let moment = Timestamp(seconds.saturating_mul(MICROS));
                let micros = i64::try_from(moment.0).ok();
                let moment = micros.and_then(|it| jiff::Timestamp::from_microsecond(it).ok());
                match moment {
                    Some(moment) => {
                        Ok(object(&IndexMap::from([("at", text(&moment.to_string()))])))
                    }
                    None => wrong("time", "is too far away"),
                }
            }
            (TimeKind::Cron, None, Some(cron)) => {
                let mut members = IndexMap::from([("cron", text(cron))]);
                members.extend(
                    self.timezone
                        .as_deref()
                        .map(|zone| ("timezone", text(zone))),
                );
                Ok(object(&members))
            }
            (TimeKind::At, ..) => wrong("time", "must be there, in Unix seconds, and nothing else"),
            (TimeKind::Cron, ..) => wrong("cron", "must be there, and no `time`"),
        }
    }
}

impl Call {
    /// The same as a step in the system around it, as JSON.
    pub(super) fn step(&self, place: usize) -> Result<JsonText, Misplaced> {
        let at = |field: &str| format!("actions.functions[{place}].{field}");
        let (module, index) = module_slug(&self.module).ok_or_else(|| {
            let reason = "must be a module with its index, as Display_1";
            (at("mod"), reason.to_owned())
        })?;
        let function =
            FunctionName::new(&self.method).map_err(|reason| (at("method"), reason.to_string()))?;
        let path = LocalPath::around(module, index, |module| FunctionPath::new(module, function));
        let mut members = IndexMap::from([("call", text(path.as_str()))]);
        if !self.args.is_empty() {
            let args = JsonText::of(&self.args).expect("a map of texts to JSON is JSON");
            members.insert("args", args);
        }
        Ok(object(&members))
    }
}
