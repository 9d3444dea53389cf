//! The sign-in endpoints: what a client that has signed in here may have signed, so that it comes into a channel or is known as a user of an app.
//!
//! Whoever has no server of their own has riser sign in its place.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::dialects::pusher::channel::{Access, Channel};
use crate::dialects::pusher::firings::states_of;
use crate::dialects::pusher::rest::trigger::is_socket_id;
use crate::dialects::pusher::room::{NoRoom, Room};
use crate::dialects::pusher::signature::sign;
use crate::model::{
    AppKey, AppSigning, BuildingView, ChannelApp, First, FollowId, ModuleAddress, Query, Request,
    Subject,
};

/// The most characters of what a client calls its device.
const DEVICE_MAX_CHARS: usize = 100;

/// Why nothing is signed. Clients show the text to whoever looks for the mistake.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SignInRefusal(&'static str);

/// What a client sends: a form, or JSON.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct SignInRequest {
    #[serde(default)]
    socket_id: String,
    #[serde(default)]
    channel_name: String,
    app: Option<String>,
    device: Option<String>,
}

/// Who has signed in.
#[derive(Debug, Clone, Copy)]
pub struct Signatory<'a> {
    /// The user's id.
    pub user: &'a str,
    /// Their name for people.
    pub name: &'a str,
    /// What they have signed in from, where the client does not say so itself.
    pub device: Option<&'a str>,
}

/// A channel that can be signed for a client.
#[derive(Debug)]
pub struct ChannelGrant<'a> {
    request: &'a SignInRequest,
    key: &'a AppKey,
    channel: Channel<'a>,
    room: Option<Room>,
}

#[derive(Serialize)]
struct UserInfo<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    device: Option<&'a str>,
}

#[derive(Serialize)]
struct ChannelData<'a> {
    user_id: &'a str,
    user_info: UserInfo<'a>,
}

#[derive(Serialize)]
struct UserData<'a> {
    id: &'a str,
    user_info: UserInfo<'a>,
}

#[derive(Serialize)]
struct Granted {
    auth: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    channel_data: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_data: Option<String>,
}

impl SignInRequest {
    /// Reads a body; an app can stand in the query as well, where every request of a page has it.
    ///
    /// # Errors
    ///
    /// When it is neither a form nor JSON, or names no socket.
    pub fn read(
        content_type: Option<&str>,
        query: &str,
        body: &[u8],
    ) -> Result<Self, SignInRefusal> {
        let content_type = content_type.unwrap_or_default().trim_ascii();
        let is_json = content_type.starts_with("application/json");
        let mut read = match is_json {
            true => serde_json::from_slice(body)
                .map_err(|_| SignInRefusal("the body is no JSON object of texts"))?,
            false => Self::of_form(body),
        };
        let mut pairs = form_urlencoded::parse(query.as_bytes());
        let app = pairs.find(|(name, _)| name == "app");
        read.app = read
            .app
            .or_else(|| app.map(|(_, value)| value.into_owned()));
        match is_socket_id(&read.socket_id) {
            true => Ok(read),
            false => Err(SignInRefusal(
                "`socket_id` must be two numbers with a dot between them",
            )),
        }
    }

    fn of_form(body: &[u8]) -> Self {
        let mut read = Self::default();
        for (name, value) in form_urlencoded::parse(body) {
            let value = value.into_owned();
            match &*name {
                "socket_id" => read.socket_id = value,
                "channel_name" => read.channel_name = value,
                "app" => read.app = Some(value),
                "device" => read.device = Some(value),
                _ => {}
            }
        }
        read
    }

    /// The app that it names; it may leave that out where there is one app alone.
    ///
    /// # Errors
    ///
    /// When there is no such app, or it has no key.
    pub fn app<'a>(
        &self,
        apps: impl IntoIterator<Item = &'a ChannelApp>,
    ) -> Result<(&'a ChannelApp, &'a AppKey), SignInRefusal> {
        let mut apps = apps.into_iter();
        let app = match &self.app {
            Some(id) => apps.find(|app| app.id.as_str() == id),
            None => {
                let first = apps.next();
                if first.is_some() && apps.next().is_some() {
                    return Err(SignInRefusal("`app` must say the id of the app"));
                }
                first
            }
        };
        let app = app.ok_or(SignInRefusal("there is no such app"))?;
        let key = app.keys.list().first();
        let key = key.ok_or(SignInRefusal("the app has no key to sign with"))?;
        Ok((app, key))
    }

    /// Whether the channel can be signed, whoever asks.
    ///
    /// # Errors
    ///
    /// When no signature opens it, or this endpoint signs none of its kind for the app.
    pub fn channel<'a>(
        &'a self,
        building: &BuildingView,
        app: &ChannelApp,
        key: &'a AppKey,
    ) -> Result<ChannelGrant<'a>, SignInRefusal> {
        let channel = Channel::named(&self.channel_name)
            .ok_or(SignInRefusal("`channel_name` is no name of a channel"))?;
        match channel.access() {
            Access::Private | Access::Presence => {}
            Access::Public | Access::User => {
                return Err(SignInRefusal("this channel is opened by no signature"));
            }
            Access::Encrypted => {
                return Err(SignInRefusal(
                    "encrypted channels have a secret that only the app's own server knows",
                ));
            }
        }
        let room = match (Room::named(channel.name(), building), app.sign) {
            (Some(Ok(room)), _) => Some(room),
            (Some(Err(NoRoom)), _) => return Err(SignInRefusal("there is no such room")),
            (None, AppSigning::All) => None,
            (None, AppSigning::Rooms) => {
                return Err(SignInRefusal(
                    "only channels of rooms are signed here; `sign: all` in the app signs every channel",
                ));
            }
        };
        Ok(ChannelGrant {
            request: self,
            key,
            channel,
            room,
        })
    }

    /// The client as a user of the app, signed.
    pub fn user(&self, key: &AppKey, signatory: Signatory<'_>) -> String {
        let data = UserData {
            id: signatory.user,
            user_info: self.info(signatory),
        };
        let data = serde_json::to_string(&data).expect("the shape has text keys");
        let text = format!("{}::user::{data}", self.socket_id);
        granted(Granted {
            auth: auth(key, &text),
            channel_data: None,
            user_data: Some(data),
        })
    }

    fn info<'a>(&'a self, signatory: Signatory<'a>) -> UserInfo<'a> {
        let device = self.device.as_deref().map(cut);
        UserInfo {
            name: signatory.name,
            device: device.or(signatory.device),
        }
    }
}

impl ChannelGrant<'_> {
    /// What the client must be allowed to ask, if the channel is a room's: what it would show.
    pub fn needs(&self) -> Option<Request> {
        let follow = |subject| Request::Follow {
            id: FollowId(0),
            subject,
            first: First::Events,
        };
        Some(match self.room.as_ref()? {
            Room::Status(path) | Room::PublicStatus(path) => {
                follow(Subject::Status(Arc::clone(path)))
            }
            Room::Module(path) => follow(Subject::Module(Arc::clone(path))),
            Room::Log(path) => Request::Debug(ModuleAddress::Place((**path).clone())),
            Room::System(system) | Room::People(system) | Room::Control(system) => {
                Request::Query(Query::Modules(system.clone()))
            }
            Room::Triggers(system) => follow(Subject::Module(Arc::new(states_of(system)))),
            Room::Events => follow(Subject::Bus),
        })
    }

    /// Whether who is in the channel can call functions there.
    pub fn calls(&self) -> bool {
        matches!(self.room, Some(Room::Control(_)))
    }

    /// The channel's signature for this client, as it is answered.
    pub fn sign(&self, signatory: Signatory<'_>) -> String {
        let socket = &self.request.socket_id;
        let name = self.channel.name();
        let (text, channel_data) = match self.channel.access() {
            Access::Presence => {
                let data = ChannelData {
                    user_id: signatory.user,
                    user_info: self.request.info(signatory),
                };
                let data = serde_json::to_string(&data).expect("the shape has text keys");
                (format!("{socket}:{name}:{data}"), Some(data))
            }
            Access::Public | Access::Private | Access::Encrypted | Access::User => {
                (format!("{socket}:{name}"), None)
            }
        };
        granted(Granted {
            auth: auth(self.key, &text),
            channel_data,
            user_data: None,
        })
    }
}

fn auth(key: &AppKey, text: &str) -> String {
    format!("{}:{}", key.key, sign(&key.secret, text.as_bytes()))
}

fn granted(granted: Granted) -> String {
    serde_json::to_string(&granted).expect("the shape has text keys")
}

/// As much of a device's name as is shown to others.
fn cut(device: &str) -> &str {
    let end = device.char_indices().nth(DEVICE_MAX_CHARS);
    end.map_or(device, |(end, _)| &device[..end])
}
