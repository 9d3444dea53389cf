//! The scripts of the registry, each behind what they all begin with.

use redis::Script;

/// All scripts.
pub(super) struct Scripts {
    pub(super) renew: Script,
    pub(super) list: Script,
    pub(super) owners: Script,
    pub(super) claim: Script,
    pub(super) release: Script,
    pub(super) leave: Script,
}

impl Default for Scripts {
    fn default() -> Self {
        Self {
            renew: script(include_str!("scripts/renew.lua")),
            list: script(include_str!("scripts/list.lua")),
            owners: script(include_str!("scripts/owners.lua")),
            claim: script(include_str!("scripts/claim.lua")),
            release: script(include_str!("scripts/release.lua")),
            leave: script(include_str!("scripts/leave.lua")),
        }
    }
}

fn script(own: &str) -> Script {
    let common = include_str!("scripts/common.lua");
    Script::new(&format!("{common}\n{own}"))
}
