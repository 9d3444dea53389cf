//! Users: who signs in, whom that user watches, and how a user is disconnected everywhere.
//!
//! Each signed-in user is a member of one topic of the app, whose members are the users who are there.

use std::collections::HashSet;
use std::sync::Arc;

use serde::Serialize;
use serde_json::value::RawValue;

use crate::dialects::pusher::channel::{is_user_id, users_topic};
use crate::dialects::pusher::errors::ErrorCode;
use crate::dialects::pusher::frames::{json, put_event, terminated};
use crate::dialects::pusher::session::admission::verify_text;
use crate::dialects::pusher::session::{Client, Turn, Waiting};
use crate::dialects::pusher::wire::{self, SignIn, UserData};
use crate::dialects::pusher::{Form, limits};
use crate::dialects::{Shown, Step};
use crate::model::{
    CloseReason, Credentials, Failure, FailureKind, JsonText, Member, Reply, Request, TopicEntry,
    TopicEvent,
};

/// A user who has signed in, or is about to.
#[derive(Debug)]
pub(super) struct SignedIn {
    id: Arc<str>,
    info: Option<JsonText>,
    /// What was signed, to the letter.
    user_data: Box<str>,
    watchlist: Vec<Box<str>>,
    /// How many users stood in the watchlist.
    watched: usize,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// The core is asked who it is.
    Identifying,
    /// The topic of all users is entered.
    Entering,
    /// The user has signed in.
    In,
}

impl SignedIn {
    /// The user's id in the app.
    pub(super) fn id(&self) -> &str {
        &self.id
    }

    /// The user as a member of a channel.
    pub(super) fn member(&self) -> Member {
        Member {
            user: Arc::clone(&self.id),
            info: self.info.clone(),
        }
    }

    fn watches(&self, user: &str) -> bool {
        self.watchlist.iter().any(|watched| **watched == *user)
    }
}

impl Client {
    /// `pusher:signin`.
    pub(super) fn sign_in(&mut self, data: Option<&RawValue>, turn: &mut Turn<'_, '_>) {
        let user = match read_user(data, turn) {
            Ok(user) => user,
            Err(message) => {
                turn.error(ErrorCode::Unauthorized, &message, None);
                let text = "The sign-in was refused";
                return turn.close(ErrorCode::Unauthorized, text, CloseReason::Unauthenticated);
            }
        };
        let known = self.user.as_ref();
        match known.map(|known| (known.state, known.id == user.id)) {
            Some((State::Identifying | State::Entering, _)) => {
                let message = "A sign-in is in progress";
                turn.error(ErrorCode::Refused, message, None);
            }
            Some((State::In, false)) => {
                let message = "This connection has signed in as another user";
                turn.error(ErrorCode::Refused, message, None);
            }
            Some((State::In, true)) => {
                self.user = Some(Box::new(user));
                self.enter_users(turn);
            }
            None => {
                let credentials = Credentials::AppUser {
                    app: turn.app.id.clone(),
                    user: user.id.to_string(),
                };
                self.user = Some(Box::new(user));
                turn.out.step(Step::Authenticate(credentials));
            }
        }
    }

    /// The core knows what the user may do, or does not let them in.
    pub(super) fn user_identified(&mut self, found: Shown<'_>, turn: &mut Turn<'_, '_>) {
        match found {
            Ok(_) => self.enter_users(turn),
            Err(failure) => give_up(failure.kind(), turn),
        }
    }

    /// Enters the topic of all users. Entered again, it says again who is there.
    fn enter_users(&mut self, turn: &mut Turn<'_, '_>) {
        let Some(user) = &mut self.user else {
            return;
        };
        user.state = State::Entering;
        let Ok(topic) = users_topic(&turn.app.id) else {
            return give_up(FailureKind::Internal, turn);
        };
        let member = Member {
            user: Arc::clone(&user.id),
            info: None,
        };
        let request = Request::Enter(TopicEntry {
            topic,
            member: Some(member),
            wants_last: false,
        });
        self.requests
            .ask(request, Form::Session, Waiting::Users, turn.out);
    }

    /// The user is among the users.
    pub(super) fn users_entered(&mut self, reply: Result<Reply, Failure>, turn: &mut Turn<'_, '_>) {
        let Some(user) = &mut self.user else {
            return;
        };
        let members = match reply {
            Ok(Reply::Entered(entered)) => entered.members,
            // The topic has no other answer to an entry.
            Ok(_) => return,
            Err(failure) => return give_up(failure.kind(), turn),
        };
        user.state = State::In;
        let user = &**user;
        turn.text(|out| put_success(&user.user_data, out));
        if user.watched > limits::WATCHLIST_MAX {
            let message = format!(
                "A watchlist has at most {} users, and this one has {}: the first are watched",
                limits::WATCHLIST_MAX,
                user.watched
            );
            turn.error(ErrorCode::Watchlist, &message, None);
        }
        let there: HashSet<&str> = members.iter().map(|member| &*member.user).collect();
        let watched = user.watchlist.iter().map(|watched| &**watched);
        let (online, offline): (Vec<&str>, Vec<&str>) =
            watched.partition(|watched| there.contains(watched));
        turn.text(|out| put_watched(&[("online", &online), ("offline", &offline)], out));
    }

    /// Something happened among the users.
    pub(super) fn users_news(&mut self, news: &TopicEvent, turn: &mut Turn<'_, '_>) {
        let Some(me) = self.user.as_ref().filter(|user| user.state == State::In) else {
            return;
        };
        match news {
            TopicEvent::Joined { member, .. } if me.watches(&member.user) => {
                turn.text(|out| put_watched(&[("online", &[&member.user])], out));
            }
            TopicEvent::Left { user } if me.watches(user) => {
                turn.text(|out| put_watched(&[("offline", &[user])], out));
            }
            TopicEvent::Message { message, .. } => {
                if terminated(message).as_deref() == Some(me.id()) {
                    let text = "You were disconnected by the app";
                    let why = CloseReason::CredentialsRevoked;
                    turn.end(ErrorCode::Unauthorized, text, why);
                }
            }
            TopicEvent::Joined { .. } | TopicEvent::Left { .. } | TopicEvent::Count(_) => {}
        }
    }
}

/// Reads and verifies who signs in. The error is what people read.
fn read_user(data: Option<&RawValue>, turn: &Turn<'_, '_>) -> Result<SignedIn, String> {
    let shown: SignIn = wire::data(data).unwrap_or_default();
    let Some(user_data) = shown.user_data else {
        return Err("pusher:signin needs data with the texts `auth` and `user_data`".to_owned());
    };
    let socket = turn.ambient.cluster_connection();
    let text = format!("{socket}::user::{user_data}");
    let auth = shown.auth.unwrap_or_default();
    verify_text(turn.app, &auth, &text)?;
    let read: Option<UserData> = wire::signed(&user_data);
    let Some(read) = read.filter(|read| is_user_id(&read.id)) else {
        return Err("user_data is a JSON object with an `id` of 1 to 200 characters".to_owned());
    };
    let info = read.user_info.as_deref().map(JsonText::from_raw);
    let most = turn.app.limits.member_bytes;
    if info
        .as_ref()
        .is_some_and(|info| info.as_str().len() > most as usize)
    {
        return Err(format!("user_info has more than the {most} bytes allowed"));
    }
    let watchlist = read.watchlist.unwrap_or_default();
    Ok(SignedIn {
        id: Arc::from(read.id),
        info,
        user_data: user_data.into(),
        watched: watchlist.len(),
        watchlist: watchlist
            .into_iter()
            .take(limits::WATCHLIST_MAX)
            .map(String::into_boxed_str)
            .collect(),
        state: State::Identifying,
    })
}

/// Ends the connection of a user who cannot sign in: for good, or until the client comes back.
fn give_up(kind: FailureKind, turn: &mut Turn<'_, '_>) {
    if kind.passes() {
        let text = "Nobody can sign in at the moment; reconnect in a moment";
        turn.end(ErrorCode::OverCapacity, text, CloseReason::Internal);
    } else {
        let text = "The sign-in was refused";
        turn.end(ErrorCode::Unauthorized, text, CloseReason::Unauthenticated);
    }
}

fn put_success(user_data: &str, out: &mut Vec<u8>) {
    #[derive(Serialize)]
    struct Data<'a> {
        user_data: &'a str,
    }
    put_event(
        "pusher:signin_success",
        None,
        &json(&Data { user_data }),
        out,
    );
}

/// Writes which users have come and gone; nothing, if none has.
fn put_watched(changes: &[(&str, &[&str])], out: &mut Vec<u8>) {
    #[derive(Serialize)]
    struct Data<'a> {
        events: Vec<Change<'a>>,
    }
    #[derive(Serialize)]
    struct Change<'a> {
        name: &'a str,
        user_ids: &'a [&'a str],
    }
    let changes = changes.iter().filter(|(_, users)| !users.is_empty());
    let events: Vec<Change<'_>> = changes
        .map(|(name, user_ids)| Change { name, user_ids })
        .collect();
    if !events.is_empty() {
        let data = json(&Data { events });
        put_event("pusher_internal:watchlist_events", None, &data, out);
    }
}
