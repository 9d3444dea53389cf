//! Which services there are.

use std::sync::Arc;

use super::super::module::ModuleEntities;
use super::super::slug::slug;

/// All services.
#[derive(Debug, Default)]
pub struct Catalogue {}

impl Catalogue {
    pub(in super::super) fn new(_: &[Arc<ModuleEntities>]) -> Self {
        Self {}
    }

    /// The domain of the services that a module's functions are.
    pub(in super::super) fn domain_of(module: &str) -> String {
        slug(module)
    }

    /// All services by domain and name, sorted.
    pub(in super::super) fn names(&self) -> Vec<(String, String)> {
        Vec::new()
    }

    /// The answer to `get_services`: an object of objects of descriptions.
    pub fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"{}");
    }

    /// The answer to `GET /api/services`: a list of objects with `domain` and `services`.
    pub fn write_list(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"[]");
    }
}
