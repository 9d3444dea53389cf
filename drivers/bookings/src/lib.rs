//! The driver `bookings`: the bookings of a room as PlaceOS's panels read them, on a calendar of its own.
//!
//! The calendar is in memory and filled from the settings, with the same day over and over,
//! so that a panel has something to show without a calendar service.
//!
//! - `plan` is what a day looks like, `event` a meeting on the wire.
//! - `calendar` has the meetings, `room` what they mean for the room; both are pure and are told what time it is.
//! - This file keeps the time, publishes what becomes of it, and has the functions.

mod calendar;
mod clock;
mod event;
mod plan;
#[cfg(test)]
mod properties;
mod room;
mod settings;
#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use driver_sdk::serde::Serialize;
use driver_sdk::{Context, Error, LogLevel, Outcome, driver};
use jiff::Timestamp;
use tokio::sync::Notify;

use crate::calendar::{Calendar, Plan};
use crate::clock::Clock;
use crate::event::Event;
pub use crate::plan::Person;
use crate::room::{Ended, Room};
use crate::settings::Settings;

/// How often the room is looked at when nothing in its calendar begins or ends.
const LOOK_PERIOD_SECONDS: i64 = 60;

/// The shortest pause between two looks, in case the clock is set back just then.
const LOOK_PAUSE_MIN: Duration = Duration::from_millis(10);

/// The longest title and name of a host, so that no caller fills the list of bookings.
const TEXT_MAX_CHARS: usize = 256;

/// The bookings of a room.
#[derive(Debug)]
pub struct Bookings {
    desk: Arc<Desk>,
    plan: Plan,
    default_title: String,
}

/// What the functions and the passing of time work on.
#[derive(Debug)]
struct Desk {
    context: Context,
    clock: Clock,
    /// Held while the statuses are published, so that they are those of one moment.
    room: Mutex<Room>,
    /// Wakes the one that waits for the next change, because that may be another one.
    changed: Notify,
}

/// The bookings of a room on a calendar in memory, with a day of meetings from the settings.
#[driver(id = "bookings", name = "Bookings", implements("Locatable"))]
impl Bookings {
    async fn start(context: Context, settings: Settings) -> Result<Self, Error> {
        Self::open(context, settings, Clock::Machine)
    }

    /// Books the room from now on and gives the meeting; without an owner it is the room's own.
    pub async fn book_now(
        &self,
        period_in_seconds: i64,
        title: Option<String>,
        owner: Option<String>,
    ) -> Result<Outcome, Error> {
        let title = title.filter(|title| !title.trim().is_empty());
        let title = title.unwrap_or_else(|| self.default_title.clone());
        let owner = owner.filter(|owner| !owner.trim().is_empty());
        check_text("title", &title)?;
        check_text("owner", owner.as_deref().unwrap_or_default())?;
        self.desk.change(|room, now| {
            let event = room.book_now(now, period_in_seconds, title, owner)?;
            let notice = Notice(NoticeKind::Created, event.id.clone());
            Ok((Outcome::of(event)?, notice))
        })
    }

    /// Starts the meeting that waits for somebody to check in, else the one that is on.
    pub async fn checkin(&self) -> Result<(), Error> {
        self.desk.check_in()
    }

    /// The same as `checkin`, for older panels.
    pub async fn start_meeting(&self, meeting_start_time: i64) -> Result<(), Error> {
        let _any = meeting_start_time;
        self.desk.check_in()
    }

    /// Ends the current or the pending meeting, named by its start in epoch seconds.
    pub async fn end_meeting(
        &self,
        meeting_start_time: i64,
        #[default(true)] notify: bool,
        #[default("cancelled at booking panel".to_owned())] comment: String,
    ) -> Result<(), Error> {
        check_text("comment", &comment)?;
        self.desk.change(|room, now| {
            let notice = match room.end_meeting(now, meeting_start_time)? {
                Ended::Shortened(id) => Notice(NoticeKind::Updated, id),
                Ended::Cancelled(id) => Notice(NoticeKind::Deleted, id),
            };
            Ok(((), notice))
        })?;
        self.desk.context.log(LogLevel::Info, || {
            let told = if notify { "everybody" } else { "nobody" };
            format!("the meeting of {meeting_start_time} was ended, {told} is told: {comment}")
        });
        Ok(())
    }

    /// Looks at the calendar and gives its meetings by their start.
    pub async fn poll_events(&self) -> Result<Outcome, Error> {
        self.desk.visit(|room, _| Outcome::of(room.events()))
    }

    /// People whose name or email contains the query, in any case; all of them without one.
    pub async fn list_users(
        &self,
        query: Option<String>,
        #[default(20)] limit: u32,
    ) -> Vec<Person> {
        let query = query.unwrap_or_default().to_lowercase();
        let contains = |text: &str| text.to_lowercase().contains(&query);
        let people = self.plan.people.iter();
        people
            .filter(|person| contains(&person.name) || contains(&person.email))
            .take(usize::try_from(limit).unwrap_or(usize::MAX))
            .cloned()
            .collect()
    }

    /// The email of the room.
    pub async fn calendar_id(&self) -> String {
        self.plan.mailbox.clone()
    }

    /// Where somebody is: a calendar in memory knows nobody's place.
    pub async fn locate_user(&self, email: Option<String>, username: Option<String>) -> [(); 0] {
        let _nobody = (email, username);
        []
    }

    /// The devices of somebody: none.
    pub async fn macs_assigned_to(
        &self,
        email: Option<String>,
        username: Option<String>,
    ) -> [(); 0] {
        let _nobody = (email, username);
        []
    }

    /// Whose a device is: nobody's.
    pub async fn check_ownership_of(&self, mac_address: String) {
        let _nobodys = mac_address;
    }

    /// The devices in a zone: none.
    pub async fn device_locations(&self, zone_id: String, location: Option<String>) -> [(); 0] {
        let _nowhere = (zone_id, location);
        []
    }

    fn open(context: Context, settings: Settings, clock: Clock) -> Result<Self, Error> {
        let plan = settings.plan(&context);
        let calendar = Calendar::new(plan.clone());
        let desk = Arc::new(Desk {
            room: Mutex::new(Room::new(calendar, settings.rules(), whole(clock.now()))),
            context,
            clock,
            changed: Notify::new(),
        });
        settings.publish(&desk.context)?;
        desk.look()?;
        desk.context.set_connected(true)?;
        desk.context.spawn(Arc::clone(&desk).keep_looking());
        Ok(Self {
            desk,
            plan,
            default_title: settings.default_title,
        })
    }
}

impl Desk {
    /// Publishes what the room is, each minute and whenever a meeting begins, ends or starts to wait.
    async fn keep_looking(self: Arc<Self>) {
        loop {
            let pause = self.until_next_look();
            // A change is published by who makes it; what comes next may be sooner now.
            let _woken = tokio::time::timeout(pause, self.changed.notified()).await;
            if let Err(error) = self.look() {
                self.context.log(LogLevel::Warn, || error.to_string());
            }
        }
    }

    fn until_next_look(&self) -> Duration {
        let now = self.clock.now();
        let second = now.as_second();
        let minute = second - second.rem_euclid(LOOK_PERIOD_SECONDS) + LOOK_PERIOD_SECONDS;
        let change = self.room().changes_at(whole(now));
        let next = change.map_or(minute, |change| change.as_second().min(minute));
        let next = Timestamp::from_second(next).unwrap_or(Timestamp::MAX);
        let pause = Duration::try_from(now.duration_until(next)).unwrap_or_default();
        pause.max(LOOK_PAUSE_MIN)
    }

    /// Publishes what the room is.
    fn look(&self) -> Result<(), Error> {
        self.visit(|_, _| Ok(()))
    }

    fn check_in(&self) -> Result<(), Error> {
        let started = self.visit(|room, now| Ok(room.check_in(now)))?;
        self.changed.notify_one();
        self.context.log(LogLevel::Info, || match started {
            Some(start) => format!("the meeting of {} was started", start.as_second()),
            None => "there is no meeting to start".to_owned(),
        });
        Ok(())
    }

    /// Changes the calendar, and says what has happened in it.
    fn change<T>(
        &self,
        work: impl FnOnce(&mut Room, Timestamp) -> Result<(T, Notice), Error>,
    ) -> Result<T, Error> {
        let result = self.visit(|room, now| {
            let (result, Notice(kind, event)) = work(room, now)?;
            let notice = (kind, event, now.as_second());
            self.context.set("last_event_notification", &notice)?;
            Ok(result)
        });
        self.changed.notify_one();
        result
    }

    /// Works on the room as it is now, and publishes what it is then.
    fn visit<T>(
        &self,
        work: impl FnOnce(&mut Room, Timestamp) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let now = whole(self.clock.now());
        let mut room = self.room();
        room.turn_to(now);
        let result = work(&mut room, now)?;
        publish(&self.context, &room, now)?;
        Ok(result)
    }

    fn room(&self) -> MutexGuard<'_, Room> {
        self.room.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What has happened to a meeting, by its id.
struct Notice(NoticeKind, String);

#[derive(Serialize)]
#[serde(crate = "driver_sdk::serde", rename_all = "snake_case")]
enum NoticeKind {
    Created,
    Updated,
    Deleted,
}

/// Publishes what the room is at one moment. What is not there has no status.
fn publish(context: &Context, room: &Room, now: Timestamp) -> Result<(), Error> {
    let occupancy = room.occupancy(now);
    let current = occupancy.current;
    context.set("bookings", room.events())?;
    context.set("previous_booking", &occupancy.previous)?;
    context.set("current_booking", &current)?;
    context.set("next_booking", &occupancy.next)?;
    context.set("booked", &occupancy.booked)?;
    context.set("in_use", &occupancy.is_in_use())?;
    context.set("current_pending", &occupancy.current_pending)?;
    context.set("next_pending", &occupancy.next_pending)?;
    context.set("pending", &occupancy.is_pending())?;
    context.set("status", &occupancy.status())?;
    context.set("host_email", &current.map(Event::shown_host))?;
    context.set("event_id", &current.map(|event| &event.id))?;
    context.set("started_at", &current.map(|event| event.start.as_second()))?;
    context.set("ending_at", &current.map(|event| event.end.as_second()))?;
    context.set("all_day_event", &current.map(|event| event.all_day))?;
    let last_started = room.last_started().map(Timestamp::as_second);
    context.set("last_booking_started", &last_started)
}

/// Clients count in whole seconds.
fn whole(moment: Timestamp) -> Timestamp {
    Timestamp::from_second(moment.as_second()).unwrap_or(moment)
}

fn check_text(what: &str, text: &str) -> Result<(), Error> {
    if text.chars().count() > TEXT_MAX_CHARS {
        return Err(Error::new(format_args!(
            "the {what} has more than {TEXT_MAX_CHARS} characters"
        )));
    }
    Ok(())
}
