//! Does what a signed request asks, and answers.

use std::collections::BTreeSet;
use std::sync::Arc;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Data;

use crate::core::{Caller, ReplySlot, Returned};
use crate::dialects::pusher::rest::{
    ApiRequest, Attribute, Attributes, Effect, Notification, ServerExec, Trigger, channel,
    channels, last_value, notified, stats, users,
};
use crate::model::{
    BindingPath, Failure, FailureKind, Notice, Occupancy, Reply, Request, ServiceKey, TopicId,
    TopicQuery, TopicsFound,
};
use crate::server::ServerState;
use crate::server::http::kit::json_text;
use crate::server::http::pusher::Answer;
use crate::server::http::pusher::rejections::refused;
use crate::server::http::pusher::signed::SignedRequest;

/// Answers a request.
pub(super) async fn serve(request: SignedRequest) -> Answer {
    let state = &request.state;
    let surroundings = state.surroundings.current();
    let (signed, body) = (&request.signed, &request.body.bytes);
    let asked = ApiRequest::read(
        signed,
        &surroundings.building,
        request.endpoint.clone(),
        body,
    );
    match asked.map_err(|refusal| refused(&refusal))? {
        ApiRequest::Trigger(trigger) => send(&request, trigger).await,
        ApiRequest::Channels { query, attributes } => {
            let TopicsFound::Occupied(found) = ask(state, query).await? else {
                return Err(misfit().into());
            };
            Ok(ok(channels(&found, &attributes)))
        }
        ApiRequest::Channel {
            topic,
            shows,
            attributes,
        } => Ok(ok(one_channel(&request, topic, shows, &attributes).await?)),
        ApiRequest::Stats { topic, access } => {
            let counts = counts(state, vec![topic]).await?;
            let occupancy = counts.first().copied().unwrap_or_default();
            Ok(ok(stats(access, occupancy)))
        }
        ApiRequest::Users(query) => {
            let TopicsFound::Users(found) = ask(state, query).await? else {
                return Err(misfit().into());
            };
            Ok(ok(users(&found)))
        }
        ApiRequest::Terminate(publication) => {
            state.core.topics.published(publication).await?;
            Ok(ok("{}".to_owned()))
        }
        ApiRequest::Notify(Notification { interests, notice }) => {
            if let Some(notice) = notice {
                send_to_services(state, &interests, &notice).await?;
            }
            let id = format!("{:032x}", rand::random::<u128>());
            Ok(json_text(StatusCode::ACCEPTED, notified(&id)))
        }
    }
}

/// Sends a message of each service that has one of these names. A name that none has is nobody's interest.
async fn send_to_services(
    state: &ServerState,
    names: &[String],
    notice: &Notice,
) -> Result<(), Failure> {
    let directory = state.core.queries.directory();
    let named = |name: &String| {
        let services = directory.services_named(name);
        services
            .map(|service| service.key.clone())
            .collect::<Vec<_>>()
    };
    let services: BTreeSet<ServiceKey> = names.iter().flat_map(named).collect();
    for service in services {
        state.core.messages.send(service, notice.clone()).await?;
    }
    Ok(())
}

fn ok(json: String) -> HttpResponse {
    json_text(StatusCode::OK, json)
}

/// Sends events. Nothing is done of a request that is refused in part.
async fn send(request: &SignedRequest, trigger: Trigger) -> Answer {
    let state = &request.state;
    let Trigger { effects, reply } = trigger;
    let caller = request.caller()?;
    for effect in &effects {
        if let Some(needed) = needed(effect) {
            state.core.access.authorize(&caller, &needed)?;
        }
    }
    // Published in the order of the calls; what is awaited is that the store has them.
    let mut on_their_way = Vec::new();
    for effect in effects {
        match effect {
            Effect::Publish(publication) => {
                on_their_way.push(state.core.topics.published(publication));
            }
            Effect::Announce { name, data } => {
                state
                    .core
                    .follows
                    .announce(&caller, name, data, rand::random());
            }
            Effect::Exec(exec) => call(state, &caller, exec),
        }
    }
    for published in on_their_way {
        published.await?;
    }
    let topics = reply.topics();
    let counts = match topics.is_empty() {
        true => Vec::new(),
        false => counts(state, topics).await?,
    };
    let status = StatusCode::from_u16(reply.status()).unwrap_or(StatusCode::OK);
    Ok(json_text(status, reply.answer(&counts)))
}

/// What a caller has to be allowed for an effect. An app may publish in its own topics, and in no others.
fn needed(effect: &Effect) -> Option<Request> {
    match effect {
        Effect::Publish(_) => None,
        Effect::Announce { name, data } => Some(Request::Announce {
            name: name.clone(),
            data: data.clone(),
            act: 0,
        }),
        Effect::Exec(exec) => Some(Request::Call(exec.call.clone())),
    }
}

/// Calls a function, and publishes what comes of it. The server is not kept waiting: it would give up before a slow module answers.
///
/// A call that is made again is not run again: what came of it is published once more.
fn call(state: &Data<ServerState>, caller: &Caller, exec: ServerExec) {
    let (slot, returned) = ReplySlot::for_exec();
    let (key, call) = (exec.key(), exec.call.clone());
    state.core.calls.exec_once(caller, key, call, slot);
    let state = state.clone();
    // Ends at the latest at the deadline of calls. No task awaits it: what comes of it goes to the channel.
    actix_rt::spawn(async move {
        let returned = returned.await;
        let answer = returned.map(|Returned { value, code }| Reply::Result { value, code });
        let outcome = exec.outcome(&answer);
        if let Err(failure) = state.core.topics.published(outcome).await {
            tracing::debug!(%failure, "could not publish what came of a call");
        }
    });
}

async fn one_channel(
    request: &SignedRequest,
    topic: TopicId,
    shows: Option<Arc<BindingPath>>,
    attributes: &Attributes,
) -> Result<String, Failure> {
    let state = &request.state;
    let last = match (attributes.has(Attribute::Cache), shows) {
        (true, Some(path)) => {
            let caller = request.caller()?;
            let value = state.core.queries.value(&caller, path).await?;
            let value = value.first();
            value.and_then(|value| last_value(value, &request.signed.app))
        }
        (true, None) => match ask(state, TopicQuery::Last(topic.clone())).await? {
            TopicsFound::Last(last) => last,
            TopicsFound::Occupied(_) | TopicsFound::Counts(_) | TopicsFound::Users(_) => {
                return Err(misfit());
            }
        },
        (false, _) => None,
    };
    let counts = counts(state, vec![topic]).await?;
    let occupancy = counts.first().copied().unwrap_or_default();
    Ok(channel(attributes, occupancy, last.as_ref()))
}

async fn counts(state: &ServerState, topics: Vec<TopicId>) -> Result<Vec<Occupancy>, Failure> {
    match ask(state, TopicQuery::Counts(topics)).await? {
        TopicsFound::Counts(counts) => Ok(counts),
        TopicsFound::Occupied(_) | TopicsFound::Users(_) | TopicsFound::Last(_) => Err(misfit()),
    }
}

async fn ask(state: &ServerState, query: TopicQuery) -> Result<TopicsFound, Failure> {
    state.core.topics.query(query).await
}

/// The store has answered another question.
fn misfit() -> Failure {
    Failure::new(FailureKind::Internal, "the question was not answered")
}
