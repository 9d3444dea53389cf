//! What the building file may say about a device with an HTTP API.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use driver_sdk::schemars::{JsonSchema, Schema, SchemaGenerator};
use driver_sdk::serde::de::{Deserialize, Deserializer, Error as _};
use driver_sdk::transport::{Http, Request, Trust};
use driver_sdk::{
    Error, JsonPointer, JsonTemplate, Seconds, Secret, StatusKey, TemplateValues, settings,
};

use crate::path::{FixedPath, Path};

/// What the building file may say about a device.
#[settings]
pub(crate) struct Settings {
    /// Who signs in, with `password`.
    username: Option<String>,
    /// The password of `username`.
    password: Option<Secret>,
    /// A bearer token, in the place of `username` and `password`.
    token: Option<Secret>,
    /// Headers of every request.
    #[default]
    headers: BTreeMap<String, String>,
    /// A PEM file of the authority that has signed the device's certificate; the system's authorities if left out.
    ca: Option<PathBuf>,
    /// Whether the certificate of the device is checked.
    #[default(true)]
    verify: bool,
    /// How often the statuses are read.
    #[default(Seconds::new(10))]
    pub(crate) poll_seconds: Seconds,
    /// The statuses by name.
    #[default]
    pub(crate) statuses: BTreeMap<StatusKey, Source>,
    /// What can be sent, by name.
    #[default]
    pub(crate) commands: BTreeMap<String, Exchange>,
}

/// Where a status is.
#[settings]
pub(crate) struct Source {
    /// The path that is read.
    pub(crate) get: FixedPath,
    /// Where in the answer the value is; all of it if left out.
    #[default]
    pub(crate) pointer: JsonPointer,
}

impl Settings {
    /// The way to the device: its address with what each request carries.
    pub(crate) fn link(&self, uri: &str) -> Result<Http, Error> {
        let trust = Trust::of_settings(self.ca.as_deref(), self.verify)?;
        let mut link = Http::new(uri)?.trust(trust);
        for (name, value) in &self.headers {
            link = link.header(name, value)?;
        }
        match (&self.username, &self.password, &self.token) {
            (None, None, None) => Ok(link),
            (Some(username), password, None) => {
                link.basic(username, password.as_ref().map_or("", Secret::reveal))
            }
            (None, None, Some(token)) => link.bearer(token.reveal()),
            (None, Some(_), None) => Err(Error::new("there is a `password` without a `username`")),
            (_, _, Some(_)) => Err(Error::new(
                "a device is signed in to by `username` and `password` or by `token`, and not by both",
            )),
        }
    }
}

/// A request that callers send by its name.
pub(crate) struct Exchange {
    verb: Verb,
    path: Path,
    body: Option<JsonTemplate>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verb {
    Get,
    Post,
    Put,
    Patch,
    Delete,
}

impl Exchange {
    /// The request with a caller's values. A value that no place takes is an error, as is one that is missing or does not fit.
    pub(crate) fn request(&self, values: &TemplateValues) -> Result<Request, Error> {
        values.check_known(&self.names())?;
        let path = self.path.fill(values)?;
        let request = match self.verb {
            Verb::Get => Request::get(path),
            Verb::Post => Request::post(path),
            Verb::Put => Request::put(path),
            Verb::Patch => Request::patch(path),
            Verb::Delete => Request::delete(path),
        };
        match &self.body {
            Some(body) => request.json(&body.fill(values)?),
            None => Ok(request),
        }
    }

    fn names(&self) -> BTreeSet<&str> {
        let mut names = self.path.template().names();
        names.extend(self.body.iter().flat_map(JsonTemplate::names));
        names
    }
}

/// A request as it is written: the verb is the key of the path.
#[settings]
struct Written {
    /// The path of a `GET`.
    get: Option<Path>,
    /// The path of a `POST`.
    post: Option<Path>,
    /// The path of a `PUT`.
    put: Option<Path>,
    /// The path of a `PATCH`.
    patch: Option<Path>,
    /// The path of a `DELETE`.
    delete: Option<Path>,
    /// The body, which is sent as JSON.
    body: Option<JsonTemplate>,
}

impl TryFrom<Written> for Exchange {
    type Error = Error;

    fn try_from(written: Written) -> Result<Self, Error> {
        let verbs = [
            (Verb::Get, written.get),
            (Verb::Post, written.post),
            (Verb::Put, written.put),
            (Verb::Patch, written.patch),
            (Verb::Delete, written.delete),
        ];
        let mut verbs = verbs
            .into_iter()
            .filter_map(|(verb, path)| Some((verb, path?)));
        match (verbs.next(), verbs.next()) {
            (Some((verb, path)), None) => Ok(Self {
                verb,
                path,
                body: written.body,
            }),
            (None, _) | (Some(_), Some(_)) => Err(Error::new(
                "expected one of `get`, `post`, `put`, `patch`, `delete` with a path",
            )),
        }
    }
}

impl<'de> Deserialize<'de> for Exchange {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let written = Written::deserialize(deserializer)?;
        Self::try_from(written).map_err(D::Error::custom)
    }
}

impl JsonSchema for Exchange {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Request".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        Written::json_schema(generator)
    }
}
