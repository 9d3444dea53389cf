//! The answer to a request that is refused.

use std::fmt;
use std::marker::PhantomData;

use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use actix_web::{HttpResponse, ResponseError};
use serde::Serialize;

use crate::model::Failure;
use crate::server::http::kit::HttpDialect;

/// A refusal as plain data, since a websocket's handshake is refused outside actix-web.
///
/// In a handler it names its dialect `D`, whose words a failure of the core gets by `?`.
#[derive(Debug)]
pub(in crate::server) struct HttpRejection<D = ()> {
    pub(in crate::server) status: StatusCode,
    pub(in crate::server) headers: Vec<(HeaderName, HeaderValue)>,
    pub(in crate::server) body: String,
    dialect: PhantomData<D>,
}

impl<D> HttpRejection<D> {
    /// A refusal without a body.
    pub(in crate::server) fn empty(status: StatusCode) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: String::new(),
            dialect: PhantomData,
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

    /// A refusal with a text that is JSON already.
    pub(in crate::server) fn json_text(status: StatusCode, body: String) -> Self {
        Self::with_body(status, "application/json", body)
    }

    fn with_body(status: StatusCode, content_type: &'static str, body: String) -> Self {
        let headers = vec![(CONTENT_TYPE, HeaderValue::from_static(content_type))];
        Self {
            status,
            headers,
            body,
            dialect: PhantomData,
        }
    }

    /// The same refusal, said in no handler of a dialect's.
    pub(in crate::server) fn plain(self) -> HttpRejection {
        HttpRejection {
            status: self.status,
            headers: self.headers,
            body: self.body,
            dialect: PhantomData,
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

/// A refusal of the kit's as a handler's.
impl<D: HttpDialect> From<HttpRejection> for HttpRejection<D> {
    fn from(plain: HttpRejection) -> Self {
        Self {
            status: plain.status,
            headers: plain.headers,
            body: plain.body,
            dialect: PhantomData,
        }
    }
}

impl<D: HttpDialect> From<Failure> for HttpRejection<D> {
    fn from(failure: Failure) -> Self {
        D::failed(&failure).into()
    }
}

impl<D> fmt::Display for HttpRejection<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.status)
    }
}

impl<D: fmt::Debug> ResponseError for HttpRejection<D> {
    fn status_code(&self) -> StatusCode {
        self.status
    }

    fn error_response(&self) -> HttpResponse {
        self.to_response()
    }
}
