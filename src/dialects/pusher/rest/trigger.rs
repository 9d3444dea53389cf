//! Events that a server sends to channels: one event for several channels, or a batch of events for one channel each.
//!
//! All of a request is checked before anything of it is done, so a batch is done as a whole or not at all.

use std::collections::HashSet;
use std::sync::Arc;

use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::dialects::pusher::channel::{Channel, Keeping, is_event_name, is_protocol_event};
use crate::dialects::pusher::frames::message;
use crate::dialects::pusher::rest::ApiRefusal;
use crate::dialects::pusher::rest::attributes::{Attribute, Attributes};
use crate::dialects::pusher::rest::compact::compact;
use crate::dialects::pusher::rest::exec::ServerExec;
use crate::dialects::pusher::rest::parameters::Parameters;
use crate::dialects::pusher::rest::signed::Signed;
use crate::dialects::pusher::rest::target::Target;
use crate::model::{BuildingView, ChannelApp, ClusterConnectionId, JsonText, Publication, TopicId};

/// What can be told of the channels that an event went to.
const KNOWN: &[Attribute] = &[Attribute::UserCount, Attribute::SubscriptionCount];

/// Events on their way to channels.
#[derive(Debug, PartialEq, Eq)]
pub struct Trigger {
    /// What is to be done, in this order.
    pub effects: Vec<Effect>,
    /// What is answered when it is done.
    pub reply: TriggerReply,
}

/// One thing that is to be done.
#[derive(Debug, PartialEq, Eq)]
pub enum Effect {
    /// A message goes to those in a channel.
    Publish(Publication),
    /// Something is announced on the bus.
    Announce {
        /// Its name.
        name: Arc<str>,
        /// What belongs to it.
        data: JsonText,
    },
    /// A function of a module is called, and what it returns is published in the channel.
    Exec(ServerExec),
}

/// What is answered to events that were sent.
#[derive(Debug, PartialEq, Eq)]
pub enum TriggerReply {
    /// That they were taken, without a body.
    Accepted,
    /// What is wanted of each channel, by the channel's name; nothing is wanted where it is empty.
    Channels(Vec<Counted>),
    /// What is wanted of the channel of each event of the batch; `None` where nothing is.
    Batch(Vec<Option<Counted>>),
}

/// A channel of which counts are wanted.
#[derive(Debug, PartialEq, Eq)]
pub struct Counted {
    pub(super) topic: TopicId,
    pub(super) attributes: Attributes,
}

impl TriggerReply {
    /// The channels whose counts it takes, in the order in which they are given to [`answer`](Self::answer).
    pub fn topics(&self) -> Vec<TopicId> {
        self.counted()
            .map(|counted| counted.topic.clone())
            .collect()
    }

    fn counted(&self) -> impl Iterator<Item = &Counted> {
        let (channels, batch): (&[_], &[_]) = match self {
            Self::Accepted => (&[], &[]),
            Self::Channels(channels) => (channels, &[]),
            Self::Batch(batch) => (&[], batch),
        };
        channels.iter().chain(batch.iter().flatten())
    }
}

/// An event as the body of a request has it.
#[derive(Deserialize, Default)]
struct Fields {
    name: Option<String>,
    #[serde(default, deserialize_with = "present")]
    data: Option<Box<RawValue>>,
    channels: Option<Vec<String>>,
    channel: Option<String>,
    socket_id: Option<String>,
    info: Option<String>,
}

#[derive(Deserialize)]
struct BatchBody {
    batch: Vec<Fields>,
}

/// `null` is data too.
fn present<'de, D: Deserializer<'de>>(data: D) -> Result<Option<Box<RawValue>>, D::Error> {
    Deserialize::deserialize(data).map(Some)
}

/// An event that was checked, but for its channels.
struct Checked {
    name: String,
    data: String,
    except: Option<ClusterConnectionId>,
    attributes: Attributes,
}

impl Trigger {
    /// One event, in the body or, what is not there, in the query.
    pub(super) fn read(
        signed: &Signed,
        building: &BuildingView,
        body: &[u8],
    ) -> Result<Self, ApiRefusal> {
        let Signed {
            app, parameters, ..
        } = signed;
        let mut fields: Fields = match body.trim_ascii().is_empty() {
            true => Fields::default(),
            false => serde_json::from_slice(body).map_err(|_| {
                ApiRefusal::bad("The body must be a JSON object with `name`, `data` and `channels`")
            })?,
        };
        fields.add(parameters)?;
        let names = fields.take_channels()?;
        let most = app.limits.channels_per_event;
        if names.is_empty() {
            return Err(ApiRefusal::bad("There must be `channels` or `channel`"));
        }
        if names.len() > usize::try_from(most).unwrap_or(usize::MAX) {
            return Err(ApiRefusal::bad(format!(
                "An event can go to {most} channels at once"
            )));
        }
        let event = fields.check(app)?;
        let mut effects = Vec::with_capacity(names.len());
        let mut counted = Vec::new();
        let mut known = HashSet::new();
        for name in names.iter().filter(|name| known.insert(name.as_str())) {
            let (topic, effect) = event.effect(app, building, name)?;
            effects.push(effect);
            if !event.attributes.is_empty() {
                let attributes = event.attributes.clone();
                counted.push(Counted { topic, attributes });
            }
        }
        let reply = TriggerReply::Channels(counted);
        Ok(Self { effects, reply })
    }

    /// Several events, each for one channel.
    pub(super) fn read_batch(
        app: &ChannelApp,
        building: &BuildingView,
        body: &[u8],
    ) -> Result<Self, ApiRefusal> {
        let body: BatchBody = serde_json::from_slice(body).map_err(|_| {
            ApiRefusal::bad("The body must be a JSON object with a list of events in `batch`")
        })?;
        let most = app.limits.batch_events;
        let length = u32::try_from(body.batch.len()).unwrap_or(u32::MAX);
        if !(1..=most).contains(&length) {
            return Err(ApiRefusal::bad(format!("A batch has 1 to {most} events")));
        }
        let mut effects = Vec::with_capacity(body.batch.len());
        let mut counted = Vec::with_capacity(body.batch.len());
        for mut fields in body.batch {
            let names = fields.take_channels()?;
            let [name] = &*names else {
                return Err(ApiRefusal::bad(
                    "Each event of a batch must have one `channel`",
                ));
            };
            let event = fields.check(app)?;
            let (topic, effect) = event.effect(app, building, name)?;
            effects.push(effect);
            let attributes = event.attributes;
            counted.push((!attributes.is_empty()).then_some(Counted { topic, attributes }));
        }
        let reply = TriggerReply::Batch(counted);
        Ok(Self { effects, reply })
    }

    /// One event as it was sent until 2012: its data are the body.
    pub(super) fn read_old(
        signed: &Signed,
        building: &BuildingView,
        channel: &str,
        body: &[u8],
    ) -> Result<Self, ApiRefusal> {
        let Signed {
            app, parameters, ..
        } = signed;
        let data = std::str::from_utf8(body)
            .map_err(|_| ApiRefusal::bad("The body must be text in UTF-8"))?;
        let fields = Fields {
            name: parameters.get("name").map(str::to_owned),
            socket_id: parameters.get("socket_id").map(str::to_owned),
            ..Fields::default()
        };
        let event = fields.check_with(app, data.to_owned())?;
        let (_, effect) = event.effect(app, building, channel)?;
        Ok(Self {
            effects: vec![effect],
            reply: TriggerReply::Accepted,
        })
    }
}

impl Fields {
    /// Takes what is missing from the query.
    fn add(&mut self, parameters: &Parameters) -> Result<(), ApiRefusal> {
        let text = |name| parameters.get(name).map(str::to_owned);
        if self.data.is_none()
            && let Some(data) = parameters.get("data")
        {
            let json = serde_json::value::to_raw_value(data);
            self.data = Some(json.map_err(|_| ApiRefusal::bad("`data` must be text"))?);
        }
        if self.channels.is_none() && self.channel.is_none() {
            let listed = parameters.all("channels[]").map(str::to_owned);
            self.channels = Some(listed.collect());
            self.channel = text("channel");
        }
        self.name = self.name.take().or_else(|| text("name"));
        self.socket_id = self.socket_id.take().or_else(|| text("socket_id"));
        self.info = self.info.take().or_else(|| text("info"));
        Ok(())
    }

    fn take_channels(&mut self) -> Result<Vec<String>, ApiRefusal> {
        let listed = self.channels.take().unwrap_or_default();
        match self.channel.take() {
            None => Ok(listed),
            Some(channel) if listed.is_empty() => Ok(vec![channel]),
            Some(_) => Err(ApiRefusal::bad(
                "There can be `channels` or `channel`, not both",
            )),
        }
    }

    fn check(mut self, app: &ChannelApp) -> Result<Checked, ApiRefusal> {
        let data = self.data.take();
        let data = data.ok_or_else(|| ApiRefusal::bad("`data` is missing"))?;
        let data = match data.get().starts_with('"') {
            true => serde_json::from_str(data.get()).map_err(|_| {
                ApiRefusal::bad("`data` is no text: half of a surrogate pair is in it")
            })?,
            false => compact(data.get()),
        };
        self.check_with(app, data)
    }

    fn check_with(self, app: &ChannelApp, data: String) -> Result<Checked, ApiRefusal> {
        let name = self.name.unwrap_or_default();
        if !is_event_name(&name) {
            return Err(ApiRefusal::bad(
                "`name` must be the event's name, of 1 to 200 characters",
            ));
        }
        if is_protocol_event(&name) {
            return Err(ApiRefusal::bad(
                "An event's name cannot begin with `pusher:` or `pusher_internal:`",
            ));
        }
        let most = app.limits.event_bytes;
        if data.len() > usize::try_from(most).unwrap_or(usize::MAX) {
            return Err(ApiRefusal::too_large(format!(
                "The data content of this event exceeds the allowed maximum ({most} bytes). \
                 `event_bytes` in the app's `limits` raises it"
            )));
        }
        let except = match &self.socket_id {
            None => None,
            Some(socket) if is_socket_id(socket) => ClusterConnectionId::parse(socket),
            Some(_) => {
                return Err(ApiRefusal::bad(
                    "`socket_id` must be two numbers with a dot between them",
                ));
            }
        };
        Ok(Checked {
            name,
            data,
            except,
            attributes: Attributes::read(self.info.as_deref(), KNOWN)?,
        })
    }
}

impl Checked {
    /// What the event does in a channel of this name, and the channel's topic.
    fn effect(
        &self,
        app: &ChannelApp,
        building: &BuildingView,
        channel: &str,
    ) -> Result<(TopicId, Effect), ApiRefusal> {
        let channel = channel_named(channel)?;
        let topic = topic(&channel, app)?;
        let effect = match Target::of(channel.name(), building)? {
            Target::Channel => Effect::Publish(Publication {
                topic: topic.clone(),
                message: message(&self.name, &self.data, None),
                except: self.except,
                kept: match channel.keeping() {
                    Keeping::Last => true,
                    Keeping::Nothing => false,
                },
                by: None,
            }),
            Target::Bus => Effect::Announce {
                name: self.name.as_str().into(),
                data: self.json(),
            },
            Target::Control(system) => Effect::Exec(ServerExec::read(
                topic.clone(),
                system,
                &self.name,
                &self.data,
            )?),
        };
        Ok((topic, effect))
    }

    /// The data as JSON: a text that is none is a string.
    fn json(&self) -> JsonText {
        JsonText::parse(&self.data)
            .unwrap_or_else(|_| JsonText::of(&self.data).expect("text is always JSON"))
    }
}

/// The channel of a name that a request has.
pub(super) fn channel_named(name: &str) -> Result<Channel<'_>, ApiRefusal> {
    Channel::named(name).ok_or_else(invalid_channel)
}

/// The topic of a channel.
pub(super) fn topic(channel: &Channel<'_>, app: &ChannelApp) -> Result<TopicId, ApiRefusal> {
    channel.topic(&app.id).map_err(|_| invalid_channel())
}

fn invalid_channel() -> ApiRefusal {
    ApiRefusal::bad("Invalid channel name: it has 1 to 200 of A-Z a-z 0-9 _ - = @ , . ;")
}

/// Whether it is written as the id of a socket. One that no number is large enough for is none of ours, and leaves nobody out.
pub(super) fn is_socket_id(text: &str) -> bool {
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    text.split_once('.')
        .is_some_and(|(process, connection)| is_number(process) && is_number(connection))
}
