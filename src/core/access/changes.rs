//! Whether a caller may make the changes of an edit, over the building before and after.
//!
//! The decision is about the building before and after, so no way to an edit goes round it: a resource, a whole building, what follows from a deletion.
//! Each entry that differs needs a level of its own. Beyond that, what an edit opens to anybody is to be open to the caller's own credentials:
//!
//! - a user who gets a password, a higher level or other groups can sign in as that;
//! - an API key opens what it says;
//! - an app opens what its user may do;
//! - what zones say of groups of people is a full administrator's to change, and so is in which rooms a module is called under it;
//! - a key for some systems may come to reach others, when its zones do.

#[cfg(test)]
mod tests;

use crate::core::access::policy::{may_ask, may_switch, opens_too_much};
use crate::core::access::rights::{Member, Policy, policy_of_user};
use crate::core::directory::Directory;
use crate::model::{
    ApiKey, AppId, ChannelApp, Clearance, Differences, EntryId, Failure, KeyId, ModuleId,
    PermissionsRead, Scope, Service, ServiceKey, System, SystemId, TriggerId, User, UserId,
    ZonePermissions,
};

/// What an edit makes of a building.
#[derive(Debug, Clone, Copy)]
pub(in crate::core) struct Changes<'a> {
    pub(in crate::core) before: &'a Directory,
    pub(in crate::core) after: &'a Directory,
    /// The entries that differ.
    pub(in crate::core) differences: &'a Differences,
    /// The users who are given a password that is still to be hashed, and so is in neither directory.
    pub(in crate::core) passwords: &'a [UserId],
}

/// What may not be changed, and why.
#[derive(Debug)]
pub(in crate::core) struct Refused {
    pub(in crate::core) entry: EntryId,
    pub(in crate::core) failure: Failure,
}

/// Whether the caller may make all of it.
pub(in crate::core) fn may_change(policy: &Policy, changes: &Changes<'_>) -> Result<(), Refused> {
    if may_open(policy, &full_administrator()).is_ok() {
        // Nothing opens more than that, and there is no higher level.
        return Ok(());
    }
    let restricted = changes.restricted_keys();
    for (_, id) in &changes.differences.0 {
        let allowed = match id {
            EntryId::User(user) => changes.user(policy, user),
            EntryId::ApiKey(key) => changes.key(policy, key),
            EntryId::System(system) => changes.system(policy, system, &restricted),
            EntryId::Zone(_) | EntryId::Metadata(_) => changes.level(policy, id),
            EntryId::Module(module) => changes.module(policy, module),
            EntryId::Entity(_) | EntryId::Command(_) => changes.placed(policy, id),
            EntryId::App(app) => changes.app(policy, app),
            EntryId::Service(service) => changes.service(policy, service),
            EntryId::Procedure(_) | EntryId::Hook(_) => changes.level(policy, id),
            EntryId::Trigger(trigger) => changes.trigger(policy, trigger),
        };
        allowed.map_err(|failure| Refused {
            entry: id.clone(),
            failure,
        })?;
    }
    for user in changes.passwords {
        let after = changes.after.user(user);
        let allowed = after.map_or(Ok(()), |user| may_open(policy, &policy_of_user(user)));
        allowed.map_err(|failure| Refused {
            entry: EntryId::User(user.clone()),
            failure,
        })?;
    }
    match changes.other_permissions() {
        Some(entry) => Err(Refused {
            entry,
            failure: opens_too_much(),
        }),
        None => Ok(()),
    }
}

impl Changes<'_> {
    /// What each key for some systems opens.
    fn restricted_keys(&self) -> Vec<Policy> {
        let opened = self.after.api_keys().map(|key| self.opened_by(key));
        opened.filter(Policy::is_restricted).collect()
    }

    /// The level that a change of such an entry needs, whatever it is.
    fn level(&self, policy: &Policy, id: &EntryId) -> Result<(), Failure> {
        let stays = self.after.info(id).is_some();
        may_ask(self.before, policy, id, stays)
    }

    fn module(&self, policy: &Policy, id: &ModuleId) -> Result<(), Failure> {
        let there = self.before.module(id).zip(self.after.module(id));
        let switches =
            there.is_some_and(|(before, after)| before.module.differs_in_running(&after.module));
        match switches {
            true => may_switch(policy),
            false => self.level(policy, &EntryId::Module(id.clone())),
        }
    }

    fn placed(&self, policy: &Policy, id: &EntryId) -> Result<(), Failure> {
        let place = self.before.place_of(id).map(|(place, _)| place);
        // What names a place goes with the module there, which is no change of its own.
        let has_left = place.is_some_and(|place| {
            let is_gone = self.after.info(id).is_none();
            is_gone && self.before.is_taken(place) && !self.after.is_taken(place)
        });
        match has_left {
            true => Ok(()),
            false => self.level(policy, id),
        }
    }

    fn user(&self, policy: &Policy, id: &UserId) -> Result<(), Failure> {
        self.level(policy, &EntryId::User(id.clone()))?;
        match self.after.user(id) {
            Some(after) if opens_more(self.before.user(id), after) => {
                may_open(policy, &policy_of_user(after))
            }
            Some(_) | None => Ok(()),
        }
    }

    fn key(&self, policy: &Policy, id: &KeyId) -> Result<(), Failure> {
        let (before, after) = (self.before.api_key(id), self.after.api_key(id));
        // The removal of a reference to a deleted entry is no change of the key's own.
        if before.is_some_and(|before| let_go(before, self.after).as_ref() == after) {
            return Ok(());
        }
        self.level(policy, &EntryId::ApiKey(id.clone()))?;
        match after {
            Some(after) if before != Some(after) => {
                may_open(policy, &Policy::of_key(after, after.level))
            }
            Some(_) | None => Ok(()),
        }
    }

    fn app(&self, policy: &Policy, id: &AppId) -> Result<(), Failure> {
        let (before, after) = (self.before.app(id), self.after.app(id));
        // The loss of a deleted user is no change of the app's own.
        if before.is_some_and(|before| let_go_app(before, self.after).as_ref() == after) {
            return Ok(());
        }
        self.level(policy, &EntryId::App(id.clone()))?;
        let user = after.and_then(|app| self.after.user(app.user.as_ref()?));
        match user {
            Some(user) if before != after => may_open(policy, &policy_of_user(user)),
            Some(_) | None => Ok(()),
        }
    }

    fn service(&self, policy: &Policy, id: &ServiceKey) -> Result<(), Failure> {
        let (before, after) = (self.before.service(id), self.after.service(id));
        // The loss of deleted systems is no change of the service's own.
        if before.is_some_and(|before| Some(&let_go_service(before, self.after)) == after) {
            return Ok(());
        }
        self.level(policy, &EntryId::Service(id.clone()))
    }

    fn trigger(&self, policy: &Policy, id: &TriggerId) -> Result<(), Failure> {
        let before = self.before.trigger(id);
        let system = before.and_then(|trigger| trigger.system.as_ref());
        // It goes with its system, which is no change of its own.
        let is_left = system.is_some_and(|system| self.after.system(system).is_none());
        match is_left && self.after.trigger(id).is_none() {
            true => Ok(()),
            false => self.level(policy, &EntryId::Trigger(id.clone())),
        }
    }

    fn system(&self, policy: &Policy, id: &SystemId, restricted: &[Policy]) -> Result<(), Failure> {
        self.level(policy, &EntryId::System(id.clone()))?;
        let (before, after) = (self.before.system(id), self.after.system(id));
        let Some(after) = after else {
            return Ok(());
        };
        for opened in restricted {
            if self.comes_to_reach(opened, before, after) {
                may_open(policy, opened)?;
            }
        }
        Ok(())
    }

    /// Whether a key that opens this reaches a system that it did not reach, or a module by it that it reached nowhere.
    fn comes_to_reach(&self, opened: &Policy, before: Option<&System>, after: &System) -> bool {
        if !opened.reaches(after) {
            return false;
        }
        if !before.is_some_and(|before| opened.reaches(before)) {
            return true;
        }
        let is_new = |module: &ModuleId| {
            let mut around = self.before.systems_of(module);
            !around.any(|system| opened.reaches(system))
        };
        after.modules.iter().any(is_new)
    }

    /// What a key opens. To what zones can raise it counts where zones say something.
    fn opened_by(&self, key: &ApiKey) -> Policy {
        let user = self.after.user(&key.user);
        let level = user.map_or(key.level, |user| user.level);
        if !self.after.permissions().is_empty() {
            return Policy::of_key(key, level);
        }
        let lowered = ApiKey {
            level: key.level.min(level),
            ..key.clone()
        };
        Policy::of_key(&lowered, level)
    }

    /// An entry by which zones say something else of groups of people, or a module is called under what they say elsewhere.
    fn other_permissions(&self) -> Option<EntryId> {
        let (was, is) = (self.before.permissions(), self.after.permissions());
        if let Some(zone) = was.first_difference(is) {
            return Some(EntryId::Zone(zone.clone()));
        }
        if is.is_empty() {
            return None;
        }
        let module = self.after.modules().map(|entry| &entry.module.id);
        // Only administrators make a module, and no caller can have called it before.
        let mut known = module.filter(|id| self.before.module(id).is_some());
        let opened = known.find(|module| {
            let before = contexts(self.before, module);
            let after = contexts(self.after, module);
            let is_known = |now: &Context<'_>| before.iter().any(|was| opens_no_more(now, was));
            !after.iter().all(is_known)
        });
        opened.map(|module| EntryId::Module(module.clone()))
    }
}

/// Whether the edit lets a person sign in as this user who could not before, or with more rights.
fn opens_more(before: Option<&User>, after: &User) -> bool {
    match before {
        None => {
            after.password.is_some() || after.level > Clearance::User || !after.groups.is_empty()
        }
        // A group that one leaves may be one that zones refuse.
        Some(before) => {
            after.level > before.level
                || after.groups != before.groups
                || (after.password.is_some() && after.password != before.password)
        }
    }
}

/// What is left of a key when the entries are gone that it names and that are not there; nothing when it would be restricted no more.
fn let_go(key: &ApiKey, after: &Directory) -> Option<ApiKey> {
    after.user(&key.user)?;
    let mut kept = key.clone();
    kept.systems.retain(|system| after.system(system).is_some());
    kept.zones.retain(|zone| after.zone(zone).is_some());
    let was_restricted = !key.systems.is_empty() || !key.zones.is_empty();
    let is_restricted = !kept.systems.is_empty() || !kept.zones.is_empty();
    (was_restricted == is_restricted).then_some(kept)
}

/// What is left of an app when its user is gone.
fn let_go_app(app: &ChannelApp, after: &Directory) -> Option<ChannelApp> {
    let user = app.user.as_ref()?;
    after.user(user).is_none().then(|| ChannelApp {
        user: None,
        ..app.clone()
    })
}

/// What is left of a service when systems are gone that it names.
fn let_go_service(service: &Service, after: &Directory) -> Service {
    let mut kept = service.clone();
    kept.systems.retain(|system| after.system(system).is_some());
    kept
}

/// What zones say where a module is called, in their order.
type Context<'a> = Vec<&'a PermissionsRead>;

/// All contexts in which a module is called: that of each of its systems, or the one in which nothing is said.
fn contexts<'a>(directory: &'a Directory, module: &ModuleId) -> Vec<Context<'a>> {
    let permissions = directory.permissions();
    let systems = directory.systems_of(module);
    let mut contexts: Vec<_> = systems
        .map(|system| permissions.in_system(system).collect())
        .collect();
    if contexts.is_empty() {
        contexts.push(Vec::new());
    }
    contexts
}

/// Whether no caller may do more under `this` than under `that`: the zones say the same, or they raise no group and refuse every group that the others refuse.
fn opens_no_more(this: &Context<'_>, that: &Context<'_>) -> bool {
    // What cannot be read refuses everybody.
    let Some(here) = readable(this) else {
        return true;
    };
    let Some(there) = readable(that) else {
        return false;
    };
    let raises_nobody = |said: &&ZonePermissions| said.support.is_empty() && said.admin.is_empty();
    let is_refused = |group: &String| here.iter().any(|said| said.refused.contains(group));
    let mut refused = there.iter().flat_map(|said| &said.refused);
    this == that || (here.iter().all(raises_nobody) && refused.all(is_refused))
}

fn readable<'a>(context: &Context<'a>) -> Option<Vec<&'a ZonePermissions>> {
    context.iter().map(|said| said.as_ref().ok()).collect()
}

fn full_administrator() -> Policy {
    let scopes = Scope::parse(Scope::PUBLIC).into_iter().collect();
    Policy::everywhere(Clearance::Admin, Member::Nobody, scopes)
}

fn may_open(policy: &Policy, opened: &Policy) -> Result<(), Failure> {
    match policy.may_mint(opened) {
        true => Ok(()),
        false => Err(opens_too_much()),
    }
}
