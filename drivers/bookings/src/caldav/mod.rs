//! The calendar of a room on a CalDAV server (RFC 4791).
//!
//! - `protocol` is what is asked of the server, and how its answers read.
//! - `agenda` has what was read, and makes of it the meetings of the coming days.
//! - `keeper` is the task that reads and writes, one thing after the other, so that no two callers book the same time.
//! - This file starts them and hands calls to the keeper.
//!
//! The transport keeps the connection and `connected`. A check-in is kept in the meeting, so a restart forgets none.

mod agenda;
mod keeper;
mod limits;
mod protocol;

use std::fmt;
use std::sync::Arc;

use driver_sdk::transport::{Device, Http, Trust};
use driver_sdk::{Context, Error, Secret, warn};
use jiff::Timestamp;
use tokio::sync::{mpsc, oneshot};

use self::agenda::{Agenda, Premises};
use self::keeper::{Keeper, Reply, Work};
use self::limits::WORK_MAX;
use crate::calendar::Plan;
use crate::desk::Desk;
use crate::event::Event;
use crate::settings::Settings;

/// A calendar on a server, for the functions of the driver. Each fails at once while the server is not connected.
pub(crate) struct Server {
    work: mpsc::Sender<Work>,
}

/// Connects the calendar at this URI.
pub(crate) fn start(
    context: &Context,
    uri: &str,
    settings: &Settings,
    plan: &Plan,
) -> Result<Server, Error> {
    if !plan.meetings.is_empty() {
        warn!(
            context,
            "the setting `meetings` is for a calendar in memory; this one is on a server"
        );
    }
    let trust = Trust::of_settings(settings.ca.as_deref(), settings.verify)?;
    let mut link = Http::new(uri)?.trust(trust);
    match (&settings.username, &settings.password) {
        (Some(username), password) => {
            let password = password.as_ref().map_or("", Secret::reveal);
            link = link.basic(username, password)?;
        }
        (None, Some(_)) => return Err(Error::new("the setting `password` needs `username` too")),
        (None, None) => {}
    }
    let premises = Premises::of(plan);
    let agenda = Agenda::new(premises.clone(), settings.rules(), context.now());
    let desk = Desk::new(context, agenda);
    let (work, waiting) = mpsc::channel(WORK_MAX);
    let polls = work.clone();
    let device =
        Device::over(context, link).poll(settings.poll_seconds.duration(), move |device| {
            let polls = polls.clone();
            async move { ask(&polls, |reply| Work::Read { device, reply }).await }
        });
    let keeper = Keeper::new(context, device.start(), Arc::clone(&desk), premises);
    context.spawn(keeper.work(waiting));
    context.spawn(desk.keep_looking());
    Ok(Server { work })
}

impl Server {
    /// Books the room from now on, and checks in.
    pub(crate) async fn book_now(
        &self,
        seconds: i64,
        title: String,
        host: Option<String>,
    ) -> Result<Event, Error> {
        let booking = |reply| Work::Book {
            seconds,
            title,
            host,
            reply,
        };
        ask(&self.work, booking).await
    }

    /// Checks in to the meeting that waits for it, else to the one that is on. Gives its start; `None` without a meeting.
    pub(crate) async fn check_in(&self) -> Result<Option<Timestamp>, Error> {
        ask(&self.work, |reply| Work::CheckIn { reply }).await
    }

    /// Ends the meeting with this start in epoch seconds, which is on or the next.
    pub(crate) async fn end_meeting(&self, start: i64) -> Result<(), Error> {
        ask(&self.work, |reply| Work::End { start, reply }).await
    }

    /// Reads the calendar and gives its meetings.
    pub(crate) async fn poll_events(&self) -> Result<Vec<Event>, Error> {
        ask(&self.work, |reply| Work::List { reply }).await
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").finish_non_exhaustive()
    }
}

/// Hands work to the keeper and waits for its end. A full queue refuses it.
async fn ask<T>(
    keeper: &mpsc::Sender<Work>,
    work: impl FnOnce(Reply<T>) -> Work,
) -> Result<T, Error> {
    let (reply, answer) = oneshot::channel();
    let stopped = || Error::new("the module has stopped").with_code(503);
    match keeper.try_send(work(reply)) {
        Ok(()) => answer.await.unwrap_or_else(|_| Err(stopped())),
        Err(mpsc::error::TrySendError::Full(_)) => {
            let busy =
                format_args!("{WORK_MAX} calls wait for the calendar already; try again later");
            Err(Error::new(busy).with_code(429))
        }
        Err(mpsc::error::TrySendError::Closed(_)) => Err(stopped()),
    }
}
