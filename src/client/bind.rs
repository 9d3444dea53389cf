//! `riser bind`: a line for every value of some statuses.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::client::address;
use crate::client::error::ClientError;
use crate::client::frames::{self, Incoming};
use crate::client::gateway::Gateway;
use crate::client::output::Output;
use crate::client::text::brief;
use crate::client::watch::{self, Lines, Progress, Until, Watch};
use crate::model::BindingPath;

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

    fn still_waiting_for(&self) -> Option<String> {
        let numbered = (1..).zip(self.paths);
        let silent: Vec<String> = numbered
            .filter(|(id, _)| !self.seen.contains(id))
            .map(|(_, path)| address::shown(&path.module, path.status.as_str()))
            .collect();
        (!silent.is_empty()).then(|| {
            let silent = silent.join(", ");
            format!("no value yet of {silent}; it is shown when there is one, or check the name")
        })
    }
}
