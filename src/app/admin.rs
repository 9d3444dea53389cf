//! `riser apply`, `riser export` and `riser keys`: the building from a terminal, in a running gateway or in the store of one that does not run.
//!
//! In a store nothing is started: modules are known by their drivers' descriptions alone.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

use driver_sdk::BoxFuture;
use serde::Serialize;
use tokio::runtime::Runtime;

use crate::building_file;
use crate::client::{
    Admin as RunningGateway, AppSecrets, ChangeRow, ClientError, Form, GatewayOptions, KeyRow,
    MadeKey, key_table,
};
use crate::core::{Apply, Core, CorePorts, CoreSettings, EditError, NoAutomation, Rehearsal};
use crate::driver_host::hosts::Hosts;
use crate::driver_host::in_process::InProcessHost;
use crate::driver_host::process::{ProcessHost, ProcessSettings};
use crate::driver_host::{Description, DriverHost, HostError, ModuleSink, RunningModule, Spawn};
use crate::model::{
    ApiKey, Building, Clearance, Difference, DriverRef, Edit, Entry, EntryId, Expiry, InvalidId,
    KeySecret, Module, Scope, Secret, Source,
};
use crate::stores::embedded::{EmbeddedDocumentStore, EmbeddedStatusStore};

pub use crate::client::NewKey;

use super::source::{BuildingFile, fresh_secret, known_drivers};
use super::{AppError, FORMS, clock, embedded_messages, embedded_topics, runtime};

/// Where the building is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AdminTarget {
    /// In a gateway that runs.
    Gateway(GatewayOptions),
    /// In this directory, which no gateway uses.
    Data(PathBuf),
}

/// What to do with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AdminCommand {
    /// Make it that of a file.
    Apply {
        /// The file.
        file: PathBuf,
        /// Whether the file is applied, or only the differences are printed.
        rehearsal: Rehearsal,
    },
    /// Print it as a file.
    Export(AppSecrets),
    /// Make an API key, and print it whole this once.
    CreateKey(NewKey),
    /// Print the API keys without their secrets.
    ListKeys,
    /// Revoke an API key.
    RevokeKey(String),
}

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub enum AdminError {
    /// The file, or the store.
    #[error(transparent)]
    App(#[from] AppError),
    /// An edit was not made.
    #[error(transparent)]
    Edit(#[from] EditError),
    /// A word of the command line cannot be used.
    #[error("{0}")]
    Word(String),
    /// Nothing is kept in the directory that was named, and only a building file begins a store.
    #[error(
        "{directory}: there is no store in this directory; name the one that `data` of the gateway has, or begin a store with riser apply FILE --data {directory}"
    )]
    NoStore {
        /// The directory.
        directory: String,
    },
    /// The gateway.
    #[error(transparent)]
    Terminal(#[from] ClientError),
}

impl AdminError {
    /// The exit code.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::App(error) => error.exit_code(),
            Self::Edit(_) | Self::Word(_) | Self::NoStore { .. } => 2,
            Self::Terminal(error) => error.exit_code(),
        }
    }
}

/// Runs a command, and returns the text to print.
pub fn run_admin_command(
    command: &AdminCommand,
    target: &AdminTarget,
    form: Form,
    environment: &BTreeMap<String, String>,
) -> Result<String, AdminError> {
    let drivers = known_drivers();
    let building = |file: &Path| {
        let file = BuildingFile::new(file, &drivers, environment);
        file.read(&file.text()?)
    };
    match (command, target) {
        (AdminCommand::Apply { file, rehearsal }, AdminTarget::Gateway(options)) => {
            let text = building_file::write(&building(file)?);
            let dry = *rehearsal == Rehearsal::Dry;
            let changes = RunningGateway::new(options, environment)?.apply(text, dry)?;
            Ok(change_lines(&changes, form))
        }
        (AdminCommand::Apply { file, rehearsal }, AdminTarget::Data(directory)) => {
            let apply = Apply {
                building: building(file)?,
                source: Source::File,
                rehearsal: *rehearsal,
            };
            let admin = match rehearsal {
                Rehearsal::Dry => StoreAtRest::open(directory)?,
                Rehearsal::Cautious | Rehearsal::Real => StoreAtRest::open_or_make(directory)?,
            };
            let differences = admin.main.block_on(admin.core.editor.apply(apply));
            let changes = differences.map_err(AppError::from)?;
            admin.close();
            let change = |(difference, id): &(Difference, EntryId)| ChangeRow {
                change: difference.as_str().to_owned(),
                entry: id.to_string(),
            };
            let changes: Vec<ChangeRow> = changes.0.iter().map(change).collect();
            Ok(change_lines(&changes, form))
        }
        (AdminCommand::CreateKey(key), AdminTarget::Gateway(options)) => {
            let key = RunningGateway::new(options, environment)?.create_key(key)?;
            Ok(made_line(&key, form))
        }
        (AdminCommand::CreateKey(key), AdminTarget::Data(directory)) => {
            let secret = fresh_secret();
            let key = read_key(key, secret.clone())?;
            let made = MadeKey {
                id: key.id.to_string(),
                key: format!("{}.{}", key.id, secret.expose()),
            };
            StoreAtRest::open(directory)?.edit(Edit::create(Entry::ApiKey(key)))?;
            Ok(made_line(&made, form))
        }
        (AdminCommand::ListKeys, AdminTarget::Gateway(options)) => Ok(key_table(
            &RunningGateway::new(options, environment)?.keys()?,
            form,
        )),
        (AdminCommand::ListKeys, AdminTarget::Data(directory)) => {
            let admin = StoreAtRest::open(directory)?;
            let keys: Vec<KeyRow> = admin.building().api_keys.iter().map(row).collect();
            Ok(key_table(&keys, form))
        }
        (AdminCommand::RevokeKey(id), AdminTarget::Gateway(options)) => {
            RunningGateway::new(options, environment)?.revoke_key(id)?;
            Ok(String::new())
        }
        (AdminCommand::RevokeKey(id), AdminTarget::Data(directory)) => {
            let id = EntryId::ApiKey(word("the key", id)?);
            StoreAtRest::open(directory)?.edit(Edit::delete(id))?;
            Ok(String::new())
        }
        (AdminCommand::Export(secrets), AdminTarget::Gateway(options)) => {
            let text = RunningGateway::new(options, environment)?.export(*secrets)?;
            exported(text, form)
        }
        (AdminCommand::Export(secrets), AdminTarget::Data(directory)) => {
            let admin = StoreAtRest::open(directory)?;
            let building = admin.building();
            let text = match secrets {
                AppSecrets::Masked => building_file::without_app_secrets(&building),
                AppSecrets::Shown => building_file::write(&building),
            };
            admin.close();
            exported(text, form)
        }
    }
}

/// The key that the words ask for.
fn read_key(key: &NewKey, secret: Secret) -> Result<ApiKey, AdminError> {
    let NewKey {
        id,
        user,
        level,
        scopes,
        systems,
        zones,
        expires,
    } = key;
    let user = user.as_deref().ok_or_else(|| {
        AdminError::Word(
            "name the key's user with --user; a store at rest has no caller to take".to_owned(),
        )
    })?;
    let scope = |text: &String| {
        Scope::parse(text).ok_or_else(|| {
            AdminError::Word(format!(
                "`{text}` is no scope; write a name such as public, or name.read or name.write"
            ))
        })
    };
    let words = scopes.iter().map(scope).collect::<Result<Vec<_>, _>>()?;
    let public = || Scope::parse("public").into_iter().collect();
    Ok(ApiKey {
        level: match level.as_str() {
            "admin" => Clearance::Admin,
            "support" => Clearance::Support,
            _ => Clearance::User,
        },
        scopes: if words.is_empty() { public() } else { words },
        systems: systems
            .iter()
            .map(|id| word("a system", id))
            .collect::<Result<_, _>>()?,
        zones: zones
            .iter()
            .map(|id| word("a zone", id))
            .collect::<Result<_, _>>()?,
        expires: *expires,
        ..ApiKey::new(
            &word("the key", id)?,
            KeySecret::Plain(secret),
            &word("the user", user)?,
        )
    })
}

fn word<I: FromStr<Err = InvalidId>>(what: &str, text: &str) -> Result<I, AdminError> {
    text.parse()
        .map_err(|error: InvalidId| AdminError::Word(format!("{what}: {error}")))
}

fn row(key: &ApiKey) -> KeyRow {
    KeyRow {
        id: key.id.to_string(),
        user: key.user.to_string(),
        level: key.level.as_str().to_owned(),
        scopes: key.scopes.iter().map(ToString::to_string).collect(),
        systems: key.systems.iter().map(ToString::to_string).collect(),
        zones: key.zones.iter().map(ToString::to_string).collect(),
        expires: key.expires.map(Expiry::as_secs),
    }
}

/// What changed, an entry a line.
fn change_lines(changes: &[ChangeRow], form: Form) -> String {
    let line = |row: &ChangeRow| match form {
        Form::Text => format!("{} {}\n", row.change, row.entry),
        Form::Json => json_line(row),
    };
    changes.iter().map(line).collect()
}

fn made_line(made: &MadeKey, form: Form) -> String {
    match form {
        Form::Text => format!("{}\n", made.key),
        Form::Json => json_line(made),
    }
}

/// A building file is YAML, and JSON is a way of writing that.
fn exported(text: String, form: Form) -> Result<String, AdminError> {
    match form {
        Form::Text => Ok(text),
        Form::Json => {
            let building: serde_json::Value = serde_saphyr::from_str(&text).map_err(|_| {
                AdminError::Word(
                    "the building cannot be written as JSON; export it without --json".to_owned(),
                )
            })?;
            Ok(json_line(&building))
        }
    }
}

fn json_line(object: &impl Serialize) -> String {
    // Texts, numbers, lists and maps with texts as keys always make JSON.
    serde_json::to_string(object).unwrap_or_default() + "\n"
}

/// A core over a store whose modules stay where they are.
struct StoreAtRest {
    core: Arc<Core>,
    main: Runtime,
}

impl StoreAtRest {
    /// The existing store: a mistyped name must not become an empty building.
    fn open(directory: &Path) -> Result<Self, AdminError> {
        if !EmbeddedDocumentStore::is_in(directory).map_err(AppError::from)? {
            let directory = directory.display().to_string();
            return Err(AdminError::NoStore { directory });
        }
        Ok(Self::open_or_make(directory)?)
    }

    fn open_or_make(directory: &Path) -> Result<Self, AppError> {
        let main = runtime("riser-main", 1)?;
        let documents = EmbeddedDocumentStore::open(directory)?;
        let in_process = InProcessHost::new(driver_registry::drivers(), main.handle().clone())?;
        let processes = ProcessHost::new(
            PathBuf::from("."),
            &BTreeMap::new(),
            ProcessSettings::default(),
            main.handle().clone(),
        );
        let hosts: [(_, Arc<dyn DriverHost>); 2] = [
            ("the linked-in drivers", Arc::new(in_process)),
            ("the processes", Arc::new(processes)),
        ];
        let host = Hosts::new(hosts)?;
        let core = Arc::new(Core::new(
            CoreSettings::default(),
            |feed| Arc::new(EmbeddedStatusStore::new(feed)),
            CorePorts {
                documents: Arc::new(documents),
                topics: embedded_topics(),
                messages: embedded_messages(None)?,
                host: Arc::new(Describing(host)),
                clock: clock(),
                main: main.handle().clone(),
                executor: Arc::new(Nowhere),
                forms: FORMS,
                automation: Arc::new(NoAutomation),
                key_inspector: None,
                cluster: None,
            },
        ));
        main.block_on(core.open())?;
        Ok(Self { core, main })
    }

    fn building(&self) -> Building {
        self.core.queries.directory().to_building()
    }

    fn edit(self, edit: Edit) -> Result<(), EditError> {
        self.main
            .block_on(self.core.editor.edit_at_rest(vec![edit]))
            .map(drop)
    }

    /// Waits until all passwords in the clear are hashed and kept.
    fn close(self) {
        self.main.block_on(self.core.finish_edits());
    }
}

/// Knows drivers and starts none.
struct Describing(Hosts);

impl DriverHost for Describing {
    fn drivers(&self) -> Vec<(DriverRef, Description)> {
        self.0.drivers()
    }

    fn describe(&self, driver: &DriverRef) -> Result<Description, HostError> {
        self.0.describe(driver)
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
