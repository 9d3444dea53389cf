//! A template that is rendered once, for a client that subscribes to nothing.
//!
//! Separate from `template.rs`, whose templates are rendered again: what this one asks for is read and not followed.
//! It is rendered with what is known, the modules of entities that it asked for are read, and it is rendered again; this takes a few rounds at most.

use std::collections::HashMap;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::dialects::home_assistant::entities::View;
use crate::dialects::home_assistant::limits;
use crate::dialects::home_assistant::session::template_windows::{FUNCTIONS, Sight};
use crate::dialects::home_assistant::session::watched::Watched;
use crate::expressions::{Missing, Scope, Template, Value};
use crate::model::{Event, JsonText, ModulePath};

/// A template that is being rendered once.
#[derive(Debug)]
pub struct OneRendering {
    template: Template,
    variables: Scope,
    read: Watched,
    rounds: usize,
}

/// Why a template cannot be rendered, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadTemplate(pub String);

/// What came of one round.
#[derive(Debug, PartialEq, Eq)]
pub enum Round {
    /// What these modules say has to be [learned](OneRendering::learn).
    Read(Vec<Arc<ModulePath>>),
    /// The text.
    Text(String),
}

/// The body of a request.
#[derive(Deserialize)]
struct Body<'a> {
    template: String,
    #[serde(borrow)]
    variables: Option<HashMap<String, &'a RawValue>>,
}

impl OneRendering {
    /// Reads the body of a request: the template, and variables for it.
    ///
    /// # Errors
    ///
    /// Why it is none.
    pub fn of_body(body: &[u8]) -> Result<Self, BadTemplate> {
        let body: Body<'_> = serde_json::from_slice(body).map_err(|_| {
            let why = "the body has to be an object with a text `template` and, if you like, an object `variables`";
            BadTemplate(why.to_owned())
        })?;
        let template = Template::parse(&body.template, &FUNCTIONS);
        let template = template.map_err(|error| BadTemplate(error.to_string()))?;
        let variables = body.variables.unwrap_or_default().into_iter();
        let variables =
            variables.map(|(name, value)| (name, Value::of_json(&JsonText::from_raw(value))));
        Ok(Self {
            template,
            variables: variables.collect(),
            read: Watched::default(),
            rounds: 0,
        })
    }

    /// Renders it with what is known at this time, in Unix seconds.
    ///
    /// # Errors
    ///
    /// Why it cannot be rendered.
    pub fn round(&mut self, view: &View, now: u64) -> Result<Round, BadTemplate> {
        let sight = Sight::new(view, &self.read, now);
        let rendered = self
            .template
            .render(&self.variables, &sight, Missing::Empty);
        let new = self.read.lacking(view, &sight.asked().entities);
        if !new.is_empty() && self.rounds < limits::TEMPLATE_ROUNDS_MAX {
            self.rounds += 1;
            for place in &new {
                self.read.begin(place);
            }
            return Ok(Round::Read(new));
        }
        let text = rendered.map_err(|error| BadTemplate(error.to_string()))?;
        Ok(Round::Text(text))
    }

    /// Takes what modules say.
    pub fn learn(&mut self, events: &[Event]) {
        for event in events {
            self.read.take(event);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(body: &str, rendered: Result<&str, &str>) {
        let round = OneRendering::of_body(body.as_bytes())
            .and_then(|mut rendering| rendering.round(&View::default(), 60));
        match (rendered, round) {
            (Ok(text), Ok(Round::Text(round))) => assert_eq!(round, text),
            (Err(part), Err(BadTemplate(why))) => assert!(why.contains(part), "{why}"),
            (_, round) => panic!("{body} is {round:?}"),
        }
    }

    #[test]
    fn a_template_is_rendered_with_its_variables_and_the_time() {
        check(r#"{"template":"{{ 1 + 1 }}"}"#, Ok("2"));
        let greeting = r#"{"template":"Hello {{ who }}{{ x }}","variables":{"who":"Ann"}}"#;
        check(greeting, Ok("Hello Ann"));
        let now = r#"{"template":"{{ now() }}"}"#;
        check(now, Ok("1970-01-01 00:01:00+00:00"));
        let unknown = r#"{"template":"{{ states('sensor.none') }}","variables":null}"#;
        check(unknown, Ok("unknown"));
    }

    #[test]
    fn what_is_no_template_is_told_so() {
        for body in ["", "[]", "{}", r#"{"template":1}"#] {
            check(body, Err("`template`"));
        }
        check(r#"{"template":"{{ nothing("}"#, Err(""));
        check(r#"{"template":"{{ 1 / 0 }}"}"#, Err(""));
    }
}
