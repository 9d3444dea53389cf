//! What is sent to Redis in one round trip: what waits in the queue, or what is to be told afresh after a loss.

use std::collections::VecDeque;

use redis::Pipeline;
use tokio::sync::oneshot;

use crate::model::{ClusterConnectionId, ConnectionId, Member, TopicId};
use crate::stores::redis::keyspace::TOPICS;
use crate::stores::redis::limits::{
    BATCH_TARGET_BYTES, PIPELINE_MAX_BYTES, TOPIC_BATCH, UNKNOWN_TOPICS_AT_ONCE,
};
use crate::stores::redis::topics::publications::Published;
use crate::stores::redis::topics::scripts::{Scripts, SessionId};
use crate::stores::redis::topics::table::{Operation, Table};
use crate::stores::redis::topics::topic::{Slot, Stage};
use crate::stores::redis::topics::wire::{
    connection_text, message_text, published_text, rules_text, topic_channel,
};

/// Commands, and what each answer is for.
#[derive(Default)]
pub(super) struct Batch {
    pub(super) commands: Pipeline,
    pub(super) answers: Vec<Answered>,
}

/// What an answer is for.
#[derive(Debug)]
pub(super) enum Answered {
    /// Only an error matters.
    Command,
    /// A message.
    Message(oneshot::Sender<Published>),
    /// A page of the topics that Redis has of this process.
    Page,
    /// Processes that are gone were taken out, and there may be more of that to do.
    Sweep,
    /// Reports were asked for.
    Reports,
}

/// Puts commands together for one session.
pub(super) struct Batcher<'s> {
    pub(super) scripts: &'s Scripts,
    pub(super) session: SessionId,
    pub(super) batch: Batch,
    /// What was put into the batch, in bytes of messages and members.
    bytes: usize,
    /// Topics whose members are asked for, however many these are.
    unknown: usize,
}

impl<'s> Batcher<'s> {
    pub(super) fn new(scripts: &'s Scripts, session: SessionId) -> Self {
        Self {
            scripts,
            session,
            batch: Batch::default(),
            bytes: 0,
            unknown: 0,
        }
    }

    fn has_room(&self) -> bool {
        self.batch.answers.len() < TOPIC_BATCH
            && self.bytes < PIPELINE_MAX_BYTES
            && self.unknown < UNKNOWN_TOPICS_AT_ONCE
    }

    /// Runs a script, of whose answer only an error matters.
    pub(super) fn run(&mut self, script: &redis::Script) -> &mut Pipeline {
        self.run_for(Answered::Command, script)
    }

    pub(super) fn run_for(&mut self, answered: Answered, script: &redis::Script) -> &mut Pipeline {
        self.batch.answers.push(answered);
        self.session.run(&mut self.batch.commands, script)
    }

    fn command(&mut self, name: &str, argument: String) {
        self.batch.answers.push(Answered::Command);
        self.batch.commands.cmd(name).arg(argument);
    }

    /// Takes from the queue what fits.
    pub(super) fn take_queue(&mut self, table: &mut Table) {
        while self.has_room()
            && let Some(operation) = table.queue.pop_front()
        {
            match operation {
                Operation::Enter {
                    topic,
                    connection,
                    request,
                } => self.enter(table, topic, connection, request),
                Operation::Leave {
                    number,
                    topic: id,
                    user,
                } => {
                    let Some(topic) = table.topics.get_mut(&id) else {
                        continue;
                    };
                    if number >= topic.counts_from {
                        topic.leaves -= 1;
                        let run = self.run(&self.scripts.leave);
                        run.arg(id.as_str()).arg(user.as_deref());
                    }
                    self.settle(table, &id);
                }
                Operation::Publish(number) => self.publish(table, number),
                Operation::Settle(id) => self.settle(table, &id),
            }
        }
    }

    /// Sends an entry.
    fn enter(&mut self, table: &mut Table, id: TopicId, connection: ConnectionId, request: u64) {
        let Some(topic) = table.topics.get_mut(&id) else {
            return;
        };
        let rules = topic.rules;
        let Some(Slot::Entering(entering)) = topic.slots.get_mut(&connection) else {
            return;
        };
        if entering.request != request || entering.is_sent {
            return;
        }
        if entering.is_leaving {
            table.give_up(request);
            return;
        }
        entering.is_sent = true;
        let member = entering.member.clone();
        let wants_last = entering.wants_last;
        let is_unknown = topic.stage == Stage::Unknown;
        if is_unknown {
            topic.stage = Stage::AskedFor;
            // Those who come as no members come, as a rule, where there are none.
            self.unknown += usize::from(member.is_some());
        }
        let is_subscribed = std::mem::replace(&mut topic.is_subscribed, true);
        if !is_subscribed {
            self.command("SUBSCRIBE", topic_channel(&id));
        }
        let connection_id = ClusterConnectionId {
            process: self.session.process,
            connection,
        };
        let run = self.run(&self.scripts.enter);
        run.arg(id.as_str())
            .arg(rules_text(rules))
            .arg(request)
            .arg(connection_text(Some(connection_id)))
            .arg(
                rules
                    .members_max
                    .map(|max| max.to_string())
                    .unwrap_or_default(),
            )
            .arg(u8::from(wants_last))
            .arg(u8::from(is_unknown));
        if let Some(Member { user, info }) = member {
            let info = info.as_ref().map_or("", |info| info.as_str());
            run.arg(&*user).arg(info);
            self.bytes += user.len() + info.len();
        }
        table.sent.insert(request, (id, connection));
    }

    /// Sends a message.
    fn publish(&mut self, table: &mut Table, number: u64) {
        let Some(outgoing) = table.publications.take(number) else {
            return;
        };
        let publication = outgoing.publication;
        self.bytes += publication.message.as_str().len();
        let answered = Answered::Message(outgoing.answer);
        let by = publication.by.as_ref().filter(|_| outgoing.rules.reports);
        if publication.kept || by.is_some() {
            let report = by.map(|by| published_text(by, &publication.message));
            let run = self.run_for(answered, &self.scripts.publish);
            run.arg(publication.topic.as_str())
                .arg(rules_text(outgoing.rules))
                .arg(connection_text(publication.except))
                .arg(publication.message.as_str())
                .arg(u8::from(publication.kept))
                .arg(report.unwrap_or_default());
        } else {
            self.batch.answers.push(answered);
            let publish = self.batch.commands.cmd("PUBLISH");
            publish.arg(topic_channel(&publication.topic));
            publish.arg(message_text(&publication));
        }
    }

    /// Ends the subscription of a topic of no more use.
    fn settle(&mut self, table: &mut Table, id: &TopicId) {
        let Some(topic) = table.topics.get(id) else {
            return;
        };
        if !topic.is_done() {
            return;
        }
        if topic.is_subscribed {
            self.command("UNSUBSCRIBE", topic_channel(id));
        }
        table.topics.remove(id);
    }

    /// Asks for a page of the topics that Redis has of this process.
    pub(super) fn page(&mut self, cursor: u64, count: usize) {
        self.batch.answers.push(Answered::Page);
        self.batch
            .commands
            .cmd("HSCAN")
            .arg(format!("{TOPICS}node/{}", self.session.process.0))
            .arg(cursor)
            .arg("COUNT")
            .arg(count);
    }

    /// Tells afresh what the process has in topics: as many as fit, which are to be read then.
    pub(super) fn restore(
        &mut self,
        table: &mut Table,
        topics: &mut VecDeque<TopicId>,
        to_read: &mut VecDeque<TopicId>,
    ) {
        while self.has_room()
            && let Some(id) = topics.pop_front()
        {
            let Some(topic) = table.restoring(&id) else {
                // What Redis has of a topic that the process does not know.
                let run = self.run(&self.scripts.restore);
                run.arg(id.as_str()).arg("").arg(0);
                continue;
            };
            let (inside, rules, users) = (topic.inside(), topic.rules, topic.users());
            let is_stale = topic.stage == Stage::Stale;
            self.bytes += topic.size();
            if is_stale {
                topic.is_subscribed = true;
                self.command("SUBSCRIBE", topic_channel(&id));
            }
            let run = self.run(&self.scripts.restore);
            run.arg(id.as_str()).arg(rules_text(rules)).arg(inside);
            for (user, (count, info)) in &users {
                let info = info.as_ref().map_or("", |info| info.as_str());
                run.arg(&**user).arg(*count).arg(info);
            }
            if is_stale {
                to_read.push_back(id);
            }
        }
    }

    /// Reads topics: as many as fit by what is known of them.
    pub(super) fn read(&mut self, table: &Table, topics: &mut VecDeque<TopicId>) {
        while self.batch.answers.len() < TOPIC_BATCH
            && self.bytes < BATCH_TARGET_BYTES
            && let Some(id) = topics.pop_front()
        {
            if let Some(topic) = table.topics.get(&id) {
                self.bytes += topic.size();
                self.run(&self.scripts.read).arg(id.as_str());
            }
        }
    }
}
