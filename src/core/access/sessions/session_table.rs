//! The sign-ins that hold, in memory, and how one is written down. Pure: no clock, no store, no lock.
//!
//! A client's secret is kept as a digest alone, so a reader of the store cannot sign in with it.

use std::collections::HashMap;
use std::fmt;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use rand::Rng;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq;

use crate::core::limits::{
    CLIENT_IDLE, LONG_LIVED_MAX, REFRESH_GRACE, REFRESH_GRACE_TOKENS_MAX, SESSION_IDLE,
};
use crate::model::{DeviceKind, KeyId, Scope, Secret, SessionId, UserId};
use crate::stores::{Document, DocumentId, SESSIONS as COLLECTION};

const SECRET_BYTES: usize = 32;

/// One sign-in, or what an app was given by one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SignInSession {
    pub(super) id: SessionId,
    pub(super) user: UserId,
    /// The sign-in that an app's session was made from, and ends with.
    pub(super) parent: Option<SessionId>,
    pub(super) scopes: Vec<Scope>,
    pub(super) hold: Hold,
    /// The kind of device on which the user signed in. For a session that was made from another, that one's counts.
    pub(super) device: DeviceKind,
    /// When it is over unless it is used, in Unix seconds. That on a fixed device is not.
    pub(super) expires: u64,
}

/// The credential by which a client holds a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Hold {
    /// A browser, by its cookie.
    Browser {
        /// Of the cookie's secret.
        cookie: Digest,
    },
    /// An app, by a refresh token that changes at each use.
    App {
        /// Who asked for it.
        client: String,
        /// Of the part that stays the same.
        family: Digest,
        /// Of the part that changes: a token with another was used before.
        current: Digest,
        /// Those before it that still give their successor, the newest last.
        superseded: Vec<Superseded>,
        /// The code by which it was had, until it has been refreshed.
        code: Option<SpentCode>,
    },
    /// An app that is still to show its code.
    Code {
        /// Of the code's secret.
        code: Digest,
        /// Who asked for it.
        client: String,
        /// Where it was sent.
        redirect: String,
        /// What proves that it is the same app.
        challenge: Option<String>,
    },
    /// An app that has its one token and no other way to go on.
    Token,
    /// A client that keeps its refresh token for as long as it goes on using it.
    Client {
        /// Who asked for it.
        client: String,
        /// Of the refresh token's secret.
        token: Digest,
        /// When it signed in, in Unix seconds.
        began: u64,
    },
    /// A client of that kind that is still to show its code.
    ClientCode {
        /// Of the code's secret.
        code: Digest,
        /// Who asked for it.
        client: String,
    },
    /// Whoever has a token that was made to last.
    LongLived {
        /// Of the token's secret.
        token: Digest,
        /// What its user calls it.
        name: String,
        /// How it is shown.
        icon: Option<String>,
        /// When it was made, in Unix seconds.
        began: u64,
        /// The API key that it was made with, if it was one.
        key: Option<Minter>,
    },
    /// Whoever has a token for a moment that was made with an API key.
    OfKey(Minter),
}

/// The API key that a token was made with, and ends with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Minter {
    pub(super) key: KeyId,
    /// Of the hash of its secret: a key of the same id with another secret is another.
    pub(super) secret: Digest,
}

/// A code that was shown. Until it would have ended by itself, a second showing means that a copy is in other hands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SpentCode {
    /// Of the code's secret.
    pub(super) code: Digest,
    /// When it would have ended, in Unix seconds.
    pub(super) until: u64,
}

/// The changing part of a refresh token that was used a moment ago. A client that shows it again gets the same successor, because the answer may have been lost.
///
/// The successor is made of the token itself and a seed, so it can be given again and is nowhere kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Superseded {
    token: Digest,
    seed: Secret,
    /// Until when, in Unix seconds.
    until: u64,
}

impl Superseded {
    fn successor(&self, token: &str) -> String {
        let key = self.seed.expose().as_bytes();
        let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
        mac.update(token.as_bytes());
        BASE64_URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes())
    }
}

/// The digest of a random secret.
#[derive(Clone, Copy)]
pub(super) struct Digest([u8; 32]);

impl Digest {
    pub(super) fn of(secret: &str) -> Self {
        Self(Sha256::digest(secret.as_bytes()).into())
    }

    /// In constant time.
    pub(super) fn is_of(&self, secret: &str) -> bool {
        *self == Self::of(secret)
    }

    /// A digest that was made elsewhere.
    pub(super) fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The digest itself.
    pub(super) fn bytes(self) -> [u8; 32] {
        self.0
    }

    fn to_text(self) -> String {
        BASE64_URL_SAFE_NO_PAD.encode(self.0)
    }

    fn parse(text: &str) -> Option<Self> {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(text).ok()?;
        Some(Self(bytes.try_into().ok()?))
    }
}

impl PartialEq for Digest {
    fn eq(&self, other: &Self) -> bool {
        bool::from(self.0.as_slice().ct_eq(other.0.as_slice()))
    }
}

impl Eq for Digest {}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// A fresh id.
pub(super) fn fresh_id() -> SessionId {
    let mut bytes = [0; 16];
    rand::rng().fill_bytes(&mut bytes);
    SessionId(u128::from_be_bytes(bytes))
}

/// A fresh secret, as text of letters, digits, `-` and `_`.
pub(super) fn fresh_secret() -> String {
    let mut bytes = [0; SECRET_BYTES];
    rand::rng().fill_bytes(&mut bytes);
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

/// The hold of a browser and the cookie that it gets.
pub(super) fn browser_hold(id: SessionId) -> (Hold, Secret) {
    let secret = fresh_secret();
    let hold = Hold::Browser {
        cookie: Digest::of(&secret),
    };
    (hold, Secret::new(format!("{id}.{secret}")))
}

/// The hold of an app and its first refresh token, which it may have had by a code.
pub(super) fn app_hold(id: SessionId, client: String, code: Option<SpentCode>) -> (Hold, Secret) {
    let (family, current) = (fresh_secret(), fresh_secret());
    let hold = Hold::App {
        client,
        family: Digest::of(&family),
        current: Digest::of(&current),
        superseded: Vec::new(),
        code,
    };
    (hold, Secret::new(format!("{id}.{family}.{current}")))
}

/// What a cookie or refresh token says: the session and what is behind it.
pub(super) fn split(secret: &Secret) -> Option<(SessionId, &str)> {
    let (id, rest) = secret.expose().split_once('.')?;
    Some((SessionId::parse(id)?, rest))
}

/// What a refresh token comes to.
pub(super) enum Refreshed {
    /// The session as it is now, and its next refresh token.
    Next(Box<SignInSession>, Secret),
    /// It was used a moment ago: the same next refresh token again.
    Again(Secret),
    /// It was good once: a copy is in other hands, and which client is the right one is not known.
    Reused,
    /// It never was one.
    Unknown,
}

impl SignInSession {
    /// What becomes of it when this is shown as its refresh token at this time.
    pub(super) fn refresh(&self, shown: &str, by: Option<&str>, now: u64) -> Refreshed {
        let Hold::App {
            client,
            family,
            current,
            superseded,
            code: _,
        } = &self.hold
        else {
            return Refreshed::Unknown;
        };
        let Some((shown_family, shown)) = shown.split_once('.') else {
            return Refreshed::Unknown;
        };
        if !family.is_of(shown_family) || by.is_some_and(|by| by != client) {
            return Refreshed::Unknown;
        }
        let token =
            |successor: &str| Secret::new(format!("{}.{shown_family}.{successor}", self.id));
        let lately = superseded.iter().filter(|before| before.until > now);
        if !current.is_of(shown) {
            let mut lately = lately;
            return match lately.find(|before| before.token.is_of(shown)) {
                Some(before) => Refreshed::Again(token(&before.successor(shown))),
                None => Refreshed::Reused,
            };
        }
        let used = Superseded {
            token: *current,
            seed: Secret::new(fresh_secret()),
            until: now.saturating_add(REFRESH_GRACE.as_secs()),
        };
        let next = used.successor(shown);
        let mut superseded: Vec<Superseded> = lately.cloned().chain([used]).collect();
        let beyond = superseded.len().saturating_sub(REFRESH_GRACE_TOKENS_MAX);
        superseded.drain(..beyond);
        let mut session = self.clone();
        session.hold = Hold::App {
            client: client.clone(),
            family: *family,
            current: Digest::of(&next),
            superseded,
            code: None,
        };
        Refreshed::Next(Box::new(session), token(&next))
    }

    /// Whether this is a refresh token of its own, its present one or an earlier one.
    pub(super) fn was_given(&self, shown: &str) -> bool {
        let family_of = shown.split_once('.').map(|(shown, _)| shown);
        match &self.hold {
            Hold::App { family, .. } => family_of.is_some_and(|shown| family.is_of(shown)),
            Hold::Client { token, .. } => token.is_of(shown),
            Hold::Browser { .. }
            | Hold::Code { .. }
            | Hold::Token
            | Hold::ClientCode { .. }
            | Hold::LongLived { .. }
            | Hold::OfKey(_) => false,
        }
    }

    /// The API key without which it is nothing.
    pub(super) fn minter(&self) -> Option<&Minter> {
        match &self.hold {
            Hold::LongLived { key, .. } => key.as_ref(),
            Hold::OfKey(key) => Some(key),
            Hold::Browser { .. }
            | Hold::App { .. }
            | Hold::Code { .. }
            | Hold::Token
            | Hold::Client { .. }
            | Hold::ClientCode { .. } => None,
        }
    }

    /// How long it lasts without being used, in seconds.
    pub(super) fn idle(&self) -> u64 {
        let idle = match &self.hold {
            Hold::Client { .. } => CLIENT_IDLE,
            Hold::Browser { .. }
            | Hold::App { .. }
            | Hold::Code { .. }
            | Hold::Token
            | Hold::ClientCode { .. }
            | Hold::LongLived { .. }
            | Hold::OfKey(_) => SESSION_IDLE,
        };
        idle.as_secs()
    }

    /// The longest life that it can have before it, in seconds.
    fn longest(&self) -> u64 {
        match &self.hold {
            Hold::LongLived { .. } => LONG_LIVED_MAX.as_secs(),
            Hold::Browser { .. }
            | Hold::App { .. }
            | Hold::Code { .. }
            | Hold::Token
            | Hold::Client { .. }
            | Hold::ClientCode { .. }
            | Hold::OfKey(_) => self.idle(),
        }
    }

    /// The sign-in that it belongs to.
    pub(super) fn root(&self) -> SessionId {
        self.parent.unwrap_or(self.id)
    }
}

/// All sign-ins.
#[derive(Debug, Default)]
pub(super) struct SessionTable {
    sessions: HashMap<SessionId, SignInSession>,
}

impl SessionTable {
    /// A session that is not over.
    pub(super) fn alive(&self, id: SessionId, now: u64) -> Option<&SignInSession> {
        self.get(id).filter(|session| self.end_of(session) > now)
    }

    /// A session, over or not.
    pub(super) fn get(&self, id: SessionId) -> Option<&SignInSession> {
        self.sessions.get(&id)
    }

    /// When a session is over if nothing uses it, in Unix seconds: at its own end, or that of the sign-in that it was made from.
    pub(super) fn end_of(&self, session: &SignInSession) -> u64 {
        let Some(root) = self.get(session.root()) else {
            return 0;
        };
        // A code and a token without another one have a life of their own, whatever the device.
        let lapses_by_itself = |session: &SignInSession| match &session.hold {
            Hold::Browser { .. } | Hold::App { .. } | Hold::Client { .. } => {
                root.device == DeviceKind::Personal
            }
            Hold::Code { .. }
            | Hold::Token
            | Hold::ClientCode { .. }
            | Hold::LongLived { .. }
            | Hold::OfKey(_) => true,
        };
        [session, root]
            .into_iter()
            .filter(|session| lapses_by_itself(session))
            .map(|session| session.expires)
            .min()
            .unwrap_or(u64::MAX)
    }

    /// How many sessions a user has.
    pub(super) fn len(&self) -> usize {
        self.sessions.len() - self.codes()
    }

    /// How many wait for their code to be shown.
    pub(super) fn codes(&self) -> usize {
        let waits = |session: &&SignInSession| {
            matches!(session.hold, Hold::Code { .. } | Hold::ClientCode { .. })
        };
        self.all().filter(waits).count()
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &SignInSession> {
        self.sessions.values()
    }

    pub(super) fn put(&mut self, session: SignInSession) {
        self.sessions.insert(session.id, session);
    }

    pub(super) fn remove(&mut self, id: SessionId) -> bool {
        self.sessions.remove(&id).is_some()
    }

    /// Everything that was made from a sign-in, and it itself.
    pub(super) fn family(&self, root: SessionId) -> Vec<SessionId> {
        let of_root = |session: &&SignInSession| session.root() == root;
        self.all()
            .filter(of_root)
            .map(|session| session.id)
            .collect()
    }

    /// What is over, but for what was so at a time that is spared.
    pub(super) fn over(&self, now: u64, spared: Option<u64>) -> Vec<SessionId> {
        let is_over = |session: &&SignInSession| {
            let end = self.end_of(session);
            end <= now && spared.is_none_or(|spared| end > spared)
        };
        self.all()
            .filter(is_over)
            .map(|session| session.id)
            .collect()
    }

    /// The sessions that would be over when the clock goes on from a later time than this, as they are with the rest of their life from there.
    /// One that has more than the longest life left was timed by a clock that this one is yet to reach.
    pub(super) fn moved(&self, now: u64, then: u64) -> Vec<SignInSession> {
        let moved = |session: &SignInSession| {
            let left = session.expires.checked_sub(now)?;
            let loses = session.expires <= then && (1..=session.longest()).contains(&left);
            loses.then(|| SignInSession {
                expires: then.saturating_add(left),
                ..session.clone()
            })
        };
        self.all().filter_map(moved).collect()
    }

    /// The sessions of a user beyond a number, those that end first.
    pub(super) fn excess(&self, user: &UserId, most: usize) -> Vec<SessionId> {
        let of_user = self.all().filter(|session| session.user == *user);
        let mut ends: Vec<(u64, SessionId)> = of_user
            .map(|session| (session.expires, session.id))
            .collect();
        ends.sort_unstable();
        let beyond = ends.len().saturating_sub(most);
        ends.into_iter().take(beyond).map(|(_, id)| id).collect()
    }
}

/// A session as it is kept.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    user: String,
    parent: Option<String>,
    scopes: Vec<String>,
    hold: KeptHold,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    fixed_device: bool,
    expires: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum KeptHold {
    Browser {
        cookie: String,
    },
    App {
        client: String,
        family: String,
        current: String,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        superseded: Vec<KeptSuperseded>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        code: Option<KeptCode>,
    },
    Code {
        code: String,
        client: String,
        redirect: String,
        challenge: Option<String>,
    },
    Token,
    Client {
        client: String,
        token: String,
        began: u64,
    },
    ClientCode {
        code: String,
        client: String,
    },
    LongLived {
        token: String,
        name: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        icon: Option<String>,
        began: u64,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        key: Option<KeptMinter>,
    },
    OfKey(KeptMinter),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeptMinter {
    key: String,
    secret: String,
}

impl KeptMinter {
    fn of(minter: &Minter) -> Self {
        Self {
            key: minter.key.to_string(),
            secret: minter.secret.to_text(),
        }
    }

    fn read(self) -> Option<Minter> {
        Some(Minter {
            key: KeyId::new(&self.key).ok()?,
            secret: Digest::parse(&self.secret)?,
        })
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeptCode {
    code: String,
    until: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeptSuperseded {
    token: String,
    seed: String,
    until: u64,
}

/// Which document holds a session.
pub(super) fn document_id(id: SessionId) -> DocumentId {
    DocumentId {
        collection: COLLECTION.into(),
        id: id.to_string(),
    }
}

impl SignInSession {
    /// The document that holds it.
    pub(super) fn document(&self) -> Document {
        let hold = match &self.hold {
            Hold::Browser { cookie } => KeptHold::Browser {
                cookie: cookie.to_text(),
            },
            Hold::App {
                client,
                family,
                current,
                superseded,
                code,
            } => KeptHold::App {
                client: client.clone(),
                family: family.to_text(),
                current: current.to_text(),
                superseded: superseded
                    .iter()
                    .map(|before| KeptSuperseded {
                        token: before.token.to_text(),
                        seed: before.seed.expose().to_owned(),
                        until: before.until,
                    })
                    .collect(),
                code: code.map(|SpentCode { code, until }| KeptCode {
                    code: code.to_text(),
                    until,
                }),
            },
            Hold::Code {
                code,
                client,
                redirect,
                challenge,
            } => KeptHold::Code {
                code: code.to_text(),
                client: client.clone(),
                redirect: redirect.clone(),
                challenge: challenge.clone(),
            },
            Hold::Token => KeptHold::Token,
            Hold::Client {
                client,
                token,
                began,
            } => KeptHold::Client {
                client: client.clone(),
                token: token.to_text(),
                began: *began,
            },
            Hold::ClientCode { code, client } => KeptHold::ClientCode {
                code: code.to_text(),
                client: client.clone(),
            },
            Hold::LongLived {
                token,
                name,
                icon,
                began,
                key,
            } => KeptHold::LongLived {
                token: token.to_text(),
                name: name.clone(),
                icon: icon.clone(),
                began: *began,
                key: key.as_ref().map(KeptMinter::of),
            },
            Hold::OfKey(minter) => KeptHold::OfKey(KeptMinter::of(minter)),
        };
        let kept = Kept {
            user: self.user.to_string(),
            parent: self.parent.map(|parent| parent.to_string()),
            scopes: self.scopes.iter().map(Scope::to_string).collect(),
            hold,
            fixed_device: self.device == DeviceKind::Fixed,
            expires: self.expires,
        };
        Document {
            collection: COLLECTION.to_owned(),
            id: self.id.to_string(),
            version: 1,
            json: serde_json::to_string(&kept).expect("the shape has text keys"),
        }
    }

    /// The session that a document holds.
    pub(super) fn read(document: &Document) -> Option<Self> {
        let kept: Kept = serde_json::from_str(&document.json).ok()?;
        let hold = match kept.hold {
            KeptHold::Browser { cookie } => Hold::Browser {
                cookie: Digest::parse(&cookie)?,
            },
            KeptHold::App {
                client,
                family,
                current,
                superseded,
                code,
            } => Hold::App {
                client,
                family: Digest::parse(&family)?,
                current: Digest::parse(&current)?,
                superseded: superseded
                    .into_iter()
                    .map(|KeptSuperseded { token, seed, until }| {
                        Some(Superseded {
                            token: Digest::parse(&token)?,
                            seed: Secret::new(seed),
                            until,
                        })
                    })
                    .collect::<Option<_>>()?,
                code: match code {
                    Some(KeptCode { code, until }) => Some(SpentCode {
                        code: Digest::parse(&code)?,
                        until,
                    }),
                    None => None,
                },
            },
            KeptHold::Code {
                code,
                client,
                redirect,
                challenge,
            } => Hold::Code {
                code: Digest::parse(&code)?,
                client,
                redirect,
                challenge,
            },
            KeptHold::Token => Hold::Token,
            KeptHold::Client {
                client,
                token,
                began,
            } => Hold::Client {
                client,
                token: Digest::parse(&token)?,
                began,
            },
            KeptHold::ClientCode { code, client } => Hold::ClientCode {
                code: Digest::parse(&code)?,
                client,
            },
            KeptHold::LongLived {
                token,
                name,
                icon,
                began,
                key,
            } => Hold::LongLived {
                token: Digest::parse(&token)?,
                name,
                icon,
                began,
                key: match key {
                    Some(key) => Some(key.read()?),
                    None => None,
                },
            },
            KeptHold::OfKey(key) => Hold::OfKey(key.read()?),
        };
        let parent = match kept.parent {
            Some(parent) => Some(SessionId::parse(&parent)?),
            None => None,
        };
        let scopes = kept.scopes.iter().map(|text| Scope::parse(text));
        Some(Self {
            id: SessionId::parse(&document.id)?,
            user: UserId::new(&kept.user).ok()?,
            parent,
            scopes: scopes.collect::<Option<_>>()?,
            hold,
            device: match kept.fixed_device {
                true => DeviceKind::Fixed,
                false => DeviceKind::Personal,
            },
            expires: kept.expires,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session(hold: Hold) -> SignInSession {
        SignInSession {
            id: SessionId(7),
            user: UserId::new("user-1").unwrap(),
            parent: Some(SessionId(1)),
            scopes: vec![
                Scope::parse("public").unwrap(),
                Scope::parse("zones.read").unwrap(),
            ],
            hold,
            device: DeviceKind::Personal,
            expires: 100,
        }
    }

    #[test]
    fn a_session_is_read_as_it_was_written_and_holds_no_secret() {
        let (browser, cookie) = browser_hold(SessionId(7));
        let (app, refresh) = app_hold(SessionId(7), "client".to_owned(), None);
        let spent = SpentCode {
            code: Digest::of("secret"),
            until: 9,
        };
        let Refreshed::Next(refreshed, next) =
            session(app.clone()).refresh(split(&refresh).unwrap().1, None, 1)
        else {
            panic!("the first use is refused");
        };
        let (by_code, _) = app_hold(SessionId(7), "client".to_owned(), Some(spent));
        let code = Hold::Code {
            code: Digest::of("secret"),
            client: "client".to_owned(),
            redirect: "/".to_owned(),
            challenge: None,
        };
        let minter = Minter {
            key: KeyId::new("key-1").unwrap(),
            secret: Digest::of("secret"),
        };
        let client = Hold::Client {
            client: "https://app.test/".to_owned(),
            token: Digest::of("secret"),
            began: 7,
        };
        let client_code = Hold::ClientCode {
            code: Digest::of("secret"),
            client: "https://app.test/".to_owned(),
        };
        let long_lived = |key| Hold::LongLived {
            token: Digest::of("secret"),
            name: "a script".to_owned(),
            icon: None,
            began: 7,
            key,
        };
        for hold in [
            browser,
            app,
            refreshed.hold,
            by_code,
            code,
            Hold::Token,
            client,
            client_code,
            long_lived(None),
            long_lived(Some(minter.clone())),
            Hold::OfKey(minter),
        ] {
            let written = session(hold).document();
            assert_eq!(
                SignInSession::read(&written),
                SignInSession::read(&written.clone())
            );
            let read = SignInSession::read(&written).unwrap();
            assert_eq!(read.document(), written);
            for secret in [&cookie, &refresh, &next] {
                let (_, secret) = split(secret).unwrap();
                for part in secret.split('.') {
                    assert!(!written.json.contains(part));
                }
            }
        }
    }

    #[test]
    fn a_refresh_token_gives_its_successor_again_for_a_minute_and_is_told_from_a_guess() {
        let (hold, first) = app_hold(SessionId(7), "client".to_owned(), None);
        let before = session(hold);
        let shown = split(&first).unwrap().1;
        let Refreshed::Next(after, second) = before.refresh(shown, Some("client"), 10) else {
            panic!("the first use is refused");
        };
        let last = 10 + REFRESH_GRACE.as_secs() - 1;
        for time in [10, last] {
            let again = after.refresh(shown, Some("client"), time);
            assert!(matches!(again, Refreshed::Again(token) if token == second));
        }
        let other = after.refresh(shown, Some("another"), 10);
        assert!(matches!(other, Refreshed::Unknown));
        let late = after.refresh(shown, None, last + 1);
        assert!(matches!(late, Refreshed::Reused));
        let (family, _) = shown.split_once('.').unwrap();
        let guess = format!("{family}x.y");
        assert!(matches!(
            after.refresh(&guess, None, 10),
            Refreshed::Unknown
        ));
        assert!(matches!(after.refresh("", None, 10), Refreshed::Unknown));
        let shown = split(&second).unwrap().1;
        assert!(matches!(
            after.refresh(shown, Some("another"), 10),
            Refreshed::Unknown
        ));
        assert!(matches!(
            after.refresh(shown, None, 10),
            Refreshed::Next(..)
        ));
    }

    #[test]
    fn the_refresh_tokens_that_give_their_successor_again_are_bounded() {
        let (hold, first) = app_hold(SessionId(7), "client".to_owned(), None);
        let (mut now, mut tokens) = (session(hold), vec![first]);
        for _ in 0..=REFRESH_GRACE_TOKENS_MAX {
            let newest = tokens.last().unwrap();
            let Refreshed::Next(next, token) = now.refresh(split(newest).unwrap().1, None, 10)
            else {
                panic!("the newest is refused");
            };
            (now, tokens) = (*next, [tokens, vec![token]].concat());
        }
        let again = |token: &Secret| now.refresh(split(token).unwrap().1, None, 11);
        assert!(matches!(again(&tokens[0]), Refreshed::Reused));
        for pair in tokens[1..].windows(2) {
            assert!(matches!(again(&pair[0]), Refreshed::Again(next) if next == pair[1]));
        }
        assert!(now.document().json.len() < 2_048, "{}", now.document().json);
    }

    #[test]
    fn what_is_made_from_a_sign_in_is_over_with_it() {
        let root = SignInSession {
            id: SessionId(1),
            parent: None,
            ..session(browser_hold(SessionId(1)).0)
        };
        let app = session(app_hold(SessionId(7), "client".to_owned(), None).0);
        let mut table = SessionTable::default();
        table.put(SignInSession {
            expires: 500,
            ..app.clone()
        });
        assert!(table.alive(SessionId(7), 1).is_none(), "without a root");
        table.put(root.clone());
        assert!(table.alive(SessionId(7), 99).is_some());
        assert!(table.alive(SessionId(7), 100).is_none());
        assert_eq!(table.over(99, None), []);
        assert_eq!(table.over(100, None).len(), 2);
        assert_eq!(table.over(100, Some(100)), [], "spared");
        table.put(SignInSession {
            device: DeviceKind::Fixed,
            ..root
        });
        assert!(table.alive(SessionId(7), u64::MAX - 1).is_some());
        assert_eq!(table.over(u64::MAX - 1, None), []);
        table.put(session(Hold::Token));
        assert_eq!(table.over(100, None), [SessionId(7)], "it is one token's");
    }

    #[test]
    fn a_jump_of_the_clock_leaves_sessions_the_life_that_they_had() {
        let mut table = SessionTable::default();
        for (id, expires) in [(1, 10), (2, 50), (3, 2 * SESSION_IDLE.as_secs())] {
            table.put(SignInSession {
                id: SessionId(id),
                parent: None,
                expires,
                ..session(browser_hold(SessionId(id)).0)
            });
        }
        let moved = |now, then| {
            let mut moved: Vec<(u128, u64)> = table
                .moved(now, then)
                .iter()
                .map(|session| (session.id.0, session.expires))
                .collect();
            moved.sort_unstable();
            moved
        };
        assert_eq!(moved(20, 1_000), [(2, 1_030)], "one was over, one is not");
        assert_eq!(
            moved(1, 3 * SESSION_IDLE.as_secs()),
            [
                (1, 3 * SESSION_IDLE.as_secs() + 9),
                (2, 3 * SESSION_IDLE.as_secs() + 49),
            ],
            "one has too much left"
        );
        assert_eq!(moved(40, 30), [], "it is set back");
    }

    #[test]
    fn the_sessions_that_end_first_give_way() {
        let mut table = SessionTable::default();
        for number in 1..=5 {
            table.put(SignInSession {
                id: SessionId(number),
                parent: None,
                expires: 100 - u64::try_from(number).unwrap(),
                ..session(Hold::Token)
            });
        }
        let user = UserId::new("user-1").unwrap();
        assert_eq!(table.excess(&user, 3), [SessionId(5), SessionId(4)]);
        assert_eq!(table.excess(&user, 5), []);
    }
}
