//! The tables of the file in one transaction. All that is written goes through here, so that it is known whether there is anything to commit.
//!
//! Rows are small but for those of messages: a device that reads changes no message.

use redb::{Database, Range, ReadableDatabase, ReadableTable, Table, WriteTransaction};

use crate::model::{DeviceId, Message, MessageNumber, Notice, ServiceKey, Timestamp};
use crate::stores::embedded::messages::rows::{
    BATCHES, COUNTERS, DEVICES, DeviceRow, LAST_NUMBER, MARKS, MESSAGES, MessageValue, ORDER,
    SERVICES, SUBSCRIBERS, SUBSCRIPTIONS, ServiceRow, ServiceValue, SubscriptionRow, damaged,
    message, service_key, subscription,
};
use crate::stores::embedded::schema::Schema;

type Result<T> = std::result::Result<T, redb::Error>;

/// The newest schema, to which there is a step from each older one.
pub(super) const SCHEMA: Schema<'static> = Schema {
    tables: |transaction| Tables::open(transaction).map(drop),
    steps: &[],
};

/// The tables in one transaction.
pub(super) struct Tables<'t> {
    services: Table<'t, &'static str, ServiceValue>,
    messages: Table<'t, (&'static str, u64), MessageValue<'static>>,
    order: Table<'t, u64, (&'static str, u64)>,
    marks: Table<'t, (&'static str, u64), u64>,
    subscriptions: Table<'t, (&'static str, &'static str), (u64, u64)>,
    subscribers: Table<'t, (&'static str, &'static str), ()>,
    devices: Table<'t, &'static str, (u64, u64)>,
    counters: Table<'t, &'static str, u64>,
    /// Whether anything was written.
    pub(super) is_changed: bool,
}

impl<'t> Tables<'t> {
    pub(super) fn open(transaction: &'t WriteTransaction) -> Result<Self> {
        Ok(Self {
            services: transaction.open_table(SERVICES)?,
            messages: transaction.open_table(MESSAGES)?,
            order: transaction.open_table(ORDER)?,
            marks: transaction.open_table(MARKS)?,
            subscriptions: transaction.open_table(SUBSCRIPTIONS)?,
            subscribers: transaction.open_table(SUBSCRIBERS)?,
            devices: transaction.open_table(DEVICES)?,
            counters: transaction.open_table(COUNTERS)?,
            is_changed: false,
        })
    }

    // Numbers.

    pub(super) fn next_number(&mut self) -> Result<MessageNumber> {
        self.count(LAST_NUMBER).map(MessageNumber)
    }

    pub(super) fn next_batch(&mut self) -> Result<u64> {
        self.count(BATCHES)
    }

    fn count(&mut self, counter: &str) -> Result<u64> {
        self.is_changed = true;
        let next = 1 + self.counters.get(counter)?.map_or(0, |row| row.value());
        self.counters.insert(counter, next)?;
        Ok(next)
    }

    // Services.

    pub(super) fn service(&self, service: &str) -> Result<ServiceRow> {
        let Some(row) = self.services.get(service)? else {
            return Ok(ServiceRow::default());
        };
        let (last, floor, at_floor, subscribers, kept, by_level) = row.value();
        Ok(ServiceRow {
            last,
            floor,
            at_floor,
            subscribers,
            kept,
            by_level,
        })
    }

    /// Of a service that is as if it were never heard of there is no row.
    pub(super) fn put_service(&mut self, service: &str, row: &ServiceRow) -> Result<()> {
        self.is_changed = true;
        if *row == ServiceRow::default() {
            self.services.remove(service)?;
            return Ok(());
        }
        let ServiceRow {
            last,
            floor,
            at_floor,
            subscribers,
            kept,
            by_level,
        } = *row;
        let value = (last, floor, at_floor, subscribers, kept, by_level);
        self.services.insert(service, value)?;
        Ok(())
    }

    // Messages.

    pub(super) fn put_message(&mut self, message: &Message) -> Result<()> {
        self.is_changed = true;
        let Notice {
            text,
            title,
            link,
            level,
        } = &message.notice;
        let value = (
            message.previous.0,
            message.at.0,
            level.number(),
            title.as_str(),
            link.as_str(),
            text.as_str(),
        );
        let key = (message.service.as_str(), message.number.0);
        self.messages.insert(key, value)?;
        Ok(())
    }

    pub(super) fn remove_message(&mut self, service: &str, number: u64) -> Result<()> {
        self.is_changed = true;
        self.messages.remove((service, number))?;
        Ok(())
    }

    pub(super) fn message(&self, service: &ServiceKey, number: u64) -> Result<Option<Message>> {
        let row = self.messages.get((service.as_str(), number))?;
        Ok(row.map(|row| message(service, number, row.value())))
    }

    /// The messages of a service after this one.
    pub(super) fn messages_after(&self, service: &ServiceKey, after: u64) -> Result<Messages<'_>> {
        let rows = (service.as_str(), after + 1)..=(service.as_str(), u64::MAX);
        Ok(Messages {
            service: service.clone(),
            rows: self.messages.range(rows)?,
        })
    }

    /// The number of the first message after this one.
    pub(super) fn number_after(&self, service: &str, after: u64) -> Result<Option<u64>> {
        let rows = (service, after + 1)..=(service, u64::MAX);
        let first = self.messages.range(rows)?.next().transpose()?;
        Ok(first.map(|(key, _)| key.value().1))
    }

    /// Of what some device has not read, the first message's number and service, if it was sent before this moment.
    pub(super) fn first_before(&self, before: Timestamp) -> Result<Option<(u64, ServiceKey)>> {
        let Some((number, row)) = self.order.first()? else {
            return Ok(None);
        };
        let (service, at) = row.value();
        let is_before = at < before.0;
        is_before
            .then(|| Ok((number.value(), service_key(service)?)))
            .transpose()
    }

    pub(super) fn put_order(&mut self, message: &Message) -> Result<()> {
        self.is_changed = true;
        let value = (message.service.as_str(), message.at.0);
        self.order.insert(message.number.0, value)?;
        Ok(())
    }

    pub(super) fn remove_order(&mut self, number: u64) -> Result<()> {
        self.is_changed = true;
        self.order.remove(number)?;
        Ok(())
    }

    // Marks.

    /// One device more at a mark.
    pub(super) fn add_mark(&mut self, service: &str, mark: u64) -> Result<()> {
        self.is_changed = true;
        let devices = self
            .marks
            .get((service, mark))?
            .map_or(0, |row| row.value());
        self.marks.insert((service, mark), devices + 1)?;
        Ok(())
    }

    /// One device less at a mark.
    pub(super) fn remove_mark(&mut self, service: &str, mark: u64) -> Result<()> {
        self.is_changed = true;
        let devices = self
            .marks
            .get((service, mark))?
            .map_or(0, |row| row.value());
        if devices > 1 {
            self.marks.insert((service, mark), devices - 1)?;
        } else {
            self.marks.remove((service, mark))?;
        }
        Ok(())
    }

    /// Forgets the marks up to this one, and says how many devices that were.
    pub(super) fn take_marks(&mut self, service: &str, to: u64) -> Result<u64> {
        let mut devices = 0;
        self.marks
            .retain_in((service, 0)..=(service, to), |_, count| {
                devices += count;
                false
            })?;
        self.is_changed |= devices > 0;
        Ok(devices)
    }

    // Subscriptions.

    pub(super) fn subscription(
        &self,
        device: &str,
        service: &str,
    ) -> Result<Option<SubscriptionRow>> {
        let row = self.subscriptions.get((device, service))?;
        Ok(row.map(|row| subscription(row.value())))
    }

    /// What a device is subscribed to.
    pub(super) fn subscriptions(&self, device: &str) -> Result<Vec<(ServiceKey, SubscriptionRow)>> {
        let mut all = Vec::new();
        for row in self.subscriptions.range((device, "")..)? {
            let (key, row) = row?;
            let (of, service) = key.value();
            if of != device {
                break;
            }
            all.push((service_key(service)?, subscription(row.value())));
        }
        Ok(all)
    }

    /// Who is subscribed to a service.
    pub(super) fn subscribers(&self, service: &str) -> Result<Vec<DeviceId>> {
        let mut all = Vec::new();
        for row in self.subscribers.range((service, "")..)? {
            let (key, _) = row?;
            let (of, device) = key.value();
            if of != service {
                break;
            }
            all.push(DeviceId::new(device).map_err(damaged)?);
        }
        Ok(all)
    }

    pub(super) fn put_subscription(
        &mut self,
        device: &str,
        service: &str,
        row: SubscriptionRow,
    ) -> Result<()> {
        self.is_changed = true;
        let value = (row.since.0, row.mark);
        self.subscriptions.insert((device, service), value)?;
        self.subscribers.insert((service, device), ())?;
        Ok(())
    }

    /// Moves the mark of a subscription that is there.
    pub(super) fn move_mark(
        &mut self,
        device: &str,
        service: &str,
        row: SubscriptionRow,
    ) -> Result<()> {
        self.is_changed = true;
        let value = (row.since.0, row.mark);
        self.subscriptions.insert((device, service), value)?;
        Ok(())
    }

    pub(super) fn remove_subscription(
        &mut self,
        device: &str,
        service: &str,
    ) -> Result<Option<SubscriptionRow>> {
        let removed = self.subscriptions.remove((device, service))?;
        let removed = removed.map(|row| subscription(row.value()));
        if removed.is_some() {
            self.is_changed = true;
            self.subscribers.remove((service, device))?;
        }
        Ok(removed)
    }

    // Devices.

    pub(super) fn device(&self, device: &str) -> Result<Option<DeviceRow>> {
        let row = self.devices.get(device)?;
        Ok(row.map(|row| {
            let (subscriptions, checked) = row.value();
            DeviceRow {
                subscriptions,
                checked: Timestamp(checked),
            }
        }))
    }

    /// Of a device without subscriptions there is no row.
    pub(super) fn put_device(&mut self, device: &str, row: DeviceRow) -> Result<()> {
        self.is_changed = true;
        if row.subscriptions == 0 {
            self.devices.remove(device)?;
        } else {
            let value = (row.subscriptions, row.checked.0);
            self.devices.insert(device, value)?;
        }
        Ok(())
    }
}

/// How many batches the file has.
pub(super) fn batches(database: &Database) -> Result<u64> {
    let counters = database.begin_read()?.open_table(COUNTERS)?;
    Ok(counters.get(BATCHES)?.map_or(0, |row| row.value()))
}

/// Messages of one service, in their order.
pub(super) struct Messages<'r> {
    service: ServiceKey,
    rows: Range<'r, (&'static str, u64), MessageValue<'static>>,
}

impl Iterator for Messages<'_> {
    type Item = Result<Message>;

    fn next(&mut self) -> Option<Self::Item> {
        let row = self.rows.next()?;
        Some(match row {
            Ok((key, row)) => Ok(message(&self.service, key.value().1, row.value())),
            Err(error) => Err(error.into()),
        })
    }
}
