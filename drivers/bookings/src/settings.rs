//! What the building file may say about a room's bookings, and the statuses that only repeat it.

use std::path::PathBuf;

use driver_sdk::{Context, Seconds, Secret, settings};
use jiff::SignedDuration;

use crate::calendar::Plan;
use crate::occupancy::{Rules, Unattended};
use crate::plan::{Person, PlannedMeeting, Zone};
use crate::sensor;

/// What the building file may say about a room's bookings. Periods and durations are in minutes.
#[settings]
#[derive(Debug)]
pub(crate) struct Settings {
    /// The room's address, by which meetings invite it; the module's id without it.
    calendar_id: Option<String>,
    /// Where the room is: the time zone of times that have none, and of whole days.
    #[default]
    timezone: Zone,
    /// The user of the calendar on a server.
    pub(crate) username: Option<String>,
    /// That user's password.
    pub(crate) password: Option<Secret>,
    /// A PEM file of the authority that has signed the server's certificate; the system's authorities if left out.
    pub(crate) ca: Option<PathBuf>,
    /// Whether the certificate of the server is checked.
    #[default(true)]
    pub(crate) verify: bool,
    /// How often the calendar on a server is looked at.
    #[default(Seconds::new(10))]
    pub(crate) poll_seconds: Seconds,
    /// The meetings of each day, for a calendar in memory.
    #[default]
    meetings: Vec<PlannedMeeting>,
    /// Who can be found and named.
    #[default]
    people: Vec<Person>,

    /// How long before its start a meeting waits for somebody to check in.
    #[default(5)]
    pub(crate) pending_before: u32,
    /// How long after its start it waits.
    #[default(5)]
    pub(crate) pending_period: u32,
    /// Whether a meeting that nobody has checked in to goes on.
    #[default]
    pub(crate) disable_end_meeting: bool,

    /// Whether the room can be booked.
    #[default(true)]
    pub(crate) bookable: bool,
    /// Whether the panel books nothing at once; where the room cannot be booked if it is left out.
    pub(crate) disable_book_now: Option<bool>,
    /// Whether the panel asks for no host.
    #[default]
    pub(crate) disable_book_now_host: bool,
    /// Whether the panel shows a button that ends a meeting.
    #[default]
    pub(crate) enable_end_meeting_button: bool,
    /// Whether the panel shows nothing of a meeting but its time.
    #[default]
    pub(crate) hide_meeting_details: bool,
    /// Whether the panel hides what a meeting is called.
    #[default]
    pub(crate) hide_meeting_title: bool,
    /// Whether the panel shows a code for telephones.
    #[default(true)]
    pub(crate) show_qr_code: bool,
    /// The shortest booking.
    #[default(15)]
    pub(crate) min_duration: u32,
    /// The longest booking.
    #[default(480)]
    pub(crate) max_duration: u32,
    /// What a booking without a title is called.
    #[default("Ad Hoc booking".to_owned())]
    pub(crate) default_title: String,

    /// The room's name on the panel.
    pub(crate) room_name: Option<String>,
    /// How many people fit in.
    pub(crate) room_capacity: Option<u32>,
    /// The address of a picture of the room.
    pub(crate) room_image: Option<String>,
    /// The address of the picture that a panel without a connection shows.
    pub(crate) offline_image: Option<String>,
    /// The colour that a panel without a connection shows.
    pub(crate) offline_color: Option<String>,
    /// The address of the app that controls the room.
    pub(crate) control_ui: Option<String>,
    /// The address of the app that orders food and drink.
    pub(crate) catering_ui: Option<String>,
    /// What the code for telephones says, in place of the panel's own.
    pub(crate) custom_qr_url: Option<String>,
    /// The colour of that code.
    pub(crate) custom_qr_color: Option<String>,
    /// The address of a sensor in the room.
    pub(crate) sensor_mac: Option<String>,
    /// How many minutes a sensor may not have been heard of before it counts as none.
    #[default(8)]
    sensor_stale_minutes: u32,
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

    /// Which sensors count.
    pub(crate) fn sensors(&self) -> sensor::Rules {
        sensor::Rules {
            mac: self.sensor_mac.clone(),
            stale_after: minutes(self.sensor_stale_minutes),
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
}

fn minutes(minutes: u32) -> SignedDuration {
    SignedDuration::from_mins(minutes.into())
}
