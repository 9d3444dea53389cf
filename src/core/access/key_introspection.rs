//! API keys that a PlaceOS knows and riser does not: riser asks PlaceOS about them and remembers the answer for seconds.
//!
//! Asking waits and authenticating does not. So the server has a key [recognised](KeyIntrospection::recognise) first, and then authenticates it like all credentials.
//! While a client is connected with such a key, the key is asked about again every few seconds; the connection is closed when the key is no longer good.
//! Questions about keys that PlaceOS has found good do not wait behind those about unknown keys, whose number is bounded: an attacker who guesses keys delays only other unknown keys.
//! While PlaceOS cannot be reached, connected clients stay, and no new one is let in by such a key, whatever PlaceOS said of it before.
//! What PlaceOS gives a key beside what it had, other groups of its owner among it, holds from the next request on.

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, Weak};
use std::time::Duration;

use futures_util::future::{BoxFuture, FutureExt, Shared, WeakShared};
use futures_util::stream::{FuturesUnordered, StreamExt};
use tokio::sync::Semaphore;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};

use crate::core::access::ForeignForms;
use crate::core::access::identity::Identity;
use crate::core::access::keys::unknown_key;
use crate::core::access::principal::{Principal, Proof};
use crate::core::access::rights::{Member, Policy};
use crate::core::access::tokens::Fingerprint;
use crate::core::limits::{
    INTROSPECTED_CHECK, INTROSPECTED_FRESH, INTROSPECTED_KNOWN_MAX, INTROSPECTIONS_AT_ONCE,
    STRANGER_PATIENCE, STRANGERS_ASKED_AT_ONCE, STRANGERS_ASKED_MAX,
};
use crate::core::subscriptions::Subscriptions;
use crate::model::{
    Audience, CloseReason, CredentialId, Failure, FailureKind, KeyId, Secret, TokenClaims, lock,
};
use crate::peers::KeyInspector;

/// What a PlaceOS answered about keys.
pub(in crate::core) struct KeyIntrospection {
    /// Absent where no PlaceOS was named.
    inspector: Option<Arc<dyn KeyInspector>>,
    forms: ForeignForms,
    subscriptions: Arc<Subscriptions>,
    state: Mutex<State>,
    /// For keys that PlaceOS has found good.
    known: Arc<Semaphore>,
    /// For all others.
    strangers: Arc<Semaphore>,
}

/// By the digest of a key, so that what is kept opens nothing. The key itself is kept only while it is good, to ask again.
#[derive(Default)]
struct State {
    known: HashMap<Fingerprint, Known>,
    asking: HashMap<Fingerprint, Asking>,
}

/// A question that is under way, for as long as a caller waits for its answer.
struct Asking {
    about: About,
    answer: WeakShared<BoxFuture<'static, Answer>>,
}

/// What a question is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum About {
    /// A key that was good when it was asked about last.
    KnownKey,
    Stranger,
}

#[derive(Clone)]
struct Known {
    answer: Answer,
    asked: Instant,
    /// PlaceOS did not answer when it was asked last: the answer is of before.
    is_silent: bool,
    /// Who came in when less was known of them, and may still be connected.
    earlier: Vec<Weak<Principal>>,
}

#[derive(Clone)]
enum Answer {
    Good {
        key: Secret,
        principal: Arc<Principal>,
    },
    Refused,
    /// PlaceOS could not be asked.
    Unanswered,
}

impl KeyIntrospection {
    pub(in crate::core) fn new(
        inspector: Option<Arc<dyn KeyInspector>>,
        forms: ForeignForms,
        subscriptions: Arc<Subscriptions>,
    ) -> Self {
        Self {
            inspector,
            forms,
            subscriptions,
            state: Mutex::default(),
            known: Arc::new(Semaphore::new(INTROSPECTIONS_AT_ONCE)),
            strangers: Arc::new(Semaphore::new(STRANGERS_ASKED_AT_ONCE)),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    /// Asks about a key unless that was done lately. A storm of clients with one key is one question.
    pub(in crate::core) async fn recognise(&self, key: &Secret) {
        let Some(inspector) = &self.inspector else {
            return;
        };
        // What is no key of any form is refused by who looks it up.
        if !key.expose().contains('.') {
            return;
        }
        let fingerprint = Fingerprint::of(key);
        let asking = {
            let mut state = self.state();
            let known = state.known.get(&fingerprint);
            if known.is_some_and(Known::is_fresh) {
                return;
            }
            let about = match known {
                Some(known) if known.is_good() => About::KnownKey,
                Some(_) | None => About::Stranger,
            };
            match state.under_way(&fingerprint) {
                Some(asking) => asking,
                None if about == About::Stranger && state.is_crowded() => return,
                None => state.begin(fingerprint, about, self.ask(inspector, key.clone(), about)),
            }
        };
        let answer = asking.await;
        self.note(fingerprint, answer);
    }

    /// One question, when there is a place for it.
    fn ask(
        &self,
        inspector: &Arc<dyn KeyInspector>,
        key: Secret,
        about: About,
    ) -> BoxFuture<'static, Answer> {
        let inspector = Arc::clone(inspector);
        let (places, patience) = match about {
            About::KnownKey => (Arc::clone(&self.known), Duration::MAX),
            About::Stranger => (Arc::clone(&self.strangers), STRANGER_PATIENCE),
        };
        let read = self.forms.read_claims;
        async move {
            let Ok(Ok(_place)) = timeout(patience, places.acquire()).await else {
                return Answer::Unanswered;
            };
            match inspector.inspect(&key).await {
                Ok(Some(payload)) => match read(payload.as_str()).and_then(|claims| principal(&key, claims)) {
                    Some(principal) => Answer::Good { key, principal },
                    None => {
                        tracing::warn!("PlaceOS vouches for an API key in a form that is not known; it is refused");
                        Answer::Refused
                    }
                },
                Ok(None) => Answer::Refused,
                Err(error) => {
                    tracing::warn!(%error, "PlaceOS could not be asked about an API key; look at placeos_api");
                    Answer::Unanswered
                }
            }
        }
        .boxed()
    }

    /// Remembers an answer. One that takes something away closes the connections of the key.
    fn note(&self, fingerprint: Fingerprint, answer: Answer) {
        let mut state = self.state();
        state.asking.remove(&fingerprint);
        let is_silent = matches!(answer, Answer::Unanswered);
        let before = state.known.get(&fingerprint).cloned();
        let (before, mut earlier) = match before {
            Some(known) => (Some(known.answer), known.earlier),
            None => (None, Vec::new()),
        };
        earlier.retain(|principal| principal.strong_count() > 0);
        let (answer, closed) = match (before, answer) {
            (Some(before @ Answer::Good { .. }), Answer::Unanswered) => (before, None),
            (Some(Answer::Good { key, principal }), Answer::Good { principal: now, .. })
                if now.policy == principal.policy =>
            {
                (Answer::Good { key, principal }, None)
            }
            (
                Some(Answer::Good { principal, .. }),
                Answer::Good {
                    key,
                    principal: now,
                },
            ) if now.covers(&principal) => {
                earlier.push(Arc::downgrade(&principal));
                (
                    Answer::Good {
                        key,
                        principal: now,
                    },
                    None,
                )
            }
            (
                Some(Answer::Good { principal, .. }),
                now @ (Answer::Good { .. } | Answer::Refused),
            ) => (now, Some(principal)),
            (_, now) => (now, None),
        };
        let known = Known {
            answer,
            asked: Instant::now(),
            is_silent,
            earlier,
        };
        state.remember(fingerprint, known);
        drop(state);
        if let Some(principal) = closed {
            let audience = Audience::Credential(principal.credential().clone());
            self.subscriptions
                .close(&audience, CloseReason::CredentialsRevoked);
        }
    }

    /// Whose key this is, as far as was [recognised](Self::recognise) lately. `None` where no PlaceOS was named.
    pub(in crate::core) fn find(&self, key: &Secret) -> Option<Result<Arc<Principal>, Failure>> {
        self.inspector.as_ref()?;
        let state = self.state();
        let known = state.known.get(&Fingerprint::of(key));
        let lately = known.filter(|known| !known.is_silent);
        Some(match lately.map(|known| &known.answer) {
            Some(Answer::Good { principal, .. }) => Ok(Arc::clone(principal)),
            Some(Answer::Refused) => Err(unknown_key()),
            Some(Answer::Unanswered) | None => Err(Failure::new(
                FailureKind::Unavailable,
                "the PlaceOS that knows the key cannot be asked; try again later",
            )
            .with_response_code(503)),
        })
    }

    /// Whether a connection that was opened by such a key may stay.
    pub(in crate::core) fn still_admits(&self, who: &Principal) -> bool {
        let Proof::Introspected(fingerprint) = &who.proof else {
            return false;
        };
        let state = self.state();
        match state.known.get(fingerprint).map(|known| &known.answer) {
            Some(Answer::Good { principal, .. }) => principal.covers(who),
            Some(Answer::Refused | Answer::Unanswered) | None => false,
        }
    }

    /// The caller of such a key as PlaceOS has it now, where its rights are wider or its groups are others.
    pub(in crate::core) fn renewed(&self, who: &Arc<Principal>) -> Option<Arc<Principal>> {
        let Proof::Introspected(fingerprint) = &who.proof else {
            return None;
        };
        let state = self.state();
        match state.known.get(fingerprint).map(|known| &known.answer) {
            Some(Answer::Good { principal, .. })
                if !Arc::ptr_eq(principal, who) && principal.covers(who) =>
            {
                Some(Arc::clone(principal))
            }
            Some(Answer::Good { .. } | Answer::Refused | Answer::Unanswered) | None => None,
        }
    }

    /// Asks again about the keys of open connections. Runs until it is dropped.
    pub(in crate::core) async fn keep(&self) {
        if self.inspector.is_none() {
            return;
        }
        let mut ticks = interval(INTROSPECTED_CHECK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // One question a key at most: those that are under way are not in use again before their answer.
        let mut asking = FuturesUnordered::new();
        loop {
            tokio::select! {
                _ = ticks.tick() => {
                    let in_use = self.state().in_use();
                    asking.extend(in_use.into_iter().map(|key| async move { self.recognise(&key).await }));
                }
                Some(()) = asking.next() => {}
            }
        }
    }
}

impl State {
    /// The question about a key that is under way.
    fn under_way(&self, key: &Fingerprint) -> Option<Shared<BoxFuture<'static, Answer>>> {
        self.asking.get(key)?.answer.upgrade()
    }

    /// Whether no more strangers are asked about for now.
    fn is_crowded(&mut self) -> bool {
        let strangers = |state: &Self| {
            let asking = state.asking.values();
            let strangers = asking.filter(|asking| asking.about == About::Stranger);
            strangers.count()
        };
        if strangers(self) < STRANGERS_ASKED_MAX {
            return false;
        }
        self.drop_abandoned();
        strangers(self) >= STRANGERS_ASKED_MAX
    }

    /// Drops the questions without a waiting caller.
    fn drop_abandoned(&mut self) {
        self.asking
            .retain(|_, asking| asking.answer.upgrade().is_some());
    }

    fn begin(
        &mut self,
        fingerprint: Fingerprint,
        about: About,
        question: BoxFuture<'static, Answer>,
    ) -> Shared<BoxFuture<'static, Answer>> {
        self.drop_abandoned();
        let question = question.shared();
        if let Some(answer) = question.downgrade() {
            self.asking.insert(fingerprint, Asking { about, answer });
        }
        question
    }

    fn remember(&mut self, fingerprint: Fingerprint, known: Known) {
        // Guesses go first, and a key that is good last: who comes back during a flood is no stranger.
        let worth_keeping: [fn(&Known) -> bool; 3] = [
            |known| known.is_good() || known.is_fresh(),
            Known::is_good,
            Known::is_in_use,
        ];
        for is_worth in worth_keeping {
            if self.known.len() >= INTROSPECTED_KNOWN_MAX {
                self.known.retain(|_, known| is_worth(known));
            }
        }
        self.known.insert(fingerprint, known);
    }

    /// The keys of open connections whose answer is no longer fresh and about which no question is under way.
    fn in_use(&self) -> Vec<Secret> {
        let known = self.known.iter();
        known
            .filter(|(key, known)| {
                known.is_in_use() && !known.is_fresh() && self.under_way(key).is_none()
            })
            .filter_map(|(_, known)| match &known.answer {
                Answer::Good { key, .. } => Some(key.clone()),
                Answer::Refused | Answer::Unanswered => None,
            })
            .collect()
    }
}

impl Known {
    fn is_fresh(&self) -> bool {
        self.asked.elapsed() < INTROSPECTED_FRESH
    }

    fn is_good(&self) -> bool {
        matches!(self.answer, Answer::Good { .. })
    }

    /// Each connection holds the person who opened it, or who was renewed since.
    fn is_in_use(&self) -> bool {
        let Answer::Good { principal, .. } = &self.answer else {
            return false;
        };
        let mut earlier = self.earlier.iter();
        Arc::strong_count(principal) > 1 || earlier.any(|principal| principal.strong_count() > 0)
    }
}

/// Who a key is, by what PlaceOS says of it.
fn principal(key: &Secret, claims: TokenClaims) -> Option<Arc<Principal>> {
    let (id, _) = key.expose().split_once('.')?;
    let id = KeyId::new(id).ok()?;
    let member = Member::foreign(&claims.user);
    Some(Arc::new(Principal {
        policy: Policy::everywhere(claims.user.level, member, claims.scopes),
        identity: Identity::ApiKey {
            key: id.clone(),
            user: Arc::new(claims.user),
        },
        credential: CredentialId::Key(id),
        proof: Proof::Introspected(Fingerprint::of(key)),
    }))
}

impl fmt::Debug for KeyIntrospection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyIntrospection").finish_non_exhaustive()
    }
}
