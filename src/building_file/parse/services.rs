//! What services need beyond the kinds of their fields: the public key, which is made of the secret where a file has that.
//!
//! Separate from the reading of entries in general, which only calls this.
//! No mistake quotes what stands there: a secret may stand in the wrong place.

use crate::building_file::node::Node;
use crate::building_file::problem::ProblemKind;
use crate::model::rules::Thing;
use crate::model::{Service, ServiceKey, Value};

use super::{Entry, Parser, text};

impl Parser<'_> {
    pub(super) fn service(&mut self, node: &Node) -> Option<Service> {
        let service: Service = self.read(node)?;
        self.mistakes(node, service.mistakes());
        Some(service)
    }

    /// The public key of a service, which a file gives by that or by the secret.
    pub(super) fn service_key(&mut self, entry: Entry<'_>) -> Option<Value<'static>> {
        let (public, secret) = ("public", "secret");
        let (node, key) = match (entry.get(public), entry.get(secret)) {
            (None, None) => return None,
            (Some(node), None) => (node, self.public_key(entry, public)?),
            (None, Some(node)) => (node, self.key_of_secret(entry, secret)?),
            (Some(_), Some(_)) => {
                let (place, yaml, json) = (entry.place, secret, public);
                self.problem(entry.at, ProblemKind::TwoForms { place, yaml, json });
                return None;
            }
        };
        self.claim(Thing::Service, key.as_str(), node.used_at);
        Some(text(key.to_string()))
    }

    fn public_key(&mut self, entry: Entry<'_>, key: &'static str) -> Option<ServiceKey> {
        let (node, text) = self.text_at(entry, key)?;
        let read = ServiceKey::parse(&text);
        if read.is_none() {
            let reason = ServiceKey::FORM;
            self.problem(node.at, ProblemKind::Secret { key, reason });
        }
        read
    }

    fn key_of_secret(&mut self, entry: Entry<'_>, key: &'static str) -> Option<ServiceKey> {
        let before = self.parsed.problems.len();
        let (node, text) = (entry.get(key)?, self.filled_text(entry, key)?);
        if self.parsed.problems.len() > before {
            // A variable that is not set is said already.
            return None;
        }
        let made = ServiceKey::of_secret(&text);
        made.map_err(|reason| self.problem(node.at, ProblemKind::Secret { key, reason }))
            .ok()
    }
}
