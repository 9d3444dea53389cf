//! Channels by their names: which names there are, and what each says of its channel.

use crate::dialects::pusher::limits;
use crate::model::{AppId, InvalidId, TopicId};

/// What begins the name of a user's own channel; the user's id is the rest.
pub const USER_CHANNEL: &str = "#server-to-user-";

/// The topic of an app's signed-in users. It has a name that no client can say.
const USERS: &str = "#@users";

/// A channel that a client or a server may name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Channel<'n> {
    name: &'n str,
    access: Access,
    keeping: Keeping,
}

/// How clients come into a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Freely.
    Public,
    /// By a signature.
    Private,
    /// By a signature. Those in it encrypt what they say to each other.
    Encrypted,
    /// By a signature over who comes, or signed in. Those in it are told of each other.
    Presence,
    /// Signed in as the user whose own channel it is.
    User,
}

/// Whether the last event of a channel is kept for those who come later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keeping {
    /// It is.
    Last,
    /// It is not.
    Nothing,
}

/// How the names of each kind begin, the longer beginnings first.
const KINDS: [(&str, Access, Keeping); 7] = [
    ("private-encrypted-cache-", Access::Encrypted, Keeping::Last),
    ("private-encrypted-", Access::Encrypted, Keeping::Nothing),
    ("private-cache-", Access::Private, Keeping::Last),
    ("private-", Access::Private, Keeping::Nothing),
    ("presence-cache-", Access::Presence, Keeping::Last),
    ("presence-", Access::Presence, Keeping::Nothing),
    ("cache-", Access::Public, Keeping::Last),
];

impl<'n> Channel<'n> {
    /// The channel of a name; `None` when no channel can have that name.
    pub fn named(name: &'n str) -> Option<Self> {
        if let Some(user) = name.strip_prefix(USER_CHANNEL) {
            return is_user_id(user).then_some(Self {
                name,
                access: Access::User,
                keeping: Keeping::Nothing,
            });
        }
        // Every character that passes is one byte.
        let is_name = (1..=limits::NAME_MAX_CHARS).contains(&name.len());
        if !is_name || !name.bytes().all(is_sign) {
            return None;
        }
        let mut kinds = KINDS.into_iter();
        let kind = kinds.find(|(beginning, ..)| name.starts_with(beginning));
        let (access, keeping) = kind.map_or(
            (Access::Public, Keeping::Nothing),
            |(_, access, keeping)| (access, keeping),
        );
        Some(Self {
            name,
            access,
            keeping,
        })
    }

    /// Its name.
    pub fn name(&self) -> &'n str {
        self.name
    }

    /// How clients come into it.
    pub fn access(&self) -> Access {
        self.access
    }

    /// Whether its last event is kept.
    pub fn keeping(&self) -> Keeping {
        self.keeping
    }

    /// The user whose own channel it is.
    pub fn user(&self) -> Option<&'n str> {
        self.name.strip_prefix(USER_CHANNEL)
    }

    /// Whether clients may publish in it. No library does so in an encrypted channel.
    pub fn takes_client_events(&self) -> bool {
        match self.access {
            Access::Private | Access::Presence => true,
            Access::Public | Access::Encrypted | Access::User => false,
        }
    }

    /// Its topic.
    ///
    /// # Errors
    ///
    /// When app and name together are too long.
    pub fn topic(&self, app: &AppId) -> Result<TopicId, InvalidId> {
        TopicId::of_app(app, self.name)
    }
}

/// The topic whose members are the signed-in users of an app.
///
/// # Errors
///
/// When the app's id is too long.
pub fn users_topic(app: &AppId) -> Result<TopicId, InvalidId> {
    TopicId::of_app(app, USERS)
}

/// Whether it is the topic of an app's signed-in users.
pub fn is_users_topic(topic: &TopicId) -> bool {
    topic.channel() == USERS
}

/// Whether a text can be a user's id. The rest of a user's channel is that id, and so are keys of presence: both are any text of one line.
pub fn is_user_id(text: &str) -> bool {
    let length = text.chars().take(limits::USER_ID_MAX_CHARS + 1).count();
    (1..=limits::USER_ID_MAX_CHARS).contains(&length) && !text.chars().any(char::is_control)
}

/// Whether a text can be an event's name: any, within a length.
pub fn is_event_name(text: &str) -> bool {
    let length = text.chars().take(limits::NAME_MAX_CHARS + 1).count();
    (1..=limits::NAME_MAX_CHARS).contains(&length)
}

/// Whether clients take an event of this name for one of the protocol.
pub fn is_protocol_event(name: &str) -> bool {
    name.starts_with("pusher:") || name.starts_with("pusher_internal:")
}

fn is_sign(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'=' | b'@' | b',' | b'.' | b';')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_beginning_of_a_name_says_the_kind_and_nothing_else_does() {
        for (name, access, keeping) in [
            ("a", Access::Public, Keeping::Nothing),
            ("my-private-x", Access::Public, Keeping::Nothing),
            ("room-cache-1", Access::Public, Keeping::Nothing),
            ("privatex", Access::Public, Keeping::Nothing),
            ("cache-a", Access::Public, Keeping::Last),
            ("private-a", Access::Private, Keeping::Nothing),
            ("private-cachea", Access::Private, Keeping::Nothing),
            ("private-cache-a", Access::Private, Keeping::Last),
            ("private-encrypted-a", Access::Encrypted, Keeping::Nothing),
            (
                "private-encrypted-cache-a",
                Access::Encrypted,
                Keeping::Last,
            ),
            ("presence-a", Access::Presence, Keeping::Nothing),
            ("presence-cache-a", Access::Presence, Keeping::Last),
            ("#server-to-user-u-7", Access::User, Keeping::Nothing),
        ] {
            let channel = Channel::named(name).unwrap();
            let kind = (channel.access(), channel.keeping());
            assert_eq!(kind, (access, keeping), "{name}");
        }
    }

    #[test]
    fn a_name_has_up_to_200_characters_of_few_kinds() {
        let longest = "a".repeat(200);
        for good in ["-", "aZ09_-=@,.;", longest.as_str()] {
            assert!(Channel::named(good).is_some(), "{good}");
        }
        let too_long = "a".repeat(201);
        let foreign = [
            "",
            "a\n",
            "\na",
            "a b",
            "a:b",
            "a/b",
            "a#",
            "#a",
            "#server-to-user-",
            "é",
            "#server-to-user-a\n",
            "#@users",
            too_long.as_str(),
        ];
        for bad in foreign {
            assert!(Channel::named(bad).is_none(), "{bad:?}");
        }
    }

    #[test]
    fn a_users_channel_has_the_users_id() {
        let channel = Channel::named("#server-to-user-u-7").unwrap();
        assert_eq!(channel.user(), Some("u-7"));
        assert_eq!(Channel::named("server-to-user-u-7").unwrap().user(), None);
    }

    #[test]
    fn ids_and_names_of_events_count_characters() {
        let (fits, too_long) = ("é".repeat(200), "é".repeat(201));
        assert!(is_user_id(&fits) && is_event_name(&fits));
        assert!(!is_user_id(&too_long) && !is_event_name(&too_long));
        assert!(!is_user_id("") && !is_event_name(""));
        assert!(!is_user_id("a\n"));
        assert!(is_event_name("App\\Events\\X"));
    }

    #[test]
    fn the_topic_of_all_users_is_no_channel() {
        let topic = users_topic(&AppId::new("4201").unwrap()).unwrap();
        assert!(is_users_topic(&topic));
        assert!(Channel::named(topic.channel()).is_none());
    }
}
