//! How a status, a function or a module is named on a command line: in words, or as one path with slashes.

use std::collections::HashSet;

use crate::client::arguments::{BadArgument, arguments};
use crate::client::exec::Call;
use crate::client::status::StatusTarget;
use crate::model::{
    BindingPath, FunctionName, InvalidId, ModuleAddress, ModuleId, ModuleIndex, ModuleName,
    ModulePath, StatusName, SystemId,
};

/// The words name nothing. Prints as one line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadAddress {
    /// Too few words.
    #[error("{missing} is missing; write {form}")]
    Missing {
        /// What is missing.
        missing: &'static str,
        /// The whole form.
        form: &'static str,
    },
    /// Words that fit neither form.
    #[error("`{word}` is no path; write {form}")]
    NoPath {
        /// The word.
        word: String,
        /// The whole form.
        form: &'static str,
    },
    /// A word too many.
    #[error("`{word}` is one word too many; write {form}")]
    TooMany {
        /// The word.
        word: String,
        /// The whole form.
        form: &'static str,
    },
    /// A word that can be no id or name.
    #[error(transparent)]
    Id(#[from] InvalidId),
    /// An argument that is neither JSON nor a word.
    #[error(transparent)]
    Argument(#[from] BadArgument),
}

/// The forms of `bind`.
pub const BIND_FORM: &str = "SYSTEM MODULE[_INDEX] NAME…, or SYSTEM/MODULE[_INDEX]/NAME…";

/// The forms of `exec`.
pub const EXEC_FORM: &str =
    "SYSTEM MODULE[_INDEX] METHOD [ARG…], or SYSTEM/MODULE[_INDEX]/METHOD [ARG…]";

/// The forms of `debug`.
pub const DEBUG_FORM: &str = "SYSTEM MODULE[_INDEX], or SYSTEM/MODULE[_INDEX], or a module's id";

/// The statuses that `bind` follows: paths, or names of one module. One that is named twice is followed once.
pub fn bindings(words: &[String]) -> Result<Vec<BindingPath>, BadAddress> {
    let form = BIND_FORM;
    let first = first(words, form)?;
    let mut paths = if parts(first).is_some() {
        words
            .iter()
            .map(|word| match parts(word) {
                Some([system, module, name]) => binding(system, module, name),
                None => Err(BadAddress::NoPath {
                    word: word.clone(),
                    form,
                }),
            })
            .collect::<Result<Vec<_>, _>>()?
    } else {
        let (system, module, names) = place(words, "the name of a status", form)?;
        names
            .iter()
            .map(|name| binding(system, module, name))
            .collect::<Result<Vec<_>, _>>()?
    };
    let mut seen = HashSet::new();
    paths.retain(|path| seen.insert(path.clone()));
    Ok(paths)
}

/// The call that `exec` makes: a function and its arguments.
pub fn call(words: &[String]) -> Result<Call, BadAddress> {
    let first = first(words, EXEC_FORM)?;
    let ([system, module, name], rest) = if let Some(parts) = parts(first) {
        (parts, &words[1..])
    } else {
        let (system, module, rest) = place(words, "the name of a method", EXEC_FORM)?;
        ([system, module, &rest[0]], &rest[1..])
    };
    Ok(Call {
        module: module_path(system, module)?,
        function: FunctionName::new(name)?,
        arguments: arguments(rest)?,
    })
}

/// The forms of `status`.
const STATUS_FORM: &str = "SYSTEM [MODULE[_INDEX]], or SYSTEM/MODULE[_INDEX]";

/// What `status` looks at: a system, or one of its modules.
pub fn status(words: &[String]) -> Result<StatusTarget, BadAddress> {
    let first = first(words, STATUS_FORM)?;
    let (system, module, rest) = match (first.split_once('/'), words.get(1)) {
        (Some((system, module)), _) => (system, Some(module), &words[1..]),
        (None, Some(module)) => (first, Some(module.as_str()), &words[2..]),
        (None, None) => (first, None, &words[1..]),
    };
    match rest.first() {
        None => Ok(StatusTarget {
            system: SystemId::new(system)?,
            module: module.map(slug).transpose()?,
        }),
        Some(word) => Err(BadAddress::TooMany {
            word: word.clone(),
            form: STATUS_FORM,
        }),
    }
}

/// The module whose log `debug` follows.
pub fn target(words: &[String]) -> Result<ModuleAddress, BadAddress> {
    let first = first(words, DEBUG_FORM)?;
    let (target, rest) = match (first.split_once('/'), words.get(1)) {
        (Some((system, module)), None) => (
            ModuleAddress::Place(module_path(system, module)?),
            &words[1..],
        ),
        (_, Some(module)) => (
            ModuleAddress::Place(module_path(first, module)?),
            &words[2..],
        ),
        (None, None) => {
            let id = ModuleId::new(first)?;
            (ModuleAddress::Id { id, system: None }, &words[1..])
        }
    };
    match rest.first() {
        None => Ok(target),
        Some(word) => Err(BadAddress::TooMany {
            word: word.clone(),
            form: DEBUG_FORM,
        }),
    }
}

/// A system, for lists.
pub fn system(word: &str) -> Result<SystemId, BadAddress> {
    Ok(SystemId::new(word)?)
}

/// A path as one word, in which it can be typed again.
pub(super) fn shown(module: &ModulePath, name: &str) -> String {
    let ModulePath {
        system,
        module,
        index,
    } = module;
    format!("{system}/{module}_{index}/{name}")
}

/// Reads `Display_2`: split at the last `_`; without a number there the whole is the name, of the first module.
pub(super) fn slug(text: &str) -> Result<(ModuleName, ModuleIndex), InvalidId> {
    let split = text.rsplit_once('_').and_then(|(name, digits)| {
        let is_number = digits.bytes().all(|byte| byte.is_ascii_digit());
        let index = digits.parse().ok().filter(|_| is_number)?;
        (!name.is_empty()).then_some((name, index))
    });
    let (name, index) = split.unwrap_or((text, 1));
    Ok((ModuleName::new(name)?, ModuleIndex::new(index)?))
}

fn first<'w>(words: &'w [String], form: &'static str) -> Result<&'w str, BadAddress> {
    words
        .first()
        .map(String::as_str)
        .ok_or(BadAddress::Missing {
            missing: "the system",
            form,
        })
}

/// A word with exactly two slashes.
fn parts(word: &str) -> Option<[&str; 3]> {
    let (system, rest) = word.split_once('/')?;
    let (module, name) = rest.split_once('/')?;
    (!name.contains('/')).then_some([system, module, name])
}

/// System, module, and at least one further word.
fn place<'w>(
    words: &'w [String],
    further: &'static str,
    form: &'static str,
) -> Result<(&'w str, &'w str, &'w [String]), BadAddress> {
    let missing = match words {
        [system, module, rest @ ..] if !rest.is_empty() => return Ok((system, module, rest)),
        [_, _] => further,
        _ => "the module",
    };
    Err(BadAddress::Missing { missing, form })
}

fn binding(system: &str, module: &str, name: &str) -> Result<BindingPath, BadAddress> {
    Ok(BindingPath {
        module: module_path(system, module)?,
        status: StatusName::new(name)?,
    })
}

fn module_path(system: &str, module: &str) -> Result<ModulePath, BadAddress> {
    let (module, index) = slug(module)?;
    Ok(ModulePath {
        system: SystemId::new(system)?,
        module,
        index,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<String> {
        line.split_whitespace().map(str::to_owned).collect()
    }

    #[track_caller]
    fn check_bind(line: &str, expect: Result<&[&str], &str>) {
        let found = bindings(&words(line)).map_err(|error| error.to_string());
        let found = found.map(|paths| {
            let shown = |path: &BindingPath| shown(&path.module, path.status.as_str());
            paths.iter().map(shown).collect::<Vec<_>>()
        });
        let expect = expect
            .map(|paths| paths.iter().map(|path| (*path).to_owned()).collect())
            .map_err(str::to_owned);
        assert_eq!(found, expect, "{line:?}");
    }

    #[test]
    fn statuses_are_named_in_words_or_as_paths() {
        check_bind("sys-1 Display power", Ok(&["sys-1/Display_1/power"]));
        check_bind(
            "sys-1 Display_2 power volume power",
            Ok(&["sys-1/Display_2/power", "sys-1/Display_2/volume"]),
        );
        check_bind(
            "sys-1/Display_1/power sys-2/A_1/x",
            Ok(&["sys-1/Display_1/power", "sys-2/A_1/x"]),
        );
        check_bind("a/b Display power", Ok(&["a/b/Display_1/power"]));
        check_bind("sys-1 A_1_1 1_x", Ok(&["sys-1/A_1_1/1_x"]));
    }

    #[test]
    fn what_names_no_status_is_answered_with_the_form() {
        let form = BIND_FORM;
        check_bind("", Err(&format!("the system is missing; write {form}")));
        check_bind(
            "sys-1",
            Err(&format!("the module is missing; write {form}")),
        );
        check_bind(
            "sys-1 Display",
            Err(&format!("the name of a status is missing; write {form}")),
        );
        check_bind(
            "sys-1/Display_1/power volume",
            Err(&format!("`volume` is no path; write {form}")),
        );
        check_bind("sys-1//power", Err("a module name is empty"));
        check_bind(
            "sys-1 Display_0 power",
            Err("a module index is a whole number from 1"),
        );
    }

    #[test]
    fn a_function_is_followed_by_its_arguments() {
        for line in [
            "sys-1 Display_2 volume 40 fast",
            "sys-1/Display_2/volume 40 fast",
        ] {
            let call = call(&words(line)).unwrap();
            let function = call.function.as_str();
            assert_eq!(shown(&call.module, function), "sys-1/Display_2/volume");
            assert_eq!(call.arguments.as_str(), r#"[40,"fast"]"#);
        }
        let missing = call(&words("sys-1 Display")).unwrap_err().to_string();
        assert_eq!(
            missing,
            format!("the name of a method is missing; write {EXEC_FORM}")
        );
    }

    #[test]
    fn a_log_is_named_by_place_or_by_id() {
        let place = ModuleAddress::Place(module_path("sys-1", "Display_2").unwrap());
        assert_eq!(target(&words("sys-1 Display_2")), Ok(place.clone()));
        assert_eq!(target(&words("sys-1/Display_2")), Ok(place));
        let id = ModuleId::new("mod-d1").unwrap();
        let by_id = ModuleAddress::Id { id, system: None };
        assert_eq!(target(&words("mod-d1")), Ok(by_id));
        let many = target(&words("sys-1 Display_2 power")).unwrap_err();
        assert_eq!(
            many.to_string(),
            format!("`power` is one word too many; write {DEBUG_FORM}")
        );
    }
}
