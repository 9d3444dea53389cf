//! The port for access: who a caller is, and whether the caller may make a request.
//!
//! The rules are those of the room `access`; here the server asks, refusals are counted, and the audit log is written.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use crate::core::access::{
    Caller, KeyIntrospection, Sessions, admit, audit, may_follow, may_request, may_see, renewed,
    still_admits,
};
use crate::core::building::BuildingService;
use crate::core::metrics::CoreMetrics;
use crate::model::{Credentials, Failure, Request, Subject, SystemId};

/// Authenticates credentials and authorizes requests. Nothing here waits but [`Self::recognise`].
pub struct AccessControl {
    pub(super) sessions: Arc<Sessions>,
    pub(super) introspection: Arc<KeyIntrospection>,
    pub(super) building: Arc<BuildingService>,
    pub(super) metrics: Arc<CoreMetrics>,
}

impl AccessControl {
    /// Who shows these credentials at this address. The first that is good decides; when none is, the first says why.
    pub fn authenticate(
        &self,
        credentials: &[Credentials],
        address: IpAddr,
    ) -> Result<Caller, Failure> {
        admit(
            &self.building.keys(),
            &self.building.trusted(),
            &self.sessions,
            &self.introspection,
            credentials,
            address,
        )
    }

    /// Finds out what has to be looked up in another service before [`Self::authenticate`] can know these credentials. Bounded in time; mostly there is nothing to ask.
    pub async fn recognise(&self, credentials: &[Credentials]) {
        for shown in credentials {
            if let Credentials::ApiKey(presented) = shown
                && !self.building.keys().knows(presented)
            {
                self.introspection.recognise(presented).await;
            }
        }
    }

    /// Whether a caller that was let in would be let in now, with no fewer rights: a worker asks when it has registered a connection,
    /// since the order to close it may have passed before.
    pub fn still_admits(&self, who: &Caller) -> bool {
        let keys = self.building.keys();
        still_admits(&keys, &self.sessions, &self.introspection, who)
    }

    /// A connected caller as the building has it now, where its rights are wider than at its authentication.
    /// A worker asks before each request, so that raised rights hold without another connection.
    pub fn renewed(&self, who: &Caller) -> Option<Caller> {
        let keys = self.building.keys();
        let now = renewed(&keys, &self.sessions, &self.introspection, who.principal())?;
        Some(Caller::new(now, who.address()))
    }

    /// Whether a follower of a subject may go on. Asked again when the follower's rights may have changed, so nothing is written to the audit log.
    pub fn may_go_on(&self, who: &Caller, subject: &Subject) -> bool {
        may_follow(&self.building.directory(), who.policy(), subject).is_ok()
    }

    /// Whether a caller may make a request. [`Calls::exec`](super::Calls::exec) checks the clearance of the function that it calls.
    pub fn authorize(&self, who: &Caller, request: &Request) -> Result<(), Failure> {
        let verdict = may_request(&self.building.directory(), who.policy(), request);
        match &verdict {
            Ok(()) => audit::allowed(who, request),
            Err(failure) => {
                self.metrics.refusals.increment(1);
                audit::refused(who, request, failure);
            }
        }
        verdict
    }

    /// Writes to the audit log that a caller sent a command that no dialect knows.
    pub fn note_unknown_command(&self, who: &Caller, command: &str) {
        self.metrics.refusals.increment(1);
        audit::unknown_command(who, command);
    }

    /// Whether a caller may see a system.
    pub fn may_see(&self, who: &Caller, system: &SystemId) -> Result<(), Failure> {
        let verdict = may_see(&self.building.directory(), who.policy(), system);
        self.note_reach(who, system, verdict)
    }

    fn note_reach(
        &self,
        who: &Caller,
        system: &SystemId,
        verdict: Result<(), Failure>,
    ) -> Result<(), Failure> {
        if let Err(failure) = &verdict {
            self.metrics.refusals.increment(1);
            audit::out_of_reach(who, system.as_str(), failure);
        }
        verdict
    }
}

impl fmt::Debug for AccessControl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessControl").finish_non_exhaustive()
    }
}
