//! Entities: how a status looks in Home Assistant, where the guess is not good enough.
//!
//! Separate from the other collections for the rules of its own: which keys a domain has.
//! What an entity is made of otherwise is for the dialect to say.

use super::fields::collection;
use super::{Content, Decimal, Kind, StatusPath, Value, Wrong, one_of};
use crate::model::rules::Thing;

collection! {
    /// What a status is to look like as an entity. Whatever is left out is guessed.
    EntityOverride, "entities", "an entity" {
        /// Which status, and so which entity: the path is the id.
        status: StatusPath => own(Thing::Entity).must("the path of a status, such as `status: sys-board/Display_1/power`"),
        /// The domain.
        domain: Option<EntityDomain>,
        /// The name for people.
        name: Option<String>,
        /// The device class of Home Assistant, such as `temperature`.
        device_class: Option<String>,
        /// The unit of measurement.
        unit: Option<String>,
        /// The least that can be set.
        min: Option<Decimal>,
        /// The most that can be set.
        max: Option<Decimal>,
        /// By how much it can be set.
        step: Option<Decimal>,
        /// The texts that can be chosen.
        options: Vec<String>,
    }
}

/// The domains that one status can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EntityDomain {
    /// True or false, to be looked at.
    BinarySensor,
    /// A number or a flag that opens and closes something.
    Cover,
    /// A number or a flag that makes something bright.
    Light,
    /// A number that can be set.
    Number,
    /// One of several texts that can be set.
    Select,
    /// Whatever is to be looked at.
    Sensor,
    /// True or false, which can be set.
    Switch,
}

/// Their words, in the order of the variants.
const DOMAINS: &[&str] = &[
    "binary_sensor",
    "cover",
    "light",
    "number",
    "select",
    "sensor",
    "switch",
];

impl EntityDomain {
    const ALL: [Self; 7] = [
        Self::BinarySensor,
        Self::Cover,
        Self::Light,
        Self::Number,
        Self::Select,
        Self::Sensor,
        Self::Switch,
    ];

    /// The word of Home Assistant.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::BinarySensor => "binary_sensor",
            Self::Cover => "cover",
            Self::Light => "light",
            Self::Number => "number",
            Self::Select => "select",
            Self::Sensor => "sensor",
            Self::Switch => "switch",
        }
    }

    /// The domain of this word.
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|domain| domain.as_str() == word)
    }
}

impl Content for EntityDomain {
    const KIND: Kind = Kind::Word(DOMAINS);

    fn value(&self) -> Value<'_> {
        Value::Text(self.as_str().into())
    }

    fn make(value: Value<'_>) -> Result<Self, String> {
        let domain = value.text().and_then(Self::of);
        domain.ok_or_else(|| format!("must be {}", one_of(DOMAINS)))
    }
}

/// The domains in which a key means something.
const OF_DOMAINS: [(&str, &[EntityDomain]); 6] = [
    (
        "device_class",
        &[
            EntityDomain::BinarySensor,
            EntityDomain::Cover,
            EntityDomain::Number,
            EntityDomain::Sensor,
            EntityDomain::Switch,
        ],
    ),
    ("unit", &[EntityDomain::Number, EntityDomain::Sensor]),
    ("min", &[EntityDomain::Number]),
    ("max", &[EntityDomain::Number]),
    ("step", &[EntityDomain::Number]),
    ("options", &[EntityDomain::Select]),
];

impl EntityOverride {
    /// What its fields do not say together, each as a field and what goes on behind its name.
    pub fn mistakes(&self) -> Vec<Wrong> {
        let mut mistakes = Vec::new();
        let mut wrong = |field, reason: String| mistakes.push(Wrong { field, reason });
        for (field, domains) in OF_DOMAINS {
            let Some(domain) = self.domain.filter(|domain| !domains.contains(domain)) else {
                continue;
            };
            if self.has(field) {
                let words: Vec<&str> = domains.iter().map(|domain| domain.as_str()).collect();
                let (one, domain) = (one_of(&words), domain.as_str());
                wrong(field, format!("is of {one}, not of {domain}; remove it"));
            }
        }
        if let (Some(min), Some(max)) = (&self.min, &self.max)
            && min.get() > max.get()
        {
            wrong("min", "is more than `max`; exchange them".to_owned());
        }
        if self.step.as_ref().is_some_and(|step| step.get() <= 0.0) {
            wrong("step", "must be more than 0".to_owned());
        }
        let class = self.device_class.as_deref();
        if class.is_some_and(|class| !is_word(class)) {
            let reason = "must be a word of small letters, digits and `_`, such as temperature";
            wrong("device_class", reason.to_owned());
        }
        let options = self.options.iter().enumerate();
        let mut twice = options.filter(|(at, option)| self.options[..*at].contains(option));
        if twice.next().is_some() {
            wrong(
                "options",
                "has an item twice; remove one of them".to_owned(),
            );
        }
        mistakes
    }

    fn has(&self, field: &str) -> bool {
        match field {
            "device_class" => self.device_class.is_some(),
            "unit" => self.unit.is_some(),
            "min" => self.min.is_some(),
            "max" => self.max.is_some(),
            "step" => self.step.is_some(),
            "options" => !self.options.is_empty(),
            _ => false,
        }
    }
}

fn is_word(text: &str) -> bool {
    let is_sign = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    !text.is_empty() && text.bytes().all(is_sign)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Collection, Values};

    fn entity(fields: &[(&str, Value<'static>)]) -> EntityOverride {
        let status = Value::Text("sys-1/Display_1/x".into());
        let mut values = Values::none().with("status", status);
        for (name, value) in fields {
            values.put(name, value.clone());
        }
        EntityOverride::build(values).unwrap()
    }

    fn number(json: &'static str) -> Value<'static> {
        Value::Json(json.into())
    }

    #[track_caller]
    fn check(fields: &[(&str, Value<'static>)], expect: &[(&str, &str)]) {
        let mistakes = entity(fields).mistakes();
        let mistakes: Vec<_> = mistakes
            .iter()
            .map(|wrong| (wrong.field, wrong.reason.as_str()))
            .collect();
        assert_eq!(mistakes, expect);
    }

    #[test]
    fn every_domain_is_found_by_its_word() {
        for (domain, word) in EntityDomain::ALL.into_iter().zip(DOMAINS) {
            assert_eq!(domain.as_str(), *word);
            assert_eq!(EntityDomain::of(word), Some(domain));
        }
        assert_eq!(EntityDomain::of("media_player"), None);
    }

    #[test]
    fn a_key_is_held_to_the_domains_that_have_it() {
        let domain = |word: &'static str| ("domain", Value::Text(word.into()));
        let options = ("options", Value::Texts(vec!["a".into(), "b".into()]));
        check(&[domain("select"), options.clone()], &[]);
        check(std::slice::from_ref(&options), &[]);
        check(
            &[domain("sensor"), options],
            &[("options", "is of select, not of sensor; remove it")],
        );
        check(
            &[domain("switch"), ("unit", Value::Text("%".into()))],
            &[("unit", "is of number or sensor, not of switch; remove it")],
        );
    }

    #[test]
    fn numbers_that_leave_nothing_to_set_are_mistakes() {
        check(&[("min", number("1")), ("max", number("1.0"))], &[]);
        check(
            &[("min", number("2")), ("max", number("1.5"))],
            &[("min", "is more than `max`; exchange them")],
        );
        check(&[("step", number("0"))], &[("step", "must be more than 0")]);
    }

    #[test]
    fn an_option_that_is_there_twice_is_a_mistake() {
        let options = ["a", "b", "a"].map(Into::into).to_vec();
        check(
            &[("options", Value::Texts(options))],
            &[("options", "has an item twice; remove one of them")],
        );
    }
}
