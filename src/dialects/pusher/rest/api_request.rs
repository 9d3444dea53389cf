//! What an app's server asks, read and checked.

use std::sync::Arc;

use crate::dialects::pusher::channel::{Access, Keeping, is_user_id, users_topic};
use crate::dialects::pusher::rest::ApiRefusal;
use crate::dialects::pusher::rest::attributes::{Attribute, Attributes};
use crate::dialects::pusher::rest::endpoint::Endpoint;
use crate::dialects::pusher::rest::notification::Notification;
use crate::dialects::pusher::rest::signed::Signed;
use crate::dialects::pusher::rest::trigger::{Trigger, channel_named, topic};
use crate::dialects::pusher::room::Room;
use crate::model::{
    BindingPath, BuildingView, ChannelApp, JsonText, Publication, TopicId, TopicQuery,
};

/// How the names of presence channels begin.
const PRESENCE: &str = "presence-";

/// What is asked.
#[derive(Debug, PartialEq, Eq)]
pub enum ApiRequest {
    /// Events are to be sent.
    Trigger(Trigger),
    /// Which channels with this beginning have a connection.
    Channels {
        /// Of which topics, the app included.
        query: TopicQuery,
        /// What is wanted of each.
        attributes: Attributes,
    },
    /// How one channel is.
    Channel {
        /// Its topic.
        topic: TopicId,
        /// The status whose values are in it. Its last event is the value, and no message of the topic.
        shows: Option<Arc<BindingPath>>,
        /// What is wanted of it.
        attributes: Attributes,
    },
    /// How one channel is, in the words of 2012.
    Stats {
        /// Its topic.
        topic: TopicId,
        /// Whether its members are known.
        access: Access,
    },
    /// Who is in a presence channel.
    Users(TopicQuery),
    /// The connections of a user are to end: a message for all that watch over the signed-in users.
    Terminate(Publication),
    /// A notification for phones.
    Notify(Notification),
}

impl ApiRequest {
    /// Reads a request whose signature is good.
    ///
    /// # Errors
    ///
    /// With 400 what is wrong with it, with 413 what is over a limit of the app.
    pub fn read(
        signed: &Signed,
        building: &BuildingView,
        endpoint: Endpoint,
        body: &[u8],
    ) -> Result<Self, ApiRefusal> {
        let Signed {
            app, parameters, ..
        } = signed;
        let info = parameters.get("info");
        match endpoint {
            Endpoint::Events => Trigger::read(signed, building, body).map(Self::Trigger),
            Endpoint::BatchEvents => Trigger::read_batch(app, building, body).map(Self::Trigger),
            Endpoint::ChannelEvents(channel) => {
                Trigger::read_old(signed, building, &channel, body).map(Self::Trigger)
            }
            Endpoint::Channels => channels(app, parameters.get("filter_by_prefix"), info),
            Endpoint::Channel(name) => channel(app, building, &name, info),
            Endpoint::ChannelUsers(name) => {
                let channel = channel_named(&name)?;
                if channel.access() != Access::Presence {
                    return Err(ApiRefusal::bad(
                        "Only presence channels have users: their names begin with `presence-`",
                    ));
                }
                Ok(Self::Users(TopicQuery::Users(topic(&channel, app)?)))
            }
            Endpoint::ChannelStats(name) => {
                let channel = channel_named(&name)?;
                let access = channel.access();
                let topic = topic(&channel, app)?;
                Ok(Self::Stats { topic, access })
            }
            Endpoint::Terminate(user) => terminate(app, &user).map(Self::Terminate),
            Endpoint::Notifications => Notification::read(body).map(Self::Notify),
        }
    }
}

fn channels(
    app: &ChannelApp,
    prefix: Option<&str>,
    info: Option<&str>,
) -> Result<ApiRequest, ApiRefusal> {
    let attributes = Attributes::read(info, &[Attribute::UserCount])?;
    let prefix = prefix.unwrap_or_default();
    if attributes.has(Attribute::UserCount) && !prefix.starts_with(PRESENCE) {
        return Err(ApiRefusal::bad(
            "`user_count` is there for presence channels alone: `filter_by_prefix` must begin with `presence-`",
        ));
    }
    let prefix = format!("{}/{prefix}", app.id);
    Ok(ApiRequest::Channels {
        query: TopicQuery::Occupied { prefix },
        attributes,
    })
}

fn channel(
    app: &ChannelApp,
    building: &BuildingView,
    name: &str,
    info: Option<&str>,
) -> Result<ApiRequest, ApiRefusal> {
    let channel = channel_named(name)?;
    let mut known = vec![Attribute::SubscriptionCount];
    if channel.access() == Access::Presence {
        known.push(Attribute::UserCount);
    }
    if channel.keeping() == Keeping::Last {
        known.push(Attribute::Cache);
    }
    let room = Room::named(name, building).and_then(Result::ok);
    Ok(ApiRequest::Channel {
        topic: topic(&channel, app)?,
        shows: room.and_then(|room| room.status(building).cloned()),
        attributes: Attributes::read(info, &known)?,
    })
}

fn terminate(app: &ChannelApp, user: &str) -> Result<Publication, ApiRefusal> {
    if !is_user_id(user) {
        return Err(ApiRefusal::bad("A user's id has 1 to 200 characters"));
    }
    let topic = users_topic(&app.id).map_err(|_| ApiRefusal::bad("The app's id is too long"))?;
    let message = serde_json::json!({ "terminate": user }).to_string();
    Ok(Publication {
        topic,
        message: JsonText::parse(&message).expect("it was written as JSON"),
        except: None,
        kept: false,
        by: None,
    })
}
