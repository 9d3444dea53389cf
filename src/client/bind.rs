//! `riser bind`: a line for every value of some statuses.

use std::collections::{BTreeSet, HashMap, HashSet};

use jiff::Timestamp;
use tokio::time::timeout;

use crate::client::address;
use crate::client::error::ClientError;
use crate::client::frames::{self, Incoming};
use crate::client::gateway::Gateway;
use crate::client::limits::{LOOK_DEADLINE, LOOK_MAX};
use crate::client::output::Output;
use crate::client::rest::{Presence, Resource, Rest};
use crate::client::text::brief;
use crate::client::watch::{self, Lines, Progress, Until, Watch};
use crate::model::{BindingPath, ModulePath};

/// Follows the statuses. After a lost connection the values that hold then are printed again.
pub(super) async fn run(
    gateway: &Gateway,
    paths: &[BindingPath],
    until: Until,
    output: &mut Output<'_>,
) -> Result<(), ClientError> {
    let mut bindings = Bindings {
        paths,
        lines: until.lines,
        printed: 0,
        seen: BTreeSet::new(),
    };
    watch::follow(gateway, &mut bindings, until, output).await
}

/// The id of a binding is its place in `paths`, counted from 1.
struct Bindings<'a> {
    paths: &'a [BindingPath],
    lines: Lines,
    printed: u64,
    seen: BTreeSet<u64>,
}

impl Bindings<'_> {
    fn path(&self, id: u64) -> Option<&BindingPath> {
        let place = usize::try_from(id.checked_sub(1)?).ok()?;
        self.paths.get(place)
    }
}

impl Watch for Bindings<'_> {
    fn requests(&self) -> Vec<String> {
        let numbered = (1..).zip(self.paths);
        numbered.map(|(id, path)| frames::bind(id, path)).collect()
    }

    fn receive(
        &mut self,
        incoming: Incoming,
        output: &mut Output<'_>,
    ) -> Result<Progress, ClientError> {
        match incoming {
            Incoming::Value { id, value } => {
                let Some(path) = self.path(id) else {
                    return Ok(Progress::More);
                };
                if self.lines == Lines::Once && self.seen.contains(&id) {
                    return Ok(Progress::More);
                }
                output.value(Timestamp::now(), path, &value)?;
                self.printed += 1;
                self.seen.insert(id);
            }
            Incoming::Refused { id, refusal } => {
                if let Some(path) = self.path(id) {
                    return Err(ClientError::Failed {
                        what: address::shown(&path.module, path.status.as_str()),
                        reason: brief(&refusal.message),
                    });
                }
            }
            Incoming::Done { .. } | Incoming::Line(_) | Incoming::Other => {}
        }
        let complete = match self.lines {
            Lines::Endless => false,
            Lines::Once => self.seen.len() == self.paths.len(),
            Lines::Count(count) => self.printed >= count.get(),
        };
        Ok(match complete {
            true => Progress::Complete,
            false => Progress::More,
        })
    }

    /// A module may set a missing status later, and an operator may put a missing module into its system: a bind without end waits for that.
    /// A bind for one value would wait for ever, so it ends with an error.
    async fn about_silence(&self, gateway: &Gateway) -> Result<Vec<String>, ClientError> {
        let numbered = (1..).zip(self.paths);
        let silent: Vec<&BindingPath> = numbered
            .filter(|(id, _)| !self.seen.contains(id))
            .map(|(_, path)| path)
            .collect();
        let absent = absent(gateway, &silent).await;
        let shown = |path: &BindingPath| address::shown(&path.module, path.status.as_str());
        let mut messages = Vec::new();
        let mut unset = Vec::new();
        for path in silent {
            match absent.get(&path.module) {
                Some(reason) if self.lines == Lines::Once => {
                    return Err(ClientError::Failed {
                        what: shown(path),
                        reason: format!("{reason}; riser modules lists what is there"),
                    });
                }
                Some(reason) => messages.push(format!(
                    "{}: {reason}; riser modules lists what is there, and this is shown when it comes",
                    shown(path)
                )),
                None => unset.push(shown(path)),
            }
        }
        if !unset.is_empty() {
            let unset = unset.join(", ");
            messages.push(format!(
                "no value yet of {unset}; it is shown when there is one, or check the name"
            ));
        }
        Ok(messages)
    }
}

/// The modules that the gateway does not have, each with its words for it. What it does not tell, or not in time, counts as there.
async fn absent<'p>(
    gateway: &Gateway,
    paths: &[&'p BindingPath],
) -> HashMap<&'p ModulePath, String> {
    let modules: HashSet<&ModulePath> = paths.iter().map(|path| &path.module).collect();
    let mut absent = HashMap::new();
    if modules.len() > LOOK_MAX {
        return absent;
    }
    let mut rest = Rest::new(gateway);
    let look = async {
        for module in modules {
            let system = module.system.as_str();
            let slug = format!("{}_{}", module.module, module.index);
            let functions = Resource::at(["systems", system, "functions", &slug]);
            if let Ok(Presence::Absent(reason)) = rest.look_for(functions).await {
                absent.insert(module, reason);
            }
        }
    };
    // Whatever was found until then is told.
    let _ = timeout(LOOK_DEADLINE, look).await;
    absent
}
