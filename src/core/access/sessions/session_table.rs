//! The sign-ins that hold, in memory, and how one is written down. Pure: no clock, no store, no lock.
//!
//! What a client shows is kept as a digest alone, so whoever reads the store has nothing to show.

use std::collections::HashMap;
use std::fmt;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use rand::Rng;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq;

use crate::model::{Scope, Secret, SessionId, UserId};
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
    /// When it is over, in Unix seconds.
    pub(super) expires: u64,
}

/// By what somebody holds on to a session.
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
}

/// A code that was shown. Until it would have ended by itself, a second showing means that somebody has a copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SpentCode {
    /// Of the code's secret.
    pub(super) code: Digest,
    /// When it would have ended, in Unix seconds.
    pub(super) until: u64,
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
    /// It was good once: somebody has a copy, and nobody can tell who.
    Reused,
    /// It never was one.
    Unknown,
}

impl SignInSession {
    /// The same session with another refresh token in the place of this one.
    pub(super) fn refresh(&self, shown: &str, by: Option<&str>) -> Refreshed {
        let Hold::App {
            client,
            family,
            current,
            code: _,
        } = &self.hold
        else {
            return Refreshed::Unknown;
        };
        let Some((shown_family, shown_current)) = shown.split_once('.') else {
            return Refreshed::Unknown;
        };
        if !family.is_of(shown_family) || by.is_some_and(|by| by != client) {
            return Refreshed::Unknown;
        }
        if !current.is_of(shown_current) {
            return Refreshed::Reused;
        }
        let next = fresh_secret();
        let mut session = self.clone();
        session.hold = Hold::App {
            client: client.clone(),
            family: *family,
            current: Digest::of(&next),
            code: None,
        };
        let token = Secret::new(format!("{}.{shown_family}.{next}", self.id));
        Refreshed::Next(Box::new(session), token)
    }

    /// Whether this is a refresh token of its own, its present one or an earlier one.
    pub(super) fn was_given(&self, shown: &str) -> bool {
        let Hold::App { family, .. } = &self.hold else {
            return false;
        };
        let family_of = shown.split_once('.').map(|(shown, _)| shown);
        family_of.is_some_and(|shown| family.is_of(shown))
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
        self.sessions
            .get(&id)
            .filter(|session| session.expires > now)
    }

    pub(super) fn contains(&self, id: SessionId) -> bool {
        self.sessions.contains_key(&id)
    }

    /// How many sessions somebody has.
    pub(super) fn len(&self) -> usize {
        self.sessions.len() - self.codes()
    }

    /// How many wait for their code to be shown.
    pub(super) fn codes(&self) -> usize {
        let waits = |session: &&SignInSession| matches!(session.hold, Hold::Code { .. });
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

    /// What is over.
    pub(super) fn over(&self, now: u64) -> Vec<SessionId> {
        let is_over = |session: &&SignInSession| session.expires <= now;
        self.all()
            .filter(is_over)
            .map(|session| session.id)
            .collect()
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
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeptCode {
    code: String,
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
                code,
            } => KeptHold::App {
                client: client.clone(),
                family: family.to_text(),
                current: current.to_text(),
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
        };
        let kept = Kept {
            user: self.user.to_string(),
            parent: self.parent.map(|parent| parent.to_string()),
            scopes: self.scopes.iter().map(Scope::to_string).collect(),
            hold,
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
                code,
            } => Hold::App {
                client,
                family: Digest::parse(&family)?,
                current: Digest::parse(&current)?,
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
        let (by_code, _) = app_hold(SessionId(7), "client".to_owned(), Some(spent));
        let code = Hold::Code {
            code: Digest::of("secret"),
            client: "client".to_owned(),
            redirect: "/".to_owned(),
            challenge: None,
        };
        for hold in [browser, app, by_code, code, Hold::Token] {
            let written = session(hold).document();
            assert_eq!(
                SignInSession::read(&written),
                SignInSession::read(&written.clone())
            );
            let read = SignInSession::read(&written).unwrap();
            assert_eq!(read.document(), written);
            for secret in [&cookie, &refresh] {
                let (_, secret) = split(secret).unwrap();
                for part in secret.split('.') {
                    assert!(!written.json.contains(part));
                }
            }
        }
    }

    #[test]
    fn a_refresh_token_is_good_once_and_its_second_use_is_told_from_a_guess() {
        let (hold, first) = app_hold(SessionId(7), "client".to_owned(), None);
        let before = session(hold);
        let shown = split(&first).unwrap().1;
        let Refreshed::Next(after, second) = before.refresh(shown, Some("client")) else {
            panic!("the first use is refused");
        };
        assert!(matches!(after.refresh(shown, None), Refreshed::Reused));
        let (family, _) = shown.split_once('.').unwrap();
        let guess = format!("{family}x.y");
        assert!(matches!(after.refresh(&guess, None), Refreshed::Unknown));
        assert!(matches!(after.refresh("", None), Refreshed::Unknown));
        let shown = split(&second).unwrap().1;
        assert!(matches!(
            after.refresh(shown, Some("another")),
            Refreshed::Unknown
        ));
        assert!(matches!(after.refresh(shown, None), Refreshed::Next(..)));
    }

    #[test]
    fn the_sessions_that_end_first_give_way() {
        let mut table = SessionTable::default();
        for number in 1..=5 {
            table.put(SignInSession {
                id: SessionId(number),
                expires: 100 - u64::try_from(number).unwrap(),
                ..session(Hold::Token)
            });
        }
        let user = UserId::new("user-1").unwrap();
        assert_eq!(table.excess(&user, 3), [SessionId(5), SessionId(4)]);
        assert_eq!(table.excess(&user, 5), []);
    }
}
