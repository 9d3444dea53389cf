//! The steps of a sign-in: a form is asked for, filled in, and answered with a code.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::dialects::home_assistant::rest::{is_client, may_return};
use crate::model::Secret;

/// `GET /auth/providers`: users sign in with a name and a password.
pub const PROVIDERS: &str = r#"{"providers":[{"name":"Home Assistant Local","id":null,"type":"homeassistant"}],"preselect_remember_me":true}"#;

const PROVIDER: &str = "homeassistant";

/// The first request of a flow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Begin {
    /// The app.
    pub client: String,
    /// Where its code goes.
    pub redirect: String,
}

/// A filled-in form.
#[derive(Debug)]
pub struct Step {
    /// The app.
    pub client: String,
    /// Who signs in.
    pub username: String,
    /// By what.
    pub password: Secret,
}

/// Why a step is not taken: a status and a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadStep {
    /// The HTTP status.
    pub status: u16,
    /// The message.
    pub message: String,
}

impl BadStep {
    fn new(status: u16, message: impl Into<String>) -> Self {
        let message = message.into();
        Self { status, message }
    }

    /// There is no such flow, or no longer.
    pub fn unknown() -> Self {
        Self::new(404, "Invalid flow specified")
    }

    /// The flow was begun elsewhere.
    pub fn other_address() -> Self {
        Self::new(400, "IP address changed")
    }

    /// Too many flows are open.
    pub fn crowded() -> Self {
        Self::new(
            429,
            "Too many sign-ins are open; finish one or try again later",
        )
    }

    /// Another app's.
    pub fn other_client() -> Self {
        Self::new(400, "Invalid client id")
    }
}

fn object(body: &[u8]) -> Result<serde_json::Map<String, Value>, BadStep> {
    match serde_json::from_slice(body) {
        Ok(Value::Object(fields)) => Ok(fields),
        Ok(_) => Err(BadStep::new(
            400,
            "Message format incorrect: expected a dictionary",
        )),
        Err(_) => Err(BadStep::new(400, "Invalid JSON.")),
    }
}

/// A text of the message. What stands there is not shown: it may be a password.
fn text<'a>(fields: &'a serde_json::Map<String, Value>, name: &str) -> Result<&'a str, BadStep> {
    let wrong = match fields.get(name) {
        Some(Value::String(text)) => return Ok(text),
        Some(_) => format!("expected str for dictionary value @ data['{name}']"),
        None => format!("required key not provided @ data['{name}']"),
    };
    Err(BadStep::new(
        400,
        format!("Message format incorrect: {wrong}"),
    ))
}

impl Begin {
    /// Reads the body.
    pub fn read(body: &[u8]) -> Result<Self, BadStep> {
        let fields = object(body)?;
        let client = text(&fields, "client_id")?;
        let redirect = text(&fields, "redirect_uri")?;
        let is_known = match fields.get("handler") {
            Some(Value::String(name)) => name == PROVIDER,
            Some(Value::Array(names)) => {
                *names == [Value::from(PROVIDER), Value::Null] || *names == [Value::from(PROVIDER)]
            }
            Some(_) | None => {
                let wrong = "Message format incorrect: required key not provided @ data['handler']";
                return Err(BadStep::new(400, wrong));
            }
        };
        if !is_known {
            return Err(BadStep::new(404, "Invalid handler specified"));
        }
        if !is_client(client) {
            return Err(BadStep::new(400, "Invalid client id"));
        }
        if !may_return(client, redirect) {
            return Err(BadStep::new(403, "Invalid redirect URI"));
        }
        Ok(Self {
            client: client.to_owned(),
            redirect: redirect.to_owned(),
        })
    }
}

/// The fields of the form.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Filled {
    client_id: String,
    username: String,
    password: String,
}

impl Step {
    /// Reads the body.
    pub fn read(body: &[u8]) -> Result<Self, BadStep> {
        let fields = object(body)?;
        if !is_client(text(&fields, "client_id")?) {
            return Err(BadStep::other_client());
        }
        // The parser's own words could quote the password.
        let malformed = |_| BadStep::new(400, "User input malformed");
        let Filled {
            client_id,
            username,
            password,
        } = serde_json::from_value(Value::Object(fields)).map_err(malformed)?;
        Ok(Self {
            client: client_id,
            username,
            password: Secret::new(password),
        })
    }
}

/// The form, with what was wrong the last time.
#[derive(Debug, Serialize)]
pub struct Form<'a> {
    r#type: &'static str,
    flow_id: &'a str,
    handler: [Option<&'static str>; 2],
    data_schema: [Field; 2],
    errors: Errors,
    description_placeholders: Option<()>,
    last_step: Option<()>,
    preview: Option<()>,
    step_id: &'static str,
}

#[derive(Debug, Serialize)]
struct Field {
    r#type: &'static str,
    name: &'static str,
    required: bool,
}

#[derive(Debug, Serialize)]
struct Errors {
    #[serde(skip_serializing_if = "Option::is_none")]
    base: Option<&'static str>,
}

impl<'a> Form<'a> {
    /// The form of a flow; `error` is the word for what was wrong.
    pub fn new(flow: &'a str, error: Option<&'static str>) -> Self {
        let field = |name| Field {
            r#type: "string",
            name,
            required: true,
        };
        Self {
            r#type: "form",
            flow_id: flow,
            handler: [Some(PROVIDER), None],
            data_schema: [field("username"), field("password")],
            errors: Errors { base: error },
            description_placeholders: None,
            last_step: None,
            preview: None,
            step_id: "init",
        }
    }
}

/// The end of a flow: a code.
#[derive(Debug, Serialize)]
pub struct Entered<'a> {
    version: u8,
    r#type: &'static str,
    flow_id: &'a str,
    handler: [Option<&'static str>; 2],
    description: Option<()>,
    description_placeholders: Option<()>,
    result: &'a str,
}

impl<'a> Entered<'a> {
    /// The code of a flow.
    pub fn new(flow: &'a str, code: &'a Secret) -> Self {
        Self {
            version: 1,
            r#type: "create_entry",
            flow_id: flow,
            handler: [Some(PROVIDER), None],
            description: None,
            description_placeholders: None,
            result: code.expose(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_begin(body: &str, status: u16, message: &str) {
        let expect = BadStep::new(status, message);
        assert_eq!(Begin::read(body.as_bytes()), Err(expect), "{body}");
    }

    #[test]
    fn a_flow_begins_for_an_app_that_gets_its_code_itself() {
        let body = |client: &str, handler: &str, redirect: &str| {
            format!(r#"{{"client_id":"{client}","handler":{handler},"redirect_uri":"{redirect}"}}"#)
        };
        let (app, handler) = ("http://a.test/", r#"["homeassistant",null]"#);
        let good = body(app, handler, "http://a.test/x");
        assert!(Begin::read(good.as_bytes()).is_ok());
        check_begin("{", 400, "Invalid JSON.");
        let missing = "Message format incorrect: required key not provided @ data['client_id']";
        check_begin("{}", 400, missing);
        let unknown = body(app, r#"["insecure_example",null]"#, app);
        check_begin(&unknown, 404, "Invalid handler specified");
        check_begin(&body("app", handler, app), 400, "Invalid client id");
        let foreign = body(app, handler, "http://b.test/");
        check_begin(&foreign, 403, "Invalid redirect URI");
    }

    #[test]
    fn a_form_with_more_or_less_is_malformed_and_nothing_of_it_is_said() {
        for body in [
            r#"{"client_id":"http://a.test/","username":"ann"}"#,
            r#"{"client_id":"http://a.test/","username":"ann","password":"hunter2","x":1}"#,
            r#"{"client_id":"http://a.test/","username":1,"password":"hunter2"}"#,
        ] {
            let refused = Step::read(body.as_bytes()).unwrap_err();
            assert_eq!(refused, BadStep::new(400, "User input malformed"));
        }
    }

    #[test]
    fn a_form_says_what_was_wrong() {
        let json = |error| serde_json::to_value(Form::new("f", error)).unwrap();
        assert_eq!(json(None)["errors"], serde_json::json!({}));
        assert_eq!(
            json(Some("invalid_auth"))["errors"],
            serde_json::json!({"base": "invalid_auth"})
        );
        assert_eq!(
            json(None)["handler"],
            serde_json::json!(["homeassistant", null])
        );
    }
}
