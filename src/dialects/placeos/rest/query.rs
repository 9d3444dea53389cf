//! A request's query, decoded, and the habits of its parameters.

use std::borrow::Cow;

use serde::Serialize;
use utoipa::ToSchema;
use utoipa::openapi::Required;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ObjectBuilder, Type};

use crate::model::whole_number;

/// The parameters of a query in their order.
#[derive(Debug, Clone, Default)]
pub struct Query<'a> {
    pairs: Vec<(Cow<'a, str>, Cow<'a, str>)>,
}

/// A parameter that cannot be read: the body of a 422.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct BadParameter {
    /// The whole for people.
    pub error: String,
    /// Which parameter.
    pub parameter: &'static str,
    /// What it can be.
    pub restriction: &'static str,
}

impl BadParameter {
    /// The HTTP status that goes with the body.
    pub const STATUS: u16 = 422;

    fn new(parameter: &'static str, restriction: &'static str) -> Self {
        Self {
            error: format!("{parameter} is not {restriction}"),
            parameter,
            restriction,
        }
    }
}

impl<'a> Query<'a> {
    /// Decodes the text behind the `?`. Whatever is no UTF-8 becomes U+FFFD.
    pub fn parse(text: &'a str) -> Self {
        Self {
            pairs: form_urlencoded::parse(text.as_bytes()).collect(),
        }
    }

    /// The first parameter of this name, also if it is empty.
    pub fn first(&self, name: &str) -> Option<&str> {
        self.pairs()
            .find(|(known, _)| *known == name)
            .map(|(_, value)| value)
    }

    /// Every parameter in its order.
    pub fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.pairs
            .iter()
            .map(|(name, value)| (name.as_ref(), value.as_ref()))
    }

    /// A parameter that is a text. An empty one is none.
    pub fn text(&self, name: &str) -> Option<&str> {
        let text = self.first(name)?.trim();
        (!text.is_empty()).then_some(text)
    }

    /// A parameter that counts. Clients send empty ones for what they do not ask.
    pub fn whole_number(&self, name: &'static str) -> Result<Option<usize>, BadParameter> {
        let Some(text) = self.text(name) else {
            return Ok(None);
        };
        let number = text.parse().ok().or_else(|| {
            let number = whole_number(text).ok()?;
            usize::try_from(number).ok()
        });
        match number {
            Some(number) => Ok(Some(number)),
            None => Err(BadParameter::new(name, "a whole number from 0")),
        }
    }

    /// A parameter that is `true` or `false`.
    pub fn truth(&self, name: &'static str) -> Result<Option<bool>, BadParameter> {
        self.text(name)
            .map(|text| text.to_ascii_lowercase().parse())
            .transpose()
            .map_err(|_| BadParameter::new(name, "true or false"))
    }

    /// The comma-separated items of a parameter.
    pub fn items(&self, name: &str) -> Vec<String> {
        self.pairs()
            .filter(|(known, _)| *known == name)
            .flat_map(|(_, value)| value.split(','))
            .map(str::trim)
            .filter(|item| !item.is_empty())
            .map(str::to_owned)
            .collect()
    }
}

/// What a parameter can be, for the specification.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    Text,
    WholeNumber,
    Truth,
    /// Texts with commas between them.
    Items,
}

/// The specification of a parameter that may be left out.
pub(super) fn parameter(name: &str, kind: Kind, description: &str) -> Parameter {
    let schema = ObjectBuilder::new().schema_type(match kind {
        Kind::Text | Kind::Items => Type::String,
        Kind::WholeNumber => Type::Integer,
        Kind::Truth => Type::Boolean,
    });
    let description = match kind {
        Kind::Items => format!("{description} Several have commas between them."),
        Kind::Text | Kind::WholeNumber | Kind::Truth => description.to_owned(),
    };
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Query)
        .required(Required::False)
        .description(Some(description))
        .schema(Some(schema))
        .build()
}
