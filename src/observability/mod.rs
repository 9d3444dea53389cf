//! How the process is watched: logs to stderr, metrics in Prometheus's format, panics as log lines.
//!
//! It sets things up and knows the behaviour of no room; each room owns its measures, and `process` what all of them take of the machine.
//! `lines` makes one line of each event, whatever its text; `repeats` keeps lines that strangers can cause from filling the disk.

mod lines;
#[cfg(test)]
mod memory_log;
mod process;
mod repeats;

use std::io::{self, IsTerminal};
use std::panic;
use std::time::{Duration, SystemTime};

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tracing::Subscriber;
use tracing_subscriber::filter::FilterExt as _;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _, fmt, registry};

/// What goes to stderr beside the log is escaped by the same list.
pub use crate::model::printable;

use lines::{EscapedFields, JsonLines};

pub use repeats::Repeats;

/// How often collected samples are put into their buckets, so that a gateway that is never scraped does not keep them all.
const UPKEEP_INTERVAL: Duration = Duration::from_secs(5);

/// The filter before the operator's: actix reports each client's broken request as an error, and its own steps at `info`.
const QUIET: &str = "actix_http=off,actix_server=warn";

/// Bounds of the buckets for durations in seconds: from a local call to the deadline.
const SECONDS: [f64; 12] = [
    0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.005, 0.025, 0.1, 0.5, 2.5, 10.0, 15.0,
];

/// Logging or metrics could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum ObservabilityError {
    /// The filter has a mistake.
    #[error("could not read the log filter {filter:?}")]
    Filter {
        /// The filter.
        filter: String,
        /// The mistake.
        source: tracing_subscriber::filter::ParseError,
    },
    /// Something in this process logs or measures already.
    #[error("could not set up logging or metrics")]
    Taken(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// The process's measures.
#[derive(Debug, Clone)]
pub struct Metrics {
    rooms: PrometheusHandle,
    began: SystemTime,
}

impl Metrics {
    /// All measures, in Prometheus's text format.
    pub fn render(&self) -> String {
        self.rooms.render() + &process::render(self.began)
    }

    /// Keeps the memory of samples bounded. Runs until it is dropped.
    pub async fn upkeep(&self) {
        let mut ticks = tokio::time::interval(UPKEEP_INTERVAL);
        loop {
            ticks.tick().await;
            self.rooms.run_upkeep();
        }
    }
}

/// How a line of the log is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum LogSettings {
    /// For people, with colours on a terminal.
    #[default]
    Text,
    /// A JSON object, for what collects logs.
    Json,
}

/// Sends logs to stderr, as far as `filter` lets them, and panics to the log. The caller runs the returned [`Repeats`] beside everything else.
pub fn start_logging(filter: &str, format: LogSettings) -> Result<Repeats, ObservabilityError> {
    let repeats = Repeats::default();
    let colours = io::stderr().is_terminal();
    subscriber(filter, &repeats, format, colours, io::stderr)?
        .try_init()
        .map_err(|error| ObservabilityError::Taken(Box::new(error)))?;
    panic::set_hook(Box::new(|info| {
        let thread = std::thread::current();
        tracing::error!(thread = thread.name(), "{info}");
    }));
    Ok(repeats)
}

/// What writes the log, an event a line.
fn subscriber<W: io::Write + 'static>(
    filter: &str,
    repeats: &Repeats,
    format: LogSettings,
    colours: bool,
    writer: impl Fn() -> W + Send + Sync + 'static,
) -> Result<Box<dyn Subscriber + Send + Sync>, ObservabilityError> {
    let filter = EnvFilter::try_new(format!("{QUIET},{filter}")).map_err(|source| {
        ObservabilityError::Filter {
            filter: filter.to_owned(),
            source,
        }
    })?;
    let log = match format {
        LogSettings::Text => fmt::layer()
            .with_ansi(colours)
            .fmt_fields(EscapedFields)
            .with_writer(writer)
            .boxed(),
        LogSettings::Json => fmt::layer()
            .json()
            .flatten_event(true)
            .with_writer(move || JsonLines(writer()))
            .boxed(),
    };
    let filter = filter.and(repeats.clone());
    Ok(Box::new(registry().with(log.with_filter(filter))))
}

/// For a gateway inside of another program: what it measures goes to the recorder of that program, if it has one, and [`Metrics::render`] gives the process's own figures alone.
pub fn metrics_of_another_program() -> Metrics {
    Metrics {
        rooms: PrometheusBuilder::new().build_recorder().handle(),
        began: SystemTime::now(),
    }
}

/// Starts measuring. To be called before any room makes its measures.
pub fn start_metrics() -> Result<Metrics, ObservabilityError> {
    let taken =
        |error: metrics_exporter_prometheus::BuildError| ObservabilityError::Taken(Box::new(error));
    let handle = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS)
        .map_err(taken)?
        .install_recorder()
        .map_err(taken)?;
    metrics::describe_gauge!(
        "riser_build_info",
        "Always 1; `version` says which riser runs"
    );
    metrics::gauge!("riser_build_info", "version" => env!("CARGO_PKG_VERSION")).set(1.0);
    Ok(Metrics {
        rooms: handle,
        began: SystemTime::now(),
    })
}
