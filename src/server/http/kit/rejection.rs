//! The answer to a request that is refused.

use std::fmt;

use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use actix_web::{HttpResponse, ResponseError};
use serde::Serialize;

/// A refusal as plain data, since a websocket's handshake is refused outside actix-web.
#[derive(Debug)]
pub(in crate::server) struct HttpRejection {
    pub(in crate::server) status: StatusCode,
    pub(in crate::server) headers: Vec<(HeaderName, HeaderValue)>,
    pub(in crate::server) body: String,
}

impl HttpRejection {
    /// A refusal without a body.
    pub(in crate::server) fn empty(status: StatusCode) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: String::new(),
        }
    }

    /// A refusal with a plain text.
    pub(in crate::server) fn text(status: StatusCode, body: &str) -> Self {
        Self::with_body(status, "text/plain; charset=utf-8", body.to_owned())
    }

    /// A refusal with a JSON body in the shape of a dialect.
    pub(in crate::server) fn json_body<T: Serialize>(status: StatusCode, body: &T) -> Self {
        let body = serde_json::to_string(body).unwrap_or_default();
        Self::with_body(status, "application/json", body)
    }

    fn with_body(status: StatusCode, content_type: &'static str, body: String) -> Self {
        let headers = vec![(CONTENT_TYPE, HeaderValue::from_static(content_type))];
        Self {
            status,
            headers,
            body,
        }
    }

    /// The same refusal with one more header.
    pub(in crate::server) fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// The refusal as actix sends it.
    pub(in crate::server) fn to_response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status);
        for (name, value) in &self.headers {
            response.insert_header((name.clone(), value.clone()));
        }
        response.body(self.body.clone())
    }
}

impl fmt::Display for HttpRejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.status)
    }
}

impl ResponseError for HttpRejection {
    fn status_code(&self) -> StatusCode {
        self.status
    }

    fn error_response(&self) -> HttpResponse {
        self.to_response()
    }
}
