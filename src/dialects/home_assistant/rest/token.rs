//! What is asked of `POST /auth/token` and `POST /auth/revoke`, and what is answered.

use serde::Serialize;

use crate::dialects::home_assistant::rest::{Fields, is_client};
use crate::model::Secret;

/// The name of the provider that signs in with a name and a password.
const PROVIDER: &str = "homeassistant";

/// What is asked of `POST /auth/token`.
#[derive(Debug)]
pub enum TokenRequest {
    /// The tokens of a code.
    Code {
        /// The code.
        code: Secret,
        /// The app.
        client: String,
    },
    /// The next access token.
    Refresh {
        /// The refresh token.
        token: Secret,
        /// The app, where it says so.
        client: Option<String>,
    },
    /// The end of a refresh token, as older clients ask for it.
    Revoke {
        /// The refresh token.
        token: Option<Secret>,
    },
}

/// Why there is no token, in the words of the original.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenRefusal {
    /// The app has no address, or none that is one.
    InvalidClient,
    /// The code is none, no longer, or another app's.
    InvalidCode,
    /// Something is missing, or the refresh token is another app's.
    InvalidRequest,
    /// The refresh token is none, or no longer.
    InvalidGrant,
    /// No such way to get a token.
    UnsupportedGrant,
    /// Too many have failed, or there is trouble here: the app may try again.
    Unavailable,
}

#[derive(Serialize)]
struct RefusalShape {
    error: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_description: Option<&'static str>,
}

impl TokenRequest {
    /// Reads the fields.
    pub fn read(fields: &Fields) -> Result<Self, TokenRefusal> {
        let secret = |name| fields.get(name).map(Secret::new);
        let client = fields.get("client_id");
        if fields.get("action") == Some("revoke") {
            return Ok(Self::Revoke {
                token: secret("token"),
            });
        }
        match fields.get("grant_type") {
            Some("authorization_code") => {
                let client = client.filter(|client| is_client(client));
                let client = client.ok_or(TokenRefusal::InvalidClient)?;
                Ok(Self::Code {
                    code: secret("code").ok_or(TokenRefusal::InvalidCode)?,
                    client: client.to_owned(),
                })
            }
            Some("refresh_token") => {
                if client.is_some_and(|client| !is_client(client)) {
                    return Err(TokenRefusal::InvalidClient);
                }
                Ok(Self::Refresh {
                    token: secret("refresh_token").ok_or(TokenRefusal::InvalidRequest)?,
                    client: client.map(str::to_owned),
                })
            }
            Some(_) | None => Err(TokenRefusal::UnsupportedGrant),
        }
    }
}

impl TokenRefusal {
    /// The HTTP status.
    pub fn status(self) -> u16 {
        match self {
            Self::InvalidClient
            | Self::InvalidCode
            | Self::InvalidRequest
            | Self::InvalidGrant
            | Self::UnsupportedGrant => 400,
            Self::Unavailable => 503,
        }
    }

    /// The body.
    pub fn to_json(self) -> String {
        let (error, error_description) = match self {
            Self::InvalidClient => ("invalid_request", Some("Invalid client id")),
            Self::InvalidCode => ("invalid_request", Some("Invalid code")),
            Self::InvalidRequest => ("invalid_request", None),
            Self::InvalidGrant => ("invalid_grant", None),
            Self::UnsupportedGrant => ("unsupported_grant_type", None),
            Self::Unavailable => ("temporarily_unavailable", Some("Try again later")),
        };
        let shape = RefusalShape {
            error,
            error_description,
        };
        serde_json::to_string(&shape).expect("the shape has text keys")
    }
}

/// The tokens that an app gets.
#[derive(Debug)]
pub struct TokenAnswer<'a> {
    /// The access token.
    pub access: &'a Secret,
    /// The refresh token, where the app has none yet.
    pub refresh: Option<&'a Secret>,
    /// How long the access token is good, in seconds.
    pub expires_in: u64,
}

#[derive(Serialize)]
struct TokenShape<'a> {
    access_token: &'a str,
    token_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<&'a str>,
    expires_in: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    ha_auth_provider: Option<&'static str>,
}

impl TokenAnswer<'_> {
    /// The body.
    pub fn to_json(&self) -> String {
        let shape = TokenShape {
            access_token: self.access.expose(),
            token_type: "Bearer",
            refresh_token: self.refresh.map(Secret::expose),
            expires_in: self.expires_in,
            ha_auth_provider: self.refresh.is_some().then_some(PROVIDER),
        };
        serde_json::to_string(&shape).expect("the shape has text keys")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(form: &str, refusal: TokenRefusal, body: &str) {
        let fields = Fields::read(None, form.as_bytes()).unwrap();
        let refused = TokenRequest::read(&fields).unwrap_err();
        assert_eq!(refused, refusal, "{form}");
        assert_eq!(
            (refused.status(), &*refused.to_json()),
            (400, body),
            "{form}"
        );
    }

    #[test]
    fn a_request_that_is_not_whole_is_refused_in_the_words_of_the_original() {
        let client = r#"{"error":"invalid_request","error_description":"Invalid client id"}"#;
        let code = r#"{"error":"invalid_request","error_description":"Invalid code"}"#;
        let code_form = "grant_type=authorization_code";
        check(code_form, TokenRefusal::InvalidClient, client);
        let named = format!("{code_form}&client_id=app&code=x");
        check(&named, TokenRefusal::InvalidClient, client);
        let without = format!("{code_form}&client_id=http://a.test/");
        check(&without, TokenRefusal::InvalidCode, code);
        let refresh = "grant_type=refresh_token";
        let invalid = r#"{"error":"invalid_request"}"#;
        check(refresh, TokenRefusal::InvalidRequest, invalid);
        let named = format!("{refresh}&client_id=app&refresh_token=x");
        check(&named, TokenRefusal::InvalidClient, client);
        let unsupported = r#"{"error":"unsupported_grant_type"}"#;
        for form in ["", "grant_type=password"] {
            check(form, TokenRefusal::UnsupportedGrant, unsupported);
        }
    }

    #[test]
    fn an_answer_has_a_refresh_token_once() {
        let (access, refresh) = (Secret::new("a"), Secret::new("r"));
        let mut answer = TokenAnswer {
            access: &access,
            refresh: Some(&refresh),
            expires_in: 1_800,
        };
        assert_eq!(
            answer.to_json(),
            r#"{"access_token":"a","token_type":"Bearer","refresh_token":"r","expires_in":1800,"ha_auth_provider":"homeassistant"}"#
        );
        answer.refresh = None;
        assert_eq!(
            answer.to_json(),
            r#"{"access_token":"a","token_type":"Bearer","expires_in":1800}"#
        );
    }
}
