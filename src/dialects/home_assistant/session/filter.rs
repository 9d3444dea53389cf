//! Which entities a subscription is about: by their ids, by their domains, by patterns, and what is left out again.
//!
//! What is named singly goes before what is matched, and what is included before what is left out, as in Home Assistant.

use std::borrow::Cow;
use std::collections::HashSet;

use crate::dialects::home_assistant::errors::CommandError;
use crate::dialects::home_assistant::limits;
use crate::dialects::home_assistant::wire::Object;

/// Which entities.
#[derive(Debug)]
pub(super) enum EntityFilter {
    /// All.
    All,
    /// Those that pass all of this.
    Some(Box<Conditions>),
}

/// What an entity has to pass.
#[derive(Debug)]
pub(super) struct Conditions {
    /// It is one of these, if there are any.
    ids: HashSet<Box<str>>,
    include: Choice,
    exclude: Choice,
}

/// Entities by what they are called.
#[derive(Debug, Default)]
struct Choice {
    entities: HashSet<Box<str>>,
    domains: HashSet<Box<str>>,
    globs: Vec<Box<[char]>>,
}

impl EntityFilter {
    /// Reads the filter of a command that fits its schema.
    pub(super) fn read(command: &Object<'_>) -> Result<Self, CommandError> {
        let conditions = Conditions {
            ids: ids(command, "entity_ids"),
            include: Choice::read(command.object("include"))?,
            exclude: Choice::read(command.object("exclude"))?,
        };
        Ok(Self::passing(conditions))
    }

    /// Those of these ids, or of these domains; all when there is neither.
    pub(super) fn of(ids: HashSet<Box<str>>, domains: HashSet<Box<str>>) -> Self {
        let include = Choice {
            domains,
            ..Choice::default()
        };
        let conditions = Conditions {
            ids,
            include,
            exclude: Choice::default(),
        };
        Self::passing(conditions)
    }

    fn passing(conditions: Conditions) -> Self {
        if conditions.are_none() {
            Self::All
        } else {
            Self::Some(Box::new(conditions))
        }
    }

    /// How many bytes of what the client wrote are kept.
    pub(super) fn size(&self) -> usize {
        match self {
            Self::All => 0,
            Self::Some(conditions) => conditions.size(),
        }
    }

    /// Whether an entity is one of them.
    pub(super) fn passes(&self, id: &str) -> bool {
        match self {
            Self::All => true,
            Self::Some(conditions) => conditions.pass(id),
        }
    }
}

impl Conditions {
    fn are_none(&self) -> bool {
        self.ids.is_empty() && self.include.is_empty() && self.exclude.is_empty()
    }

    fn size(&self) -> usize {
        size_of(&self.ids) + self.include.size() + self.exclude.size()
    }

    fn pass(&self, id: &str) -> bool {
        (self.ids.is_empty() || self.ids.contains(id)) && self.choose(id)
    }

    fn choose(&self, id: &str) -> bool {
        let (include, exclude) = (&self.include, &self.exclude);
        if include.entities.contains(id) {
            return true;
        }
        if exclude.entities.contains(id) {
            return false;
        }
        if include.has_patterns() {
            include.matches(id) || (include.has_domain_of(id) && !exclude.matches(id))
        } else if exclude.has_patterns() {
            !exclude.matches(id) && !exclude.has_domain_of(id)
        } else {
            include.entities.is_empty()
        }
    }
}

impl Choice {
    fn read(given: Option<Object<'_>>) -> Result<Self, CommandError> {
        let Some(given) = given else {
            return Ok(Self::default());
        };
        let globs = given.texts("entity_globs");
        let globs: Vec<Box<[char]>> = globs.iter().map(|glob| glob.chars().collect()).collect();
        if globs.iter().map(|glob| glob.len()).sum::<usize>() > limits::GLOBS_MAX_CHARS {
            return Err(CommandError::misshapen(format!(
                "the patterns of a filter have at most {} characters together",
                limits::GLOBS_MAX_CHARS
            )));
        }
        Ok(Self {
            entities: ids(&given, "entities"),
            domains: words(given.texts("domains")),
            globs,
        })
    }

    fn is_empty(&self) -> bool {
        self.entities.is_empty() && !self.has_patterns()
    }

    fn size(&self) -> usize {
        let globs: usize = self.globs.iter().map(|glob| glob.len()).sum();
        size_of(&self.entities) + size_of(&self.domains) + globs * size_of_val(&'*')
    }

    fn has_patterns(&self) -> bool {
        !self.domains.is_empty() || !self.globs.is_empty()
    }

    fn has_domain_of(&self, id: &str) -> bool {
        id.split_once('.')
            .is_some_and(|(domain, _)| self.domains.contains(domain))
    }

    fn matches(&self, id: &str) -> bool {
        self.globs.iter().any(|glob| glob_matches(glob, id))
    }
}

/// How many bytes a set of texts takes, with what it takes beside the texts.
fn size_of(texts: &HashSet<Box<str>>) -> usize {
    let each = size_of_val::<Box<str>>(&Box::from(""));
    texts.iter().map(|text| text.len() + each).sum()
}

/// The ids of entities in a field: a list, or one text with commas.
pub(super) fn ids(object: &Object<'_>, name: &str) -> HashSet<Box<str>> {
    let texts = object.texts(name);
    let ids = texts.iter().flat_map(|text| text.split(','));
    ids.map(|id| id.trim().to_lowercase().into()).collect()
}

/// The texts as a set, in lower case.
pub(super) fn words(texts: Vec<Cow<'_, str>>) -> HashSet<Box<str>> {
    let texts = texts.into_iter();
    texts.map(|text| text.to_lowercase().into()).collect()
}

/// Whether an id matches a pattern: `*` is any text, `?` any character, `[ab]` one of these, `[!ab]` none of these.
///
/// A star that turned out to be too short is tried one character longer, and earlier ones never again, so the time is bounded by the product of both lengths.
fn glob_matches(glob: &[char], id: &str) -> bool {
    // Ids have plain characters alone.
    let id = id.as_bytes();
    let (mut at, mut of_id) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while of_id < id.len() {
        if glob.get(at) == Some(&'*') {
            star = Some((at, of_id));
            at += 1;
        } else if let Some(length) = one_matches(&glob[at..], char::from(id[of_id])) {
            at += length;
            of_id += 1;
        } else if let Some((star_at, taken)) = star {
            star = Some((star_at, taken + 1));
            (at, of_id) = (star_at + 1, taken + 1);
        } else {
            return false;
        }
    }
    glob[at..].iter().all(|&rest| rest == '*')
}

/// How much of a pattern stands for one character, if this is such a character.
fn one_matches(glob: &[char], character: char) -> Option<usize> {
    match *glob.first()? {
        '?' => Some(1),
        '[' => {
            // A bracket directly behind the opening one stands for itself, and so does an opening one without an end.
            let from = if glob.get(1) == Some(&'!') { 2 } else { 1 };
            let end = glob.iter().skip(from + 1).position(|&c| c == ']');
            let Some(end) = end.map(|end| end + from + 1) else {
                return (character == '[').then_some(1);
            };
            let is_in = is_in_set(&glob[from..end], character);
            (is_in == (from == 1)).then_some(end + 1)
        }
        plain => (plain == character).then_some(1),
    }
}

/// Whether a character is one of a set, in which `a-z` is a range.
fn is_in_set(mut set: &[char], character: char) -> bool {
    while let Some(&first) = set.first() {
        if let [low, '-', high, ..] = *set {
            if (low..=high).contains(&character) {
                return true;
            }
            set = &set[3..];
        } else {
            if first == character {
                return true;
            }
            set = &set[1..];
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use serde_json::value::RawValue;

    use super::*;

    fn passing(filter: &str) -> Vec<&'static str> {
        let value: &RawValue = serde_json::from_str(filter).unwrap();
        let filter = EntityFilter::read(&Object::read(value).unwrap()).unwrap();
        let all = ["light.hall", "switch.a", "switch.b", "sensor.a_1"];
        all.into_iter().filter(|id| filter.passes(id)).collect()
    }

    #[test]
    fn a_filter_chooses_as_home_assistants_does() {
        let all = ["light.hall", "switch.a", "switch.b", "sensor.a_1"];
        assert_eq!(passing("{}"), all);
        assert_eq!(passing(r#"{"include":{},"exclude":{}}"#), all);
        assert_eq!(passing(r#"{"entity_ids":"Switch.A"}"#), ["switch.a"]);
        assert_eq!(
            passing(r#"{"include":{"domains":["switch"]}}"#),
            ["switch.a", "switch.b"]
        );
        assert_eq!(
            passing(r#"{"include":{"entities":["light.hall"]}}"#),
            ["light.hall"]
        );
        assert_eq!(
            passing(r#"{"exclude":{"entity_globs":"*a*"}}"#),
            ["switch.b"]
        );
        assert_eq!(
            passing(r#"{"exclude":{"entities":["switch.a"]}}"#),
            ["light.hall", "switch.b", "sensor.a_1"]
        );
        assert_eq!(
            passing(r#"{"include":{"domains":["switch"]},"exclude":{"entity_globs":["*.b"]}}"#),
            ["switch.a"]
        );
        assert_eq!(
            passing(r#"{"include":{"entities":["switch.b"]},"exclude":{"domains":["switch"]}}"#),
            ["light.hall", "switch.b", "sensor.a_1"]
        );
        assert_eq!(
            passing(r#"{"entity_ids":["switch.a","sensor.a_1"],"exclude":{"domains":["sensor"]}}"#),
            ["switch.a"]
        );
    }

    fn matches(glob: &str, id: &str) -> bool {
        let glob: Vec<char> = glob.chars().collect();
        glob_matches(&glob, id)
    }

    #[test]
    fn a_pattern_matches_as_in_a_shell() {
        for (glob, id) in [
            ("*", ""),
            ("switch.*", "switch.a"),
            ("*a*b*", "xaxxbx"),
            ("switch.?", "switch.a"),
            ("switch.[ab]", "switch.b"),
            ("switch.[!ab]", "switch.c"),
            ("switch.[a-c]_[0-9]", "switch.b_7"),
            ("a[", "a["),
            ("[]]", "]"),
        ] {
            assert!(matches(glob, id), "{glob} {id}");
        }
        for (glob, id) in [
            ("", "a"),
            ("switch.?", "switch.ab"),
            ("switch.[!ab]", "switch.a"),
            ("*a", "ab"),
            ("switch", "switch.a"),
        ] {
            assert!(!matches(glob, id), "{glob} {id}");
        }
    }

    #[test]
    fn a_pattern_of_many_stars_is_decided_soon() {
        let (glob, id) = ("*a".repeat(2_000), "a".repeat(1_999));
        assert!(!matches(&glob, &id));
    }
}
