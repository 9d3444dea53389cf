//! Alerts of the gateway's own: modules that are not connected, nodes that are gone, a certificate that ends.
//!
//! `troubles` says what is to be told; here it is looked and sent.
//! Each node tells of the modules that it runs and of its certificate, and of the nodes the one whose address comes first.

mod troubles;

use std::collections::VecDeque;
use std::convert::Infallible;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior, interval};

use crate::automation::AlertSettings;
use crate::automation::limits::{ALERTS_LOOK_MAX, ALERTS_LOOK_MIN, ALERTS_WAITING_MAX};
use crate::core::{Core, Directory, Messages, Queries};
use crate::model::{Clock, ModuleId, Notice, ServiceKey, Timestamp};

use troubles::{Seen, Told, Troubles};

/// When the certificate of this node ends.
pub type CertificateEnd = Box<dyn Fn() -> Timestamp + Send + Sync>;

/// Looks for what is wrong, and has services tell it.
pub struct OwnAlerts {
    settings: AlertSettings,
    queries: Arc<Queries>,
    messages: Arc<Messages>,
    clock: Clock,
    certificate: Option<CertificateEnd>,
}

impl OwnAlerts {
    /// Alerts of this core, and of this certificate.
    pub fn new(
        settings: AlertSettings,
        core: &Core,
        clock: Clock,
        certificate: Option<CertificateEnd>,
    ) -> Self {
        Self {
            settings,
            queries: Arc::clone(&core.queries),
            messages: Arc::clone(&core.messages),
            clock,
            certificate,
        }
    }

    /// Looks until it is dropped. Ends at once where no service is to tell anything.
    pub async fn run(self) -> Option<Infallible> {
        if self.settings.services.is_empty() {
            return None;
        }
        let every = self.settings.after / 10;
        let mut ticks = interval(every.clamp(ALERTS_LOOK_MIN, ALERTS_LOOK_MAX));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut troubles = Troubles::new(self.settings.after);
        // What could not be sent. It is sent again, which is better twice than never.
        let mut waiting: VecDeque<Told> = VecDeque::new();
        loop {
            ticks.tick().await;
            waiting.extend(troubles.look(Instant::now(), &self.see()));
            while waiting.len() > ALERTS_WAITING_MAX {
                waiting.pop_front();
            }
            while let Some(told) = waiting.pop_front() {
                if !self.send(&told).await {
                    waiting.push_front(told);
                    break;
                }
            }
        }
    }

    fn see(&self) -> Seen {
        let (nodes, speaks_of_nodes) = self.queries.nodes_there();
        let now = (self.clock)();
        let rest = |end: &CertificateEnd| {
            let rest = end().as_secs().saturating_sub(now.as_secs());
            Duration::from_secs(rest)
        };
        Seen {
            modules: self.queries.connections_here(),
            nodes,
            speaks_of_nodes,
            certificate: self.certificate.as_ref().map(rest),
        }
    }

    /// Whether all services have it.
    async fn send(&self, told: &Told) -> bool {
        let directory = self.queries.directory();
        let services = self.services(&directory);
        if services.is_empty() {
            tracing::warn!(
                services = self.settings.services.join(", "),
                "no service of `alerts.services` is there, so an alert goes nowhere"
            );
        }
        let notice = Notice {
            text: told.text(|module| name(&directory, module)),
            title: "riser".to_owned(),
            link: String::new(),
            level: told.level(),
        };
        for service in services {
            if let Err(failure) = self.messages.send(service, notice.clone()).await {
                tracing::warn!(%failure, "an alert could not be sent; it is tried again");
                return false;
            }
        }
        true
    }

    fn services(&self, directory: &Directory) -> Vec<ServiceKey> {
        let named = |name: &String| {
            let by_key = ServiceKey::parse(name).and_then(|key| directory.service(&key));
            let by_name = directory.services_named(name);
            let found = by_key.into_iter().chain(by_name);
            found.map(|service| service.key.clone()).collect::<Vec<_>>()
        };
        self.settings.services.iter().flat_map(named).collect()
    }
}

/// What people call a module: its rooms, and its name there.
fn name(directory: &Directory, module: &ModuleId) -> String {
    let Some(entry) = directory.module(module) else {
        return module.to_string();
    };
    let rooms: Vec<&str> = directory
        .systems_of(module)
        .map(|system| system.name.as_str())
        .collect();
    match rooms.is_empty() {
        true => format!("{} ({module})", entry.name),
        false => format!("{} of {}", entry.name, rooms.join(", ")),
    }
}

impl fmt::Debug for OwnAlerts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OwnAlerts").finish_non_exhaustive()
    }
}
