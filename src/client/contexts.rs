//! Gateways that the user saved under a name, so that neither URL nor key has to be typed: `riser context`.
//!
//! They stand in one file that only the user can read. A context is taken whole: its key goes to its URL and to no other.

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::client::error::ClientError;
use crate::client::gateway;
use crate::client::output::{Output, Row};
use crate::model::Secret;

/// Names the context that a command uses.
pub(super) const VARIABLE: &str = "RISER_CONTEXT";

/// Below the user's folder of configuration.
const FILE: &str = "riser/contexts.json";

/// What to do with the saved gateways.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ContextCommand {
    /// Save one; it takes the place of one of the same name.
    Add {
        /// The name.
        name: String,
        /// Where it is.
        url: String,
        /// Its key; the variable's when absent.
        key: Option<Secret>,
        /// The file of authorities to trust.
        ca: Option<PathBuf>,
    },
    /// Print them.
    List,
    /// Choose the one that commands use.
    Use(String),
    /// Forget one.
    Remove(String),
}

/// A gateway that was saved.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Context {
    pub(super) url: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) key: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) ca: Option<PathBuf>,
}

#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FileShape {
    /// The one that was chosen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    current: Option<String>,
    #[serde(default)]
    contexts: BTreeMap<String, Context>,
}

struct Contexts {
    file: PathBuf,
    content: FileShape,
}

/// The context of this name.
pub(super) fn named(
    name: &str,
    environment: &BTreeMap<String, String>,
) -> Result<Context, ClientError> {
    Contexts::open(environment)?.find(name)
}

/// The chosen context, if any. A user without a folder of configuration, or without the right to read it, as a service may be, has chosen none.
pub(super) fn chosen(
    environment: &BTreeMap<String, String>,
) -> Result<Option<Context>, ClientError> {
    if place(environment).is_none_or(|file| fs::File::open(file).is_err()) {
        return Ok(None);
    }
    let contexts = Contexts::open(environment)?;
    let current = contexts.content.current.as_deref();
    current.map(|name| contexts.find(name)).transpose()
}

/// The names of all contexts, for a shell; none where they cannot be read.
pub fn context_names(environment: &BTreeMap<String, String>) -> Vec<String> {
    let contexts = Contexts::open(environment);
    let names = contexts.map(|contexts| contexts.content.contexts.into_keys().collect());
    names.unwrap_or_default()
}

/// Runs the command.
pub(super) fn run(
    command: &ContextCommand,
    environment: &BTreeMap<String, String>,
    output: &mut Output<'_>,
) -> Result<(), ClientError> {
    let mut contexts = Contexts::open(environment)?;
    match command {
        ContextCommand::Add { name, url, key, ca } => {
            let key = key.as_ref().map(Secret::expose);
            let key = key.or_else(|| gateway::variable(environment, gateway::KEY_VARIABLE));
            gateway::check(url, key)?;
            check_name(name)?;
            let ca = ca.as_ref().map(std::path::absolute).transpose();
            let context = Context {
                url: url.clone(),
                key: key.map(str::to_owned),
                ca: ca.map_err(|cause| contexts.failed("save", &cause))?,
            };
            contexts.content.contexts.insert(name.clone(), context);
            contexts.save()
        }
        ContextCommand::List => {
            let rows = contexts.rows();
            if rows.is_empty() {
                output.say("no gateway is saved; riser context add NAME --url URL saves one");
            }
            output.table(&rows)
        }
        ContextCommand::Use(name) => {
            contexts.find(name)?;
            contexts.content.current = Some(name.clone());
            contexts.save()
        }
        ContextCommand::Remove(name) => {
            contexts.find(name)?;
            contexts.content.contexts.remove(name);
            contexts.content.current.take_if(|current| current == name);
            contexts.save()
        }
    }
}

/// A name is typed, and stands in a table.
fn check_name(name: &str) -> Result<(), ClientError> {
    let fits = |c: char| !c.is_whitespace() && !c.is_control();
    match !name.is_empty() && !name.starts_with('-') && name.chars().all(fits) {
        true => Ok(()),
        false => Err(ClientError::Usage(
            "a context's name is one word, such as office".to_owned(),
        )),
    }
}

fn place(environment: &BTreeMap<String, String>) -> Option<PathBuf> {
    let folder = |name| gateway::variable(environment, name).map(Path::new);
    // A relative path there counts as none, as the specification of these folders has it.
    let configuration = folder("XDG_CONFIG_HOME").filter(|path| path.is_absolute());
    let configuration = configuration.map(Path::to_owned);
    let configuration = configuration.or_else(|| Some(folder("HOME")?.join(".config")));
    configuration.map(|configuration| configuration.join(FILE))
}

impl Contexts {
    /// Those that are saved; none where there is no file yet.
    fn open(environment: &BTreeMap<String, String>) -> Result<Self, ClientError> {
        let file = place(environment).ok_or_else(|| {
            ClientError::Usage(
                "there is no place for saved gateways; set HOME or XDG_CONFIG_HOME".to_owned(),
            )
        })?;
        let mut contexts = Self {
            file,
            content: FileShape::default(),
        };
        match fs::read(&contexts.file) {
            Ok(text) => {
                // The error names the place alone, because the text holds keys.
                contexts.content = serde_json::from_slice(&text).map_err(|error| {
                    ClientError::Usage(format!(
                        "{}: line {} is not as riser context writes it; correct it, or remove the file",
                        contexts.file.display(),
                        error.line()
                    ))
                })?;
                Ok(contexts)
            }
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(contexts),
            Err(cause) => Err(contexts.failed("read", &cause)),
        }
    }

    fn find(&self, name: &str) -> Result<Context, ClientError> {
        let context = self.content.contexts.get(name).cloned();
        context.ok_or_else(|| {
            ClientError::Usage(format!(
                "no gateway is saved as `{}`; riser context list shows those that are",
                name.escape_debug()
            ))
        })
    }

    fn rows(&self) -> Vec<ContextRow> {
        let row = |(name, context): (&String, &Context)| ContextRow {
            name: name.clone(),
            url: context.url.clone(),
            key: context.key.as_deref().map(public_half),
            ca: context.ca.clone(),
            current: self.content.current.as_ref() == Some(name),
        };
        self.content.contexts.iter().map(row).collect()
    }

    /// Whole or not at all, and from the first moment for the owner alone: there are keys in it.
    fn save(&self) -> Result<(), ClientError> {
        let write = || {
            let text = serde_json::to_string_pretty(&self.content)?;
            if let Some(folder) = self.file.parent() {
                DirBuilder::new()
                    .recursive(true)
                    .mode(0o700)
                    .create(folder)?;
            }
            let beside = self
                .file
                .with_extension(format!("{}.new", std::process::id()));
            let mut file = OpenOptions::new()
                .write(true)
                .create_new(true)
                .mode(0o600)
                .open(&beside)?;
            file.write_all(text.as_bytes())?;
            file.write_all(b"\n")?;
            file.sync_all()?;
            fs::rename(&beside, &self.file)
        };
        write().map_err(|cause| self.failed("save", &cause))
    }

    fn failed(&self, doing: &str, cause: &io::Error) -> ClientError {
        ClientError::Usage(format!(
            "{}: could not {doing} the saved gateways ({cause}); check the path and its permissions",
            self.file.display()
        ))
    }
}

/// The half of a key that is no secret.
fn public_half(key: &str) -> String {
    let (id, _) = key.split_once('.').unwrap_or(("", ""));
    id.to_owned()
}

#[derive(Serialize)]
struct ContextRow {
    name: String,
    url: String,
    /// Its public half.
    key: Option<String>,
    ca: Option<PathBuf>,
    current: bool,
}

impl Row for ContextRow {
    const HEADINGS: &'static [&'static str] = &["CONTEXT", "URL", "KEY", "CHOSEN"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.name.clone(),
            self.url.clone(),
            self.key.clone().unwrap_or_default(),
            match self.current {
                true => "yes".to_owned(),
                false => String::new(),
            },
        ]
    }
}
