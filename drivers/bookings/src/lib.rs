//! The driver `bookings`: the bookings of a room as PlaceOS's panels read them, on a CalDAV server or on a calendar of its own.
//!
//! The calendar of its own is in memory and filled from the settings, with the same day over and over,
//! so that a panel has something to show without a calendar service.
//!
//! - `event` is a meeting on the wire, `occupancy` what a list of them means for the room; it is pure and is told what time it is.
//! - `plan`, `calendar` and `room` are the calendar in memory: what a day looks like, its meetings, and what becomes of them.
//! - `caldav` is the calendar on a server, `ical` the format in which it has its meetings.
//! - `sensor` follows the room's sensors: whether people are there.
//! - `desk` keeps the time and publishes what becomes of it; this file has the statuses and the functions.

mod caldav;
mod calendar;
mod desk;
mod event;
mod ical;
mod occupancy;
mod plan;
#[cfg(test)]
mod properties;
mod room;
mod sensor;
mod settings;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use driver_sdk::interfaces::Locatable;
use driver_sdk::{Context, Error, JsonText, Outcome, Status, driver, info};
use jiff::Timestamp;

use crate::caldav::Server;
use crate::calendar::Plan;
use crate::desk::{Desk, NoticeKind};
use crate::event::Event;
use crate::occupancy::{Attendance, RoomStatus};
pub use crate::plan::Person;
use crate::room::Room;
use crate::settings::Settings;

/// The longest title and name of a host, so that no caller fills the list of bookings.
const TEXT_MAX_CHARS: usize = 256;

/// The bookings of a room.
#[derive(Debug)]
pub struct Bookings {
    context: Context,
    calendar: Calendar,
    plan: Plan,
    default_title: String,
}

/// Where the meetings are.
#[derive(Debug)]
enum Calendar {
    InMemory(Arc<Desk<Room>>),
    OnServer(Server),
}

/// The bookings of a room: on a CalDAV server, or without a URI on a calendar in memory with a day of meetings from the settings.
#[driver(
    id = "bookings",
    name = "Bookings",
    uri(optional, "http", "https"),
    implements(Locatable)
)]
impl Bookings {
    /// The meetings by their start.
    const BOOKINGS: Status<Vec<Event>> = Status::new("bookings");
    /// The meeting before the current one.
    const PREVIOUS_BOOKING: Status<Option<Event>> = Status::new("previous_booking");
    /// The meeting that is on.
    const CURRENT_BOOKING: Status<Option<Event>> = Status::new("current_booking");
    /// The next meeting.
    const NEXT_BOOKING: Status<Option<Event>> = Status::new("next_booking");
    /// Whether a meeting is on.
    const BOOKED: Status<bool> = Status::new("booked");
    /// Whether a meeting is on that somebody has checked in to.
    const IN_USE: Status<bool> = Status::new("in_use");
    /// Whether the current meeting waits for somebody to check in.
    const CURRENT_PENDING: Status<bool> = Status::new("current_pending");
    /// Whether the next meeting waits for somebody to check in.
    const NEXT_PENDING: Status<bool> = Status::new("next_pending");
    /// Whether either waits.
    const PENDING: Status<bool> = Status::new("pending");
    /// `free`, `pending` or `busy`.
    const STATUS: Status<RoomStatus> = Status::new("status");
    /// Who is shown as the host of the current meeting, by email.
    const HOST_EMAIL: Status<Option<String>> = Status::new("host_email");
    /// The id of the current meeting.
    const EVENT_ID: Status<Option<String>> = Status::new("event_id");
    /// When the current meeting began, in epoch seconds.
    const STARTED_AT: Status<Option<i64>> = Status::new("started_at");
    /// When the current meeting ends, in epoch seconds.
    const ENDING_AT: Status<Option<i64>> = Status::new("ending_at");
    /// Whether the current meeting lasts all day.
    const ALL_DAY_EVENT: Status<Option<bool>> = Status::new("all_day_event");
    /// When the meeting began that somebody checked in to last, in epoch seconds.
    const LAST_BOOKING_STARTED: Status<Option<i64>> = Status::new("last_booking_started");
    /// What happened in the calendar last: how it changed, the meeting's id, and when in epoch seconds.
    const LAST_EVENT_NOTIFICATION: Status<(NoticeKind, String, i64)> =
        Status::new("last_event_notification");

    /// How many minutes before its start a meeting waits for somebody to check in.
    const PENDING_BEFORE: Status<u32> = Status::new("pending_before");
    /// How many minutes after its start it waits.
    const PENDING_PERIOD: Status<u32> = Status::new("pending_period");
    /// Whether a meeting that nobody has checked in to goes on.
    const DISABLE_END_MEETING: Status<bool> = Status::new("disable_end_meeting");
    /// Whether the room can be booked.
    const BOOKABLE: Status<bool> = Status::new("bookable");
    /// Whether the panel books nothing at once.
    const DISABLE_BOOK_NOW: Status<bool> = Status::new("disable_book_now");
    /// Whether the panel asks for no host.
    const DISABLE_BOOK_NOW_HOST: Status<bool> = Status::new("disable_book_now_host");
    /// Whether the panel shows a button that ends a meeting.
    const ENABLE_END_MEETING_BUTTON: Status<bool> = Status::new("enable_end_meeting_button");
    /// Whether the panel shows nothing of a meeting but its time.
    const HIDE_MEETING_DETAILS: Status<bool> = Status::new("hide_meeting_details");
    /// Whether the panel hides what a meeting is called.
    const HIDE_MEETING_TITLE: Status<bool> = Status::new("hide_meeting_title");
    /// Whether the panel shows a code for telephones.
    const SHOW_QR_CODE: Status<bool> = Status::new("show_qr_code");
    /// The shortest booking in minutes.
    const MIN_DURATION: Status<u32> = Status::new("min_duration");
    /// The longest booking in minutes.
    const MAX_DURATION: Status<u32> = Status::new("max_duration");
    /// What a booking without a title is called.
    const DEFAULT_TITLE: Status<String> = Status::new("default_title");
    /// The room's name on the panel.
    const ROOM_NAME: Status<Option<String>> = Status::new("room_name");
    /// How many people fit in.
    const ROOM_CAPACITY: Status<Option<u32>> = Status::new("room_capacity");
    /// The address of a picture of the room.
    const ROOM_IMAGE: Status<Option<String>> = Status::new("room_image");
    /// The address of the picture that a panel without a connection shows.
    const OFFLINE_IMAGE: Status<Option<String>> = Status::new("offline_image");
    /// The colour that a panel without a connection shows.
    const OFFLINE_COLOR: Status<Option<String>> = Status::new("offline_color");
    /// The address of the app that controls the room.
    const CONTROL_UI: Status<Option<String>> = Status::new("control_ui");
    /// The address of the app that orders food and drink.
    const CATERING_UI: Status<Option<String>> = Status::new("catering_ui");
    /// What the code for telephones says, in place of the panel's own.
    const CUSTOM_QR_URL: Status<Option<String>> = Status::new("custom_qr_url");
    /// The colour of that code.
    const CUSTOM_QR_COLOR: Status<Option<String>> = Status::new("custom_qr_color");
    /// The address of a sensor in the room.
    const SENSOR_MAC: Status<Option<String>> = Status::new("sensor_mac");
    /// Whether a sensor of the room sees anyone.
    const PRESENCE: Status<Option<bool>> = sensor::PRESENCE;
    /// How many people a sensor of the room counts.
    const PEOPLE_COUNT: Status<Option<f64>> = sensor::PEOPLE_COUNT;
    /// What that sensor is called.
    const SENSOR_NAME: Status<Option<String>> = sensor::SENSOR_NAME;
    /// Whether the room's sensor has not been heard of for too long.
    const SENSOR_STALE: Status<Option<bool>> = sensor::SENSOR_STALE;

    async fn start(context: Context, settings: Settings) -> Result<Self, Error> {
        let plan = settings.plan(&context);
        Self::repeat(&settings, &context);
        let calendar = match context.uri() {
            Some(uri) => Calendar::OnServer(caldav::start(&context, uri, &settings, &plan)?),
            None => Calendar::InMemory(desk::start_in_memory(&context, &settings, &plan)?),
        };
        let sensors = sensor::watch(context.clone(), settings.sensors());
        context.spawn(sensors);
        Ok(Self {
            context,
            calendar,
            plan,
            default_title: settings.default_title,
        })
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
        let event = match &self.calendar {
            Calendar::InMemory(desk) => desk.book_now(period_in_seconds, title, owner)?,
            Calendar::OnServer(server) => server.book_now(period_in_seconds, title, owner).await?,
        };
        Outcome::of(&event)
    }

    /// Starts the meeting that waits for somebody to check in, else the one that is on.
    pub async fn checkin(&self) -> Result<(), Error> {
        self.check_in().await
    }

    /// The same as `checkin`, for older panels.
    pub async fn start_meeting(&self, meeting_start_time: i64) -> Result<(), Error> {
        let _any = meeting_start_time;
        self.check_in().await
    }

    /// Ends the current or the pending meeting, named by its start in epoch seconds.
    pub async fn end_meeting(
        &self,
        meeting_start_time: i64,
        #[default(true)] notify: bool,
        #[default("cancelled at booking panel".to_owned())] comment: String,
    ) -> Result<(), Error> {
        check_text("comment", &comment)?;
        match &self.calendar {
            Calendar::InMemory(desk) => desk.end_meeting(meeting_start_time)?,
            Calendar::OnServer(server) => server.end_meeting(meeting_start_time).await?,
        }
        let told = if notify { "everybody" } else { "nobody" };
        info!(
            self.context,
            "the meeting of {meeting_start_time} was ended, {told} is told: {comment}"
        );
        Ok(())
    }

    /// Looks at the calendar and gives its meetings by their start.
    pub async fn poll_events(&self) -> Result<Outcome, Error> {
        let events = match &self.calendar {
            Calendar::InMemory(desk) => desk.events()?,
            Calendar::OnServer(server) => server.poll_events().await?,
        };
        Outcome::of(&events)
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

    async fn check_in(&self) -> Result<(), Error> {
        let started = match &self.calendar {
            Calendar::InMemory(desk) => desk.check_in()?,
            Calendar::OnServer(server) => server.check_in().await?,
        };
        match started {
            Some(start) => info!(
                self.context,
                "the meeting of {} was started",
                start.as_second()
            ),
            None => info!(self.context, "there is no meeting to start"),
        }
        Ok(())
    }

    /// Publishes what only repeats the settings. What is not set has no status.
    fn repeat(settings: &Settings, context: &Context) {
        let disable_book_now = settings.disable_book_now.unwrap_or(!settings.bookable);
        context.set(&Self::PENDING_BEFORE, &settings.pending_before);
        context.set(&Self::PENDING_PERIOD, &settings.pending_period);
        context.set(&Self::DISABLE_END_MEETING, &settings.disable_end_meeting);
        context.set(&Self::BOOKABLE, &settings.bookable);
        context.set(&Self::DISABLE_BOOK_NOW, &disable_book_now);
        context.set(
            &Self::DISABLE_BOOK_NOW_HOST,
            &settings.disable_book_now_host,
        );
        context.set(
            &Self::ENABLE_END_MEETING_BUTTON,
            &settings.enable_end_meeting_button,
        );
        context.set(&Self::HIDE_MEETING_DETAILS, &settings.hide_meeting_details);
        context.set(&Self::HIDE_MEETING_TITLE, &settings.hide_meeting_title);
        context.set(&Self::SHOW_QR_CODE, &settings.show_qr_code);
        context.set(&Self::MIN_DURATION, &settings.min_duration);
        context.set(&Self::MAX_DURATION, &settings.max_duration);
        context.set(&Self::DEFAULT_TITLE, &settings.default_title);
        context.set(&Self::ROOM_NAME, &settings.room_name);
        context.set(&Self::ROOM_CAPACITY, &settings.room_capacity);
        context.set(&Self::ROOM_IMAGE, &settings.room_image);
        context.set(&Self::OFFLINE_IMAGE, &settings.offline_image);
        context.set(&Self::OFFLINE_COLOR, &settings.offline_color);
        context.set(&Self::CONTROL_UI, &settings.control_ui);
        context.set(&Self::CATERING_UI, &settings.catering_ui);
        context.set(&Self::CUSTOM_QR_URL, &settings.custom_qr_url);
        context.set(&Self::CUSTOM_QR_COLOR, &settings.custom_qr_color);
        context.set(&Self::SENSOR_MAC, &settings.sensor_mac);
    }

    /// Publishes what the room is at one moment. What is not there has no status.
    fn publish(context: &Context, attendance: Attendance<'_>, now: Timestamp) {
        let occupancy = attendance.occupancy(now);
        let current = occupancy.current;
        context.set(&Self::BOOKINGS, &attendance.events.to_vec());
        context.set(&Self::PREVIOUS_BOOKING, &occupancy.previous.cloned());
        context.set(&Self::CURRENT_BOOKING, &current.cloned());
        context.set(&Self::NEXT_BOOKING, &occupancy.next.cloned());
        context.set(&Self::BOOKED, &occupancy.booked);
        context.set(&Self::IN_USE, &occupancy.is_in_use());
        context.set(&Self::CURRENT_PENDING, &occupancy.current_pending);
        context.set(&Self::NEXT_PENDING, &occupancy.next_pending);
        context.set(&Self::PENDING, &occupancy.is_pending());
        context.set(&Self::STATUS, &occupancy.status());
        let host = current.map(|event| event.shown_host().to_owned());
        context.set(&Self::HOST_EMAIL, &host);
        context.set(&Self::EVENT_ID, &current.map(|event| event.id.clone()));
        context.set(
            &Self::STARTED_AT,
            &current.map(|event| event.start.as_second()),
        );
        context.set(
            &Self::ENDING_AT,
            &current.map(|event| event.end.as_second()),
        );
        context.set(&Self::ALL_DAY_EVENT, &current.map(|event| event.all_day));
        let last_started = attendance.last_started.map(Timestamp::as_second);
        context.set(&Self::LAST_BOOKING_STARTED, &last_started);
    }
}

/// A calendar knows nobody's place and nobody's devices.
impl Locatable for Bookings {
    async fn locate_user(
        &self,
        _email: Option<String>,
        _username: Option<String>,
    ) -> Result<Vec<JsonText>, Error> {
        Ok(Vec::new())
    }

    async fn macs_assigned_to(
        &self,
        _email: Option<String>,
        _username: Option<String>,
    ) -> Result<Vec<String>, Error> {
        Ok(Vec::new())
    }

    async fn check_ownership_of(&self, _mac_address: String) -> Result<Option<JsonText>, Error> {
        Ok(None)
    }

    async fn device_locations(
        &self,
        _zone_id: String,
        _location: Option<String>,
    ) -> Result<Vec<JsonText>, Error> {
        Ok(Vec::new())
    }
}

fn check_text(what: &str, text: &str) -> Result<(), Error> {
    if text.chars().count() > TEXT_MAX_CHARS {
        return Err(Error::new(format_args!(
            "the {what} has more than {TEXT_MAX_CHARS} characters"
        )));
    }
    Ok(())
}
