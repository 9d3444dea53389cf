//! Messages that leave for the listener: in the order in which they were sent, each once, and no more than it can get at a time.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::dialects::pushjet::limits::BATCH_MAX_BYTES;
use crate::dialects::pushjet::session::Turn;
use crate::dialects::pushjet::session::listener::Listener;
use crate::dialects::pushjet::session::waiting::Room;
use crate::dialects::pushjet::shapes;
use crate::model::{Mark, Message, MessageNumber, ServiceKey, Unread};

/// What a batch brings a listener to, service by service.
type Marks = BTreeMap<ServiceKey, MessageNumber>;

/// What became of a message.
enum Outcome {
    /// It leaves, by so many bytes.
    Sent(usize),
    /// The listener has it already.
    Known,
    /// Its service is not to be seen, or not known to be subscribed to.
    Hidden,
}

impl Listener {
    /// Sends what is unread, with what was heard of meanwhile: another listener of the device may have read that already.
    pub(super) fn fetched(&mut self, unread: Unread, turn: &mut Turn<'_, '_>) {
        let Unread { mut messages, more } = unread;
        let last = messages.last().map(|message| message.number);
        let fetched = passed(&messages);
        // Up to its last message an answer is whole. What was sent later waits for the rest, and for what fills a gap that was found since.
        let is_whole = !more && !self.wants_unread;
        if is_whole || last.is_some() {
            messages.append(&mut self.waiting.take(last.filter(|_| !is_whole)));
            messages.sort_by_key(|message| message.number);
            messages.dedup_by_key(|message| message.number);
        }
        let are_all_hidden = self.deliver(messages, turn);
        match (more, are_all_hidden) {
            (true, true) => self.pass_over(fetched),
            (true, false) => self.wants_unread = true,
            (false, _) => {}
        }
    }

    /// Nothing of a part can be shown: it is marked as read, or the rest would never come.
    fn pass_over(&mut self, fetched: Marks) {
        self.wants_unread = !fetched.is_empty();
        self.marks = list(fetched);
    }

    /// Sends messages, as many as the listener can get at a time; the others wait. Says whether all that there are have to stay hidden.
    pub(super) fn deliver(&mut self, messages: Vec<Arc<Message>>, turn: &mut Turn<'_, '_>) -> bool {
        let mut got = Marks::new();
        let (mut bytes, mut hidden) = (0, 0);
        let count = messages.len();
        for message in messages {
            if bytes >= BATCH_MAX_BYTES {
                self.put_back(message);
                continue;
            }
            match self.send(&message, turn) {
                Outcome::Sent(written) => bytes += written,
                Outcome::Known => {}
                Outcome::Hidden => {
                    hidden += 1;
                    continue;
                }
            }
            got.insert(message.service.clone(), message.number);
        }
        self.has_hidden |= hidden > 0;
        match bytes {
            // Known is what the listener has confirmed, so that can be marked again.
            0 => self.marks = list(got),
            _ => self.confirm(list(got), turn),
        }
        hidden == count
    }

    fn put_back(&mut self, message: Arc<Message>) {
        self.wants_unread |= self.waiting.push(message) == Room::TooLittle;
    }

    fn send(&mut self, message: &Arc<Message>, turn: &mut Turn<'_, '_>) -> Outcome {
        let Some(subscribed) = self.subscriptions.get_mut(&message.service) else {
            return Outcome::Hidden;
        };
        let number = Some(message.number);
        if subscribed.sent >= number {
            return Outcome::Known;
        }
        let Some(service) = turn.view.service(&message.service) else {
            return Outcome::Hidden;
        };
        subscribed.sent = number;
        subscribed.heard = subscribed.heard.max(number);
        let mut written = 0;
        turn.out.text(|out| {
            let start = out.len();
            shapes::put_message(message, service, out);
            written = out.len() - start;
        });
        Outcome::Sent(written)
    }
}

/// How far these messages go.
fn passed(messages: &[Arc<Message>]) -> Marks {
    let passed = messages.iter();
    passed
        .map(|message| (message.service.clone(), message.number))
        .collect()
}

fn list(marks: Marks) -> Vec<Mark> {
    let marks = marks.into_iter();
    marks
        .map(|(service, number)| Mark { service, number })
        .collect()
}

#[cfg(test)]
mod tests {
    use crate::dialects::pushjet::limits::{BATCH_MAX_BYTES, TEXT_MAX_BYTES, WAITING_MAX};
    use crate::dialects::pushjet::stage::{Stage, message};

    /// A listener that has just been sent a message, and has not confirmed it.
    fn busy() -> Stage {
        let mut stage = Stage::listening();
        stage.subscribe('a');
        send(&mut stage, "first");
        stage.lines.clear();
        stage
    }

    fn send(stage: &mut Stage, text: &str) {
        stage.send('a', message('a', 0, text).notice.clone());
    }

    fn frames(stage: &Stage) -> Vec<&str> {
        let lines = stage.lines.iter();
        lines.filter_map(|line| line.strip_prefix("S> ")).collect()
    }

    #[test]
    fn a_batch_is_bounded_in_bytes_and_the_rest_comes_behind_it() {
        let mut stage = busy();
        // Each byte of it is six in a frame.
        let large = "\u{1}".repeat(TEXT_MAX_BYTES);
        for _ in 0..5 {
            send(&mut stage, &large);
        }
        let mut counts = Vec::new();
        while stage.got() {
            let bytes: usize = frames(&stage).iter().map(|frame| frame.len()).sum();
            assert!(bytes < BATCH_MAX_BYTES + 7 * TEXT_MAX_BYTES, "{bytes}");
            counts.push(frames(&stage).len());
            stage.lines.clear();
        }
        assert_eq!(counts, [3, 2, 0]);
        assert!(stage.store.unread().is_empty());
    }

    #[test]
    fn what_has_no_room_to_wait_is_fetched_later() {
        let mut stage = busy();
        let count = WAITING_MAX + 6;
        for number in 0..count {
            send(&mut stage, &format!("<{number}>"));
        }
        assert_eq!(frames(&stage).len(), 0, "nothing was confirmed yet");
        while stage.got() {}
        let came = frames(&stage);
        assert_eq!(came.len(), count);
        for (number, frame) in came.iter().enumerate() {
            assert!(frame.contains(&format!("<{number}>")), "{frame}");
        }
    }
}
