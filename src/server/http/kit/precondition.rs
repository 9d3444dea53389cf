//! The versions of an entry under which a caller wants its change made (RFC 9110 section 13).

use actix_web::HttpRequest;
use actix_web::http::StatusCode;
use actix_web::http::header::IF_MATCH;

use crate::model::Version;
use crate::server::http::kit::answers::tag;
use crate::server::http::kit::{HttpDialect, HttpRejection};

/// The versions of an entry under which a caller wants its change made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::server::http) enum Precondition {
    /// Whatever is there.
    Nothing,
    /// One of these tags: `If-Match`.
    Tags(Vec<String>),
    /// This number, which a dialect reads where its clients write it.
    Number(usize),
}

impl Precondition {
    /// Reads `If-Match`.
    pub(in crate::server::http) fn on_tags(request: &HttpRequest) -> Self {
        let mut lines = request.headers().get_all(IF_MATCH).peekable();
        if lines.peek().is_none() {
            return Self::Nothing;
        }
        let tags = lines
            .flat_map(|line| line.to_str().unwrap_or_default().split(','))
            .map(|tag| tag.trim().to_owned());
        Self::Tags(tags.collect())
    }

    /// Refuses an entry at another version, or none: 412 to `If-Match`, 409 to a number.
    pub(in crate::server::http) fn check<D: HttpDialect>(
        &self,
        version: Option<Version>,
    ) -> Result<(), HttpRejection> {
        let holds = match (self, version) {
            (Self::Nothing, _) => true,
            (Self::Tags(tags), Some(version)) => {
                let tag = tag(version);
                tags.iter().any(|asked| asked == "*" || *asked == tag)
            }
            (Self::Number(asked), Some(version)) => {
                u64::try_from(*asked).is_ok_and(|asked| asked == version.0)
            }
            (Self::Tags(_) | Self::Number(_), None) => false,
        };
        if holds {
            return Ok(());
        }
        let status = match self {
            Self::Tags(_) => StatusCode::PRECONDITION_FAILED,
            Self::Nothing | Self::Number(_) => StatusCode::CONFLICT,
        };
        let message = match version {
            Some(version) => format!("another caller has changed it: it is at version {version}"),
            None => "it is not there".to_owned(),
        };
        Err(D::rejection(status, &message))
    }
}
