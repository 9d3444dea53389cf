//! The sign-ins that have begun and wait for a name and a password.
//!
//! A flow is kept by this node alone, for some minutes and for the address that began it. It holds no secret; failed passwords are counted by the core.

use std::collections::HashMap;
use std::fmt;
use std::net::IpAddr;
use std::sync::Mutex;

use tokio::time::Instant;
use uuid::Uuid;

use crate::dialects::home_assistant::rest::{BadStep, Begin};
use crate::model::lock;
use crate::server::limits::{LOGIN_FLOW_LIFE, LOGIN_FLOWS_MAX, LOGIN_FLOWS_PER_ADDRESS};

/// The flows that wait.
#[derive(Default)]
pub(in crate::server) struct LoginFlows {
    flows: Mutex<HashMap<String, Flow>>,
}

struct Flow {
    begun: Begin,
    address: IpAddr,
    until: Instant,
}

impl LoginFlows {
    /// Begins a flow and gives its id.
    pub(super) fn begin(&self, begun: Begin, address: IpAddr) -> Result<String, BadStep> {
        let now = Instant::now();
        let mut flows = lock(&self.flows);
        flows.retain(|_, flow| flow.until > now);
        let of_address = flows
            .values()
            .filter(|flow| flow.address == address)
            .count();
        if flows.len() >= LOGIN_FLOWS_MAX || of_address >= LOGIN_FLOWS_PER_ADDRESS {
            return Err(BadStep::crowded());
        }
        let id = Uuid::new_v4().simple().to_string();
        let flow = Flow {
            begun,
            address,
            until: now + LOGIN_FLOW_LIFE,
        };
        flows.insert(id.clone(), flow);
        Ok(id)
    }

    /// Whether a flow waits for this client at this address. It goes on waiting.
    pub(super) fn look(&self, id: &str, client: &str, address: IpAddr) -> Result<(), BadStep> {
        let flows = lock(&self.flows);
        let flow = flows.get(id).filter(|flow| flow.until > Instant::now());
        let flow = flow.ok_or_else(BadStep::unknown)?;
        if flow.address != address {
            return Err(BadStep::other_address());
        }
        if flow.begun.client != client {
            return Err(BadStep::other_client());
        }
        Ok(())
    }

    /// Ends a flow. Whether there was one.
    pub(super) fn end(&self, id: &str) -> bool {
        let ended = lock(&self.flows).remove(id);
        ended.is_some_and(|flow| flow.until > Instant::now())
    }
}

impl fmt::Debug for LoginFlows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoginFlows").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
    const THERE: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
    const APP: &str = "http://a.test/";

    fn begun() -> Begin {
        Begin {
            client: APP.to_owned(),
            redirect: APP.to_owned(),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_flow_is_for_one_client_at_one_address_for_a_while() {
        let flows = LoginFlows::default();
        let id = flows.begin(begun(), HERE).unwrap();
        assert_eq!(flows.look(&id, APP, HERE), Ok(()));
        assert_eq!(flows.look(&id, APP, THERE), Err(BadStep::other_address()));
        let other = flows.look(&id, "http://b.test/", HERE);
        assert_eq!(other, Err(BadStep::other_client()));
        assert_eq!(flows.look("x", APP, HERE), Err(BadStep::unknown()));
        tokio::time::advance(LOGIN_FLOW_LIFE).await;
        assert_eq!(flows.look(&id, APP, HERE), Err(BadStep::unknown()));
        assert!(!flows.end(&id));
    }

    #[tokio::test(start_paused = true)]
    async fn an_address_that_opens_many_leaves_room_for_others() {
        let flows = LoginFlows::default();
        let last = (0..LOGIN_FLOWS_PER_ADDRESS).map(|_| flows.begin(begun(), HERE).unwrap());
        let last = last.last().unwrap();
        assert_eq!(flows.begin(begun(), HERE), Err(BadStep::crowded()));
        assert!(flows.begin(begun(), THERE).is_ok());
        assert!(flows.end(&last));
        assert!(flows.begin(begun(), HERE).is_ok());
        assert_eq!(flows.begin(begun(), HERE), Err(BadStep::crowded()));
        tokio::time::advance(LOGIN_FLOW_LIFE).await;
        assert!(flows.begin(begun(), HERE).is_ok());
    }
}
