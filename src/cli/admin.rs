//! The words of `apply`, `export` and `keys`: the building in a running gateway, or in a directory that none uses.

use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use clap::{Args, Subcommand};

use crate::app::{AdminCommand, AdminTarget, NewKey, Rehearsal};
use crate::cli::client::GatewayArguments;
use crate::client::{AppSecrets, Expiry, Form};

/// The name of the argument in which the id of a key that is there stands.
pub(super) const KEY_ID: &str = "key_id";

#[derive(Debug, Subcommand)]
pub(super) enum AdminArguments {
    /// Make the building that of a file, and print what changed
    ///
    /// The file owns every entry that it ever named: an entry that leaves it is removed, and entries that were made by other means stay.
    Apply {
        /// The building file
        file: PathBuf,
        /// Only print what would change
        #[arg(long)]
        dry_run: bool,
        #[command(flatten)]
        target: PlaceArguments,
    },
    /// Make, list and revoke API keys
    #[command(arg_required_else_help = false)]
    Keys {
        #[command(subcommand)]
        command: KeysCommand,
    },
    /// Print the building as a file, with hashes of secrets and the settings of devices
    ///
    /// Where an app has secrets they are masked, and `riser apply` takes no masked ones: a backup is an export with `--secrets`.
    Export {
        /// Print the secrets of apps too
        #[arg(long)]
        secrets: bool,
        #[command(flatten)]
        target: PlaceArguments,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum KeysCommand {
    /// Make a key and print it whole, <id>.<secret>, which is not shown again
    Create {
        /// The public half, without a dot
        id: String,
        /// The user of the key [default: the user of the key that asks]
        #[arg(long, value_name = "USER")]
        user: Option<String>,
        /// What it may do at most
        #[arg(long, value_name = "LEVEL", default_value = "user", value_parser = ["user", "support", "admin"])]
        level: String,
        /// A part of the API that it opens [default: public]
        #[arg(long = "scope", value_name = "SCOPE")]
        scopes: Vec<String>,
        /// A system that it is restricted to
        #[arg(long = "system", value_name = "SYSTEM")]
        systems: Vec<String>,
        /// A zone that it is restricted to
        #[arg(long = "zone", value_name = "ZONE")]
        zones: Vec<String>,
        /// When it ends by itself: a time such as 2027-01-31T18:00:00Z, a date, or how long from now, such as 90d, 12h or 30m [default: never]
        #[arg(long, value_name = "WHEN", value_parser = expiry)]
        expires: Option<Expiry>,
        #[command(flatten)]
        target: PlaceArguments,
    },
    /// Print the keys: id, user, level, scopes, and what each is restricted to
    List {
        #[command(flatten)]
        target: PlaceArguments,
    },
    /// Revoke a key and close what it has opened
    Revoke {
        /// The public half
        #[arg(id = KEY_ID, value_name = "ID")]
        id: String,
        #[command(flatten)]
        target: PlaceArguments,
    },
}

#[derive(Debug, Args)]
pub(super) struct PlaceArguments {
    /// The directory of a gateway that does not run, in place of a running gateway
    #[arg(long, value_name = "DIR", conflicts_with_all = ["url", "key", "ca", "context"])]
    data: Option<PathBuf>,
    #[command(flatten)]
    gateway: GatewayArguments,
}

impl KeysCommand {
    fn read(self) -> (AdminCommand, PlaceArguments) {
        match self {
            Self::Create {
                id,
                user,
                level,
                scopes,
                systems,
                zones,
                expires,
                target,
            } => {
                let key = NewKey {
                    id,
                    user,
                    level,
                    scopes,
                    systems,
                    zones,
                    expires,
                };
                (AdminCommand::CreateKey(key), target)
            }
            Self::List { target } => (AdminCommand::ListKeys, target),
            Self::Revoke { id, target } => (AdminCommand::RevokeKey(id), target),
        }
    }
}

impl AdminArguments {
    /// What to do, and where.
    pub(super) fn read(self) -> (AdminCommand, AdminTarget, Form) {
        let (command, target) = match self {
            Self::Apply {
                file,
                dry_run,
                target,
            } => {
                let rehearsal = match dry_run {
                    true => Rehearsal::Dry,
                    false => Rehearsal::Real,
                };
                (AdminCommand::Apply { file, rehearsal }, target)
            }
            Self::Export { secrets, target } => {
                let secrets = match secrets {
                    true => AppSecrets::Shown,
                    false => AppSecrets::Masked,
                };
                (AdminCommand::Export(secrets), target)
            }
            Self::Keys { command } => command.read(),
        };
        let PlaceArguments { data, gateway } = target;
        let (options, form, _) = gateway.read();
        let target = match data {
            Some(directory) => AdminTarget::Data(directory),
            None => AdminTarget::Gateway(options),
        };
        (command, target, form)
    }
}

/// A moment, or how long from now.
fn expiry(text: &str) -> Result<Expiry, String> {
    let unit = match text.chars().last() {
        Some('d') => Some(86_400),
        Some('h') => Some(3_600),
        Some('m') => Some(60),
        _ => None,
    };
    let Some(unit) = unit else {
        let moment = text.parse::<Expiry>();
        return moment.map_err(|error| format!("{error}; or how long from now, such as 90d"));
    };
    let wrong = || "write how long from now, such as 90d, 12h or 30m".to_owned();
    let count: u64 = text[..text.len() - 1].parse().map_err(|_| wrong())?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let now = now.map_err(|_| "the clock of this machine is before 1970".to_owned())?;
    let moment = count.checked_mul(unit).filter(|_| count > 0);
    let moment = moment.and_then(|life| now.as_secs().checked_add(life));
    moment.and_then(Expiry::from_secs).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_ends_at_a_moment_or_after_a_while() {
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap()
            .as_secs();
        let in_an_hour = expiry("1h").unwrap().as_secs();
        assert!((now + 3_600..now + 3_700).contains(&in_an_hour));
        assert_eq!(
            expiry("2027-01-31").unwrap().to_string(),
            "2027-01-31T00:00:00Z"
        );
        for text in ["", "0d", "d", "-1h", "soon", "99999999999999999999d", "é"] {
            assert!(expiry(text).is_err(), "{text}");
        }
    }
}
