//! The nodes of a cluster as PlaceOS's pages list them, and what runs on each as far as this one sees. For support staff.

use actix_web::get;
use actix_web::web::Path;

use crate::core::NodeShare;
use crate::dialects::placeos::rest::{NodeProcesses, NodeShape, Page};
use crate::server::http::kit::{RequestContext, Supporter, json};
use crate::server::http::placeos::Answer;
use crate::server::http::placeos::access::sees_module;
use crate::server::http::placeos::lists::{list as list_of, query};
use crate::server::http::placeos::rejections::not_found;
use crate::server::http::placeos::resource_types::Platform;

/// The nodes with those of their modules that the caller sees in lists.
fn within_reach(context: &RequestContext) -> Vec<NodeShare> {
    let directory = context.directory();
    let mut shares = context.state.core.queries.nodes();
    for share in &mut shares {
        share
            .modules
            .retain(|(id, _)| sees_module(&context.caller, &directory, id));
    }
    shares
}

/// The nodes that run modules; none for a gateway that is alone. For support staff.
///
/// The list is whole, whatever part of it is asked for.
#[utoipa::path(
    params(("include_status" = Option<bool>, Query, description = "Whether what runs on a node comes with it.")),
    responses((status = 200, body = Vec<NodeShape<'_>>)),
)]
#[get("/cluster")]
pub(super) async fn list(context: Supporter<Platform>) -> Answer {
    let include_status = query(&context).truth("include_status")?;
    let shares = within_reach(&context);
    let nodes = shares.iter().map(|share| {
        let node = NodeShape::new(&share.node, &share.modules);
        match include_status {
            Some(true) => node.with_status(&share.modules),
            Some(false) | None => node,
        }
    });
    list_of("cores", &Page::whole(nodes), &context)
}

/// The modules that run on a node, by their drivers. For support staff.
#[utoipa::path(
    params(("include_status" = Option<bool>, Query, description = "Whether each driver has a status.")),
    responses((status = 200, body = Vec<NodeProcesses>)),
)]
#[get("/cluster/{node}")]
pub(super) async fn show(context: Supporter<Platform>, path: Path<String>) -> Answer {
    let include_status = query(&context).truth("include_status")?.unwrap_or(false);
    let shares = within_reach(&context);
    let asked = shares.iter().find(|share| share.node.id.as_str() == *path);
    let share = asked.ok_or_else(|| not_found("node"))?;
    json(&NodeProcesses::of(&share.modules, include_status))
}
