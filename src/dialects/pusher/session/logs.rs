//! Logs of modules. A module may stand in several systems, and its log be shown in a channel of each; it is followed once, and its lines are written for each channel.

use std::mem;

use crate::dialects::Out;
use crate::dialects::pusher::encode::put_line;
use crate::dialects::pusher::session::{Client, Turn};
use crate::model::{LogLine, ModuleId, Request};

impl Client {
    /// Writes a line in the channels that show its log.
    pub(super) fn log_line(&self, line: &LogLine, out: &mut Out<'_>) {
        let mut channels: Vec<_> = self.channels.showing(&line.module).collect();
        channels.sort_unstable();
        for channel in channels {
            out.text(|out| put_line(channel, line, out));
        }
    }

    /// Follows those logs no longer that no channel shows.
    pub(super) fn end_logs(&mut self, turn: &mut Turn<'_, '_>) {
        // It may be one of those that are followed.
        if self.channels.awaits_log() {
            return;
        }
        let logs = mem::take(&mut self.logs).into_iter();
        let is_shown = |module: &ModuleId| self.channels.showing(module).next().is_some();
        let (shown, ended): (Vec<ModuleId>, Vec<ModuleId>) = logs.partition(is_shown);
        self.logs = shown;
        for module in ended {
            let request = Request::Ignore(module.into());
            self.requests.tell(request, turn.out);
        }
    }

    /// A channel shows the log of this module.
    pub(super) fn shows_log(&mut self, name: &str, module: ModuleId, turn: &mut Turn<'_, '_>) {
        if !self.logs.contains(&module) {
            self.logs.push(module.clone());
        }
        if let Some(subscription) = self.channels.entered_mut(name) {
            subscription.log = Some(module);
        }
        // One that was shown elsewhere may have ended meanwhile.
        self.end_logs(turn);
    }
}
