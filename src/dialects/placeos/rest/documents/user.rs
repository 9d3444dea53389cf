//! Documents of users.

use std::fmt;

use serde::de::{Deserializer, Visitor};
use serde::{Deserialize, de};
use utoipa::ToSchema;

use crate::dialects::placeos::rest::InvalidField;
use crate::dialects::placeos::rest::documents::{Given, asked_id};
use crate::model::{Clearance, Password, Secret, User, UserId};

/// A user to be made or changed. What is left out stays as it is.
#[derive(Debug, Default, Deserialize, ToSchema)]
pub struct UserDocument {
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    id: Given<String>,
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    email: Given<String>,
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    name: Given<String>,
    #[serde(default)]
    #[schema(value_type = Option<bool>)]
    sys_admin: Given<bool>,
    #[serde(default)]
    #[schema(value_type = Option<bool>)]
    support: Given<bool>,
    #[serde(default)]
    #[schema(value_type = Option<Vec<String>>)]
    groups: Given<Vec<String>>,
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    password: Given<Plain>,
}

/// A password in the clear, which no error text quotes.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Plain(Secret);

impl<'de> Deserialize<'de> for Plain {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl Visitor<'_> for Text {
            type Value = Plain;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Plain, E> {
                Ok(Plain(Secret::new(text)))
            }
        }
        deserializer.deserialize_str(Text)
    }
}

impl UserDocument {
    /// The id that a new user is to have.
    pub fn id(&self) -> Result<Option<UserId>, Vec<InvalidField>> {
        asked_id(&self.id, UserId::new)
    }

    /// A user with nothing but their id, to be amended.
    pub fn blank(id: UserId) -> User {
        User {
            id,
            email: String::new(),
            name: String::new(),
            level: Clearance::User,
            groups: Vec::new(),
            password: None,
        }
    }

    /// Puts what the document says in place of what is there.
    pub fn amend(&self, user: &mut User) {
        self.email.amend(&mut user.email);
        self.name.amend(&mut user.name);
        self.groups.amend(&mut user.groups);
        let mut is_admin = user.level >= Clearance::Admin;
        let mut is_support = user.level >= Clearance::Support;
        self.sys_admin.amend(&mut is_admin);
        self.support.amend(&mut is_support);
        user.level = match (is_admin, is_support) {
            (true, _) => Clearance::Admin,
            (false, true) => Clearance::Support,
            (false, false) => Clearance::User,
        };
        match &self.password {
            Given::Absent => {}
            Given::Null => user.password = None,
            Given::Value(Plain(password)) => {
                user.password = Some(Password::Plain(password.clone()));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialects::placeos::rest::documents::{Unreadable, read};

    fn amended(level: Clearance, body: &str) -> User {
        let blank = UserDocument::blank(UserId::new("user-1").unwrap());
        let mut user = User { level, ..blank };
        read::<UserDocument>(body.as_bytes())
            .unwrap()
            .amend(&mut user);
        user
    }

    #[test]
    fn two_flags_are_a_level() {
        for (before, body, after) in [
            (Clearance::User, r#"{"support": true}"#, Clearance::Support),
            (Clearance::User, r#"{"sys_admin": true}"#, Clearance::Admin),
            (
                Clearance::Admin,
                r#"{"sys_admin": false}"#,
                Clearance::Support,
            ),
            (
                Clearance::Admin,
                r#"{"sys_admin": false, "support": false}"#,
                Clearance::User,
            ),
            (Clearance::Admin, r#"{"support": false}"#, Clearance::Admin),
            (Clearance::Support, "{}", Clearance::Support),
        ] {
            assert_eq!(amended(before, body).level, after, "{before:?} {body}");
        }
    }

    #[test]
    fn a_password_is_taken_and_never_quoted() {
        let user = amended(Clearance::User, r#"{"password": "hunter2"}"#);
        assert_eq!(user.password, Some(Password::Plain(Secret::new("hunter2"))));
        let document = read::<UserDocument>(br#"{"password": "hunter2"}"#).unwrap();
        assert!(!format!("{document:?}").contains("hunter2"));
        match read::<UserDocument>(br#"{"password": 5150}"#) {
            Err(Unreadable::Field(wrong)) => {
                assert_eq!(
                    (&*wrong.field, &*wrong.reason),
                    ("password", "must be a string")
                );
            }
            other => panic!("{other:?}"),
        }
    }
}
