//! The task that reads and writes the calendar, one thing after the other.
//!
//! - **Reading.** A poll asks for the version of the collection. Only if that is another one, or the day is, it asks which entries there are, and then for those that have changed.
//! - **Writing.** Each change reads its entry, and is only made if that is still the version that the room's statuses show.
//!   The server is told that version too, so whatever others write in between goes before: the caller learns of it, and the calendar is read again.
//! - A change is in the statuses before its caller is answered.

use std::collections::HashSet;
use std::sync::Arc;

use driver_sdk::transport::{Device, Request, Response};
use driver_sdk::{Context, Error, debug, warn};
use jiff::civil::Date;
use jiff::{Timestamp, ToSpan};
use tokio::sync::{mpsc, oneshot};
use uuid::Uuid;

use super::agenda::{Agenda, Entry, Premises, Target};
use super::limits::{DAYS, ENTRIES_MAX, ENTRIES_PER_REQUEST};
use super::protocol::{self, Report};
use crate::desk::{Desk, Notice, NoticeKind, Schedule};
use crate::event::Event;
use crate::ical::{
    self, Booking, Document, Extent, Gone, Key, Place, Remains, Series, mark_checked_in, shorten,
};
use crate::occupancy::Ending;

/// Who waits for the end of some work.
pub(super) type Reply<T> = oneshot::Sender<Result<T, Error>>;

type CalendarServer = Device<Request, Response>;

/// What there is to do. A caller who has gone needs no answer.
pub(super) enum Work {
    /// Reads the calendar, for the poll. Its own way to the server is open before the calendar counts as connected.
    Read {
        device: CalendarServer,
        reply: Reply<()>,
    },
    List {
        reply: Reply<Vec<Event>>,
    },
    Book {
        seconds: i64,
        title: String,
        host: Option<String>,
        reply: Reply<Event>,
    },
    CheckIn {
        reply: Reply<Option<Timestamp>>,
    },
    End {
        start: i64,
        reply: Reply<()>,
    },
}

/// Reads and writes one calendar.
pub(super) struct Keeper {
    context: Context,
    device: CalendarServer,
    desk: Arc<Desk<Agenda>>,
    premises: Premises,
    /// The version of the collection that was read last, and the day that it was read for; `None` if it is to be read again.
    read: Option<(Version, Date)>,
    /// Whether the log has said that the calendar has too much in it.
    extent: Extent,
}

/// What changes with every change of the collection. A server has one of them or both.
type Version = [Option<String>; 2];

/// How a change of an entry went.
enum Outcome {
    /// It is made. The entry is as it is now; `None` if it is gone.
    Made(String, Option<Entry>),
    /// Others have changed the entry meanwhile.
    Conflict,
}

impl Keeper {
    pub(super) fn new(
        context: &Context,
        device: CalendarServer,
        desk: Arc<Desk<Agenda>>,
        premises: Premises,
    ) -> Self {
        Self {
            context: context.clone(),
            device,
            desk,
            premises,
            read: None,
            extent: Extent::Whole,
        }
    }

    /// Works until the module stops.
    pub(super) async fn work(mut self, mut waiting: mpsc::Receiver<Work>) {
        while let Some(work) = waiting.recv().await {
            match work {
                Work::Read { device, reply } => {
                    let read = self.refresh(&device).await.map_err(protocol::refused);
                    let _ = reply.send(read);
                }
                Work::List { reply } => {
                    let _ = reply.send(self.list().await);
                }
                Work::Book {
                    seconds,
                    title,
                    host,
                    reply,
                } => {
                    let _ = reply.send(self.book(seconds, &title, host).await);
                }
                Work::CheckIn { reply } => {
                    let _ = reply.send(self.check_in().await);
                }
                Work::End { start, reply } => {
                    let _ = reply.send(self.end(start).await);
                }
            }
        }
    }

    async fn list(&mut self) -> Result<Vec<Event>, Error> {
        self.refresh_for_call().await?;
        self.desk.visit(|agenda, _| Ok(agenda.events().to_vec()))
    }

    async fn book(
        &mut self,
        seconds: i64,
        title: &str,
        host: Option<String>,
    ) -> Result<Event, Error> {
        // Others may have booked the time since the last poll.
        self.refresh_for_call().await?;
        let (slot, now) = self.desk.visit(|agenda, now| {
            let attendance = agenda.attendance(now).ok_or_else(not_read)?;
            Ok((attendance.slot(now, seconds)?, now))
        })?;
        let uid = Uuid::new_v4().to_string();
        let host = host.unwrap_or_else(|| self.premises.mailbox.clone());
        let host_name = match host == self.premises.mailbox {
            true => &self.premises.location,
            false => self.premises.name_of(&host),
        };
        let text = ical::new_meeting(&Booking {
            uid: &uid,
            start: slot.start,
            end: slot.end,
            title,
            host: (&host, host_name),
            room: (&self.premises.mailbox, &self.premises.location),
            now,
        });
        let name = format!("{uid}.ics");
        let request = protocol::create(&name, text.clone())?;
        let response = self.write(request).await?;
        let entry = if response.status() == 412 {
            self.look_again(|agenda| agenda.event(&uid).is_some())
                .await?;
            None
        } else {
            protocol::check(&response)?;
            Some(self.entry(&text, response.header("etag").map(str::to_owned))?)
        };
        let is_unnamed = entry.as_ref().is_some_and(|entry| entry.etag.is_none());
        let event = self.desk.change(|agenda, now| {
            if let Some(entry) = entry {
                agenda.put(name, entry, now);
            }
            agenda.check_in(slot.start);
            let event = agenda.event(&uid).cloned().ok_or_else(not_read)?;
            Ok((event, Notice(NoticeKind::Created, uid)))
        })?;
        if is_unnamed {
            self.learn_version().await;
        }
        Ok(event)
    }

    async fn check_in(&mut self) -> Result<Option<Timestamp>, Error> {
        let waiting = |agenda: &mut Agenda, now: Timestamp| {
            let attendance = agenda.attendance(now).ok_or_else(not_read)?;
            let event = attendance.waiting(now);
            Ok(event.map(|event| (event.id.clone(), event.start, now)))
        };
        let mut found = self.desk.visit(waiting)?;
        if found.is_none() {
            self.refresh_for_call().await?;
            found = self.desk.visit(waiting)?;
        }
        let Some((id, start, now)) = found else {
            return Ok(None);
        };
        let edit = |document, meeting: (&str, Option<Key>), place: Place<'_>| {
            mark_checked_in(document, meeting, place, start, now).map(Remains::Text)
        };
        let is_done = |agenda: &Agenda| agenda.is_checked_in(&id);
        self.change(&id, NoticeKind::Updated, edit, is_done).await?;
        self.desk.update(|agenda, _| agenda.check_in(start))?;
        Ok(Some(start))
    }

    async fn end(&mut self, start: i64) -> Result<(), Error> {
        // The id of the meeting, and when it ends; `None` is that it is taken out.
        let ending = |agenda: &mut Agenda, now: Timestamp| {
            let attendance = agenda.attendance(now).ok_or_else(not_read)?;
            Ok(attendance.ending(now, start).map(|ending| match ending {
                // One that has only begun is as if it had never been.
                Ending::Shorten(event) => (event.id.clone(), (event.start < now).then_some(now)),
                Ending::Cancel(event) => (event.id.clone(), None),
            }))
        };
        let found = match self.desk.visit(ending)? {
            Ok(found) => found,
            Err(_) => {
                self.refresh_for_call().await?;
                self.desk.visit(ending)??
            }
        };
        let (id, end) = found;
        let kind = match end {
            Some(_) => NoticeKind::Updated,
            None => NoticeKind::Deleted,
        };
        let edit = |document, meeting: (&str, Option<Key>), place: Place<'_>| match end {
            Some(end) => shorten(document, meeting, place, end, end).map(Remains::Text),
            None => ical::remove(document, meeting, place),
        };
        let is_done = |agenda: &Agenda| agenda.event(&id).map(|event| event.end) == end;
        self.change(&id, kind, edit, is_done).await
    }

    /// Changes one meeting in the calendar and then in the agenda. `is_done` tells of an agenda whether the meeting already is as it is to be.
    async fn change(
        &mut self,
        id: &str,
        kind: NoticeKind,
        edit: impl FnOnce(Document, (&str, Option<Key>), Place<'_>) -> Result<Remains, Gone>,
        is_done: impl Fn(&Agenda) -> bool,
    ) -> Result<(), Error> {
        let outcome = self.try_change(id, edit).await?;
        let is_unnamed = match &outcome {
            Outcome::Made(_, entry) => entry.as_ref().is_some_and(|entry| entry.etag.is_none()),
            Outcome::Conflict => {
                self.look_again(is_done).await?;
                false
            }
        };
        self.desk.change(|agenda, now| {
            match outcome {
                Outcome::Made(name, Some(entry)) => agenda.put(name, entry, now),
                Outcome::Made(name, None) => agenda.remove(&name, now),
                Outcome::Conflict => {}
            }
            Ok(((), Notice(kind, id.to_owned())))
        })?;
        if is_unnamed {
            self.learn_version().await;
        }
        Ok(())
    }

    /// Reads a change back whose version the server has not named, so that the next one can say what it changes. If that fails, the next poll does it.
    async fn learn_version(&mut self) {
        if let Err(error) = self.refresh_for_call().await {
            debug!(self.context, "a change could not be read back: {error}");
        }
    }

    async fn try_change(
        &mut self,
        id: &str,
        edit: impl FnOnce(Document, (&str, Option<Key>), Place<'_>) -> Result<Remains, Gone>,
    ) -> Result<Outcome, Error> {
        let (target, known) = self.desk.visit(|agenda, _| {
            let target = agenda.target(id).cloned().ok_or_else(not_read)?;
            let etag = agenda.etag(&target.name).map(str::to_owned);
            Ok((target, etag))
        })?;
        let Target { name, uid, key } = target;
        let response = self.device.ask(protocol::read(&name)).await?;
        if protocol::is_conflict(&response) {
            return Ok(Outcome::Conflict);
        }
        protocol::check(&response)?;
        let etag = response.header("etag").map(str::to_owned).or(known.clone());
        let etag = etag.ok_or_else(|| {
            Error::new("the calendar server names no version of the meeting, so nothing is changed: others might have")
        })?;
        if known.is_none_or(|known| !protocol::is_same_version(&known, &etag)) {
            return Ok(Outcome::Conflict);
        }
        let document = Document::parse(&response.body()?)?;
        let Ok(remains) = edit(document, (&uid, key), self.premises.place()) else {
            return Ok(Outcome::Conflict);
        };
        let (request, text) = match remains {
            Remains::Text(text) => (protocol::replace(&name, &etag, text.clone())?, Some(text)),
            Remains::Nothing => (protocol::delete(&name, &etag)?, None),
        };
        let response = self.write(request).await?;
        if protocol::is_conflict(&response) {
            return Ok(Outcome::Conflict);
        }
        protocol::check(&response)?;
        let etag = response.header("etag").map(str::to_owned);
        let entry = text.map(|text| self.entry(&text, etag)).transpose()?;
        Ok(Outcome::Made(name, entry))
    }

    /// Sends a change. Whatever becomes of it, the next poll looks at the calendar again.
    async fn write(&mut self, request: Request) -> Result<Response, Error> {
        self.read = None;
        self.device.ask(request).await
    }

    /// Reads the calendar again after a conflict. It is an error, unless the meeting is as it is to be: the change may have been made before its connection broke.
    async fn look_again(&mut self, is_done: impl Fn(&Agenda) -> bool) -> Result<(), Error> {
        self.read = None;
        let conflict = "others have changed the meeting meanwhile, so it was left as it is";
        let error = match self.refresh_for_call().await {
            Ok(()) if self.desk.visit(|agenda, _| Ok(is_done(agenda)))? => return Ok(()),
            Ok(()) => Error::new(format_args!("{conflict}; the calendar was read again")),
            Err(error) => Error::new(format_args!(
                "{conflict}; the calendar could not be read again: {error}"
            )),
        };
        warn!(self.context, "{error}");
        Err(error.with_code(409))
    }

    async fn refresh_for_call(&mut self) -> Result<(), Error> {
        let device = self.device.clone();
        self.refresh(&device).await
    }

    /// Reads what has changed in the calendar.
    async fn refresh(&mut self, device: &CalendarServer) -> Result<(), Error> {
        let version = version(device.ask(protocol::ask_version()?).await?)?;
        let now = self.context.now();
        let today = self.premises.zone.day_of(now);
        let is_known = version.iter().any(Option::is_some);
        if is_known && self.read.as_ref() == Some(&(version.clone(), today)) {
            return Ok(());
        }
        let listed = self.listed(device, today).await?;
        let changed = self.desk.visit(|agenda, _| {
            let has_changed = |report: &&(String, Report)| {
                let known = agenda.etag(&report.0).zip(report.1.etag.as_deref());
                known.is_none_or(|(known, etag)| !protocol::is_same_version(known, etag))
            };
            let changed = listed.iter().filter(has_changed);
            Ok(changed.map(|(_, report)| report.href.clone()).collect())
        })?;
        let entries = self.texts(device, changed).await?;
        let names: HashSet<String> = listed.into_iter().map(|(name, _)| name).collect();
        let extent = self.desk.update(|agenda, now| {
            agenda.take_in(&names, entries, now);
            agenda.extent()
        })?;
        if extent != self.extent && extent == Extent::CutOff {
            warn!(
                self.context,
                "the calendar has a series that is too long or makes no sense, or too many meetings; some are left out"
            );
        }
        self.extent = extent;
        self.read = Some((version, today));
        Ok(())
    }

    /// The entries that have meetings in the coming days, by name.
    async fn listed(
        &self,
        device: &CalendarServer,
        today: Date,
    ) -> Result<Vec<(String, Report)>, Error> {
        // Servers take times without a zone for their own, which may be a day off.
        let zone = &self.premises.zone;
        let from = today
            .checked_sub(1.day())
            .ok()
            .and_then(|day| zone.start_of(day));
        let to = today.checked_add((DAYS + 2).days()).ok();
        let to = to.and_then(|day| zone.start_of(day));
        let (from, to) = from
            .zip(to)
            .ok_or_else(|| Error::new("the clock is at the end of time"))?;
        let reports = protocol::reports(device.ask(protocol::ask_entries(from, to)?).await?)?;
        let named = reports.into_iter().filter_map(|report| {
            let name = protocol::name_of(&report.href)?.to_owned();
            Some((name, report))
        });
        let mut listed: Vec<(String, Report)> = named.collect();
        if listed.len() > ENTRIES_MAX {
            warn!(
                self.context,
                "the calendar has {} entries in the coming days; {ENTRIES_MAX} are read",
                listed.len()
            );
            listed.truncate(ENTRIES_MAX);
        }
        Ok(listed)
    }

    /// The entries at these paths, by name.
    async fn texts(
        &self,
        device: &CalendarServer,
        hrefs: Vec<String>,
    ) -> Result<Vec<(String, Entry)>, Error> {
        let mut entries = Vec::with_capacity(hrefs.len());
        let mut batches: Vec<Vec<String>> = hrefs
            .chunks(ENTRIES_PER_REQUEST)
            .map(<[String]>::to_vec)
            .collect();
        while let Some(batch) = batches.pop() {
            let response = device.ask(protocol::ask_texts(&batch)?).await?;
            let status = response.status();
            let reports = match protocol::reports(response) {
                Ok(reports) => reports,
                // It was too long to be read.
                Err(_) if status == 207 && batch.len() > 1 => {
                    let (one, other) = batch.split_at(batch.len() / 2);
                    batches.extend([one.to_vec(), other.to_vec()]);
                    continue;
                }
                Err(error) if status == 207 => {
                    warn!(
                        self.context,
                        "an entry of the calendar is left out: {error}"
                    );
                    continue;
                }
                Err(error) => return Err(error),
            };
            for report in reports {
                // One that is gone meanwhile has no text.
                let named = protocol::name_of(&report.href).zip(report.data.as_ref());
                let Some((name, text)) = named else { continue };
                let entry = self.entry(text.as_bytes(), report.etag.clone());
                let entry = entry.unwrap_or_else(|unreadable| {
                    warn!(
                        self.context,
                        "an entry of the calendar is left out: {unreadable}"
                    );
                    // It is not read again until it changes.
                    Entry {
                        etag: report.etag.clone(),
                        series: Vec::new(),
                    }
                });
                entries.push((name.to_owned(), entry));
            }
        }
        Ok(entries)
    }

    fn entry(&self, text: &[u8], etag: Option<String>) -> Result<Entry, ical::Unreadable> {
        let document = Document::parse(text)?;
        let series = Series::all(&document, self.premises.place());
        Ok(Entry { etag, series })
    }
}

fn version(response: Response) -> Result<Version, Error> {
    let mut reports = protocol::reports(response)?.into_iter();
    Ok(reports
        .next()
        .map(|report| report.versions)
        .unwrap_or_default())
}

fn not_read() -> Error {
    Error::new("the device is not connected: the calendar has not been read yet").with_code(503)
}
