//! The words of `apply` and `export`: the building in a running gateway, or in a directory that none uses.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::app::{Errand, Place, Rehearsal};
use crate::terminal::GatewayOptions;

#[derive(Debug, Subcommand)]
pub(super) enum OfficeCommand {
    /// Make the building that of a file, and print what changed
    ///
    /// The file owns every entry that it ever named: what leaves it is removed, what was made elsewhere stays.
    Apply {
        /// The building file
        file: PathBuf,
        /// Only print what would change
        #[arg(long)]
        dry_run: bool,
        #[command(flatten)]
        place: PlaceArguments,
    },
    /// Print the building as a file, with hashes of secrets and the settings of devices
    Export {
        #[command(flatten)]
        place: PlaceArguments,
    },
}

#[derive(Debug, Args)]
pub(super) struct PlaceArguments {
    /// The directory of a gateway that does not run, in place of one that does
    #[arg(long, value_name = "DIR", conflicts_with_all = ["url", "key", "ca"])]
    data: Option<PathBuf>,
    /// The gateway [default: RISER_URL, else http://127.0.0.1:3000]
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// An administrator's API key, <id>.<secret> [default: RISER_API_KEY]
    #[arg(long, value_name = "KEY")]
    key: Option<String>,
    /// Trust the certificates of this PEM file in place of the system's
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
}

impl OfficeCommand {
    /// What to do, and where.
    pub(super) fn read(self) -> (Errand, Place) {
        let (errand, place) = match self {
            Self::Apply {
                file,
                dry_run,
                place,
            } => {
                let rehearsal = match dry_run {
                    true => Rehearsal::Dry,
                    false => Rehearsal::Real,
                };
                (Errand::Apply { file, rehearsal }, place)
            }
            Self::Export { place } => (Errand::Export, place),
        };
        let PlaceArguments { data, url, key, ca } = place;
        let place = match data {
            Some(directory) => Place::Data(directory),
            None => Place::Gateway(GatewayOptions::new(url, key, ca)),
        };
        (errand, place)
    }
}
