//! What can be wrong with a building file, in one line each that ends with what to do about it.
//!
//! No text here holds a value that may be a secret: a password never shows in an error.

use std::fmt::{self, Write as _};

use crate::model::{InvalidId, InvalidPath, InvalidProcess, one_of};

/// Where something stands in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// Counted from 1.
    pub line: u64,
    /// In characters, counted from 1.
    pub column: u64,
}

impl Position {
    /// The beginning of the file.
    pub const START: Self = Self { line: 1, column: 1 };
}

/// Everything wrong with a file, in the order of its lines. Prints as one line per mistake, `file:line:column: what; remedy`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problems {
    /// The file as the caller named it.
    pub file: String,
    /// At least one.
    pub list: Vec<Problem>,
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, Problem { at, kind }) in self.list.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{}:{}:{}: ", self.file, at.line, at.column)?;
            // A quoted key or id may hold line ends and terminal codes.
            for c in kind.to_string().chars() {
                match c.is_control() {
                    true => write!(f, "{}", c.escape_default())?,
                    false => f.write_char(c)?,
                }
            }
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}

/// One mistake and its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Where it is.
    pub at: Position,
    /// What it is.
    pub kind: ProblemKind,
}

/// What is wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProblemKind {
    /// The text is not YAML.
    #[error("not valid YAML: {detail}; look at the indentation, quotes and brackets up to here")]
    Yaml {
        /// The parser's words.
        detail: String,
    },
    /// The file nests or multiplies itself beyond the bounds of `node`.
    #[error("more than a building file may hold; nest less deep here, or repeat less by aliases")]
    TooMuch,
    /// The same key twice in one map.
    #[error(
        "{} is already in this map; remove one of them",
        named("the key", key, "this key")
    )]
    KeyTwice {
        /// The key.
        key: String,
    },
    /// A second document behind `---`.
    #[error("a second document begins here; keep the building in one, without `---` in between")]
    TwoDocuments,
    /// `null` or nothing as a key.
    #[error(
        "a key is missing before the colon, or is null; write a name there, in quotes if need be"
    )]
    NullKey,
    /// `{{ … }}` without quotes around it.
    #[error(
        "YAML takes `{{{{` for a map, and this line has one without quotes; put the whole text in quotes, such as \"{{{{ name }}}}\""
    )]
    BareBraces,
    /// An operator such as `>` without quotes around it.
    #[error(
        "YAML takes an operator such as `>` without quotes for a sign of its own; put it in quotes, such as `is: \">\"`"
    )]
    BareOperator,
    /// A rule such as `* * * * *` without quotes around it.
    #[error(
        "YAML takes a `*` in front for the name of a value elsewhere; put the whole rule in quotes, such as `cron: \"*/5 * * * *\"`"
    )]
    BareCron,
    /// `.inf` or `.nan`.
    #[error(
        "a setting cannot be infinite or not a number, since it is kept as JSON; write a number or text in quotes"
    )]
    NotFinite,
    /// There is nothing in the file. Refused because a half-written file must not clear a building.
    #[error("the file is empty; write {{}} for a building with nothing in it")]
    EmptyFile,
    /// Digits that would come out changed.
    #[error(
        "a number with leading zeros or more digits than fit would be changed; put it in quotes to keep it as text, or write it without zeros in front"
    )]
    Digits,
    /// A value has the wrong type.
    #[error("{what} must be {expected}, not {found}{}", quotes(expected, found))]
    Type {
        /// Which value.
        what: String,
        /// What belongs there.
        expected: &'static str,
        /// What is there.
        found: &'static str,
    },
    /// A key that riser does not read.
    #[error("{} in {place}; {remedy}", named("unknown key", key, "unknown key"))]
    UnknownKey {
        /// The key; empty where a colon is missing, since it may then be a value.
        key: String,
        /// What has the key.
        place: &'static str,
        /// The nearest allowed key or all of them.
        remedy: String,
    },
    /// A needed key is absent.
    #[error("{place} has no `{key}`; add {remedy}")]
    Missing {
        /// What lacks the key.
        place: &'static str,
        /// The key.
        key: &'static str,
        /// An example.
        remedy: &'static str,
    },
    /// A needed setting, or the address of the device, is absent.
    #[error("{what} {} no `{key}`; add {expected}", if *what == "the settings" { "have" } else { "has" })]
    NoSetting {
        /// What lacks the key.
        what: &'static str,
        /// The key.
        key: String,
        /// What belongs there.
        expected: String,
    },
    /// A setting, or the address of the device, is not what the driver takes.
    #[error("{setting} {reason}")]
    Setting {
        /// Which one.
        setting: String,
        /// What is wrong, and what to do.
        reason: String,
    },
    /// A field of an entry cannot be as it is, for what it says by itself or beside others.
    #[error("`{key}` {reason}")]
    Field {
        /// Which one.
        key: String,
        /// What is wrong, and what to do.
        reason: String,
    },
    /// Something inside a field that has a form of its own.
    #[error("{what} {reason}")]
    Inside {
        /// Which part, as far as its name may be shown.
        what: String,
        /// What is wrong, and what to do.
        reason: String,
    },
    /// A text that is no path.
    #[error("`{key}` is no path: {reason}")]
    Path {
        /// Which one.
        key: &'static str,
        /// Why not.
        reason: InvalidPath,
    },
    /// A path at which no module stands.
    #[error(
        "{}; {remedy}",
        named("the system has no module", slug, "the system has no such module")
    )]
    NoSuchPlace {
        /// The module with its index.
        slug: String,
        /// The nearest one, or all of them.
        remedy: String,
    },
    /// A function that the module at its place has not.
    #[error(
        "{}; {remedy}",
        named(
            "the module has no function",
            function,
            "the module has no such function"
        )
    )]
    NoSuchFunction {
        /// Its name.
        function: String,
        /// The nearest one, or all of them.
        remedy: String,
    },
    /// A text cannot be an id or a name.
    #[error("{reason}; use 1 to 512 bytes of text without control characters")]
    Id {
        /// Why not.
        reason: InvalidId,
    },
    /// An API key's id has a dot in it.
    #[error(
        "an API key's id cannot have a dot in it, since a dot ends the id in `<id>.<secret>`; write what is behind it under `secret`, or another sign in its place"
    )]
    DotInKeyId,
    /// A secret that cannot be sent.
    #[error("`{key}` {reason}")]
    Secret {
        /// Which secret.
        key: &'static str,
        /// Why, and what to do.
        reason: &'static str,
    },
    /// Two entries share what must be unique.
    #[error("{} is already used on line {first_line}; give one of them another", named(what, value, &format!("this {what}")))]
    Duplicate {
        /// What must be unique.
        what: &'static str,
        /// The value.
        value: String,
        /// Where it was used first.
        first_line: u64,
    },
    /// The same reference twice in one list.
    #[error("{} is listed twice; remove one of them", named(what, id, &format!("this {what}")))]
    ListedTwice {
        /// What is listed.
        what: &'static str,
        /// Its id.
        id: String,
    },
    /// A reference without target.
    #[error("{}; {remedy}", named(&format!("there is no {what}"), id, &format!("there is no such {what}")))]
    NoSuch {
        /// What should be there.
        what: &'static str,
        /// The reference.
        id: String,
        /// The nearest existing one, or where to add it.
        remedy: String,
    },
    /// Zones that contain each other.
    #[error(
        "{} is inside itself{}; remove one `parent_id`",
        named("zone", id, "this zone"),
        bracketed(path)
    )]
    ZoneCycle {
        /// The first zone of the cycle.
        id: String,
        /// The way round; empty where it may not be shown.
        path: String,
    },
    /// A program that cannot be started as a driver.
    #[error(
        "the driver cannot be run: {why}; write a program and its arguments, such as `command: [python3, thermometer.py]`"
    )]
    Process {
        /// Why not.
        why: InvalidProcess,
    },
    /// A name of a variable of a driver's environment.
    #[error("no variable can have this name; use letters, digits and `_`, and no digit in front")]
    VariableName,
    /// A module without a name whose driver has none for it.
    #[error(
        "a driver that is a process has no name for its modules; add one that clients are to use, such as `name: Thermometer`"
    )]
    NoModuleName,
    /// A number that counts nothing.
    #[error("`{key}` must be a whole number from 0 to {most}; leave it out if it is not known")]
    Count {
        /// Which number.
        key: &'static str,
        /// The largest that it can be.
        most: u32,
    },
    /// None of the words that there are.
    #[error(
        "{} is no {}; use {}",
        named("", word, "this"),
        key.replace('_', " "),
        one_of(words)
    )]
    Word {
        /// The key.
        key: &'static str,
        /// What is there.
        word: String,
        /// What can be there.
        words: &'static [&'static str],
    },
    /// Not a moment at which a key could end.
    #[error(
        "{} is no time; write one such as 2027-01-31T18:00:00Z, or a date, which ends as it begins in UTC",
        named("", text, "this")
    )]
    Expires {
        /// What is there.
        text: String,
    },
    /// Not a scope.
    #[error(
        "{} is no scope; write a name such as public, or name.read or name.write",
        named("", scope, "this")
    )]
    Scope {
        /// What is there.
        scope: String,
    },
    /// A restriction to nothing, which could be read as no restriction.
    #[error(
        "`{key}` is empty; list what the key may open, or leave `{key}` out to open everything"
    )]
    EmptyRestriction {
        /// `systems` or `zones`.
        key: &'static str,
    },
    /// Not a time zone.
    #[error("{} is no IANA time zone; {remedy}", named("", timezone, "this"))]
    TimeZone {
        /// What is there.
        timezone: String,
        /// The nearest one, or an example.
        remedy: String,
    },
    /// An id that is a word of the HTTP interface.
    #[error(
        "no request over HTTP could ask for the {what} `{id}`, since the word has a meaning there; choose another id"
    )]
    Shadowed {
        /// Whose id.
        what: &'static str,
        /// The id.
        id: String,
    },
    /// Metadata that means something to others and is not in their form.
    #[error("`details` {reason}")]
    Misread {
        /// What belongs there, and what to do.
        reason: &'static str,
    },
    /// The same in YAML and as JSON.
    #[error("{place} has both `{yaml}` and `{json}`; remove one of them")]
    TwoForms {
        /// What has both.
        place: &'static str,
        /// The key whose value is YAML.
        yaml: &'static str,
        /// The key whose value is a JSON text.
        json: &'static str,
    },
    /// A text that should be JSON.
    #[error("`{key}` must be {expected} as text; correct it, or write it in YAML as `{yaml}`")]
    Json {
        /// The key.
        key: &'static str,
        /// What belongs there.
        expected: &'static str,
        /// The key whose value is YAML.
        yaml: &'static str,
    },
    /// Both a password and its hash.
    #[error("a user has both `password` and `password_hash`; remove one of them")]
    TwoPasswords,
    /// Both a key's secret and its hash.
    #[error("an API key has both `secret` and `secret_hash`; remove one of them")]
    TwoSecrets,
    /// Not a hash of a key's secret.
    #[error(
        "`secret_hash` must be a hash that riser printed, which begins with hmac-sha512$; use `secret` for the secret itself"
    )]
    KeyHash,
    /// Not a password hash.
    #[error(
        "`password_hash` must be an argon2 hash that begins with $argon2 and costs at most 64 MiB, 10 passes and 16 lanes; use `password` for the password itself"
    )]
    PasswordHash,
    /// `${ENV:…}` names a variable that is not set.
    #[error("the environment variable {name} is not set; set it before starting riser")]
    Unset {
        /// The variable.
        name: String,
    },
    /// `${ENV:` without a name and a closing brace.
    #[error("`${{ENV:` must go on with the name of a variable and `}}`, such as ${{ENV:PASSWORD}}")]
    EnvSyntax,
    /// `${ENV:…}` where it is not filled in.
    #[error(
        "${{ENV:…}} is not filled in here, only in settings, `uri`, `url` of a webhook, `header`, `env` of a driver, secrets, passwords and their hashes; write the text itself, with $${{ for ${{"
    )]
    EnvElsewhere,
}

/// The longest word that is shown; ids beyond it are found by their place.
const WORD_MAX_CHARS: usize = 64;

/// Whether a text may be shown: a password that a forgotten colon or quote has put into another value comes with a space, a colon or an equals sign.
pub(super) fn is_word(text: &str) -> bool {
    let is_sign = |c: char| c.is_alphanumeric() || "-_.@/+#".contains(c);
    text.chars().count() <= WORD_MAX_CHARS && text.chars().all(is_sign)
}

/// ``zone `zone-1` `` for a word, `otherwise` for what may be more than that. A metadata's name and its parent are a word each.
fn named(what: &str, text: &str, otherwise: &str) -> String {
    let words: Vec<&str> = text.split('\n').collect();
    if !words.iter().copied().all(is_word) || text.is_empty() && !what.is_empty() {
        return otherwise.to_owned();
    }
    let text = words.join(" of ");
    format!("{what} `{text}`").trim_start().to_owned()
}

fn bracketed(path: &str) -> String {
    match path.is_empty() {
        true => String::new(),
        false => format!(" ({path})"),
    }
}

/// YAML reads `101` and `true` as number and truth value: quotes are the way to mean text.
fn quotes(expected: &str, found: &str) -> &'static str {
    if expected == "text" && (found == "a number" || found == "true or false") {
        "; put it in quotes"
    } else {
        ""
    }
}
