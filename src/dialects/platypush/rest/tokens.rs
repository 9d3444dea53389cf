//! Which token is to end.

use serde::Deserialize;

use crate::dialects::platypush::errors::AuthError;
use crate::model::{Secret, SessionId};

/// A token, by itself or by its id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Revocation {
    /// This one.
    Token(Secret),
    /// The one with this id.
    Id(SessionId),
}

impl Revocation {
    /// Reads the body of `DELETE /tokens` or `DELETE /auth`. `None` where it names no token.
    pub fn read(body: &[u8]) -> Result<Option<Self>, AuthError> {
        #[derive(Deserialize)]
        struct Body {
            #[serde(default)]
            token: Option<String>,
            #[serde(default)]
            token_id: Option<serde_json::Value>,
        }
        if body.trim_ascii().is_empty() {
            return Ok(None);
        }
        let body: Body = serde_json::from_slice(body).map_err(|_| AuthError::Refused {
            status: 400,
            message: "The body is not valid JSON".to_owned(),
        })?;
        match (body.token, body.token_id) {
            (Some(token), _) => Ok(Some(Self::Token(Secret::new(token)))),
            (None, Some(id)) => {
                let id = id.as_str().and_then(SessionId::parse);
                id.map(|id| Some(Self::Id(id)))
                    .ok_or(AuthError::InvalidToken)
            }
            (None, None) => Ok(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_named_by_itself_or_by_its_id() {
        let id = format!("{:032x}", 7);
        for (body, expect) in [
            (
                r#"{"token":"a.b"}"#,
                Ok(Some(Revocation::Token(Secret::new("a.b")))),
            ),
            (
                &format!(r#"{{"token_id":"{id}"}}"#),
                Ok(Some(Revocation::Id(SessionId(7)))),
            ),
            (r#"{"token_id":2}"#, Err(AuthError::InvalidToken)),
            ("{}", Ok(None)),
            ("", Ok(None)),
        ] {
            assert_eq!(Revocation::read(body.as_bytes()), expect, "{body}");
        }
        assert_eq!(Revocation::read(b"x").unwrap_err().status(), 400);
    }
}
