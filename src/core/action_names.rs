//! What an action is called, in one text: `sys-alpha.Display_1.power`, or as a path, `sys-alpha/Display_1/power`.
//!
//! A person types such a name, so it is read kindly: a system goes by its id or by its name as a word (`board_room`), the first module of a name needs no index, and case does not matter.
//! Separate from the ways in, which read names alike; nothing is authorized here.

use std::collections::HashSet;

use crate::core::directory::{Directory, ModuleEntry};
use crate::model::{
    FunctionName, FunctionPath, InvalidId, InvalidPath, ModuleFunction, ModuleIndex, ModulePath,
    System, SystemId, nearest,
};

/// The longest name, in bytes. Protects a thread from a client whose name is searched for; three ids of the longest kind fit.
const NAME_MAX_BYTES: usize = 2_048;

/// The most dots of a name. Protects a thread as well, since a system may end at any of them; ids have a few at most.
const DOTS_MAX: usize = 32;

/// What a name lacks or has too much of. Prints as one line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ActionNameError {
    /// It has too few parts.
    #[error("{0:?} names no function; write SYSTEM.MODULE.FUNCTION, such as sys-desk.lamp_1.power")]
    Parts(String),
    /// It is no path.
    #[error("{name:?} names no function: {reason}")]
    Path {
        /// The name.
        name: String,
        /// What is wrong with it.
        reason: InvalidPath,
    },
    /// It is longer than any name.
    #[error("the name of a function has at most {NAME_MAX_BYTES} bytes and {DOTS_MAX} dots")]
    TooLong,
    /// The last part can be no function.
    #[error("{name:?} names no function: {reason}")]
    Function {
        /// The name.
        name: String,
        /// Why not.
        reason: InvalidId,
    },
    /// No system within reach is called so.
    #[error("there is no system {system:?}{}", hint(.near.as_deref()))]
    NoSystem {
        /// What the system was called.
        system: String,
        /// The name that it may have been meant to be.
        near: Option<String>,
    },
    /// Several systems are called so.
    #[error("several systems are called {system:?}; name one by its id: {}", .ids.join(", "))]
    SeveralSystems {
        /// What they were called.
        system: String,
        /// Their ids.
        ids: Vec<String>,
    },
    /// The system has no such module.
    #[error("the system {system:?} has no module {module:?}{}", hint(.near.as_deref()))]
    NoModule {
        /// The id of the system.
        system: String,
        /// What the module was called.
        module: String,
        /// The name that it may have been meant to be.
        near: Option<String>,
    },
    /// Several modules of the system are called so.
    #[error("several modules of the system {system:?} are called so; write one as it is: {}", .modules.join(", "))]
    SeveralModules {
        /// The id of the system.
        system: String,
        /// Their names.
        modules: Vec<String>,
    },
    /// The module has no such function.
    #[error("{module} of the system {system:?} has no function {function:?}{}", hint(.near.as_deref()))]
    NoFunction {
        /// The id of the system.
        system: String,
        /// The module.
        module: String,
        /// What the function was called.
        function: String,
        /// The name that it may have been meant to be.
        near: Option<String>,
    },
}

fn hint(word: Option<&str>) -> String {
    word.map_or_else(String::new, |word| format!("; did you mean {word:?}?"))
}

/// Finds the function that a name means, among the systems that the caller may know of.
///
/// A function is looked for where the driver says which it has before it runs; else it is taken as it is written, and the module says whether it has it.
pub fn resolve_action(
    directory: &Directory,
    name: &str,
    is_within_reach: impl Fn(&System) -> bool,
) -> Result<ModuleFunction, ActionNameError> {
    if name.len() > NAME_MAX_BYTES || name.matches('.').count() > DOTS_MAX {
        return Err(ActionNameError::TooLong);
    }
    let systems = Systems {
        directory,
        is_within_reach,
    };
    let (system, rests) = match name.contains('/') {
        true => systems.of_path(name)?,
        false => systems.of_words(name)?,
    };
    let (entry, index, function) = module_of(directory, system, &rests)?;
    let module = ModulePath {
        system: system.id.clone(),
        module: entry.name.clone(),
        index,
    };
    let function = function_of(entry, &module, name, &function)?;
    Ok(ModuleFunction { module, function })
}

/// What may be the module and the function, one for each place at which the text can be split.
type Rests = Vec<(String, String)>;

/// The systems that a name may mean.
struct Systems<'d, R> {
    directory: &'d Directory,
    is_within_reach: R,
}

impl<'d, R: Fn(&System) -> bool> Systems<'d, R> {
    /// `sys-alpha/Display_1/power`, whose index may be left out.
    fn of_path(&self, name: &str) -> Result<(&'d System, Rests), ActionNameError> {
        let refused = |reason| ActionNameError::Path {
            name: name.to_owned(),
            reason,
        };
        let path = match FunctionPath::parse(name) {
            Err(InvalidPath::Index) => FunctionPath::parse(&with_first_index(name)),
            read => read,
        };
        let path = path.map_err(refused)?;
        let ModuleFunction { module, function } = path.target();
        let system = module.system.as_str();
        let (_, found) = self.called(&[system]).ok_or_else(|| self.none(system))?;
        let slot = slot(module.module.as_str(), module.index);
        let rests = vec![(slot, function.as_str().to_owned())];
        Ok((one(system, found)?, rests))
    }

    /// `sys-alpha.display_1.power`. Any of the three may have dots of its own, so the system is what is called so and is longest.
    fn of_words(&self, name: &str) -> Result<(&'d System, Rests), ActionNameError> {
        let heads: Vec<&str> = name.match_indices('.').map(|(at, _)| &name[..at]).collect();
        // Behind the last dot there is the function alone.
        let heads = match heads.split_last() {
            Some((_, heads)) if !heads.is_empty() => heads,
            Some(_) | None => return Err(ActionNameError::Parts(name.to_owned())),
        };
        let found = self.called(heads).ok_or_else(|| self.none(heads[0]));
        let (head, found) = found?;
        let rest = &name[head.len() + 1..];
        let rests = rest.match_indices('.');
        let rests = rests.map(|(at, _)| (rest[..at].to_owned(), rest[at + 1..].to_owned()));
        Ok((one(head, found)?, rests.collect()))
    }

    /// The best of these words that a system is called, and the systems: by an id as it is written, by one in other case, by a name.
    fn called<'n>(&self, words: &[&'n str]) -> Option<(&'n str, Vec<&'d System>)> {
        let by_id = |word: &&'n str| {
            let system = self.directory.system(&SystemId::new(word).ok()?)?;
            (self.is_within_reach)(system).then(|| (*word, vec![system]))
        };
        if let Some(found) = words.iter().rev().find_map(by_id) {
            return Some(found);
        }
        let words: Vec<(&str, String)> = words.iter().map(|word| (*word, lower(word))).collect();
        let spellings: [fn(&System) -> String; 2] = [
            |system| lower(system.id.as_str()),
            |system| slug(&system.name),
        ];
        spellings.iter().find_map(|spelling| {
            let spelled: Vec<_> = self.within_reach().map(|it| (it, spelling(it))).collect();
            words.iter().rev().find_map(|(word, lower)| {
                let is_it = spelled.iter().filter(|(_, spelled)| spelled == lower);
                let found: Vec<&System> = is_it.map(|(system, _)| *system).collect();
                (!found.is_empty()).then_some((*word, found))
            })
        })
    }

    fn within_reach(&self) -> impl Iterator<Item = &'d System> {
        let systems = self.directory.systems();
        systems.filter(|system| (self.is_within_reach)(system))
    }

    fn none(&self, word: &str) -> ActionNameError {
        let spellings = |system: &System| [lower(system.id.as_str()), slug(&system.name)];
        let known: Vec<String> = self.within_reach().flat_map(spellings).collect();
        ActionNameError::NoSystem {
            system: word.to_owned(),
            near: nearest(&lower(word), known.iter().map(String::as_str)).map(str::to_owned),
        }
    }
}

fn one<'d>(word: &str, found: Vec<&'d System>) -> Result<&'d System, ActionNameError> {
    match found[..] {
        [system] => Ok(system),
        _ => Err(ActionNameError::SeveralSystems {
            system: word.to_owned(),
            ids: found.iter().map(|system| system.id.to_string()).collect(),
        }),
    }
}

/// The module that one of the texts names best, and the function behind it.
fn module_of<'d>(
    directory: &'d Directory,
    system: &'d System,
    rests: &Rests,
) -> Result<(&'d ModuleEntry, ModuleIndex, String), ActionNameError> {
    let mut best: Vec<(Likeness, &ModuleEntry, ModuleIndex, &str)> = Vec::new();
    for (entry, index) in directory.placed(system) {
        for (word, function) in rests {
            let Some(likeness) = Likeness::of(entry, index, word) else {
                continue;
            };
            match best.first().map(|(so_far, ..)| likeness.cmp(so_far)) {
                Some(std::cmp::Ordering::Greater) => continue,
                Some(std::cmp::Ordering::Less) => best.clear(),
                Some(std::cmp::Ordering::Equal) | None => {}
            }
            best.push((likeness, entry, index, function));
        }
    }
    let slots: HashSet<_> = best
        .iter()
        .map(|(_, entry, index, _)| (&entry.name, *index))
        .collect();
    match best.first() {
        Some((_, entry, index, function)) if slots.len() == 1 => {
            Ok((entry, *index, (*function).to_owned()))
        }
        Some(_) => {
            let mut modules: Vec<String> = slots
                .into_iter()
                .map(|(name, index)| slot(name.as_str(), index))
                .collect();
            modules.sort();
            Err(ActionNameError::SeveralModules {
                system: system.id.to_string(),
                modules,
            })
        }
        None => Err(no_module(directory, system, rests)),
    }
}

/// How a text names a module, the best first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Likeness {
    Whole,
    InOtherCase,
    WithoutIndex,
    WithoutIndexInOtherCase,
    AsWord,
    AsWordWithoutIndex,
}

impl Likeness {
    fn of(entry: &ModuleEntry, index: ModuleIndex, word: &str) -> Option<Self> {
        let name = entry.name.as_str();
        let is_first = index == ModuleIndex::FIRST;
        let lowered = lower(word);
        if word == slot(name, index) {
            Some(Self::Whole)
        } else if lowered == lower(&slot(name, index)) {
            Some(Self::InOtherCase)
        } else if is_first && word == name {
            Some(Self::WithoutIndex)
        } else if is_first && lowered == lower(name) {
            Some(Self::WithoutIndexInOtherCase)
        } else if lowered == slot(&slug(name), index) {
            Some(Self::AsWord)
        } else if is_first && lowered == slug(name) {
            Some(Self::AsWordWithoutIndex)
        } else {
            None
        }
    }
}

fn no_module(directory: &Directory, system: &System, rests: &Rests) -> ActionNameError {
    let slots = directory.placed(system);
    let known: Vec<String> = slots
        .map(|(entry, index)| slot(entry.name.as_str(), index))
        .collect();
    let word = rests.first().map_or("", |(word, _)| word.as_str());
    // Case and a first index do not matter, so neither is a likeness.
    let alike = known.iter().map(|known| lower(known)).collect::<Vec<_>>();
    let near = nearest(&lower(word), alike.iter().map(String::as_str));
    let near = near.and_then(|near| alike.iter().position(|alike| alike == near));
    ActionNameError::NoModule {
        system: system.id.to_string(),
        module: word.to_owned(),
        near: near.map(|at| known[at].clone()),
    }
}

/// The function of a module, in the case in which its driver writes it.
fn function_of(
    entry: &ModuleEntry,
    module: &ModulePath,
    name: &str,
    function: &str,
) -> Result<FunctionName, ActionNameError> {
    let written = FunctionName::new(function).map_err(|reason| ActionNameError::Function {
        name: name.to_owned(),
        reason,
    })?;
    let Some(interface) = entry.interface() else {
        return Ok(written);
    };
    if interface.functions.contains_key(&written) {
        return Ok(written);
    }
    let lowered = lower(function);
    let mut alike = interface.functions.keys();
    if let Some(found) = alike.find(|known| lower(known.as_str()) == lowered) {
        return Ok(found.clone());
    }
    let known = interface.functions.keys().map(FunctionName::as_str);
    Err(ActionNameError::NoFunction {
        system: module.system.to_string(),
        module: slot(module.module.as_str(), module.index),
        function: function.to_owned(),
        near: nearest(function, known).map(str::to_owned),
    })
}

/// `a/B/c` as `a/B_1/c`.
fn with_first_index(path: &str) -> String {
    match path.rsplit_once('/') {
        Some((module, function)) => format!("{module}_1/{function}"),
        None => path.to_owned(),
    }
}

fn slot(name: &str, index: ModuleIndex) -> String {
    format!("{name}_{index}")
}

fn lower(text: &str) -> String {
    text.to_lowercase()
}

/// A name as one word: in lower case, with one `_` for what is neither a letter nor a digit, and none at an end.
fn slug(name: &str) -> String {
    let mut slug = String::with_capacity(name.len());
    for character in name.chars() {
        if character.is_alphanumeric() {
            slug.extend(character.to_lowercase());
        } else if !slug.is_empty() && !slug.ends_with('_') {
            slug.push('_');
        }
    }
    slug.truncate(slug.trim_end_matches('_').len());
    slug
}

#[cfg(test)]
mod tests;
