//! The filters behind `|`, as in `x | round(1)`: one row each, with the parameters that it takes.
//!
//! All of them are ours, because each has to ask the budget before it makes something.
//! They know no scope and no window; what they are applied to has been evaluated.

mod lists;
mod numbers;
mod texts;

use super::error::Mistake;
use super::number::Number;
use super::value::Value;
use super::work::Work;

/// A filter by its name.
pub(super) struct Filter {
    pub(super) name: &'static str,
    /// In the order in which arguments are given without names.
    pub(super) parameters: &'static [&'static str],
    /// How many of them are needed.
    pub(super) required: usize,
    run: Run,
}

/// What a filter does with a value and its arguments, one place for each parameter.
type Run = fn(&Work, &Value, Arguments<'_>) -> Result<Value, Mistake>;

impl std::fmt::Debug for Filter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

impl Filter {
    pub(super) fn apply(
        &'static self,
        work: &Work,
        value: &Value,
        arguments: &[Option<Value>],
    ) -> Result<Value, Mistake> {
        work.budget.step()?;
        // What is looked through; a list is counted item by item.
        if let Value::Text(text) = value {
            work.budget.read(text)?;
        }
        (self.run)(
            work,
            value,
            Arguments {
                of: self,
                given: arguments,
            },
        )
    }
}

/// Looks whether there is a value at all: the evaluation does it, for a filter only gets values.
pub(super) const DEFAULT: &str = "default";

/// Other names of filters, as people write them.
const ALIASES: &[(&str, &str)] = &[
    ("d", DEFAULT),
    ("count", "length"),
    ("to_json", "tojson"),
    ("strip", "trim"),
];

/// Methods, each of which is a filter.
const METHODS: &[(&str, &str)] = &[
    ("lower", "lower"),
    ("upper", "upper"),
    ("strip", "trim"),
    ("replace", "replace"),
    ("split", "split"),
    ("startswith", "startswith"),
    ("endswith", "endswith"),
    ("get", "get"),
    ("items", "items"),
    ("keys", "keys"),
    ("values", "values"),
];

pub(super) fn find(name: &str) -> Option<&'static Filter> {
    let alias = ALIASES.iter().find(|(alias, _)| *alias == name);
    let name = alias.map_or(name, |(_, name)| name);
    FILTERS.iter().find(|filter| filter.name == name)
}

pub(super) fn names() -> impl Iterator<Item = &'static str> {
    FILTERS.iter().map(|filter| filter.name)
}

/// The filter that a method is.
pub(super) fn method(name: &str) -> Option<&'static str> {
    let known = METHODS.iter().find(|(method, _)| *method == name);
    known.map(|(_, filter)| *filter)
}

pub(super) fn methods() -> impl Iterator<Item = &'static str> {
    METHODS.iter().map(|(method, _)| *method)
}

const fn row(
    name: &'static str,
    parameters: &'static [&'static str],
    required: usize,
    run: Run,
) -> Filter {
    Filter {
        name,
        parameters,
        required,
        run,
    }
}

static FILTERS: &[Filter] = &[
    row(DEFAULT, &["default_value", "boolean"], 0, |_, value, _| {
        Ok(value.clone())
    }),
    // Texts.
    row("lower", &[], 0, texts::lower),
    row("upper", &[], 0, texts::upper),
    row("capitalize", &[], 0, texts::capitalize),
    row("trim", &["chars"], 0, texts::trim),
    row("replace", &["old", "new", "count"], 2, texts::replace),
    row("split", &["separator"], 0, texts::split),
    row("startswith", &["beginning"], 1, texts::startswith),
    row("endswith", &["end"], 1, texts::endswith),
    row("string", &[], 0, texts::string),
    row("tojson", &[], 0, texts::tojson),
    // Numbers.
    row("int", &["default"], 0, numbers::int),
    row("float", &["default"], 0, numbers::float),
    row("round", &["precision", "method"], 0, numbers::round),
    row("abs", &[], 0, numbers::abs),
    // Lists and objects.
    row("length", &[], 0, lists::length),
    row("first", &[], 0, lists::first),
    row("last", &[], 0, lists::last),
    row("list", &[], 0, lists::list),
    row("reverse", &[], 0, lists::reverse),
    row(
        "sort",
        &["reverse", "case_sensitive", "attribute"],
        0,
        lists::sort,
    ),
    row("unique", &["case_sensitive", "attribute"], 0, lists::unique),
    row("min", &["case_sensitive", "attribute"], 0, lists::min),
    row("max", &["case_sensitive", "attribute"], 0, lists::max),
    row("sum", &["attribute", "start"], 0, lists::sum),
    row("join", &["separator", "attribute"], 0, lists::join),
    row(
        "map",
        &["filter", "argument", "attribute", "default"],
        0,
        lists::map,
    ),
    row("select", &["test", "other"], 0, lists::select),
    row("reject", &["test", "other"], 0, lists::reject),
    row(
        "selectattr",
        &["attribute", "test", "other"],
        1,
        lists::selectattr,
    ),
    row(
        "rejectattr",
        &["attribute", "test", "other"],
        1,
        lists::rejectattr,
    ),
    row("items", &[], 0, lists::items),
    row("keys", &[], 0, lists::keys),
    row("values", &[], 0, lists::values),
    row("get", &["key", "default"], 1, lists::get),
];

/// The arguments of one application.
#[derive(Clone, Copy)]
struct Arguments<'a> {
    of: &'static Filter,
    given: &'a [Option<Value>],
}

impl<'a> Arguments<'a> {
    fn get(&self, parameter: &str) -> Option<&'a Value> {
        let place = self
            .of
            .parameters
            .iter()
            .position(|name| *name == parameter)?;
        self.given.get(place)?.as_ref()
    }

    fn text(&self, parameter: &'static str) -> Result<Option<&'a str>, Mistake> {
        let argument = self
            .get(parameter)
            .filter(|value| !matches!(value, Value::Null));
        argument
            .map(|value| {
                value
                    .as_text()
                    .ok_or_else(|| self.wrong(parameter, "a text"))
            })
            .transpose()
    }

    fn whole(&self, parameter: &'static str) -> Result<Option<i128>, Mistake> {
        let wrong = || self.wrong(parameter, "a whole number");
        let whole = |value: &Value| {
            let number = value.as_number();
            number.and_then(Number::as_whole).ok_or_else(wrong)
        };
        self.get(parameter).map(whole).transpose()
    }

    fn is_true(&self, parameter: &str) -> bool {
        self.get(parameter).is_some_and(Value::is_true)
    }

    fn wrong(&self, parameter: &str, wants: &str) -> Mistake {
        Mistake::Arguments {
            of: self.of.name.to_owned(),
            wrong: format!("needs {wants} as its argument {parameter}"),
        }
    }
}

/// The text that a filter needs.
fn text_of<'v>(value: &'v Value, what: &'static str) -> Result<&'v str, Mistake> {
    value.as_text().ok_or(Mistake::Kind {
        what,
        wants: "a text",
        is: value.kind(),
    })
}
