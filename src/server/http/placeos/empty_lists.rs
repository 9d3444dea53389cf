//! What PlaceOS lists and riser has not: each list is there for the pages that ask for it, and empty.

use actix_web::get;
use serde_json::json;

use crate::dialects::placeos::rest::Page;
use crate::server::http::kit::{RequestContext, Supporter, json as answer};
use crate::server::http::placeos::Answer;
use crate::server::http::placeos::lists::list;
use crate::server::http::placeos::resource_types::Platform;

fn nothing(table: &str, context: &RequestContext) -> Answer {
    list(table, &Page::<()>::whole([]), context)
}

/// The interfaces of each repository; there are none. For support staff.
#[utoipa::path(responses((status = 200, body = Object)))]
#[get("/repositories/interfaces")]
pub(super) async fn interfaces(_: Supporter<Platform>) -> Answer {
    answer(&json!({}))
}

/// Repositories of drivers and interfaces: none. For support staff.
#[utoipa::path(responses((status = 200, body = Vec<Object>)))]
#[get("/repositories")]
pub(super) async fn repositories(context: Supporter<Platform>) -> Answer {
    nothing("repo", &context)
}

/// Places where files are uploaded to: none. For support staff.
#[utoipa::path(responses((status = 200, body = Vec<Object>)))]
#[get("/storages")]
pub(super) async fn storages(context: Supporter<Platform>) -> Answer {
    nothing("storages", &context)
}

/// Schemas of metadata: none. For support staff.
#[utoipa::path(responses((status = 200, body = Vec<Object>)))]
#[get("/schema")]
pub(super) async fn metadata_schemas(context: Supporter<Platform>) -> Answer {
    nothing("schema", &context)
}

/// Edge nodes: none. For support staff.
#[utoipa::path(responses((status = 200, body = Vec<Object>)))]
#[get("/edges")]
pub(super) async fn edges(context: Supporter<Platform>) -> Answer {
    nothing("edge", &context)
}

/// MQTT brokers: none. For support staff.
#[utoipa::path(responses((status = 200, body = Vec<Object>)))]
#[get("/brokers")]
pub(super) async fn brokers(context: Supporter<Platform>) -> Answer {
    nothing("broker", &context)
}

/// Applications that sign in by OAuth, which here need no registration: none. For support staff.
#[utoipa::path(responses((status = 200, body = Vec<Object>)))]
#[get("/oauth_apps")]
pub(super) async fn oauth_apps(context: Supporter<Platform>) -> Answer {
    nothing("doorkeeper_applications", &context)
}

/// Ways to sign in by OAuth elsewhere: none. For support staff.
#[utoipa::path(responses((status = 200, body = Vec<Object>)))]
#[get("/oauth_auths")]
pub(super) async fn oauth_authentications(context: Supporter<Platform>) -> Answer {
    nothing("oauth_strats", &context)
}

/// Ways to sign in by SAML: none. For support staff.
#[utoipa::path(responses((status = 200, body = Vec<Object>)))]
#[get("/saml_auths")]
pub(super) async fn saml_authentications(context: Supporter<Platform>) -> Answer {
    nothing("adfs_strats", &context)
}

/// Ways to sign in by LDAP: none. For support staff.
#[utoipa::path(responses((status = 200, body = Vec<Object>)))]
#[get("/ldap_auths")]
pub(super) async fn ldap_authentications(context: Supporter<Platform>) -> Answer {
    nothing("ldap_strats", &context)
}

/// Tenants of the staff API: none. For support staff.
#[utoipa::path(responses((status = 200, body = Vec<Object>)))]
#[get("/api/staff/v1/tenants")]
pub(super) async fn tenants(context: Supporter<Platform>) -> Answer {
    nothing("tenants", &context)
}
