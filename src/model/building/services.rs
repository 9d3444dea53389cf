//! Services: what sends messages to people's devices, as clients of Pushjet know them.
//!
//! Separate from the other collections for the bounds of its own, which hold for services of a file, of REST and of Pushjet's own interface alike.

use std::borrow::Cow;

use driver_types::SystemId;

use super::fields::{collection, contents, misfit};
use super::{Content, Kind, Value, Wrong};
use crate::model::rules::Thing;
use crate::model::{ServiceKey, ServiceSecret};

collection! {
    /// A service that sends messages to people's devices.
    Service, "services", "a service" {
        /// The public key, by which devices subscribe. It is made of the secret by which the service sends, and that is kept nowhere.
        key: ServiceKey => called("public").other_form("secret")
            .must("that or its secret, 32 letters and digits such as `secret: \"${ENV:SECRET}\"`"),
        /// The name for people.
        name: String,
        /// The address of a picture.
        icon: String,
        /// The systems of whose alerts it tells.
        systems: Vec<SystemId>,
    }
}

/// The most characters of a name: as many as Pushjet keeps, so that no client of it meets a longer one.
pub const SERVICE_NAME_CHARS: usize = 255;

/// The most bytes of an icon's address: each message to a device carries it, and browsers take no much longer one.
pub const SERVICE_ICON_BYTES: usize = 2048;

impl Service {
    /// What cannot be as it is, each as a field and what goes on behind its name.
    pub fn mistakes(&self) -> Vec<Wrong> {
        let mut mistakes = Vec::new();
        let mut wrong = |field, reason: String| mistakes.push(Wrong { field, reason });
        let chars = self.name.chars().count();
        if self.name.trim().is_empty() {
            let reason = "must be a name for people, such as `name: Boiler room`";
            wrong("name", reason.to_owned());
        }
        if chars > SERVICE_NAME_CHARS {
            let reason = format!("has {chars} characters; {SERVICE_NAME_CHARS} is the most");
            wrong("name", reason);
        }
        let bytes = self.icon.len();
        if bytes > SERVICE_ICON_BYTES {
            let reason = format!("has {bytes} bytes; {SERVICE_ICON_BYTES} is the most");
            wrong("icon", reason);
        }
        mistakes
    }
}

impl ServiceKey {
    /// What a public key is, to go on behind the name of the field.
    pub const FORM: &str =
        "must be letters and digits with dashes, such as 43c2-9317cc-eb3c7a3c4854-3e9b6-59e9e5a10";

    /// The public key that is made of this secret.
    ///
    /// # Errors
    ///
    /// What a secret is, to go on behind the name of the field. The text is not quoted, for it may be a part of one.
    pub fn of_secret(text: &str) -> Result<Self, &'static str> {
        let secret = ServiceSecret::parse(text);
        let secret = secret.ok_or("must be 32 letters and digits, a to z in either case")?;
        Ok(secret.public_key())
    }
}

contents! {
    ServiceKey: Kind::Id(Thing::Service), Text, Value::Nothing, |it| Cow::Borrowed(it.as_str()), |key| Self::parse(&key).ok_or_else(|| Self::FORM.to_owned());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Collection, Values};

    const SECRET: &str = "0123456789abcdefABCDEF0123456789";

    fn service(name: &str, icon: &str) -> Service {
        let key = ServiceKey::of_secret(SECRET).unwrap();
        let values = Values::none()
            .with("public", Value::Text(key.as_str().to_owned().into()))
            .with("name", Value::Text(name.to_owned().into()))
            .with("icon", Value::Text(icon.to_owned().into()));
        Service::build(values).unwrap()
    }

    #[track_caller]
    fn check(name: &str, icon: &str, expect: &[(&str, &str)]) {
        let mistakes = service(name, icon).mistakes();
        let told = mistakes.iter();
        let told: Vec<_> = told
            .map(|wrong| (wrong.field, wrong.reason.as_str()))
            .collect();
        assert_eq!(told, expect);
    }

    #[test]
    fn a_name_is_there_and_of_bounded_length() {
        let blank = "must be a name for people, such as `name: Boiler room`";
        check(&"é".repeat(255), "", &[]);
        check(
            &"é".repeat(256),
            "",
            &[("name", "has 256 characters; 255 is the most")],
        );
        check("", "", &[("name", blank)]);
        check(" \t", "", &[("name", blank)]);
    }

    #[test]
    fn an_icon_is_bounded_in_bytes() {
        check("Boiler room", &"é".repeat(1024), &[]);
        check(
            "Boiler room",
            &"x".repeat(2049),
            &[("icon", "has 2049 bytes; 2048 is the most")],
        );
    }

    #[test]
    fn a_text_of_another_form_is_no_secret_and_is_not_quoted() {
        for text in [
            "",
            "hunter2",
            &SECRET[1..],
            "0123456789abcdefABCDEF012345678-",
        ] {
            let reason = ServiceKey::of_secret(text).unwrap_err();
            assert_eq!(
                reason,
                "must be 32 letters and digits, a to z in either case"
            );
        }
    }

    #[test]
    fn a_text_of_another_form_is_no_public_key() {
        let values = Values::none().with("public", Value::Text("43c2-9317cc".into()));
        let wrong = Service::build(values).unwrap_err();
        let wrong: Vec<_> = wrong.iter().map(|wrong| wrong.field).collect();
        assert_eq!(wrong, ["public"]);
    }
}
