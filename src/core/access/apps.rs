//! Apps as callers: what each of an app's keys opens, and what a user of the app may do beside.
//!
//! A key of an app is no secret, since every page that connects shows it; what it opens is the app's own topics, and rooms as far as the app's user may.

use std::collections::HashMap;
use std::sync::Arc;

use crate::core::access::principal::{Principal, Proof};
use crate::core::access::rights::policy_of_user;
use crate::core::directory::Directory;
use crate::model::{AppId, CredentialId, Failure, FailureKind, User, UserId};

/// The apps of a building, by their keys.
#[derive(Debug, Clone, Default)]
pub(super) struct AppRing {
    by_key: HashMap<Box<str>, Arc<Principal>>,
}

impl AppRing {
    /// Has the apps of a directory.
    pub(super) fn align(&mut self, directory: &Directory) {
        let mut next: HashMap<Box<str>, Arc<Principal>> = HashMap::new();
        for app in directory.apps() {
            let user = app
                .user
                .as_ref()
                .and_then(|user| directory.shared_user(user));
            let now = Arc::new(Principal::app(app.id.clone(), user));
            for key in app.keys.list() {
                let before = self.by_key.get(key.key.as_str());
                // The same principal as before, so that who has it is not taken for another.
                let kept = before.filter(|before| before.covers(&now) && now.covers(before));
                let principal = kept.map_or_else(|| Arc::clone(&now), Arc::clone);
                next.insert(key.key.as_str().into(), principal);
            }
        }
        self.by_key = next;
    }

    /// Whose key this is.
    pub(super) fn find(&self, key: &str) -> Result<Arc<Principal>, Failure> {
        let found = self.by_key.get(key).cloned();
        found.ok_or_else(|| unknown("there is no app of that key"))
    }

    /// A user of an app: the app, and where the building has that user, no more than the user may.
    pub(super) fn user_of(
        &self,
        directory: &Directory,
        app: &AppId,
        user: &str,
    ) -> Result<Arc<Principal>, Failure> {
        let of_app = self
            .of(app)
            .ok_or_else(|| unknown("there is no such app"))?;
        let user = UserId::new(user).ok();
        let user = user.and_then(|user| directory.shared_user(&user));
        Ok(match user {
            Some(user) => {
                let user = Arc::new(Principal::user_of_app(app.clone(), user));
                Arc::new(Principal::both(of_app, &user))
            }
            None => Arc::clone(of_app),
        })
    }

    /// Whether an app is what it was when it was let in, or more.
    pub(super) fn still_admits(&self, who: &Principal) -> bool {
        let now = app_of(who).and_then(|app| self.of(app));
        now.is_some_and(|now| now.covers(who))
    }

    /// The same app as it is now, where that opens no less; nothing when it is the same.
    pub(super) fn renewed(&self, who: &Arc<Principal>) -> Option<Arc<Principal>> {
        let now = self.of(app_of(who)?)?;
        (!Arc::ptr_eq(now, who) && now.covers(who)).then(|| Arc::clone(now))
    }

    fn of(&self, app: &AppId) -> Option<&Arc<Principal>> {
        let mut all = self.by_key.values();
        all.find(|principal| app_of(principal) == Some(app))
    }
}

impl Principal {
    /// A user who has signed in by way of an app: what the user may do, in the app's topics.
    fn user_of_app(app: AppId, user: Arc<User>) -> Self {
        let policy = policy_of_user(&user).with_topics_of(&app);
        Self {
            credential: CredentialId::App(app.clone()),
            identity: super::Identity::App {
                app,
                user: Some(user),
            },
            proof: Proof::Trusted,
            policy,
        }
    }
}

fn app_of(principal: &Principal) -> Option<&AppId> {
    match principal.credential() {
        CredentialId::App(app) => Some(app),
        CredentialId::Key(_)
        | CredentialId::Session(_)
        | CredentialId::Foreign(_)
        | CredentialId::Device(_)
        | CredentialId::Automation(_) => None,
    }
}

fn unknown(why: &str) -> Failure {
    Failure::new(FailureKind::Unauthenticated, why).with_response_code(401)
}
