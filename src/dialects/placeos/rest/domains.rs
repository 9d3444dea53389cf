//! The shape of a domain: the authority as administrators see it, and what they may change of it.
//!
//! There is one, and its name and description are those of the zone around everything, which is tagged `org`.

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::dialects::placeos::permissions;
use crate::dialects::placeos::rest::amends::{Rules, changed};
use crate::dialects::placeos::rest::directory::{Authority, AuthorityConfig, Empty, NoItems};
use crate::dialects::placeos::rest::documents::Unreadable;
use crate::dialects::placeos::rest::{InvalidField, Standing};
use crate::model::Zone;

/// A domain: `GET /domains`, `GET /domains/{id}`.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Domain)]
pub struct DomainShape<'a> {
    id: &'static str,
    name: &'a str,
    description: &'a str,
    domain: &'a str,
    login_url: String,
    logout_url: String,
    internals: Empty,
    config: AuthorityConfig<'a>,
    #[schema(value_type = Vec<String>)]
    email_domains: NoItems,
    created_at: u64,
    updated_at: u64,
}

impl<'a> DomainShape<'a> {
    /// The domain of this `Host` without its port, made and changed at these times, for a gateway below the path `base`.
    pub fn new(
        domain: &'a str,
        base: &str,
        zones: impl Iterator<Item = &'a Zone>,
        (created_at, updated_at): (u64, u64),
    ) -> Self {
        let standing = Standing {
            session: false,
            token_valid: false,
        };
        let authority = Authority::new(domain, base, zones, standing);
        Self {
            id: authority.id,
            name: authority.name,
            description: authority.description,
            domain,
            login_url: authority.login_url,
            logout_url: authority.logout_url,
            internals: Empty {},
            config: authority.config,
            email_domains: authority.email_domains,
            created_at,
            updated_at,
        }
    }

    /// Whether this is its id.
    pub fn is(&self, id: &str) -> bool {
        self.id == id
    }

    /// What a document changes of it.
    ///
    /// # Errors
    ///
    /// Why the body is no document, or every field that cannot be as it is.
    pub fn amended_by(&self, body: &[u8]) -> Result<DomainAmends, Unreadable> {
        let mut changed = changed(body, self, &RULES)?;
        let mut wrong = Vec::new();
        let mut text = |name: &str| match changed.remove(name) {
            None => None,
            Some(Value::String(text)) => Some(text),
            Some(Value::Null) => Some(String::new()),
            Some(_) => {
                wrong.push(InvalidField::new(name, "must be text"));
                None
            }
        };
        let (name, description) = (text("name"), text("description"));
        if name.as_deref().is_some_and(|name| name.trim().is_empty()) {
            wrong.push(InvalidField::new("name", "must not be empty"));
        }
        match wrong.is_empty() {
            true => Ok(DomainAmends { name, description }),
            false => Err(Unreadable::Fields(wrong)),
        }
    }
}

const RULES: Rules = Rules {
    place: "a domain",
    kept: &["name", "description"],
    sent_back: &[],
};

/// What is to be changed of a domain.
#[derive(Debug, Clone, Default, PartialEq, Eq, ToSchema)]
#[schema(as = DomainDocument)]
pub struct DomainAmends {
    /// The name of the organisation.
    pub name: Option<String>,
    /// A few words for people.
    pub description: Option<String>,
}

impl DomainAmends {
    /// Whether that is nothing.
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }

    /// Puts it into the zone that keeps it.
    pub fn put_into(&self, zone: &mut Zone) {
        if let Some(name) = &self.name {
            zone.name.clone_from(name);
        }
        if let Some(description) = &self.description {
            zone.description.clone_from(description);
        }
    }

    /// Why it cannot be kept where no zone is around everything.
    pub fn nowhere_kept(&self) -> Vec<InvalidField> {
        let given = [("name", &self.name), ("description", &self.description)];
        let given = given.into_iter().filter(|(_, value)| value.is_some());
        let reason = "is that of the zone tagged `org`, which there is not; make one first";
        given
            .map(|(name, _)| InvalidField::new(name, reason))
            .collect()
    }
}

/// The zone around everything, which keeps what is said of the domain.
pub fn organisation<'a>(mut zones: impl Iterator<Item = &'a Zone>) -> Option<&'a Zone> {
    zones.find(|zone| permissions::governs(zone))
}
