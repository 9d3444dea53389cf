//! Who may come into which channel, by what the app's own server has signed.

use std::sync::Arc;

use crate::dialects::pusher::channel::{Access, Channel, Keeping, is_user_id};
use crate::dialects::pusher::errors::{self, ErrorCode};
use crate::dialects::pusher::room::{NoRoom, Room, is_public};
use crate::dialects::pusher::session::sign_in::SignedIn;
use crate::dialects::pusher::session::{Turn, shown};
use crate::dialects::pusher::signature::is_signed;
use crate::dialects::pusher::wire::{self, ChannelData, Subscribe};
use crate::model::{BuildingView, ChannelApp, Failure, FailureKind, JsonText, Member, TopicId};

/// A channel that a client may come into.
#[derive(Debug)]
pub(super) struct Entry {
    /// Its topic.
    pub(super) topic: TopicId,
    /// What it stands for.
    pub(super) room: Option<Room>,
    /// As which user the client comes, where those in it are told of each other.
    pub(super) member: Option<Member>,
    /// Whether its last event is kept.
    pub(super) keeping: Keeping,
}

/// Why a client does not come into a channel.
#[derive(Debug)]
pub(super) struct Refusal {
    /// What libraries look at. Pusher has none where a client is not let in: the numbers for that end a connection.
    pub(super) code: Option<ErrorCode>,
    /// What people read.
    pub(super) message: String,
    /// What the page that asked for the channel learns; `None` when no channel was named.
    pub(super) subscription: Option<SubscriptionError>,
}

/// What a page learns of a channel that it does not come into.
#[derive(Debug)]
pub(super) struct SubscriptionError {
    /// The channel.
    pub(super) channel: Box<str>,
    /// What kind of refusal it is.
    pub(super) kind: &'static str,
    /// An HTTP-like number.
    pub(super) status: u16,
}

impl Refusal {
    /// Nothing was named that a client could come into.
    pub(super) fn misshapen(message: &str) -> Self {
        Self {
            code: Some(ErrorCode::Refused),
            message: message.to_owned(),
            subscription: None,
        }
    }

    /// What was shown does not open the channel.
    fn unauthorized(channel: &str, status: u16, message: String) -> Self {
        Self::of(channel, None, "AuthError", status, message)
    }

    /// The channel cannot be entered by anybody.
    pub(super) fn impossible(channel: &str, status: u16, message: String) -> Self {
        let code = Some(ErrorCode::Refused);
        Self::of(channel, code, "ChannelError", status, message)
    }

    /// There are as many as there may be.
    pub(super) fn full(channel: &str, message: String) -> Self {
        let code = Some(ErrorCode::Refused);
        Self::of(channel, code, "LimitReached", 413, message)
    }

    /// The core has refused.
    pub(super) fn failed(channel: &str, failure: &Failure) -> Self {
        let (kind, message) = (failure.kind(), failure.message().to_owned());
        match errors::status(kind) {
            _ if kind == FailureKind::TooLarge => Self::full(channel, message),
            status @ (401 | 403) => Self::unauthorized(channel, status, message),
            status => Self::impossible(channel, status, message),
        }
    }

    fn of(
        channel: &str,
        code: Option<ErrorCode>,
        kind: &'static str,
        status: u16,
        message: String,
    ) -> Self {
        let channel = channel.into();
        Self {
            code,
            message,
            subscription: Some(SubscriptionError {
                channel,
                kind,
                status,
            }),
        }
    }
}

/// What a subscription asks for, if the client may come in.
pub(super) fn admit(
    name: &str,
    asked: &Subscribe,
    user: Option<&SignedIn>,
    turn: &Turn<'_, '_>,
) -> Result<Entry, Refusal> {
    let invalid = || {
        let message = format!("Invalid channel name '{}'", shown(name));
        Refusal::impossible(name, 400, message)
    };
    let channel = Channel::named(name).ok_or_else(invalid)?;
    let topic = channel.topic(&turn.app.id).map_err(|_| invalid())?;
    let member = match channel.access() {
        Access::Public => None,
        Access::Private | Access::Encrypted => {
            verify(&channel, asked, turn)?;
            None
        }
        Access::Presence => {
            verify(&channel, asked, turn)?;
            Some(member(&channel, asked, user, turn.app)?)
        }
        Access::User if user.map(SignedIn::id) == channel.user() => None,
        Access::User => {
            let message = format!("Only the signed-in user comes into {}", shown(name));
            return Err(Refusal::unauthorized(name, 403, message));
        }
    };
    let building = &turn.ambient.surroundings.building;
    let room = match Room::named(name, building) {
        None => None,
        Some(Ok(room)) => {
            open_room(&room, name, turn.app, building)?;
            Some(room)
        }
        Some(Err(NoRoom)) => {
            let message = format!("{} begins as a room's name and names none", shown(name));
            return Err(Refusal::impossible(name, 404, message));
        }
    };
    Ok(Entry {
        topic,
        room,
        member,
        keeping: channel.keeping(),
    })
}

/// Whether the app's clients may come into rooms. What each may see in them is decided by the core.
fn open_room(
    room: &Room,
    name: &str,
    app: &ChannelApp,
    building: &BuildingView,
) -> Result<(), Refusal> {
    if let Room::PublicStatus(path) = room {
        if is_public(path, building) {
            return Ok(());
        }
        let message = format!("{} is not public", shown(name));
        return Err(Refusal::unauthorized(name, 403, message));
    }
    if app.user.is_none() {
        let message = "This app has no user, so it has no rooms".to_owned();
        return Err(Refusal::unauthorized(name, 403, message));
    }
    Ok(())
}

/// Holds what a client shows to the signature by one of the app's keys, over the texts as they came.
fn verify(channel: &Channel<'_>, asked: &Subscribe, turn: &Turn<'_, '_>) -> Result<(), Refusal> {
    let name = channel.name();
    let socket = turn.ambient.cluster_connection();
    let text = match &asked.channel_data {
        None => format!("{socket}:{name}"),
        Some(data) => format!("{socket}:{name}:{data}"),
    };
    let auth = asked.auth.as_deref().unwrap_or_default();
    verify_text(turn.app, auth, &text).map_err(|message| Refusal::unauthorized(name, 401, message))
}

/// Holds `KEY:SIGNATURE` to a text. The error is what people read.
pub(super) fn verify_text(app: &ChannelApp, auth: &str, text: &str) -> Result<(), String> {
    let Some((key, signature)) = auth.split_once(':') else {
        return Err(format!(
            "Auth info required: expected KEY:SIGNATURE, but got '{}'",
            shown(auth)
        ));
    };
    let Some(key) = app.key(key) else {
        return Err(format!(
            "Invalid key in subscription auth data: '{}'",
            shown(key)
        ));
    };
    if !is_signed(&key.secret, text.as_bytes(), signature) {
        return Err(format!(
            "Invalid signature: Expected HMAC SHA256 hex digest of {}, but got {}",
            shown(text),
            shown(signature)
        ));
    }
    Ok(())
}

/// Who comes into a channel whose members are told of each other: who was signed, else who has signed in.
fn member(
    channel: &Channel<'_>,
    asked: &Subscribe,
    user: Option<&SignedIn>,
    app: &ChannelApp,
) -> Result<Member, Refusal> {
    let name = channel.name();
    let member = match (&asked.channel_data, user) {
        (Some(data), _) => read_member(data).ok_or_else(|| {
            let message = "channel_data is a JSON object with a user_id of 1 to 200 characters";
            Refusal::impossible(name, 400, message.to_owned())
        })?,
        (None, Some(user)) => user.member(),
        (None, None) => {
            let message = "channel_data is missing, and no user has signed in".to_owned();
            return Err(Refusal::unauthorized(name, 401, message));
        }
    };
    let most = app.limits.member_bytes;
    let bytes = member.info.as_ref().map_or(0, |info| info.as_str().len());
    if bytes > most as usize {
        let message = format!("user_info has {bytes} bytes, more than the {most} allowed");
        return Err(Refusal::full(name, message));
    }
    Ok(member)
}

fn read_member(channel_data: &str) -> Option<Member> {
    let data: ChannelData = wire::signed(channel_data)?;
    let user = wire::id_text(&data.user_id).filter(|user| is_user_id(user))?;
    Some(Member {
        user: Arc::from(user),
        info: data.user_info.as_deref().map(JsonText::from_raw),
    })
}
