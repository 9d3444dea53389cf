//! Which of several hosts runs a driver, with hosts that each know a few and only say that they were asked to start one.

use driver_sdk::Error;
use futures_util::FutureExt;

use super::*;
use crate::driver_host::StatusRefused;
use crate::model::{
    Configuration, Interface, JsonText, LogLevel, ModuleId, ModuleName, StatusName,
};

#[test]
fn each_driver_is_started_by_the_host_that_knows_it() {
    let hosts = hosts(&[("inside", &["lamp"]), ("outside", &["door", "blind"])]).unwrap();
    for (driver, expected) in [
        ("lamp", "inside"),
        ("door", "outside"),
        ("blind", "outside"),
    ] {
        assert_eq!(
            start(&hosts, driver).to_string(),
            format!("the driver did not start: {expected}")
        );
        let description = hosts.describe(&linked_in(driver)).unwrap();
        assert_eq!(&*description.text, expected);
    }
}

#[test]
fn the_drivers_of_all_hosts_are_listed_by_id() {
    let hosts = hosts(&[("inside", &["lamp"]), ("outside", &["door", "screen"])]).unwrap();
    let drivers = hosts.drivers();
    let ids: Vec<&str> = drivers.iter().map(|(driver, _)| driver.as_str()).collect();
    assert_eq!(ids, ["door", "lamp", "screen"]);
}

#[test]
fn a_driver_that_two_hosts_offer_is_refused_with_the_names_of_both() {
    let error = hosts(&[("inside", &["lamp"]), ("outside", &["door", "lamp"])]).unwrap_err();
    assert_eq!(
        error.to_string(),
        r#"the driver "lamp" is offered twice, by inside and by outside"#
    );
}

#[test]
fn a_driver_that_no_host_knows_is_an_error_that_lists_what_there_is() {
    let hosts = hosts(&[("inside", &["lamp"]), ("outside", &["door"])]).unwrap();
    let expected = r#"no driver "shutter" is linked in; there are door, lamp"#;
    assert_eq!(start(&hosts, "shutter").to_string(), expected);
    let error = hosts.describe(&linked_in("shutter")).unwrap_err();
    assert_eq!(error.to_string(), expected);
}

/// Knows some drivers; a start fails and says the host's name.
struct Named {
    name: &'static str,
    drivers: &'static [&'static str],
}

impl DriverHost for Named {
    fn describe(&self, driver: &DriverRef) -> Result<Description, HostError> {
        let mut drivers = self.drivers().into_iter();
        let found = drivers.find(|(known, _)| known == driver);
        found
            .map(|(_, description)| description)
            .ok_or_else(|| HostError::UnknownDriver {
                id: driver.as_str().to_owned(),
                known: self.drivers.join(", "),
            })
    }

    fn drivers(&self) -> Vec<(DriverRef, Description)> {
        let description = Description {
            module_name: ModuleName::new("Named").unwrap(),
            text: Arc::from(self.name),
            configuration: Configuration::ANY,
            interface: None,
        };
        let ids = self.drivers.iter();
        ids.map(|id| (linked_in(id), description.clone())).collect()
    }

    fn start(
        &self,
        _: &Module,
        _: Arc<dyn ModuleSink>,
    ) -> BoxFuture<'static, Result<Arc<dyn RunningModule>, HostError>> {
        let error = HostError::Start(Error::new(self.name));
        Box::pin(async { Err(error) })
    }
}

struct Deaf;

impl ModuleSink for Deaf {
    fn set_status(&self, _: &StatusName, _: Option<JsonText>) -> Result<(), StatusRefused> {
        Ok(())
    }

    fn signal_status(&self, _: &StatusName) {}

    fn status(&self, _: &StatusName) -> Option<JsonText> {
        None
    }

    fn wants_line(&self, _: LogLevel) -> bool {
        false
    }

    fn line(&self, _: LogLevel, _: String) {}

    fn interface_changed(&self, _: Interface) {}

    fn may_act(&self) -> bool {
        true
    }
}

fn hosts(named: &[(&'static str, &'static [&'static str])]) -> Result<Hosts, HostError> {
    let hosts = named.iter().map(|(name, drivers)| {
        let host = Named { name, drivers };
        (*name, Arc::new(host) as Arc<dyn DriverHost>)
    });
    Hosts::new(hosts)
}

fn linked_in(driver: &str) -> DriverRef {
    DriverRef::LinkedIn(driver.to_owned())
}

/// Starts a module, which always fails here.
fn start(hosts: &Hosts, driver: &str) -> HostError {
    let module = Module {
        driver: linked_in(driver),
        ..Module::new(&ModuleId::new("mod-1").unwrap())
    };
    let started = hosts.start(&module, Arc::new(Deaf)).now_or_never();
    match started.expect("the doubles wait for nothing") {
        Ok(_) => panic!("the module started"),
        Err(error) => error,
    }
}
