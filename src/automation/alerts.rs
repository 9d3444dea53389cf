//! The driver of `_ALERTS_`: it says, as statuses of a system, what the services have sent that name the system.
//!
//! What is counted is the store's to say, so a status is right after a restart, on another node, and after news that did not come.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::{BoxStream, SelectAll};
use serde::{Deserialize, Serialize};
use tokio::time::timeout;

use crate::automation::ports::{Ports, itself};
use crate::core::{Caller, Messages};
use crate::driver_host::{DriverError, ModuleSink};
use crate::model::{
    Clearance, DeviceId, Event, Failure, JsonText, MessageLevel, ModuleId, ServiceKey, StatusName,
    Subject,
};
use crate::stores::Tally;

/// How often it is looked what is still unread: nobody tells when a device reads.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// One such module.
pub(super) struct Alerts {
    services: Vec<ServiceKey>,
    /// By which it is told that news may have been missed.
    device: DeviceId,
    caller: Caller,
    ports: Ports,
    sink: Arc<dyn ModuleSink>,
}

#[derive(Deserialize)]
struct Settings {
    services: Vec<String>,
}

/// The last message, as a status has it.
#[derive(Serialize)]
struct Last<'m> {
    service: &'m str,
    public: &'m str,
    level: u8,
    title: &'m str,
    message: &'m str,
    link: &'m str,
    /// In Unix seconds.
    time: u64,
}

impl Alerts {
    pub(super) fn new(
        module: &ModuleId,
        settings: &JsonText,
        ports: Ports,
        sink: Arc<dyn ModuleSink>,
    ) -> Result<Self, DriverError> {
        let unusable = |_| DriverError::new("the settings are not those of this module");
        let Settings { services } = settings.to().map_err(unusable)?;
        let keys = services.iter().filter_map(|key| ServiceKey::parse(key));
        let device = DeviceId::new(module.as_str());
        let caller = itself(module.as_str(), Clearance::Support);
        Ok(Self {
            services: keys.collect(),
            device: device.map_err(|error| DriverError::new(error.to_string()))?,
            caller: caller.map_err(|failure| DriverError::new(failure.message()))?,
            ports,
            sink,
        })
    }

    /// Tells until something fails, and gives what that was.
    pub(super) async fn run(self) -> String {
        match self.tell().await {
            Ok(()) => "the gateway stops".to_owned(),
            Err(failure) => failure.message().to_owned(),
        }
    }

    async fn tell(&self) -> Result<(), Failure> {
        let Some(messages) = self.ports.messages.upgrade() else {
            return Ok(());
        };
        // Before the first look, so that nothing falls between.
        let mut news = self.follow()?;
        loop {
            let unread = self.look(&messages).await?;
            let happened = news.next();
            let happened = match unread {
                0 => happened.await,
                _ => match timeout(LOOK_EVERY, happened).await {
                    Ok(happened) => happened,
                    Err(_) => continue,
                },
            };
            if happened.is_none() {
                return Ok(());
            }
        }
    }

    fn follow(&self) -> Result<SelectAll<BoxStream<'static, Event>>, Failure> {
        let mut all = SelectAll::new();
        if let Some(access) = self.ports.access.upgrade() {
            let of_services = self.services.iter().cloned().map(Subject::Service);
            for subject in of_services.chain([Subject::Device(self.device.clone())]) {
                all.push(access.follow(&self.caller, subject)?);
            }
        }
        Ok(all)
    }

    /// Sets all statuses, and gives how many messages are unread.
    async fn look(&self, messages: &Messages) -> Result<u64, Failure> {
        let tallies = messages.tallies(self.services.clone()).await?;
        let mut by_level = BTreeMap::new();
        for (at, level) in MessageLevel::ALL.into_iter().enumerate() {
            let count: u64 = tallies.iter().map(|tally| tally.by_level[at]).sum();
            by_level.insert(level.number(), count);
        }
        let unread = tallies.iter().map(|tally| tally.unread).sum();
        self.set("last", &self.last(&tallies));
        self.set("count_by_level", &by_level);
        self.set("unread", &unread);
        Ok(unread)
    }

    /// The last message of all the services.
    fn last(&self, tallies: &[Tally]) -> Option<JsonText> {
        let messages = tallies.iter().filter_map(|tally| tally.last.as_ref());
        let last = messages.max_by_key(|message| message.number)?;
        let directory = self
            .ports
            .queries
            .upgrade()
            .map(|queries| queries.directory());
        let service = directory.as_ref().and_then(|it| it.service(&last.service));
        JsonText::of(&Last {
            service: service.map_or("", |service| &service.name),
            public: last.service.as_str(),
            level: last.notice.level.number(),
            title: &last.notice.title,
            message: &last.notice.text,
            link: &last.notice.link,
            time: last.at.as_secs(),
        })
        .ok()
    }

    fn set<T: Serialize>(&self, name: &str, value: &T) {
        let (Ok(name), Ok(value)) = (StatusName::new(name), JsonText::of(value)) else {
            return;
        };
        if let Err(refused) = self.sink.set_status(&name, Some(value)) {
            tracing::warn!(%refused, status = %name, "a status of the building's own was not taken");
        }
    }
}
