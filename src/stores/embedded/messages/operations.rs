//! What can be done with messages, each as a function over the tables of one transaction.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::sync::Arc;

use crate::model::{
    DeviceId, Mark, MessageNews, Notice, ServiceKey, Subscription, Timestamp, Unread,
};
use crate::stores::embedded::messages::log::Log;
use crate::stores::embedded::messages::rows::{DeviceRow, SubscriptionRow};
use crate::stores::embedded::messages::tables::Tables;
use crate::stores::limits::{
    DEVICE_SUBSCRIPTIONS_MAX, EXPIRED_MAX, SERVICE_SUBSCRIPTIONS_MAX, UNREAD_MAX, UNREAD_MAX_BYTES,
};
use crate::stores::{Sent, Subscribed, Tally};

type Result<T> = std::result::Result<T, redb::Error>;

/// What operations of one batch work with.
pub(super) struct Work<'t> {
    pub(super) tables: Tables<'t>,
    /// What is to be told when the batch holds, in its order.
    pub(super) news: Vec<MessageNews>,
    /// How many bytes of messages the answers have so far.
    pub(super) answer_bytes: usize,
}

impl Work<'_> {
    pub(super) fn subscribe(
        &mut self,
        device: &DeviceId,
        service: &ServiceKey,
        at: Timestamp,
    ) -> Result<Subscribed> {
        let tables = &mut self.tables;
        let name = device.as_str();
        if tables.subscription(name, service.as_str())?.is_some() {
            return Ok(Subscribed::Already);
        }
        let mut row = tables.device(name)?.unwrap_or(DeviceRow {
            subscriptions: 0,
            checked: at,
        });
        let mut log = Log::open(tables, service)?;
        if row.subscriptions >= DEVICE_SUBSCRIPTIONS_MAX as u64
            || log.row.subscribers >= SERVICE_SUBSCRIPTIONS_MAX as u64
        {
            return Ok(Subscribed::Full);
        }
        let mark = log.join()?;
        log.close()?;
        row.subscriptions += 1;
        tables.put_device(name, row)?;
        let subscription = SubscriptionRow { since: at, mark };
        tables.put_subscription(name, service.as_str(), subscription)?;
        self.tell(device, shown(service, subscription, row), true);
        Ok(Subscribed::New)
    }

    pub(super) fn unsubscribe(&mut self, device: &DeviceId, service: &ServiceKey) -> Result<bool> {
        let removed = self.end_subscription(device, service)?;
        let Some(removed) = removed else {
            return Ok(false);
        };
        let mut log = Log::open(&mut self.tables, service)?;
        log.leave(removed.mark)?;
        log.close()?;
        Ok(true)
    }

    pub(super) fn subscriptions(&self, device: &DeviceId) -> Result<Vec<Subscription>> {
        let Some(row) = self.tables.device(device.as_str())? else {
            return Ok(Vec::new());
        };
        let all = self.tables.subscriptions(device.as_str())?.into_iter();
        let mut all: Vec<Subscription> = all
            .map(|(service, subscription)| shown(&service, subscription, row))
            .collect();
        all.sort_by_key(|subscription| subscription.since);
        Ok(all)
    }

    pub(super) fn send(
        &mut self,
        service: &ServiceKey,
        notice: Notice,
        at: Timestamp,
    ) -> Result<Sent> {
        let mut log = Log::open(&mut self.tables, service)?;
        let (message, dropped) = log.append(notice, at)?;
        let sent = Sent {
            number: message.number,
            devices: log.row.subscribers,
            dropped,
        };
        log.close()?;
        self.news.push(MessageNews::Sent(Arc::new(message)));
        Ok(sent)
    }

    pub(super) fn unread(&mut self, device: &DeviceId) -> Result<Unread> {
        let subscriptions = self.tables.subscriptions(device.as_str())?;
        let mut unread = Unread::default();
        // The next message of each service, the one that was sent first on top.
        let mut heads = BinaryHeap::new();
        let mut logs = Vec::new();
        for (service, row) in subscriptions {
            let log = self.tables.service(service.as_str())?;
            let read = row.mark.max(log.floor);
            if read >= log.last {
                continue;
            }
            let mut messages = self.tables.messages_after(&service, read)?;
            if let Some(first) = messages.next().transpose()? {
                heads.push(Reverse(Head {
                    number: first.number.0,
                    log: logs.len(),
                }));
                logs.push((Some(first), messages));
            }
        }
        let mut bytes = 0;
        while let Some(Reverse(head)) = heads.pop() {
            let (first, rest) = &mut logs[head.log];
            let Some(message) = first.take() else {
                continue;
            };
            let size = message.notice.size();
            let fits = unread.messages.len() < UNREAD_MAX && bytes + size <= UNREAD_MAX_BYTES;
            if !fits && !unread.messages.is_empty() {
                unread.more = true;
                break;
            }
            bytes += size;
            unread.messages.push(Arc::new(message));
            *first = rest.next().transpose()?;
            if let Some(next) = first {
                heads.push(Reverse(Head {
                    number: next.number.0,
                    log: head.log,
                }));
            }
        }
        self.answer_bytes += bytes;
        Ok(unread)
    }

    pub(super) fn take(&mut self, device: &DeviceId, at: Timestamp) -> Result<Unread> {
        let unread = self.unread(device)?;
        let mut read = BTreeMap::new();
        for message in &unread.messages {
            read.insert(message.service.clone(), message.number.0);
        }
        for (service, number) in read {
            self.pass(device, &service, number)?;
        }
        self.look(device, at)?;
        Ok(unread)
    }

    pub(super) fn read(&mut self, device: &DeviceId, marks: &[Mark], at: Timestamp) -> Result<()> {
        for mark in marks {
            self.pass(device, &mark.service, mark.number.0)?;
        }
        self.look(device, at)
    }

    pub(super) fn read_all(&mut self, device: &DeviceId, at: Timestamp) -> Result<()> {
        for (service, _) in self.tables.subscriptions(device.as_str())? {
            self.pass(device, &service, u64::MAX)?;
        }
        self.look(device, at)
    }

    pub(super) fn forget(&mut self, service: &ServiceKey) -> Result<()> {
        for device in self.tables.subscribers(service.as_str())? {
            self.end_subscription(&device, service)?;
        }
        let log = Log::open(&mut self.tables, service)?;
        log.clear()
    }

    pub(super) fn tallies(&self, services: &[ServiceKey]) -> Result<Vec<Tally>> {
        let mut tallies = Vec::with_capacity(services.len());
        for service in services {
            let row = self.tables.service(service.as_str())?;
            let last = self.tables.message(service, row.last)?;
            tallies.push(Tally {
                by_level: row.by_level,
                last: last.map(Arc::new),
                unread: row.kept,
            });
        }
        Ok(tallies)
    }

    /// Drops some of what is too old. Says how many that were, and whether there may be more.
    pub(super) fn expire(&mut self, before: Timestamp) -> Result<(u64, bool)> {
        let mut dropped = 0;
        for _ in 0..EXPIRED_MAX {
            let Some((number, service)) = self.tables.first_before(before)? else {
                return Ok((dropped, false));
            };
            let mut log = Log::open(&mut self.tables, &service)?;
            dropped += log.drop_oldest()?;
            log.close()?;
            // Whatever the log had, so that this comes to an end.
            self.tables.remove_order(number)?;
        }
        Ok((dropped, true))
    }

    /// A device has read a service so far, if it had not come as far before.
    fn pass(&mut self, device: &DeviceId, service: &ServiceKey, number: u64) -> Result<()> {
        let (device, tables) = (device.as_str(), &mut self.tables);
        let Some(row) = tables.subscription(device, service.as_str())? else {
            return Ok(());
        };
        let mut log = Log::open(tables, service)?;
        let mark = number.min(log.row.last);
        if mark <= row.mark.max(log.row.floor) {
            return Ok(());
        }
        log.pass(row.mark, mark)?;
        log.close()?;
        let row = SubscriptionRow { mark, ..row };
        tables.move_mark(device, service.as_str(), row)
    }

    /// A device has looked. Of one without subscriptions that is not noted.
    fn look(&mut self, device: &DeviceId, at: Timestamp) -> Result<()> {
        match self.tables.device(device.as_str())? {
            Some(row) if row.checked < at => {
                let row = DeviceRow { checked: at, ..row };
                self.tables.put_device(device.as_str(), row)
            }
            Some(_) | None => Ok(()),
        }
    }

    /// Ends a subscription, but for the device's place in the log.
    fn end_subscription(
        &mut self,
        device: &DeviceId,
        service: &ServiceKey,
    ) -> Result<Option<SubscriptionRow>> {
        let name = device.as_str();
        let removed = self.tables.remove_subscription(name, service.as_str())?;
        let (Some(removed), Some(mut row)) = (removed, self.tables.device(name)?) else {
            return Ok(None);
        };
        row.subscriptions -= 1;
        self.tables.put_device(name, row)?;
        self.tell(device, shown(service, removed, row), false);
        Ok(Some(removed))
    }

    fn tell(&mut self, device: &DeviceId, subscription: Subscription, is_active: bool) {
        self.news.push(MessageNews::Subscribed {
            device: device.clone(),
            subscription,
            is_active,
        });
    }
}

/// Where a service's next message stands in the order.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Head {
    number: u64,
    log: usize,
}

fn shown(service: &ServiceKey, row: SubscriptionRow, device: DeviceRow) -> Subscription {
    Subscription {
        service: service.clone(),
        since: row.since,
        checked: device.checked.max(row.since),
    }
}
