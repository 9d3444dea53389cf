//! `riser debug`: a line for every line of a module's log.

use jiff::Timestamp;

use crate::client::error::ClientError;
use crate::client::frames::{self, Incoming};
use crate::client::gateway::Gateway;
use crate::client::output::Output;
use crate::client::text::brief;
use crate::client::watch::{self, Lines, Progress, Until, Watch};
use crate::model::{LogLevel, ModuleAddress};

/// The only request on a connection.
const ID: u64 = 1;

/// The words for levels, lowest first.
pub fn levels() -> impl Iterator<Item = &'static str> {
    LogLevel::ALL.iter().map(|level| level.as_str())
}

/// The level of this name; the lowest for another word, so that nothing is held back by it.
pub fn level(name: &str) -> LogLevel {
    known(name).unwrap_or(LogLevel::Trace)
}

fn known(name: &str) -> Option<LogLevel> {
    LogLevel::ALL
        .into_iter()
        .find(|level| level.as_str() == name)
}

/// Follows the log. What is logged while a connection is lost is not seen.
pub(super) async fn run(
    gateway: &Gateway,
    target: &ModuleAddress,
    lowest: LogLevel,
    until: Until,
    output: &mut Output<'_>,
) -> Result<(), ClientError> {
    let mut log = Log {
        target,
        lowest,
        lines: until.lines,
        printed: 0,
        is_open: false,
    };
    watch::follow(gateway, &mut log, until, output).await
}

struct Log<'a> {
    target: &'a ModuleAddress,
    lowest: LogLevel,
    lines: Lines,
    printed: u64,
    /// The gateway has agreed to the debug.
    is_open: bool,
}

impl Watch for Log<'_> {
    fn requests(&self) -> Vec<String> {
        vec![frames::debug(ID, self.target)]
    }

    fn receive(
        &mut self,
        incoming: Incoming,
        output: &mut Output<'_>,
    ) -> Result<Progress, ClientError> {
        match incoming {
            // A level that is not in the list is worth a look.
            Incoming::Line(line) if known(&line.level).is_none_or(|level| level >= self.lowest) => {
                output.line(Timestamp::now(), &line)?;
                self.printed += 1;
            }
            // The module's node may be on its way back, and the gateway has already let this client follow the log.
            Incoming::Refused { id: ID, refusal } if self.is_open && refusal.may_pass() => {
                return Ok(Progress::Again(brief(&refusal.message)));
            }
            Incoming::Refused { id: ID, refusal } => {
                let what = match self.target {
                    ModuleAddress::Place(module) => {
                        format!("{}/{}_{}", module.system, module.module, module.index)
                    }
                    ModuleAddress::Id { id, .. } => id.to_string(),
                };
                return Err(ClientError::Failed {
                    what,
                    reason: brief(&refusal.message),
                });
            }
            Incoming::Done { id: ID, .. } => self.is_open = true,
            Incoming::Line(_)
            | Incoming::Refused { .. }
            | Incoming::Done { .. }
            | Incoming::Value { .. }
            | Incoming::Other => {}
        }
        let complete = match self.lines {
            Lines::Endless => false,
            Lines::Once => self.printed >= 1,
            Lines::Count(count) => self.printed >= count.get(),
        };
        Ok(match complete {
            true => Progress::Complete,
            false => Progress::More,
        })
    }

    /// A log may well be silent, and one that is not there has been refused.
    async fn about_silence(&self, _: &Gateway) -> Result<Vec<String>, ClientError> {
        Ok(Vec::new())
    }
}
