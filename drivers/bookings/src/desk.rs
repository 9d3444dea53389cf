//! Where the meetings of a room meet the clock: whatever becomes of them is published, at the moment at which it does.
//!
//! It is the same for a calendar in memory and for one on a server ([`Schedule`]), and it decides nothing.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use driver_sdk::schemars::JsonSchema;
use driver_sdk::serde::Serialize;
use driver_sdk::{Context, Error, warn};
use jiff::Timestamp;
use tokio::sync::Notify;

use crate::Bookings;
use crate::calendar::{Calendar, Plan};
use crate::event::Event;
use crate::occupancy::Attendance;
use crate::room::{Ended, Room};
use crate::settings::Settings;

/// How often the room is looked at when nothing in its calendar begins or ends.
const LOOK_PERIOD_SECONDS: i64 = 60;

/// The shortest pause between two looks, in case the clock is set back just then.
const LOOK_PAUSE_MIN: Duration = Duration::from_millis(10);

/// The meetings of a room, wherever they come from.
pub(crate) trait Schedule: fmt::Debug + Send + 'static {
    /// Lets time pass up to this moment.
    fn turn_to(&mut self, now: Timestamp);

    /// The meetings and the last check-in; `None` while the calendar has not been read.
    fn attendance(&self, now: Timestamp) -> Option<Attendance<'_>>;
}

/// What the functions and the passing of time work on.
#[derive(Debug)]
pub(crate) struct Desk<S> {
    context: Context,
    /// Held while the statuses are published, so that they are those of one moment.
    schedule: Mutex<S>,
    /// Wakes the one that waits for the next change, because that may be another one.
    changed: Notify,
}

/// What has happened to a meeting, by its id.
pub(crate) struct Notice(pub(crate) NoticeKind, pub(crate) String);

#[derive(Serialize, JsonSchema)]
#[serde(crate = "driver_sdk::serde", rename_all = "snake_case")]
#[schemars(crate = "driver_sdk::schemars")]
pub(crate) enum NoticeKind {
    Created,
    Updated,
    Deleted,
}

/// Starts a room with a calendar in memory.
pub(crate) fn start_in_memory(
    context: &Context,
    settings: &Settings,
    plan: &Plan,
) -> Result<Arc<Desk<Room>>, Error> {
    let now = whole(context.now());
    let room = Room::new(Calendar::new(plan.clone()), settings.rules(), now);
    let desk = Desk::new(context, room);
    desk.look()?;
    context.set_connected(true);
    context.spawn(Arc::clone(&desk).keep_looking());
    Ok(desk)
}

impl<S: Schedule> Desk<S> {
    pub(crate) fn new(context: &Context, schedule: S) -> Arc<Self> {
        Arc::new(Self {
            context: context.clone(),
            schedule: Mutex::new(schedule),
            changed: Notify::new(),
        })
    }

    /// Publishes what the room is, each minute and whenever a meeting begins, ends or starts to wait.
    pub(crate) async fn keep_looking(self: Arc<Self>) {
        loop {
            let pause = self.until_next_look();
            // A change is published by who makes it; what comes next may be sooner now.
            let _woken = tokio::time::timeout(pause, self.changed.notified()).await;
            if let Err(error) = self.look() {
                warn!(self.context, "{error}");
            }
        }
    }

    fn until_next_look(&self) -> Duration {
        let now = self.context.now();
        let second = now.as_second();
        let minute = second - second.rem_euclid(LOOK_PERIOD_SECONDS) + LOOK_PERIOD_SECONDS;
        let now_whole = whole(now);
        let change = self
            .schedule()
            .attendance(now_whole)
            .and_then(|it| it.changes_at(now_whole));
        let next = change.map_or(minute, |change| change.as_second().min(minute));
        let next = Timestamp::from_second(next).unwrap_or(Timestamp::MAX);
        let pause = Duration::try_from(now.duration_until(next)).unwrap_or_default();
        pause.max(LOOK_PAUSE_MIN)
    }

    /// Publishes what the room is.
    pub(crate) fn look(&self) -> Result<(), Error> {
        self.visit(|_, _| Ok(()))
    }

    /// Changes the calendar, and says what has happened in it.
    pub(crate) fn change<T>(
        &self,
        work: impl FnOnce(&mut S, Timestamp) -> Result<(T, Notice), Error>,
    ) -> Result<T, Error> {
        let result = self.visit(|schedule, now| {
            let (result, Notice(kind, event)) = work(schedule, now)?;
            let notice = (kind, event, now.as_second());
            self.context
                .set(&Bookings::LAST_EVENT_NOTIFICATION, &notice);
            Ok(result)
        });
        self.changed.notify_one();
        result
    }

    /// Works on the room as it is now, and publishes what it is then. The task that waits for the next change looks at it anew.
    pub(crate) fn update<T>(&self, work: impl FnOnce(&mut S, Timestamp) -> T) -> Result<T, Error> {
        let result = self.visit(|schedule, now| Ok(work(schedule, now)));
        self.changed.notify_one();
        result
    }

    /// Works on the room as it is now, and publishes what it is then.
    pub(crate) fn visit<T>(
        &self,
        work: impl FnOnce(&mut S, Timestamp) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let now = whole(self.context.now());
        let mut schedule = self.schedule();
        schedule.turn_to(now);
        let result = work(&mut schedule, now)?;
        if let Some(attendance) = schedule.attendance(now) {
            Bookings::publish(&self.context, attendance, now);
        }
        Ok(result)
    }

    fn schedule(&self) -> MutexGuard<'_, S> {
        self.schedule.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The functions of a room with a calendar in memory.
impl Desk<Room> {
    pub(crate) fn book_now(
        &self,
        seconds: i64,
        title: String,
        host: Option<String>,
    ) -> Result<Event, Error> {
        self.change(|room, now| {
            let event = room.book_now(now, seconds, title, host)?;
            let notice = Notice(NoticeKind::Created, event.id.clone());
            Ok((event.clone(), notice))
        })
    }

    /// Gives the start of the meeting that was started.
    pub(crate) fn check_in(&self) -> Result<Option<Timestamp>, Error> {
        self.update(|room, now| room.check_in(now))
    }

    pub(crate) fn end_meeting(&self, start: i64) -> Result<(), Error> {
        self.change(|room, now| {
            let notice = match room.end_meeting(now, start)? {
                Ended::Shortened(id) => Notice(NoticeKind::Updated, id),
                Ended::Cancelled(id) => Notice(NoticeKind::Deleted, id),
            };
            Ok(((), notice))
        })
    }

    pub(crate) fn events(&self) -> Result<Vec<Event>, Error> {
        self.visit(|room, _| Ok(room.attendance().events.to_vec()))
    }
}

impl Schedule for Room {
    fn turn_to(&mut self, now: Timestamp) {
        Self::turn_to(self, now);
    }

    fn attendance(&self, _now: Timestamp) -> Option<Attendance<'_>> {
        Some(Self::attendance(self))
    }
}

/// Clients count in whole seconds.
fn whole(moment: Timestamp) -> Timestamp {
    Timestamp::from_second(moment.as_second()).unwrap_or(moment)
}
