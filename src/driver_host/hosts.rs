//! A driver host made of hosts, so that drivers of several kinds stand side by side.
//!
//! The core sees one host. Each driver belongs to the one host that knows it, which is why two hosts must not offer the same id.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use driver_sdk::BoxFuture;

use crate::driver_host::{Description, DriverHost, HostError, ModuleSink, RunningModule};
use crate::model::{DriverRef, Module};

/// Several hosts as one.
pub struct Hosts(Vec<Arc<dyn DriverHost>>);

impl Hosts {
    /// A host of these, each with its name for messages. Refused when two of them offer the same driver.
    pub fn new(
        hosts: impl IntoIterator<Item = (&'static str, Arc<dyn DriverHost>)>,
    ) -> Result<Self, HostError> {
        let mut offered: BTreeMap<String, &'static str> = BTreeMap::new();
        let mut all = Vec::new();
        for (name, host) in hosts {
            for (driver, _) in host.drivers() {
                let id = driver.as_str().to_owned();
                if let Some(first) = offered.insert(id.clone(), name) {
                    let second = name;
                    return Err(HostError::OfferedTwice { id, first, second });
                }
            }
            all.push(host);
        }
        Ok(Self(all))
    }

    /// The host that knows a driver, and what the driver says of itself.
    fn find(&self, driver: &DriverRef) -> Result<(&dyn DriverHost, Description), HostError> {
        let mut hosts = self.0.iter();
        let known = hosts.find_map(|host| Some((&**host, host.describe(driver).ok()?)));
        known.ok_or_else(|| {
            let drivers = self.drivers();
            let known: Vec<&str> = drivers.iter().map(|(driver, _)| driver.as_str()).collect();
            HostError::UnknownDriver {
                id: driver.as_str().to_owned(),
                known: known.join(", "),
            }
        })
    }
}

impl DriverHost for Hosts {
    fn describe(&self, driver: &DriverRef) -> Result<Description, HostError> {
        self.find(driver).map(|(_, description)| description)
    }

    fn drivers(&self) -> Vec<(DriverRef, Description)> {
        let mut drivers: Vec<_> = self.0.iter().flat_map(|host| host.drivers()).collect();
        drivers.sort_by(|(one, _), (other, _)| one.as_str().cmp(other.as_str()));
        drivers
    }

    fn start(
        &self,
        module: &Module,
        sink: Arc<dyn ModuleSink>,
    ) -> BoxFuture<'static, Result<Arc<dyn RunningModule>, HostError>> {
        match self.find(&module.driver) {
            Ok((host, _)) => host.start(module, sink),
            Err(error) => Box::pin(async { Err(error) }),
        }
    }
}

impl fmt::Debug for Hosts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let drivers = self.drivers();
        f.debug_list()
            .entries(drivers.iter().map(|(driver, _)| driver.as_str()))
            .finish()
    }
}
