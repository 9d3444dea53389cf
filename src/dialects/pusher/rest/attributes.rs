//! What a server wants to know of channels: the parameter `info`.

use crate::dialects::pusher::rest::ApiRefusal;

/// Something that can be told of a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attribute {
    /// How many users are in it. Presence channels have it.
    UserCount,
    /// How many connections are in it.
    SubscriptionCount,
    /// Its last event. Cache channels have it.
    Cache,
}

impl Attribute {
    const ALL: [Self; 3] = [Self::UserCount, Self::SubscriptionCount, Self::Cache];

    /// Its name in requests and answers.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::UserCount => "user_count",
            Self::SubscriptionCount => "subscription_count",
            Self::Cache => "cache",
        }
    }
}

/// What is wanted of one channel, or of several.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Attributes(Vec<Attribute>);

impl Attributes {
    /// Reads names between commas. `known` are those that can be asked here.
    pub(super) fn read(text: Option<&str>, known: &[Attribute]) -> Result<Self, ApiRefusal> {
        let names = text.unwrap_or_default().split(',').map(str::trim_ascii);
        let names = names.filter(|name| !name.is_empty());
        let read = names.map(|name| {
            let mut all = Attribute::ALL.into_iter();
            let attribute = all.find(|attribute| attribute.as_str() == name);
            attribute
                .filter(|attribute| known.contains(attribute))
                .ok_or_else(|| {
                    let known: Vec<&str> = known.iter().map(|known| known.as_str()).collect();
                    let known = known.join(", ");
                    ApiRefusal::bad(format!("`info` can have here: {known}"))
                })
        });
        read.collect::<Result<_, _>>().map(Self)
    }

    /// Whether it is wanted.
    pub fn has(&self, attribute: Attribute) -> bool {
        self.0.contains(&attribute)
    }

    /// Whether nothing is wanted.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
