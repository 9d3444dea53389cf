//! Tokens that a client makes for other programs, and those that its user has.
//!
//! The core makes, lists and ends them; here are the words of this dialect for that.

use std::time::Duration;

use serde_json::json;

use crate::dialects::home_assistant::entities::moment;
use crate::dialects::home_assistant::errors::{CommandError, ErrorCode};
use crate::dialects::home_assistant::rest::{path_audience, signed_path};
use crate::dialects::home_assistant::session::commands::{Commands, Taken, Turn, Waiting};
use crate::dialects::home_assistant::wire::frames::put_json;
use crate::dialects::home_assistant::wire::{Envelope, Object};
use crate::model::{
    Failure, FailureKind, KeptToken, KeptTokenKind, LongLivedRequest, Reply, Request, SessionId,
    Timestamp, TokenReply, TokenRequest,
};

/// How long a signed path is good where the client does not say it, as in Home Assistant.
const SIGNED_FOR: Duration = Duration::from_secs(30);

/// How long a day is.
const DAY_SECONDS: u64 = 24 * 60 * 60;

/// A request for tokens that is not answered yet.
#[derive(Debug)]
pub(super) struct TokensAsked {
    /// The command.
    id: u64,
    what: What,
}

#[derive(Debug)]
enum What {
    LongLived,
    /// The path that is signed.
    Signature(Box<str>),
    List,
    End,
}

/// Makes a token that lasts so many days.
pub(super) fn make_long_lived(
    commands: &mut Commands,
    command: &Envelope<'_>,
    turn: &mut Turn<'_>,
) -> Taken {
    let fields = &command.fields;
    let days = number(fields, "lifespan").unwrap_or_default();
    let text = |name| fields.text(name).map(|text| text.into_owned());
    let request = TokenRequest::MakeLongLived(LongLivedRequest {
        name: text("client_name").unwrap_or_default(),
        icon: text("client_icon"),
        life: Duration::from_secs(days.saturating_mul(DAY_SECONDS)),
    });
    commands.ask_tokens(command.id, What::LongLived, request, turn);
    Ok(())
}

/// Signs a path, which then opens without a token.
pub(super) fn sign_path(
    commands: &mut Commands,
    command: &Envelope<'_>,
    turn: &mut Turn<'_>,
) -> Taken {
    let fields = &command.fields;
    let path = fields.text("path").unwrap_or_default();
    if !path.starts_with('/') || path.contains('#') {
        let why = "expected a path that begins with / for dictionary value @ data['path']";
        return Err(CommandError::misshapen(why));
    }
    let life = match fields.get("expires") {
        None => SIGNED_FOR,
        Some(given) => match number(fields, "expires").filter(|seconds| *seconds > 0) {
            Some(seconds) => Duration::from_secs(seconds),
            None => {
                let got = given.get();
                return Err(CommandError::misshapen(format!(
                    "value must be at least 1 for dictionary value @ data['expires']. Got {got}"
                )));
            }
        },
    };
    let (place, query) = path.split_once('?').unwrap_or((&path, ""));
    let audience = path_audience(place, query);
    let request = TokenRequest::Sign { audience, life };
    let what = What::Signature(Box::from(&*path));
    commands.ask_tokens(command.id, what, request, turn);
    Ok(())
}

/// Lists the tokens of the client's user that go on by themselves.
pub(super) fn list(commands: &mut Commands, command: &Envelope<'_>, turn: &mut Turn<'_>) -> Taken {
    commands.ask_tokens(command.id, What::List, TokenRequest::List, turn);
    Ok(())
}

/// Ends one of them.
pub(super) fn end(commands: &mut Commands, command: &Envelope<'_>, turn: &mut Turn<'_>) -> Taken {
    let id = command.fields.text("refresh_token_id").unwrap_or_default();
    let id = SessionId::parse(&id).ok_or_else(CommandError::invalid_token_id)?;
    commands.ask_tokens(command.id, What::End, TokenRequest::End(id), turn);
    Ok(())
}

impl Commands {
    fn ask_tokens(&mut self, id: u64, what: What, request: TokenRequest, turn: &mut Turn<'_>) {
        let asked = Waiting::Tokens(Box::new(TokensAsked { id, what }));
        self.ask(Request::Tokens(request), asked, turn);
    }

    /// The core has answered a request for tokens.
    pub(super) fn tokens_answered(
        asked: &TokensAsked,
        reply: Result<Reply, Failure>,
        turn: &mut Turn<'_>,
    ) {
        let id = asked.id;
        match reply.map(tokens_of) {
            Ok(Some(TokenReply::Made(token))) => {
                let result = match &asked.what {
                    What::Signature(path) => json!({"path": signed_path(path, &token)}),
                    What::LongLived | What::List | What::End => json!(token.expose()),
                };
                turn.frames.result(id, |out| put_json(&result, out));
            }
            Ok(Some(TokenReply::Kept(kept))) => {
                let kept: Vec<serde_json::Value> = kept.iter().map(shown).collect();
                turn.frames.result(id, |out| put_json(&kept, out));
            }
            Ok(Some(TokenReply::Ended)) => turn.frames.result(id, |out| put_json(&json!({}), out)),
            Ok(Some(TokenReply::NoSuchToken)) => {
                let error = CommandError::invalid_token_id();
                turn.frames.error(&id.to_string(), &error);
            }
            Ok(None) => turn.frames.done(id),
            Err(failure) => turn.frames.error(&id.to_string(), &error_of(failure)),
        }
    }
}

/// What came of the request. It has no other success.
fn tokens_of(reply: Reply) -> Option<TokenReply> {
    match reply {
        Reply::Tokens(reply) => Some(reply),
        Reply::Messages(_)
        | Reply::Following { .. }
        | Reply::Unfollowed
        | Reply::Result { .. }
        | Reply::Found(_)
        | Reply::Entered(_)
        | Reply::Left
        | Reply::Published
        | Reply::Debugging(_)
        | Reply::Ignored => None,
    }
}

/// The shape of the command is good, so what the core finds wrong with it has the code that Home Assistant gives it.
fn error_of(failure: Failure) -> CommandError {
    if failure.kind() == FailureKind::BadRequest {
        let message = failure.message().to_owned();
        return CommandError::new(ErrorCode::UnknownError, message);
    }
    failure.into()
}

/// A token as clients list it. It is not the token itself.
fn shown(token: &KeptToken) -> serde_json::Value {
    let time = |seconds: Option<u64>| seconds.map(|at| moment(Timestamp::from_secs(at)));
    let (kind, client, name, icon) = match &token.kind {
        KeptTokenKind::Client(client) => ("normal", Some(client), None, None),
        KeptTokenKind::LongLived { name, icon } => {
            ("long_lived_access_token", None, Some(name), icon.as_ref())
        }
    };
    json!({
        "id": token.id.to_string(),
        "type": kind,
        "client_id": client,
        "client_name": name,
        "client_icon": icon,
        "created_at": time(token.made),
        "expire_at": time(Some(token.expires)),
        "last_used_at": time(token.used),
        "last_used_ip": null,
        "is_current": token.is_current,
        "auth_provider_type": "homeassistant",
    })
}

/// A field that is a whole number from 0 on.
fn number(fields: &Object<'_>, name: &str) -> Option<u64> {
    fields.get(name)?.get().parse().ok()
}
