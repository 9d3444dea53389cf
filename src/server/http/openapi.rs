//! The specification of the HTTP edge, made from the handlers and their shapes, and served to every client.
//!
//! [`resources!`] takes one list of handlers and makes both the routes and the specification of it,
//! so a route that is not specified cannot be written by accident.

use actix_web::http::header::ContentType;
use actix_web::web::Data;
use actix_web::{HttpResponse, get};
use utoipa::openapi::path::{Operation, Parameter, ParameterBuilder, ParameterIn, PathItem};
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::openapi::security::{
    ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme,
};
use utoipa::openapi::{
    Content, InfoBuilder, LicenseBuilder, OpenApi as Specification, OpenApiBuilder, Ref, RefOr,
    Required, Response, ResponseBuilder, Server,
};
use utoipa::{OpenApi, ToSchema};

use crate::server::http::{mounts, placeos};
use crate::server::{ServerSettings, ServerState};

/// Makes a type with the routes and the specification of one list of handlers.
macro_rules! resources {
    ($(#[$meta:meta])* $visibility:vis $name:ident: $($handler:path),+) => {
        $(#[$meta])*
        #[derive(utoipa::OpenApi)]
        #[openapi(paths($($handler),+))]
        $visibility struct $name;

        impl $name {
            /// Adds the routes, in the order of the list.
            $visibility fn configure(config: &mut actix_web::web::ServiceConfig) {
                $(config.service($handler);)+
            }
        }
    };
}

pub(super) use resources;

resources! {
    /// The specification itself.
    pub(super) Itself: show
}

/// The document, of what these settings open.
pub(in crate::server) fn text(settings: &ServerSettings) -> String {
    specification(settings)
        .to_pretty_json()
        .expect("the specification has no maps but those with texts for keys")
}

/// A specification of nothing, to put others below.
pub(super) fn empty() -> Specification {
    OpenApiBuilder::new().build()
}

/// This document: every HTTP resource of the gateway, as OpenAPI 3.1.
#[utoipa::path(tag = "specification", security(()), responses((status = 200, body = Object)))]
#[get("/api/openapi.json")]
pub(super) async fn show(state: Data<ServerState>) -> HttpResponse {
    let text = state.specification.get_or_init(|| text(&state.settings));
    HttpResponse::Ok()
        .content_type(ContentType::json())
        .body(text.clone())
}

/// The specification of all routes that these settings open.
fn specification(settings: &ServerSettings) -> Specification {
    let info = InfoBuilder::new()
        .title("riser")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(
            "The HTTP edge of riser: PlaceOS's REST resources, and what operators ask.\n\n\
             Credentials are looked for in this order: the header `X-API-Key`, the query parameter `api-key`, the cookie `api-key`, the header `Authorization`, the query parameter and the cookie `bearer_token`.\n\
             A key that is restricted to some systems and zones sees only what is inside, and gets 403 for anything else.",
        ))
        .license(Some(
            LicenseBuilder::new()
                .name("MIT OR Apache-2.0")
                .identifier(Some("MIT OR Apache-2.0"))
                .build(),
        ))
        .build();
    let mut specification = OpenApiBuilder::new().info(info).build();
    for part in mounts::specifications(settings).chain([placeos::Rejections::openapi()]) {
        specification.merge(part);
    }
    if !settings.base_path.is_empty() {
        specification.servers = Some(vec![Server::new(&settings.base_path)]);
    }
    let components = specification.components.get_or_insert_default();
    components.schemas.values_mut().for_each(join);
    let mut accepted = Vec::new();
    for (name, key) in keys() {
        components.add_security_scheme(name, SecurityScheme::ApiKey(key));
        accepted.push(SecurityRequirement::new(name, [] as [&str; 0]));
    }
    let token = HttpBuilder::new().scheme(HttpAuthScheme::Bearer);
    let token = SecurityScheme::Http(token.bearer_format("JWT").build());
    components.add_security_scheme("token", token);
    accepted.push(SecurityRequirement::new("token", [] as [&str; 0]));
    let secret = HttpBuilder::new().scheme(HttpAuthScheme::Bearer);
    let secret = secret.description(Some("The secret that the nodes of a cluster share."));
    components.add_security_scheme("cluster", SecurityScheme::Http(secret.build()));
    specification.security = Some(accepted);
    for item in specification.paths.paths.values_mut() {
        for operation in operations(item) {
            finish(operation);
        }
        // One handler does both, so it has one name for them.
        if let (Some(patch), Some(put)) = (&item.patch, &mut item.put)
            && patch.operation_id == put.operation_id
        {
            put.operation_id = put.operation_id.take().map(|id| id + "_put");
        }
    }
    specification
}

/// A shape that is made of several parts is one object in the specification.
fn join(schema: &mut RefOr<Schema>) {
    let RefOr::T(Schema::AllOf(parts)) = schema else {
        return;
    };
    let mut whole = ObjectBuilder::new()
        .description(parts.description.clone())
        .build();
    for part in &parts.items {
        let RefOr::T(Schema::Object(part)) = part else {
            return;
        };
        whole.required.extend(part.required.iter().cloned());
        whole.properties.extend(part.properties.clone());
    }
    *schema = RefOr::T(Schema::Object(whole));
}

/// The ways to show an API key, by their names in the specification.
fn keys() -> [(&'static str, ApiKey); 3] {
    let key = ApiKeyValue::new;
    [
        ("keyHeader", ApiKey::Header(key("X-API-Key"))),
        ("keyQuery", ApiKey::Query(key("api-key"))),
        ("keyCookie", ApiKey::Cookie(key("api-key"))),
    ]
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    [
        &mut item.get,
        &mut item.put,
        &mut item.post,
        &mut item.delete,
        &mut item.patch,
        &mut item.options,
    ]
    .into_iter()
    .flatten()
}

/// Gives an operation an id of its own, and the refusals that all of its kind share.
fn finish(operation: &mut Operation) {
    let tag = operation.tags.iter().flatten().next();
    if let (Some(tag), Some(id)) = (tag, &operation.operation_id) {
        operation.operation_id = Some(format!("{tag}_{id}"));
    }
    let parameters = operation.parameters.iter().flatten();
    let has_query = parameters.into_iter().any(|parameter| match parameter {
        RefOr::T(parameter) => parameter.parameter_in == ParameterIn::Query,
        RefOr::Ref(_) => false,
    });
    let responses = &mut operation.responses.responses;
    for response in responses.values_mut() {
        if let RefOr::T(response) = response
            && response.description.is_empty()
        {
            response.description = "What was asked for.".to_owned();
        }
    }
    let changes_what_is_there = responses.contains_key("412") && !responses.contains_key("201");
    if changes_what_is_there {
        operation
            .parameters
            .get_or_insert_default()
            .push(RefOr::T(if_match()));
    }
    let mut shared = |status: &str, response: Response| {
        responses
            .entry(status.to_owned())
            .or_insert(RefOr::T(response));
    };
    if tag.is_some_and(|tag| tag == "health") {
        let elsewhere = "They have an address of their own.";
        shared("404", refusal::<placeos::ErrorShape<'_>>(elsewhere));
    }
    // A resource that is open to every client has no refusals.
    if operation.security.is_some() {
        return;
    }
    shared(
        "401",
        refusal::<placeos::ErrorShape<'_>>("The caller is not known."),
    );
    shared("403", nothing("The caller may not do this."));
    if has_query {
        let wrong = "A parameter of the query cannot be read.";
        shared("422", refusal::<placeos::BadParameter>(wrong));
    }
    let wrong = "Something else is wrong: 400 the request, 404 there is no such thing, 503 not at the moment.";
    shared("default", refusal::<placeos::ErrorShape<'_>>(wrong));
}

/// The header by which a caller says on which version they count.
fn if_match() -> Parameter {
    ParameterBuilder::new()
        .name("If-Match")
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some(
            "The `ETag` that it is to have still; 412 if it has another.",
        ))
        .schema(Some(ObjectBuilder::new().schema_type(Type::String)))
        .build()
}

fn refusal<T: ToSchema>(description: &str) -> Response {
    let body = Content::new(Some(Ref::from_schema_name(T::name())));
    ResponseBuilder::new()
        .description(description)
        .content("application/json", body)
        .build()
}

fn nothing(description: &str) -> Response {
    ResponseBuilder::new().description(description).build()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::fs;

    use serde_json::Value;

    use super::*;

    #[test]
    fn the_specification_in_the_repository_is_this_one() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/api-spec/openapi.json");
        let made = format!("{}\n", text(&ServerSettings::default()));
        #[expect(
            clippy::disallowed_methods,
            reason = "how a developer asks for the file to be rewritten"
        )]
        if std::env::var("UPDATE_GOLDEN").is_ok() {
            fs::write(path, &made).unwrap();
        }
        let written = fs::read_to_string(path).unwrap_or_default();
        assert!(
            written == made,
            "UPDATE_GOLDEN=1 cargo test rewrites api-spec/openapi.json"
        );
    }

    #[test]
    fn every_operation_has_an_id_of_its_own() {
        let mut specification = specification(&ServerSettings::default());
        let mut ids = HashSet::new();
        for item in specification.paths.paths.values_mut() {
            for operation in operations(item) {
                let id = operation.operation_id.clone().unwrap();
                assert!(ids.insert(id.clone()), "two operations are called {id}");
            }
        }
    }

    #[test]
    fn every_reference_leads_somewhere() {
        let document = text(&ServerSettings::default());
        let document: Value = serde_json::from_str(&document).unwrap();
        let mut left = vec![&document];
        while let Some(value) = left.pop() {
            match value {
                Value::Object(fields) => {
                    if let Some(Value::String(reference)) = fields.get("$ref") {
                        let target = document.pointer(reference.trim_start_matches('#'));
                        assert!(target.is_some(), "{reference} leads nowhere");
                    }
                    left.extend(fields.values());
                }
                Value::Array(items) => left.extend(items),
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
            }
        }
    }
}
