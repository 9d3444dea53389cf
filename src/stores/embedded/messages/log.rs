//! The log of one service: what it has sent that some device has not read, and how far devices have come.
//!
//! A device's place is a mark, and the log counts the devices at each mark; so a message costs the same for one subscriber and for ten thousand, and to read costs the same for one message and for a thousand.
//! A message that no mark is before has been read by all and is deleted. Since marks are in order, such messages are always the oldest.
//! The floor is behind the last deleted message: marks that are at it or before it are one number in the service's row, so that no message has to be looked for among old marks.

use crate::model::{Message, MessageNumber, Notice, ServiceKey, Timestamp};
use crate::stores::embedded::messages::rows::ServiceRow;
use crate::stores::embedded::messages::tables::Tables;
use crate::stores::limits::KEPT_MESSAGES_MAX;

type Result<T> = std::result::Result<T, redb::Error>;

/// The log of a service while it is worked on. [`Log::close`] writes what is changed in the service's row.
pub(super) struct Log<'w, 't> {
    tables: &'w mut Tables<'t>,
    service: &'w ServiceKey,
    pub(super) row: ServiceRow,
}

impl<'w, 't> Log<'w, 't> {
    pub(super) fn open(tables: &'w mut Tables<'t>, service: &'w ServiceKey) -> Result<Self> {
        let row = tables.service(service.as_str())?;
        Ok(Self {
            tables,
            service,
            row,
        })
    }

    pub(super) fn close(self) -> Result<()> {
        self.tables.put_service(self.service.as_str(), &self.row)
    }

    /// Adds a message. Says how many devices have lost an older one for it.
    pub(super) fn append(&mut self, notice: Notice, at: Timestamp) -> Result<(Message, u64)> {
        let message = Message {
            number: self.tables.next_number()?,
            previous: MessageNumber(self.row.last),
            service: self.service.clone(),
            notice,
            at,
        };
        if self.row.kept == 0 && self.row.last > 0 {
            // It was there as the last one alone.
            let service = self.service.as_str();
            self.tables.remove_message(service, self.row.last)?;
        }
        self.tables.put_message(&message)?;
        self.row.last = message.number.0;
        self.row.by_level[usize::from(message.notice.level.number()) - 1] += 1;
        if self.row.subscribers == 0 {
            self.row.floor = self.row.last;
            return Ok((message, 0));
        }
        self.tables.put_order(&message)?;
        self.row.kept += 1;
        let dropped = if self.row.kept > KEPT_MESSAGES_MAX as u64 {
            self.drop_oldest()?
        } else {
            0
        };
        Ok((message, dropped))
    }

    /// Lets a device in, which has read everything so far. Gives its mark.
    pub(super) fn join(&mut self) -> Result<u64> {
        self.row.subscribers += 1;
        self.add(self.row.last)?;
        Ok(self.row.last)
    }

    /// Lets a device go that has read up to this mark.
    pub(super) fn leave(&mut self, mark: u64) -> Result<()> {
        self.row.subscribers = self.row.subscribers.saturating_sub(1);
        self.remove(mark)?;
        self.settle()
    }

    /// A device that has read up to a mark reads on to another one.
    pub(super) fn pass(&mut self, from: u64, to: u64) -> Result<()> {
        self.remove(from)?;
        self.add(to)?;
        self.settle()
    }

    /// Deletes the oldest message, whoever has not read it. Says how many devices these were.
    pub(super) fn drop_oldest(&mut self) -> Result<u64> {
        let Some(oldest) = self.oldest()? else {
            return Ok(0);
        };
        self.raise_floor(oldest - 1)?;
        let devices = self.row.at_floor;
        self.delete(oldest)?;
        Ok(devices)
    }

    /// Deletes everything.
    pub(super) fn clear(mut self) -> Result<()> {
        let service = self.service.as_str();
        while let Some(number) = self.tables.number_after(service, self.row.floor)? {
            self.tables.remove_order(number)?;
            self.tables.remove_message(service, number)?;
            self.row.floor = number;
        }
        self.tables.remove_message(service, self.row.last)?;
        self.tables.take_marks(service, u64::MAX)?;
        self.row = ServiceRow::default();
        self.close()
    }

    /// Deletes what all have read.
    fn settle(&mut self) -> Result<()> {
        while self.row.at_floor == 0 {
            let Some(oldest) = self.oldest()? else {
                return Ok(());
            };
            self.raise_floor(oldest - 1)?;
            if self.row.at_floor == 0 {
                self.delete(oldest)?;
            }
        }
        Ok(())
    }

    fn oldest(&self) -> Result<Option<u64>> {
        if self.row.kept == 0 {
            return Ok(None);
        }
        self.tables
            .number_after(self.service.as_str(), self.row.floor)
    }

    fn delete(&mut self, oldest: u64) -> Result<()> {
        self.tables.remove_order(oldest)?;
        if oldest != self.row.last {
            self.tables.remove_message(self.service.as_str(), oldest)?;
        }
        self.row.kept -= 1;
        self.raise_floor(oldest)
    }

    /// Devices at marks up to here are at the floor from now on.
    fn raise_floor(&mut self, to: u64) -> Result<()> {
        if to > self.row.floor {
            self.row.at_floor += self.tables.take_marks(self.service.as_str(), to)?;
            self.row.floor = to;
        }
        Ok(())
    }

    fn add(&mut self, mark: u64) -> Result<()> {
        if mark > self.row.floor {
            self.tables.add_mark(self.service.as_str(), mark)
        } else {
            self.row.at_floor += 1;
            Ok(())
        }
    }

    fn remove(&mut self, mark: u64) -> Result<()> {
        if mark > self.row.floor {
            self.tables.remove_mark(self.service.as_str(), mark)
        } else {
            self.row.at_floor = self.row.at_floor.saturating_sub(1);
            Ok(())
        }
    }
}
