//! A change that holds for one meeting of a series and for all later ones (`RANGE=THISANDFUTURE`, RFC 5545 section 3.2.13).
//!
//! Separate because both who shows a meeting and who changes one must know which change it follows, and where that puts it:
//! later by as much as the change put its own meeting later, and for as long as that one lasts (RFC 5545 section 3.8.4.4).
//! It expands no rules.

use jiff::civil::DateTime;
use jiff::{SignedDuration, Timestamp, ToSpan};

use super::document::Property;
use super::limits::NEXT_WITHIN_YEARS;
use super::series::{Key, Meeting, Window, key_of};
use super::value::{Kind, Moment};

/// For which meetings of its series an exception holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Range {
    /// The one that it stands for.
    This,
    /// That one, and those behind it.
    ThisAndFuture,
}

impl Range {
    /// What a `RECURRENCE-ID` says.
    pub(super) fn of(property: Property<'_>) -> Self {
        let range = property.parameter("RANGE").unwrap_or_default();
        match range.eq_ignore_ascii_case("THISANDFUTURE") {
            true => Self::ThisAndFuture,
            false => Self::This,
        }
    }
}

/// The changes of a series that hold for later meetings too.
#[derive(Debug)]
pub(super) struct Changes<'a>(Vec<Change<'a>>);

/// One of them.
#[derive(Debug)]
pub(super) struct Change<'a> {
    pub(super) meeting: &'a Meeting,
    /// Where its own meeting is by the rule of the series.
    origin: Moment,
    since: Timestamp,
}

impl<'a> Changes<'a> {
    /// Those among the exceptions of a series.
    pub(super) fn of(master: &Meeting, exceptions: impl IntoIterator<Item = &'a Meeting>) -> Self {
        let exceptions = exceptions.into_iter();
        let mut changes: Vec<_> = exceptions
            .filter_map(|meeting| Change::of(master, meeting))
            .collect();
        changes.sort_by_key(|change| change.since);
        Self(changes)
    }

    /// The change that a meeting follows which is at this moment by the rule of its series: the last one before it.
    pub(super) fn at(&self, moment: Timestamp) -> Option<&Change<'a>> {
        let before = self.0.partition_point(|change| change.since < moment);
        self.0[..before].last()
    }

    /// The change whose own meeting this is.
    pub(super) fn of_meeting(&self, key: Key) -> Option<&Change<'a>> {
        let mut changes = self.0.iter();
        changes.find(|change| change.meeting.key() == Some(key))
    }

    /// The first meeting that follows a change behind its own, as it is by the rule: one that is not excluded and has no exception of its own.
    pub(super) fn first_follower(
        &self,
        change: &Change<'a>,
        master: &Meeting,
        has_exception: impl Fn(Key) -> bool,
    ) -> Option<Moment> {
        // The zone of the change may be another than that of the series, by a day at most.
        let from = change.origin.local.checked_sub(1.days()).ok()?;
        let to = from.checked_add(NEXT_WITHIN_YEARS.years()).ok()?;
        let (starts, _) = master.starts((from, to));
        let followers = starts.into_iter().filter_map(|(start, _)| {
            let instant = start.instant()?;
            let follows = self.at(instant).is_some_and(|it| it.since == change.since)
                && !master.excludes(&start)
                && !key_of(&start).is_some_and(&has_exception);
            follows.then_some((instant, start))
        });
        let first = followers.min_by_key(|(instant, _)| *instant);
        first.map(|(_, start)| start)
    }

    /// Between which local times a meeting begins by the rule that may be in the window, wherever a change puts it.
    pub(super) fn reach(&self, master: &Meeting, window: Window) -> (DateTime, DateTime) {
        let own = master.starts_between(window, SignedDuration::ZERO);
        self.0.iter().fold(own, |(from, to), change| {
            let moved = change.meeting.starts_between(window, change.moved_by());
            (from.min(moved.0), to.max(moved.1))
        })
    }
}

impl<'a> Change<'a> {
    /// The change that an exception of a series is; `None` for one that holds for its own meeting alone.
    pub(super) fn of(master: &Meeting, meeting: &'a Meeting) -> Option<Self> {
        if meeting.range == Range::This {
            return None;
        }
        let id = meeting.recurrence_id.as_ref()?;
        let origin = match (id.kind, master.start.kind) {
            (Kind::Day, Kind::Time) => {
                let start = id.local.date().to_datetime(master.start.local.time());
                master.start.at(start)
            }
            (Kind::Day, Kind::Day) | (Kind::Time, _) => id.clone(),
        };
        Some(Self {
            since: origin.instant()?,
            origin,
            meeting,
        })
    }

    /// Where the change puts a meeting that begins at this start by the rule; `None` outside of the years that clocks have.
    pub(super) fn start(&self, start: &Moment) -> Option<Moment> {
        let changed = &self.meeting.start;
        let local = match changed.kind {
            Kind::Day => {
                let days = changed.local.date().since(self.origin.local.date()).ok()?;
                let day = start.local.date().checked_add(days).ok()?;
                day.to_datetime(changed.local.time())
            }
            // In the zone of the change, so that clocks that go forward move no meeting.
            Kind::Time => {
                let local = |moment: &Moment| Some(changed.zone.local(moment.instant()?));
                let later = changed.local.duration_since(local(&self.origin)?);
                local(start)?.checked_add(later).ok()?
            }
        };
        Some(changed.at(local))
    }

    fn moved_by(&self) -> SignedDuration {
        let start = self.meeting.start.instant();
        start.map_or(SignedDuration::ZERO, |start| {
            start.duration_since(self.since)
        })
    }
}
