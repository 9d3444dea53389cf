//! `riser status`: the statuses of a system's modules, and the functions that can be called.

use std::collections::BTreeMap;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::client::error::ClientError;
use crate::client::gateway::Gateway;
use crate::client::lists::{ModuleRow, modules_of};
use crate::client::output::{Output, Row};
use crate::client::rest::{Resource, Rest};
use crate::client::text::one_line;
use crate::model::{JsonText, ModuleIndex, ModuleName, SystemId};

/// What is looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusTarget {
    /// The system.
    pub system: SystemId,
    /// One of its modules; all when absent.
    pub module: Option<(ModuleName, ModuleIndex)>,
}

/// Prints a module, or all of a system.
pub(super) async fn run(
    gateway: &Gateway,
    target: &StatusTarget,
    output: &mut Output<'_>,
) -> Result<(), ClientError> {
    let system = target.system.as_str();
    let mut rest = Rest::new(gateway);
    let mut modules = modules_of(&mut rest, system).await?;
    if let Some((name, index)) = &target.module {
        let slug = format!("{name}_{index}");
        modules.retain(|module| module.slug() == slug);
        let Some(module) = modules.pop() else {
            return Err(ClientError::Failed {
                what: format!("{system}/{slug}"),
                reason: format!(
                    "there is no such module; riser modules {system} lists those that are there"
                ),
            });
        };
        let state = ModuleState::read(&mut rest, module).await?;
        return state.print(output);
    }
    if modules.is_empty() {
        output.say("there is no module, or the key reaches none");
    }
    for module in modules {
        let place = place(&module);
        match ModuleState::read(&mut rest, module).await {
            Ok(state) => state.print(output)?,
            // One that cannot be looked at hides none of the others.
            Err(error @ (ClientError::Failed { .. } | ClientError::Full { .. })) => {
                output.say(&format!("{place}: {error}"));
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// A function as the gateway describes it.
#[derive(Debug, Deserialize)]
pub(super) struct FunctionShape {
    #[serde(default)]
    pub(super) order: Vec<String>,
    /// The JSON Schema of each parameter.
    #[serde(default)]
    pub(super) params: IndexMap<String, Map<String, Value>>,
}

/// The functions of a module.
pub(super) async fn functions_of(
    rest: &mut Rest<'_>,
    system: &str,
    slug: &str,
) -> Result<IndexMap<String, FunctionShape>, ClientError> {
    let resource = Resource::at(["systems", system, "functions", slug]);
    rest.get(&format!("{system}/{slug}"), resource).await
}

#[derive(Serialize)]
struct ModuleState {
    #[serde(flatten)]
    module: ModuleRow,
    statuses: BTreeMap<String, JsonText>,
    functions: Vec<FunctionState>,
}

#[derive(Serialize)]
struct FunctionState {
    name: String,
    parameters: IndexMap<String, Map<String, Value>>,
}

#[derive(Serialize)]
struct StatusRow {
    name: String,
    value: String,
}

impl Row for StatusRow {
    const HEADINGS: &'static [&'static str] = &["STATUS", "VALUE"];

    fn cells(&self) -> Vec<String> {
        vec![self.name.clone(), self.value.clone()]
    }
}

#[derive(Serialize)]
struct FunctionRow {
    name: String,
    arguments: String,
}

impl Row for FunctionRow {
    const HEADINGS: &'static [&'static str] = &["FUNCTION", "ARGUMENTS"];

    fn cells(&self) -> Vec<String> {
        vec![self.name.clone(), self.arguments.clone()]
    }
}

impl ModuleState {
    async fn read(rest: &mut Rest<'_>, module: ModuleRow) -> Result<Self, ClientError> {
        let (system, slug) = (module.system(), module.slug());
        let resource = Resource::at(["systems", system, &slug]);
        let what = format!("{system}/{slug}");
        let texts: BTreeMap<String, String> = rest.get(&what, resource).await?;
        let functions = functions_of(rest, system, &slug).await?;
        let value = |text: &str| JsonText::parse(text).unwrap_or_else(|_| JsonText::null());
        let statuses = texts.into_iter();
        let statuses = statuses.map(|(name, text)| (name, value(&one_line(&text))));
        let functions = functions.into_iter().map(|(name, shape)| FunctionState {
            name,
            parameters: shape.params,
        });
        Ok(Self {
            statuses: statuses.collect(),
            functions: functions.collect(),
            module,
        })
    }

    fn print(&self, output: &mut Output<'_>) -> Result<(), ClientError> {
        let statuses: Vec<StatusRow> = self
            .statuses
            .iter()
            .map(|(name, value)| StatusRow {
                name: name.clone(),
                value: value.as_str().to_owned(),
            })
            .collect();
        let functions: Vec<FunctionRow> = self
            .functions
            .iter()
            .map(|function| FunctionRow {
                name: function.name.clone(),
                arguments: arguments(&function.parameters),
            })
            .collect();
        let (state, driver) = (self.module.state(), self.module.driver());
        let heading = format!(
            "{} {state}, {driver}, {}",
            place(&self.module),
            self.module.id
        );
        output.block(self, &heading, &statuses, &functions)
    }
}

fn place(module: &ModuleRow) -> String {
    format!("{}/{}", module.system(), module.slug())
}

fn shown(value: &Value) -> String {
    let text = JsonText::of(value).unwrap_or_else(|_| JsonText::null());
    one_line(text.as_str()).into_owned()
}

/// Parameters as one would write them: `name: string, by: integer = 1`.
fn arguments(parameters: &IndexMap<String, Map<String, Value>>) -> String {
    let one = |(name, schema): (&String, &Map<String, Value>)| {
        let kind = match (schema.get("enum"), schema.get("type")) {
            (Some(Value::Array(values)), _) => words(values, "|"),
            (_, Some(Value::Array(kinds))) => words(kinds, "|"),
            (_, Some(Value::String(kind))) => kind.clone(),
            _ => String::new(),
        };
        let kind = match kind.is_empty() {
            true => String::new(),
            false => format!(": {kind}"),
        };
        let default = schema
            .get("default")
            .map(|value| format!(" = {}", shown(value)));
        format!("{name}{kind}{}", default.unwrap_or_default())
    };
    parameters.iter().map(one).collect::<Vec<_>>().join(", ")
}

fn words(values: &[Value], between: &str) -> String {
    let word = |value: &Value| value.as_str().map_or_else(|| shown(value), str::to_owned);
    values.iter().map(word).collect::<Vec<_>>().join(between)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_shown_as_one_would_write_them() {
        let parameters = serde_json::from_str(
            r#"{"name":{"type":"string"},"to":{"enum":["hdmi",2]},"by":{"type":["integer","null"],"default":1},"any":{}}"#,
        )
        .unwrap();
        assert_eq!(
            arguments(&parameters),
            "name: string, to: hdmi|2, by: integer|null = 1, any"
        );
    }
}
