//! Which services there are: Home Assistant's own, and the functions of modules.

use std::collections::BTreeMap;
use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use crate::model::{FunctionName, Interface, ModulePath};

use super::super::context::{put, write_text};
use super::super::module::ModuleEntities;
use super::super::registry::MaySee;
use super::{functions, standard};

/// All services.
#[derive(Debug, Default)]
pub struct Catalogue {
    offers: Vec<Offer>,
    /// What all are told who may see everything.
    text: OnceLock<Vec<u8>>,
}

/// Modules that offer the same services: they have one interface and one name.
#[derive(Debug)]
struct Offer {
    domain: Arc<str>,
    interface: Arc<Interface>,
    places: Vec<Arc<ModulePath>>,
}

/// The services of one domain, each with what describes it.
type Described<'a> = BTreeMap<String, Description<'a>>;

enum Description<'a> {
    Standard(&'a standard::Standard),
    Function(&'a FunctionName, &'a Interface),
}

impl Catalogue {
    pub(in super::super) fn new(modules: &[Arc<ModuleEntities>]) -> Self {
        let mut offers: Vec<Offer> = Vec::new();
        let mut known: HashMap<(&str, *const Interface), usize> = HashMap::new();
        for module in modules {
            let Some(interface) = module.interface() else {
                continue;
            };
            let key = (&*module.domain, Arc::as_ptr(interface));
            let place = *known.entry(key).or_insert_with(|| {
                offers.push(Offer {
                    domain: Arc::clone(&module.domain),
                    interface: Arc::clone(interface),
                    places: Vec::new(),
                });
                offers.len() - 1
            });
            offers[place].places.push(Arc::clone(&module.path));
        }
        Self {
            offers,
            text: OnceLock::new(),
        }
    }

    /// The domain of the services that a module's functions are.
    pub(in super::super) fn domain_of(module: &str) -> String {
        functions::domain_of(module)
    }

    /// All services by domain and name, sorted.
    pub(in super::super) fn names(&self) -> Vec<(String, String)> {
        let domains = self.described(&|_| true).into_iter();
        let names = domains.flat_map(|(domain, services)| {
            let services = services.into_keys();
            services.map(move |service| (domain.clone(), service))
        });
        names.collect()
    }

    /// Whether there is such a service of modules.
    pub(super) fn has_function(&self, domain: &str, service: &str) -> bool {
        let mut offers = self.offers.iter().filter(|offer| &*offer.domain == domain);
        offers.any(|offer| {
            let services = functions::services(&offer.interface);
            services.iter().any(|(name, _)| name == service)
        })
    }

    /// The answer to `get_services`: an object of objects of descriptions.
    pub fn write(&self, out: &mut Vec<u8>) {
        let text = self.text.get_or_init(|| {
            let mut text = Vec::new();
            self.write_for(&|_| true, &mut text);
            text
        });
        out.extend_from_slice(text);
    }

    /// The same for who sees some of the modules only.
    pub fn write_for(&self, may_see: MaySee<'_>, out: &mut Vec<u8>) {
        for (place, (domain, services)) in self.described(may_see).iter().enumerate() {
            out.push(if place == 0 { b'{' } else { b',' });
            write_text(out, domain);
            out.push(b':');
            write_services(services, out);
        }
        out.push(b'}');
    }

    /// The answer to `GET /api/services`: a list of objects with `domain` and `services`.
    pub fn write_list(&self, out: &mut Vec<u8>) {
        self.write_list_for(&|_| true, out);
    }

    /// The same for who sees some of the modules only.
    pub fn write_list_for(&self, may_see: MaySee<'_>, out: &mut Vec<u8>) {
        for (place, (domain, services)) in self.described(may_see).iter().enumerate() {
            out.push(if place == 0 { b'[' } else { b',' });
            out.extend_from_slice(b"{\"domain\":");
            write_text(out, domain);
            out.extend_from_slice(b",\"services\":");
            write_services(services, out);
            out.push(b'}');
        }
        out.push(b']');
    }

    /// What there is for who sees these modules. It is never empty, since Home Assistant's own services are always there.
    fn described(&self, may_see: MaySee<'_>) -> BTreeMap<String, Described<'_>> {
        let mut domains: BTreeMap<String, Described<'_>> = BTreeMap::new();
        for service in &standard::ALL {
            let domain = domains.entry(service.domain.to_owned()).or_default();
            let description = Description::Standard(service);
            domain.insert(service.service.to_owned(), description);
        }
        for offer in &self.offers {
            if !offer.places.iter().any(|place| may_see(place)) {
                continue;
            }
            let domain = domains.entry(offer.domain.to_string()).or_default();
            for (service, function) in functions::services(&offer.interface) {
                let description = Description::Function(function, &offer.interface);
                domain.entry(service).or_insert(description);
            }
        }
        domains
    }
}

fn write_services(services: &Described<'_>, out: &mut Vec<u8>) {
    out.push(b'{');
    for (place, (service, description)) in services.iter().enumerate() {
        if place > 0 {
            out.push(b',');
        }
        put(out, format_args!("\"{service}\":"));
        match description {
            Description::Standard(service) => service.describe(out),
            Description::Function(name, interface) => {
                functions::describe(name, &interface.functions[*name], out);
            }
        }
    }
    out.push(b'}');
}
