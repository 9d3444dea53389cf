//! What the building file may say about a room's bookings, and the statuses that only repeat it.

use driver_sdk::serde::Deserialize;
use driver_sdk::{Context, Error};
use jiff::SignedDuration;

use crate::calendar::Plan;
use crate::plan::{Person, PlannedMeeting, Zone};
use crate::room::{Rules, Unattended};

/// The settings of a module. Periods and durations are in minutes.
#[derive(Debug, Deserialize)]
#[serde(crate = "driver_sdk::serde", default, deny_unknown_fields)]
pub(crate) struct Settings {
    calendar_id: Option<String>,
    timezone: Zone,
    meetings: Vec<PlannedMeeting>,
    people: Vec<Person>,

    pending_before: u32,
    pending_period: u32,
    disable_end_meeting: bool,

    bookable: bool,
    disable_book_now: Option<bool>,
    disable_book_now_host: bool,
    enable_end_meeting_button: bool,
    hide_meeting_details: bool,
    hide_meeting_title: bool,
    show_qr_code: bool,
    min_duration: u32,
    max_duration: u32,
    pub(crate) default_title: String,

    room_name: Option<String>,
    room_capacity: Option<u32>,
    room_image: Option<String>,
    offline_image: Option<String>,
    offline_color: Option<String>,
    control_ui: Option<String>,
    catering_ui: Option<String>,
    custom_qr_url: Option<String>,
    custom_qr_color: Option<String>,
    sensor_mac: Option<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            calendar_id: None,
            timezone: Zone::default(),
            meetings: Vec::new(),
            people: Vec::new(),
            pending_before: 5,
            pending_period: 5,
            disable_end_meeting: false,
            bookable: true,
            disable_book_now: None,
            disable_book_now_host: false,
            enable_end_meeting_button: false,
            hide_meeting_details: false,
            hide_meeting_title: false,
            show_qr_code: true,
            min_duration: 15,
            max_duration: 480,
            default_title: "Ad Hoc booking".to_owned(),
            room_name: None,
            room_capacity: None,
            room_image: None,
            offline_image: None,
            offline_color: None,
            control_ui: None,
            catering_ui: None,
            custom_qr_url: None,
            custom_qr_color: None,
            sensor_mac: None,
        }
    }
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
