//! `riser apply`, `riser export` and `riser keys`: the building from a terminal, in a running gateway or in the store of one that does not run.
//!
//! In a store nothing is started: modules are known by their drivers' descriptions alone.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use driver_sdk::BoxFuture;
use tokio::runtime::Runtime;

use crate::building;
use crate::core::{Apply, Core, CoreSettings, Ground, Rehearsal};
use crate::driver_host::in_process::InProcessHost;
use crate::driver_host::{Description, DriverHost, HostError, ModuleSink, RunningModule, Spawn};
use crate::model::{Building, DriverRef, Module, Source};
use crate::stores::embedded::{EmbeddedDocumentStore, EmbeddedStatusStore};
use crate::terminal::{GatewayOptions, Office as RunningOffice, TerminalError};

use super::source::BuildingFile;
use super::{AppError, clock, runtime};

/// Where the building is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// In a gateway that runs.
    Gateway(GatewayOptions),
    /// In this directory, which no gateway uses.
    Data(PathBuf),
}

/// What to do with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Errand {
    /// Make it that of a file.
    Apply {
        /// The file.
        file: PathBuf,
        /// Whether it is done or only told what would change.
        rehearsal: Rehearsal,
    },
    /// Print it as a file.
    Export,
}

/// Why it was not done.
#[derive(Debug, thiserror::Error)]
pub enum OfficeError {
    /// The file, or the store.
    #[error(transparent)]
    App(#[from] AppError),
    /// The gateway.
    #[error(transparent)]
    Terminal(#[from] TerminalError),
}

impl OfficeError {
    /// The exit code.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::App(error) => error.exit_code(),
            Self::Terminal(error) => error.exit_code(),
        }
    }
}

/// Does it, and gives what is to be printed.
pub fn run_errand(
    errand: &Errand,
    place: &Place,
    environment: &BTreeMap<String, String>,
) -> Result<String, OfficeError> {
    let drivers: Vec<&'static str> = driver_registry::drivers()
        .iter()
        .map(|driver| driver.id)
        .collect();
    let building = |file: &Path| {
        let file = BuildingFile::new(file, &drivers, environment);
        file.read(&file.text()?)
    };
    match (errand, place) {
        (Errand::Apply { file, rehearsal }, Place::Gateway(options)) => {
            let text = building::write(&building(file)?);
            let dry = *rehearsal == Rehearsal::Dry;
            Ok(RunningOffice::new(options, environment)?.apply(text, dry)?)
        }
        (Errand::Apply { file, rehearsal }, Place::Data(directory)) => {
            let apply = Apply {
                building: building(file)?,
                source: Source::File,
                rehearsal: *rehearsal,
            };
            let office = ClosedOffice::open(directory)?;
            let differences = office.main.block_on(office.core.apply(apply));
            let text = differences.map_err(AppError::from)?.to_string();
            office.close();
            Ok(text)
        }
        (Errand::Export, Place::Gateway(options)) => {
            Ok(RunningOffice::new(options, environment)?.export()?)
        }
        (Errand::Export, Place::Data(directory)) => {
            let office = ClosedOffice::open(directory)?;
            let text = building::write(&office.building());
            office.close();
            Ok(text)
        }
    }
}

/// A core over a store whose modules stay where they are.
struct ClosedOffice {
    core: Arc<Core>,
    main: Runtime,
}

impl ClosedOffice {
    fn open(directory: &Path) -> Result<Self, AppError> {
        let main = runtime("riser-main", 1)?;
        let documents = EmbeddedDocumentStore::open(directory)?;
        let host = InProcessHost::new(driver_registry::drivers(), main.handle().clone())?;
        let core = Arc::new(Core::new(
            CoreSettings::default(),
            |feed| Arc::new(EmbeddedStatusStore::new(feed)),
            Ground {
                documents: Arc::new(documents),
                host: Arc::new(Describing(host)),
                clock: clock(),
                main: main.handle().clone(),
                lanes: Arc::new(Nowhere),
            },
        ));
        main.block_on(core.open())?;
        Ok(Self { core, main })
    }

    fn building(&self) -> Building {
        self.core.directory().to_building()
    }

    /// Waits for what is still to be kept: passwords in the clear.
    fn close(self) {
        self.main.block_on(self.core.finish_edits());
    }
}

/// Knows drivers and starts none.
struct Describing(InProcessHost);

impl DriverHost for Describing {
    fn describe(&self, driver: &DriverRef) -> Result<Description, HostError> {
        self.0.describe(driver)
    }

    fn drivers(&self) -> Vec<(DriverRef, Description)> {
        self.0.drivers()
    }

    fn start(
        &self,
        _: &Module,
        _: Arc<dyn ModuleSink>,
    ) -> BoxFuture<'static, Result<Arc<dyn RunningModule>, HostError>> {
        Box::pin(std::future::pending())
    }
}

/// Where modules would run.
struct Nowhere;

impl Spawn for Nowhere {
    fn spawn(&self, module: BoxFuture<'static, ()>) {
        drop(module);
    }
}
