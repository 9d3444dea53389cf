//! What is asked of `POST /auth`: a token, a session, or that the first user is made.

use std::time::Duration;

use serde::Deserialize;

use crate::dialects::fields::Fields;
use crate::dialects::platypush::errors::AuthError;
use crate::model::Secret;

/// How long a token lasts whose life is not said: as long as any may.
const TOKEN_LIFE: Duration = Duration::from_secs(3650 * 24 * 60 * 60);

/// How long one lasts at least: the gateway's clock goes by seconds.
const TOKEN_LIFE_MIN: Duration = Duration::from_secs(1);

const DAY_SECONDS: f64 = 24.0 * 60.0 * 60.0;

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuthType {
    /// A token, for a name and a password or for a session.
    Token,
    /// A token by the older name.
    Jwt,
    /// The first user.
    Register,
    /// A session.
    Login,
}

/// A request that is as it has to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AuthRequest {
    /// Make a token, for this user or for the one whose session is shown.
    Token {
        /// Name and password; `None` for the session.
        user: Option<(String, Secret)>,
        /// What the token is to be.
        token: NewToken,
    },
    /// Make the first user, who is signed in by that.
    Register(String, Secret),
    /// Sign in.
    Login(String, Secret),
}

/// A token that is to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewToken {
    /// What its user calls it; `None` for a name of the gateway's.
    pub name: Option<String>,
    /// How long it is good.
    pub life: Duration,
}

impl AuthType {
    /// Reads the query.
    pub fn of(query: &str) -> Result<Self, AuthError> {
        let mut pairs = form_urlencoded::parse(query.as_bytes());
        let kind = pairs.find(|(name, _)| name == "type");
        match kind.as_ref().map(|(_, kind)| &**kind) {
            None | Some("" | "token") => Ok(Self::Token),
            Some("jwt") => Ok(Self::Jwt),
            Some("register") => Ok(Self::Register),
            Some("login") => Ok(Self::Login),
            Some(_) => Err(AuthError::InvalidAuthType),
        }
    }
}

impl AuthRequest {
    /// Reads the body.
    pub fn read(
        kind: AuthType,
        content_type: Option<&str>,
        body: &[u8],
    ) -> Result<Self, AuthError> {
        match kind {
            AuthType::Token => {
                let body = TokenBody::read(body)?;
                let token = body.token()?;
                let user = match (body.username, body.password) {
                    (None, None) => None,
                    (Some(name), Some(password)) => Some((name, Secret::new(password))),
                    (_, _) => return Err(AuthError::InvalidCredentials),
                };
                Ok(Self::Token { user, token })
            }
            AuthType::Jwt => {
                let body = TokenBody::read(body)?;
                let token = body.token()?;
                let name = body.username.ok_or(AuthError::MissingUsername)?;
                let password = body.password.ok_or(AuthError::MissingPassword)?;
                let user = Some((name, Secret::new(password)));
                Ok(Self::Token { user, token })
            }
            AuthType::Register => {
                let form = Form::read(content_type, body)?;
                let name = form.get("username").ok_or(AuthError::MissingUsername)?;
                let password = form.get("password").ok_or(AuthError::MissingPassword)?;
                match form.get("confirm_password") == Some(password) {
                    true => Ok(Self::Register(name.to_owned(), Secret::new(password))),
                    false => Err(AuthError::PasswordMismatch),
                }
            }
            AuthType::Login => {
                let form = Form::read(content_type, body)?;
                let user = form.get("username").zip(form.get("password"));
                let (name, password) = user.ok_or(AuthError::InvalidCredentials)?;
                Ok(Self::Login(name.to_owned(), Secret::new(password)))
            }
        }
    }
}

/// The JSON of a request for a token. What it says of a second factor is passed over: there is none.
#[derive(Deserialize)]
struct TokenBody {
    #[serde(default)]
    username: Option<String>,
    #[serde(default)]
    password: Option<String>,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    expiry_days: Option<serde_json::Value>,
}

impl TokenBody {
    fn read(body: &[u8]) -> Result<Self, AuthError> {
        let is_object = body.trim_ascii_start().starts_with(b"{");
        let body = is_object.then(|| serde_json::from_slice(body).ok());
        let body: Self = body.flatten().ok_or_else(|| AuthError::Refused {
            status: 400,
            message: "The body is not a JSON object".to_owned(),
        })?;
        let is_there = |text: &String| !text.is_empty();
        Ok(Self {
            username: body.username.filter(is_there),
            password: body.password.filter(is_there),
            name: body.name.filter(is_there),
            expiry_days: body.expiry_days,
        })
    }

    /// The pages send the days as a number, such as 0.5, or as what stands in a field.
    fn token(&self) -> Result<NewToken, AuthError> {
        let days = match &self.expiry_days {
            None | Some(serde_json::Value::Null) => Some(0.0),
            Some(serde_json::Value::String(text)) if text.trim().is_empty() => Some(0.0),
            Some(serde_json::Value::String(text)) => text.trim().parse().ok(),
            Some(days) => days.as_f64(),
        };
        let life = days.and_then(life_of).ok_or_else(|| AuthError::Refused {
            status: 400,
            message: "expiry_days is a number of days, 0 for as many as there may be".to_owned(),
        })?;
        Ok(NewToken {
            name: self.name.clone(),
            life,
        })
    }
}

/// How long a token of so many days lasts; `None` for what is no number of days.
fn life_of(days: f64) -> Option<Duration> {
    let life = Duration::try_from_secs_f64(days * DAY_SECONDS).ok()?;
    Some(match days > 0.0 {
        true => life.max(TOKEN_LIFE_MIN),
        false => TOKEN_LIFE,
    })
}

/// A form, or the same as JSON.
struct Form(Fields);

impl Form {
    fn read(content_type: Option<&str>, body: &[u8]) -> Result<Self, AuthError> {
        let json = || {
            let fields: std::collections::BTreeMap<String, serde_json::Value> =
                serde_json::from_slice(body).ok()?;
            let texts = fields
                .into_iter()
                .filter_map(|(name, value)| Some((name, value.as_str()?.to_owned())));
            Some(texts.collect())
        };
        let is_json = body.trim_ascii_start().starts_with(b"{");
        if let Some(fields) = is_json.then(json).flatten() {
            return Ok(Self(fields));
        }
        let fields = Fields::read(content_type, body).map_err(|bad| AuthError::Refused {
            status: 400,
            message: bad.to_string(),
        })?;
        Ok(Self(fields))
    }

    /// A field that is not empty.
    fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).filter(|value| !value.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FORM: Option<&str> = Some("application/x-www-form-urlencoded");

    fn token(body: &str) -> Result<AuthRequest, AuthError> {
        AuthRequest::read(AuthType::Token, Some("application/json"), body.as_bytes())
    }

    fn named(hours: u64, name: Option<&str>) -> NewToken {
        NewToken {
            name: name.map(str::to_owned),
            life: Duration::from_secs(hours * 60 * 60),
        }
    }

    #[test]
    fn the_type_is_a_token_unless_it_is_said() {
        assert_eq!(AuthType::of(""), Ok(AuthType::Token));
        assert_eq!(AuthType::of("a=b&type=jwt"), Ok(AuthType::Jwt));
        assert_eq!(AuthType::of("type=register"), Ok(AuthType::Register));
        assert_eq!(AuthType::of("type=login"), Ok(AuthType::Login));
        assert_eq!(AuthType::of("type=foo"), Err(AuthError::InvalidAuthType));
    }

    #[test]
    fn a_token_is_for_a_user_or_for_a_session() {
        let user = Some(("ops".to_owned(), Secret::new("pw")));
        let read = token(r#"{"username":"ops","password":"pw","name":"tablet","expiry_days":30}"#);
        let asked = AuthRequest::Token {
            user: user.clone(),
            token: named(30 * 24, Some("tablet")),
        };
        assert_eq!(read, Ok(asked));
        let by_session = AuthRequest::Token {
            user: None,
            token: named(3650 * 24, None),
        };
        for forever in ["{}", r#"{"expiry_days":0}"#, r#"{"expiry_days":""}"#] {
            assert_eq!(token(forever), Ok(by_session.clone()), "{forever}");
        }
        assert_eq!(
            token(r#"{"username":"ops"}"#),
            Err(AuthError::InvalidCredentials)
        );
        assert_eq!(
            token(r#"{"password":"pw"}"#),
            Err(AuthError::InvalidCredentials)
        );
        let text = r#"{"username":"ops","password":"pw","expiry_days":"1"}"#;
        let asked = AuthRequest::Token {
            user,
            token: named(24, None),
        };
        assert_eq!(token(text), Ok(asked));
        let half_a_day = AuthRequest::Token {
            user: None,
            token: named(12, None),
        };
        assert_eq!(token(r#"{"expiry_days":0.5}"#), Ok(half_a_day));
        for bad in [
            "",
            "x",
            "[]",
            r#"{"expiry_days":"soon"}"#,
            r#"{"expiry_days":-1}"#,
            r#"{"expiry_days":1e300}"#,
            r#"{"expiry_days":"nan"}"#,
        ] {
            assert_eq!(token(bad).unwrap_err().status(), 400, "{bad}");
        }
        let jwt = AuthRequest::read(AuthType::Jwt, None, br#"{"username":"ops"}"#);
        assert_eq!(jwt, Err(AuthError::MissingPassword));
    }

    #[test]
    fn a_registration_says_the_password_twice() {
        let register = |body: &str| AuthRequest::read(AuthType::Register, FORM, body.as_bytes());
        let good = register("username=ops&password=p+w&confirm_password=p+w&remember=1");
        assert_eq!(
            good,
            Ok(AuthRequest::Register("ops".to_owned(), Secret::new("p w")))
        );
        for (body, expect) in [
            ("password=x&confirm_password=x", AuthError::MissingUsername),
            (
                "username=ops&confirm_password=x",
                AuthError::MissingPassword,
            ),
            (
                "username=ops&password=x&confirm_password=y",
                AuthError::PasswordMismatch,
            ),
            ("username=ops&password=x", AuthError::PasswordMismatch),
        ] {
            assert_eq!(register(body), Err(expect), "{body}");
        }
    }

    #[test]
    fn a_sign_in_may_be_a_form_of_any_kind() {
        let login = |kind, body: &[u8]| AuthRequest::read(AuthType::Login, kind, body);
        let expect = Ok(AuthRequest::Login("ops".to_owned(), Secret::new("pw")));
        assert_eq!(login(FORM, b"username=ops&password=pw"), expect);
        assert_eq!(
            login(None, br#"{"username":"ops","password":"pw"}"#),
            expect
        );
        let parts = b"--x\r\nContent-Disposition: form-data; name=\"username\"\r\n\r\nops\r\n--x\r\nContent-Disposition: form-data; name=\"password\"\r\n\r\npw\r\n--x--\r\n";
        assert_eq!(
            login(Some("multipart/form-data; boundary=x"), parts),
            expect
        );
        assert_eq!(
            login(FORM, b"username=ops"),
            Err(AuthError::InvalidCredentials)
        );
    }
}
