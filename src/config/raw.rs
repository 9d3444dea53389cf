//! What the layers say, merged: each key once, with the layer it came from.
//!
//! The crate `config` does the merging. The values are then read one by one instead of by `serde`, which would stop at the first mistake.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use config::{Config, ConfigError, File, FileFormat, Value, ValueKind};
use toml::de::DeTable;
use tracing_subscriber::EnvFilter;

use super::env::{self, EnvLayer};
use super::keys::{
    self, ADDRESS, BASE_PATH, DURATION, EDGES, FOLDERS, KEYS, NETWORKS, ORIGINS, PATH, SIZE,
    WEB_ADDRESS,
};
use super::places::Places;
use super::problem::{Origin, Problem, ProblemKind};
use super::{Flags, values};
use crate::model::{EdgeId, Edges, ModuleId, Network, NodeUri};
use crate::server::FolderSettings;

/// How alike two keys must be to be worth a suggestion.
const ALIKE: f64 = 0.8;

/// Up to here 64 bits of floating point distinguish every whole number from the next.
const EXACT_MAX: f64 = 9_007_199_254_740_992.0;

/// The merged layers, and the mistakes found in them so far.
pub(super) struct Raw {
    given: BTreeMap<&'static str, (Origin, ValueKind)>,
    pub(super) problems: Vec<Problem>,
}

impl Raw {
    /// Merges the layers. Fails as a whole only when the file is not TOML.
    pub(super) fn merge(
        file: Option<(&str, &str)>,
        flags: &Flags,
        environment: &BTreeMap<String, String>,
    ) -> Result<Self, Problem> {
        let file_name = file.map_or("", |(name, _)| name);
        let places = Places::of(file.map_or("", |(_, text)| text));
        let in_file = |line| Origin::File {
            name: file_name.to_owned(),
            line,
        };
        let EnvLayer { known, unknown } = env::layer(environment);
        let mut raw = Self {
            given: BTreeMap::new(),
            problems: Vec::new(),
        };

        let not_toml = |error: &ConfigError| Problem {
            origin: in_file(None),
            kind: not_toml(file.map_or("", |(_, text)| text), error),
        };
        let mut layers = Config::builder();
        if let Some((_, text)) = file {
            layers = layers.add_source(File::from_str(text, FileFormat::Toml));
        }
        let variables: Vec<String> = known.keys().cloned().collect();
        let by_flag = [
            ("listen", &flags.listen),
            ("redis.url", &flags.redis),
            ("cluster.advertise", &flags.advertise),
            ("placeos", &flags.placeos),
            ("workers", &flags.workers),
            ("log", &flags.log),
            ("tls.cert", &flags.tls_cert),
            ("tls.key", &flags.tls_key),
        ];
        layers = layers.add_source(env::source(known));
        let merged = by_flag
            .into_iter()
            .try_fold(layers, |layers, (name, flag)| {
                layers.set_override_option(name, flag.clone())
            })
            .and_then(|layers| layers.build())
            .map_err(|error| not_toml(&error))?;

        let origin = |key: &keys::Key| {
            let variable = env::variable(key.name);
            if by_flag
                .iter()
                .any(|(name, flag)| *name == key.name && flag.is_some())
            {
                Origin::Flag(key.flag)
            } else if variables.contains(&variable) {
                Origin::Variable(variable)
            } else {
                in_file(places.line(key.name))
            }
        };
        let mut leaves = Vec::new();
        flatten("", merged.cache, &mut leaves);
        for (name, value) in leaves {
            match KEYS.iter().find(|key| key.name == name) {
                Some(key) => {
                    raw.given.insert(key.name, (origin(key), value));
                }
                // Flags and variables were checked to be known keys before.
                None => raw.problems.push(Problem {
                    origin: in_file(places.line(&name)),
                    kind: unknown_key(name),
                }),
            }
        }
        raw.problems.sort_by_key(|problem| problem.kind.to_string());
        raw.problems
            .extend(unknown.into_iter().map(unknown_variable));
        Ok(raw)
    }

    /// What is given for a key, as TOML, and where. Of a value without mistakes.
    pub(super) fn written(&self, key: &str) -> Option<(String, &Origin)> {
        let (origin, kind) = self.given.get(key)?;
        let text = match kind {
            ValueKind::Array(items) => {
                let items: Vec<String> = items.iter().map(|item| inline(&item.kind)).collect();
                format!("[{}]", items.join(", "))
            }
            ValueKind::Nil
            | ValueKind::Boolean(_)
            | ValueKind::I64(_)
            | ValueKind::I128(_)
            | ValueKind::U64(_)
            | ValueKind::U128(_)
            | ValueKind::Float(_)
            | ValueKind::String(_)
            | ValueKind::Table(_) => shown(kind),
        };
        Some((text, origin))
    }

    pub(super) fn address(&mut self, key: &'static str, setting: &mut SocketAddr) {
        self.text_as(key, setting, ADDRESS, |text| text.trim().parse().ok());
    }

    pub(super) fn optional_address(&mut self, key: &'static str, setting: &mut Option<SocketAddr>) {
        self.text_as(key, setting, ADDRESS, |text| {
            text.trim().parse().ok().map(Some)
        });
    }

    pub(super) fn duration(&mut self, key: &'static str, setting: &mut Duration) {
        self.text_as(key, setting, DURATION, values::duration);
    }

    pub(super) fn size(&mut self, key: &'static str, setting: &mut usize) {
        self.text_as(key, setting, SIZE, values::size);
    }

    pub(super) fn path(&mut self, key: &'static str, setting: &mut Option<PathBuf>) {
        self.text_as(key, setting, PATH, |text| {
            (!text.is_empty()).then(|| Some(PathBuf::from(text)))
        });
    }

    /// What stands in front of every path, without the slash at its end.
    pub(super) fn base_path(&mut self, key: &'static str, setting: &mut String) {
        self.text_as(key, setting, BASE_PATH, values::base_path);
    }

    /// Some of these words, of which not all may be available yet.
    pub(super) fn words(
        &mut self,
        key: &'static str,
        setting: &mut Vec<&'static str>,
        words: &[&str],
        available: &[&'static str],
    ) {
        let mut given = Vec::new();
        self.list(key, &mut given);
        if !self.is_given(key) {
            return;
        }
        let mut chosen = Vec::new();
        for word in &given {
            match available.iter().find(|available| *available == word) {
                Some(word) => chosen.push(*word),
                None if words.contains(&&**word) => self.wrong(
                    key,
                    &format!("a list of what this version has ({})", available.join(", ")),
                    word,
                    true,
                ),
                None => self.wrong(
                    key,
                    &format!("a list of words out of {}", words.join(", ")),
                    word,
                    false,
                ),
            }
        }
        *setting = chosen;
    }

    /// A list of origins, as browsers write them.
    pub(super) fn origins(&mut self, key: &'static str, setting: &mut Vec<String>) {
        self.items(key, setting, ORIGINS, values::origin);
    }

    /// Networks, or addresses alone.
    pub(super) fn networks(&mut self, key: &'static str, setting: &mut Vec<Network>) {
        self.items(key, setting, NETWORKS, Network::parse);
    }

    /// A list whose items are read one by one; those that cannot be are noted and never shown.
    fn items<T>(
        &mut self,
        key: &'static str,
        setting: &mut Vec<T>,
        expected: &str,
        read: impl Fn(&str) -> Option<T>,
    ) {
        let mut given = Vec::new();
        self.list(key, &mut given);
        for text in given {
            match read(&text) {
                Some(item) => setting.push(item),
                None => self.wrong(key, expected, &text, false),
            }
        }
    }

    /// Notes that an item of a list is not what belongs there. It is shown if it is a word of ours.
    fn wrong(&mut self, key: &'static str, expected: &str, item: &str, is_known: bool) {
        if let Some((origin, _)) = self.given.get(key) {
            self.problems.push(Problem {
                origin: origin.clone(),
                kind: ProblemKind::Value {
                    key,
                    expected: expected.to_owned(),
                    given: match is_known {
                        true => format!("{item:?}"),
                        false => UNSHOWN.to_owned(),
                    },
                },
            });
        }
    }

    /// Items apart by commas, or a list of them.
    pub(super) fn list(&mut self, key: &'static str, setting: &mut Vec<String>) {
        let items = |text: &str| -> Vec<String> {
            let items = text.split(',').map(str::trim);
            items
                .filter(|item| !item.is_empty())
                .map(str::to_owned)
                .collect()
        };
        self.value_as(key, setting, "items apart by commas", |kind| {
            if let ValueKind::Array(values) = kind {
                let texts = values.iter().map(|value| scalar(&value.kind));
                let texts: Vec<String> = texts.collect::<Option<_>>()?;
                return Some(texts.iter().flat_map(|text| items(text)).collect());
            }
            Some(items(&scalar(kind)?))
        });
    }

    /// Tables that each name a folder and its path; as text the two with `=` between them, and commas between the folders.
    pub(super) fn folders(&mut self, key: &'static str, setting: &mut Vec<FolderSettings>) {
        self.value_as(key, setting, FOLDERS, |kind| {
            let folders: Vec<FolderSettings> = match kind {
                ValueKind::Array(tables) => {
                    let tables = tables.iter().map(|table| folder(&table.kind));
                    tables.collect::<Option<_>>()?
                }
                ValueKind::Nil
                | ValueKind::Boolean(_)
                | ValueKind::I64(_)
                | ValueKind::I128(_)
                | ValueKind::U64(_)
                | ValueKind::U128(_)
                | ValueKind::Float(_)
                | ValueKind::String(_)
                | ValueKind::Table(_) => {
                    let text = scalar(kind)?;
                    let items = text.split(',').map(str::trim);
                    let items = items.filter(|item| !item.is_empty()).map(|item| {
                        let (path, folder) = item.split_once('=')?;
                        values::folder(path, folder, None)
                    });
                    items.collect::<Option<_>>()?
                }
            };
            let paths: BTreeSet<&str> = folders.iter().map(|folder| &*folder.path).collect();
            (paths.len() == folders.len()).then_some(folders)
        });
    }

    /// Text that must not be shown when it is wrong: it may be a secret in the wrong place.
    pub(super) fn hidden(
        &mut self,
        key: &'static str,
        why: &'static str,
        take: impl FnOnce(&str) -> bool,
    ) {
        let Some((_, kind)) = self.given.get(key) else {
            return;
        };
        if !scalar(kind).is_some_and(|text| take(&text)) {
            self.refuse(&[key], why);
        }
    }

    /// Yes or no.
    pub(super) fn switch(&mut self, key: &'static str, setting: &mut bool) {
        self.value_as(key, setting, "true or false", |kind| {
            if let ValueKind::Boolean(value) = kind {
                return Some(*value);
            }
            scalar(kind)?.trim().parse().ok()
        });
    }

    /// `http` or `https` and an authority, and nothing behind it.
    pub(super) fn web_address(&mut self, key: &'static str, setting: &mut Option<NodeUri>) {
        self.text_as(key, setting, WEB_ADDRESS, |text| {
            let authority = text
                .strip_prefix("http://")
                .or_else(|| text.strip_prefix("https://"))?;
            let is_plain = !authority.is_empty() && !authority.contains(['/', '?', '#', '@', ' ']);
            is_plain
                .then(|| NodeUri::new(text).ok())
                .flatten()
                .map(Some)
        });
    }

    /// Pairs of a module and its edge.
    pub(super) fn edges(&mut self, key: &'static str, setting: &mut Edges) {
        self.text_as(key, setting, EDGES, |text| {
            let pairs = text
                .split(',')
                .map(str::trim)
                .filter(|pair| !pair.is_empty());
            let edges = pairs.map(|pair| {
                let (module, edge) = pair.split_once('=')?;
                let module = ModuleId::new(module.trim()).ok()?;
                Some((module, EdgeId::new(edge.trim()).ok()?))
            });
            edges.collect()
        });
    }

    /// Text that may be any.
    pub(super) fn text(&mut self, key: &'static str, setting: &mut Option<String>) {
        self.text_as(key, setting, "text", |text| Some(Some(text.to_owned())));
    }

    /// Whether a layer says anything about the key.
    pub(super) fn is_given(&self, key: &str) -> bool {
        self.given.contains_key(key)
    }

    /// One of these words.
    pub(super) fn word<const N: usize>(
        &mut self,
        key: &'static str,
        setting: &mut Option<&'static str>,
        words: [&'static str; N],
    ) {
        let expected = words.join(" or ");
        self.text_as(key, setting, &expected, |text| {
            words.into_iter().find(|word| *word == text).map(Some)
        });
    }

    pub(super) fn log_filter(&mut self, key: &'static str, setting: &mut String) {
        let expected =
            "error, warn, info, debug, trace, off or a filter such as info,riser::server=debug";
        self.text_as(key, setting, expected, |text| {
            is_filter(text).then(|| text.to_owned())
        });
    }

    /// A whole number from 0 to `max`.
    pub(super) fn count<N>(&mut self, key: &'static str, setting: &mut N, max: N)
    where
        N: TryFrom<u64> + PartialOrd + Copy + std::fmt::Display,
    {
        let expected = format!("a whole number from 0 to {max}");
        self.value_as(key, setting, &expected, |kind| {
            let number = values::whole(scalar(kind)?.trim())?;
            N::try_from(number).ok().filter(|number| *number <= max)
        });
    }

    /// Notes that values which can each be read do not go together; the mistake names the first key that was set.
    pub(super) fn refuse(&mut self, keys: &[&'static str], why: &'static str) {
        let origin = keys
            .iter()
            .find_map(|key| self.given.get(key))
            .map_or(Origin::Default, |(origin, _)| origin.clone());
        let kind = ProblemKind::Refused(why);
        self.problems.push(Problem { origin, kind });
    }

    fn text_as<T>(
        &mut self,
        key: &'static str,
        setting: &mut T,
        expected: &str,
        read: impl FnOnce(&str) -> Option<T>,
    ) {
        self.value_as(key, setting, expected, |kind| read(&scalar(kind)?));
    }

    /// Reads the key into `setting`, if it is given at all.
    fn value_as<T>(
        &mut self,
        key: &'static str,
        setting: &mut T,
        expected: &str,
        read: impl FnOnce(&ValueKind) -> Option<T>,
    ) {
        let Some((origin, kind)) = self.given.get(key) else {
            return;
        };
        match read(kind) {
            Some(value) => *setting = value,
            None => self.problems.push(Problem {
                origin: origin.clone(),
                kind: ProblemKind::Value {
                    key,
                    expected: expected.to_owned(),
                    given: given(kind),
                },
            }),
        }
    }
}

/// Every value of the tree with its dotted name; an empty section counts as a value, or an unknown one would go unnoticed.
fn flatten(prefix: &str, value: Value, leaves: &mut Vec<(String, ValueKind)>) {
    let ValueKind::Table(table) = value.kind else {
        leaves.push((prefix.to_owned(), value.kind));
        return;
    };
    if table.is_empty() && !prefix.is_empty() && !is_section(prefix) {
        leaves.push((prefix.to_owned(), ValueKind::Table(table)));
        return;
    }
    for (name, value) in table {
        let name = match prefix {
            "" => name,
            _ => format!("{prefix}.{name}"),
        };
        flatten(&name, value, leaves);
    }
}

fn is_section(name: &str) -> bool {
    KEYS.iter()
        .filter_map(|key| key.name.split_once('.'))
        .any(|(section, _)| section == name)
}

/// A folder as a table has it; `None` where a key is missing, wrong or not known.
fn folder(table: &ValueKind) -> Option<FolderSettings> {
    let ValueKind::Table(table) = table else {
        return None;
    };
    let is_known = |key: &String| ["path", "folder", "fallback"].contains(&key.as_str());
    let text = |key: &str| table.get(key).map(|value| scalar(&value.kind));
    let fallback = match text("fallback") {
        None => None,
        Some(fallback) => Some(fallback?),
    };
    let (path, folder) = (text("path")??, text("folder")??);
    let all_known = table.keys().all(is_known);
    all_known
        .then(|| values::folder(&path, &folder, fallback))
        .flatten()
}

/// The text of a value that is text or a whole number.
fn scalar(kind: &ValueKind) -> Option<String> {
    match kind {
        // A variable that was read from a file has the end of its line.
        ValueKind::String(text) => Some(text.trim_end_matches(['\r', '\n']).to_owned()),
        ValueKind::I64(number) => Some(number.to_string()),
        ValueKind::U64(number) => Some(number.to_string()),
        // A whole number may have a point; past this bound it could be another one than was written.
        ValueKind::Float(number) if number.fract() == 0.0 && number.abs() < EXACT_MAX => {
            Some(format!("{number:.0}"))
        }
        ValueKind::Nil
        | ValueKind::Boolean(_)
        | ValueKind::I128(_)
        | ValueKind::U128(_)
        | ValueKind::Float(_)
        | ValueKind::Table(_)
        | ValueKind::Array(_) => None,
    }
}

/// What stands in the place of a text: each may be a password that is in the wrong place, and its line says where it is.
const UNSHOWN: &str = "this text";

/// A value in an error.
fn given(kind: &ValueKind) -> String {
    match kind {
        ValueKind::String(_) => UNSHOWN.to_owned(),
        ValueKind::Boolean(_)
        | ValueKind::I64(_)
        | ValueKind::U64(_)
        | ValueKind::I128(_)
        | ValueKind::U128(_)
        | ValueKind::Float(_)
        | ValueKind::Nil
        | ValueKind::Table(_)
        | ValueKind::Array(_) => shown(kind),
    }
}

/// A value as its author wrote it, or what it is.
/// The same of an item of a list, with what stands in a table of it.
fn inline(kind: &ValueKind) -> String {
    let ValueKind::Table(table) = kind else {
        return shown(kind);
    };
    let mut members: Vec<String> = table
        .iter()
        .map(|(name, value)| format!("{name} = {}", shown(&value.kind)))
        .collect();
    members.sort_unstable();
    format!("{{ {} }}", members.join(", "))
}

fn shown(kind: &ValueKind) -> String {
    match kind {
        ValueKind::String(text) => format!("{text:?}"),
        ValueKind::Boolean(value) => value.to_string(),
        ValueKind::I64(number) => number.to_string(),
        ValueKind::U64(number) => number.to_string(),
        ValueKind::I128(number) => number.to_string(),
        ValueKind::U128(number) => number.to_string(),
        ValueKind::Float(number) => number.to_string(),
        ValueKind::Nil => "nothing".to_owned(),
        // Whatever stands in it may be a secret in the wrong place, unless it was read before.
        ValueKind::Table(_) => "a table".to_owned(),
        ValueKind::Array(_) => "an array".to_owned(),
    }
}

/// A bare word that is no level would be taken for the name of a module and switch all else off, so it is refused.
fn is_filter(text: &str) -> bool {
    const LEVELS: &[&str] = &["error", "warn", "info", "debug", "trace", "off"];
    let known = |part: &str| {
        let part = part.trim().to_ascii_lowercase();
        part.contains(['=', '[']) || LEVELS.contains(&part.as_str())
    };
    text.split(',').all(known) && EnvFilter::try_new(text).is_ok()
}

fn unknown_key(key: String) -> ProblemKind {
    if is_section(&key) {
        return ProblemKind::Section { key };
    }
    let names = KEYS.iter().map(|key| key.name);
    let sections = KEYS.iter().filter_map(|key| key.name.split_once('.'));
    let words = names.clone().chain(sections.map(|(section, _)| section));
    let remedy = match nearest(&key, words) {
        Some(nearest) => format!("did you mean `{nearest}`?"),
        None => format!("known are {}", names.collect::<Vec<_>>().join(", ")),
    };
    ProblemKind::UnknownKey { key, remedy }
}

fn unknown_variable(name: String) -> Problem {
    let variables: Vec<String> = KEYS.iter().map(|key| env::variable(key.name)).collect();
    let remedy = match nearest(&name, variables.iter().map(String::as_str)) {
        Some(nearest) => format!("did you mean {nearest}?"),
        None => format!("known are {}", variables.join(", ")),
    };
    Problem {
        origin: Origin::Variable(name.clone()),
        kind: ProblemKind::UnknownVariable { remedy },
    }
}

fn nearest<'k>(word: &str, known: impl Iterator<Item = &'k str>) -> Option<&'k str> {
    known
        .map(|candidate| (strsim::jaro_winkler(word, candidate), candidate))
        .filter(|(alike, _)| *alike > ALIKE)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, candidate)| candidate)
}

/// Where the text stops being TOML, and why in the parser's words, which name signs and kinds of values only.
///
/// Its error also has a picture of the line, with whatever stands in it.
fn not_toml(text: &str, error: &ConfigError) -> ProblemKind {
    let Some(error) = DeTable::parse(text).err() else {
        // Not the file, then: the layers do not go together.
        let mut detail = "";
        if let ConfigError::Type { key: Some(key), .. } = error {
            detail = key;
        }
        return ProblemKind::Toml {
            detail: format!("in its structure {detail}").trim_end().to_owned(),
        };
    };
    let before = error.span().and_then(|span| text.get(..span.start));
    let place = before.map_or("somewhere".to_owned(), |before| {
        let line = before.matches('\n').count() + 1;
        let column = before
            .rsplit('\n')
            .next()
            .unwrap_or_default()
            .chars()
            .count()
            + 1;
        format!("at line {line}, column {column}")
    });
    ProblemKind::Toml {
        detail: format!("{place}: {}", error.message().replace('\n', " ")),
    }
}
