//! What the building file may say about a room's bookings, and the statuses that only repeat it.

use driver_sdk::{Context, Error, settings};
use jiff::SignedDuration;

use crate::calendar::Plan;
use crate::plan::{Person, PlannedMeeting, Zone};
use crate::room::{Rules, Unattended};

/// What the building file may say about a room's bookings. Periods and durations are in minutes.
#[settings]
#[derive(Debug)]
pub(crate) struct Settings {
    /// The room's address; the module's id without it.
    calendar_id: Option<String>,
    /// Where the room is: the time zone of the meetings' times.
    #[default]
    timezone: Zone,
    /// The meetings of each day.
    #[default]
    meetings: Vec<PlannedMeeting>,
    /// Who can be found and named.
    #[default]
    people: Vec<Person>,

    /// How long before its start a meeting waits for somebody to check in.
    #[default(5)]
    pending_before: u32,
    /// How long after its start it waits.
    #[default(5)]
    pending_period: u32,
    /// Whether a meeting that nobody has checked in to goes on.
    #[default]
    disable_end_meeting: bool,

    /// Whether the room can be booked.
    #[default(true)]
    bookable: bool,
    /// Whether the panel books nothing at once; where the room cannot be booked if it is left out.
    disable_book_now: Option<bool>,
    /// Whether the panel asks for no host.
    #[default]
    disable_book_now_host: bool,
    /// Whether the panel shows a button that ends a meeting.
    #[default]
    enable_end_meeting_button: bool,
    /// Whether the panel shows nothing of a meeting but its time.
    #[default]
    hide_meeting_details: bool,
    /// Whether the panel hides what a meeting is called.
    #[default]
    hide_meeting_title: bool,
    /// Whether the panel shows a code for telephones.
    #[default(true)]
    show_qr_code: bool,
    /// The shortest booking.
    #[default(15)]
    min_duration: u32,
    /// The longest booking.
    #[default(480)]
    max_duration: u32,
    /// What a booking without a title is called.
    #[default("Ad Hoc booking".to_owned())]
    pub(crate) default_title: String,

    /// The room's name on the panel.
    room_name: Option<String>,
    /// How many people fit in.
    room_capacity: Option<u32>,
    /// The address of a picture of the room.
    room_image: Option<String>,
    /// The address of the picture that a panel without a connection shows.
    offline_image: Option<String>,
    /// The colour that a panel without a connection shows.
    offline_color: Option<String>,
    /// The address of the app that controls the room.
    control_ui: Option<String>,
    /// The address of the app that orders food and drink.
    catering_ui: Option<String>,
    /// What the code for telephones says, in place of the panel's own.
    custom_qr_url: Option<String>,
    /// The colour of that code.
    custom_qr_color: Option<String>,
    /// The address of a sensor in the room.
    sensor_mac: Option<String>,
}

impl Settings {
    /// What the calendar of this module is made of. Without a mailbox the module's id stands for it.
    pub(crate) fn plan(&self, context: &Context) -> Plan {
        let module = context.module().to_string();
        let mailbox = self.calendar_id.as_ref().unwrap_or(&module).clone();
        Plan {
            meetings: self.meetings.clone(),
            zone: self.timezone.clone(),
            people: self.people.clone(),
            location: self.room_name.as_ref().unwrap_or(&mailbox).clone(),
            mailbox,
            prefix: module,
        }
    }

    /// The rules of check-in.
    pub(crate) fn rules(&self) -> Rules {
        Rules {
            pending_before: minutes(self.pending_before),
            pending_period: minutes(self.pending_period),
            unattended: if self.disable_end_meeting {
                Unattended::Stays
            } else {
                Unattended::Ends
            },
        }
    }

    /// Publishes what only repeats the settings. What is not set has no status.
    pub(crate) fn publish(&self, context: &Context) -> Result<(), Error> {
        let disable_book_now = self.disable_book_now.unwrap_or(!self.bookable);
        context.set("pending_before", &self.pending_before)?;
        context.set("pending_period", &self.pending_period)?;
        context.set("disable_end_meeting", &self.disable_end_meeting)?;
        context.set("bookable", &self.bookable)?;
        context.set("disable_book_now", &disable_book_now)?;
        context.set("disable_book_now_host", &self.disable_book_now_host)?;
        context.set("enable_end_meeting_button", &self.enable_end_meeting_button)?;
        context.set("hide_meeting_details", &self.hide_meeting_details)?;
        context.set("hide_meeting_title", &self.hide_meeting_title)?;
        context.set("show_qr_code", &self.show_qr_code)?;
        context.set("min_duration", &self.min_duration)?;
        context.set("max_duration", &self.max_duration)?;
        context.set("default_title", &self.default_title)?;
        context.set("room_name", &self.room_name)?;
        context.set("room_capacity", &self.room_capacity)?;
        context.set("room_image", &self.room_image)?;
        context.set("offline_image", &self.offline_image)?;
        context.set("offline_color", &self.offline_color)?;
        context.set("control_ui", &self.control_ui)?;
        context.set("catering_ui", &self.catering_ui)?;
        context.set("custom_qr_url", &self.custom_qr_url)?;
        context.set("custom_qr_color", &self.custom_qr_color)?;
        context.set("sensor_mac", &self.sensor_mac)
    }
}

fn minutes(minutes: u32) -> SignedDuration {
    SignedDuration::from_mins(minutes.into())
}
