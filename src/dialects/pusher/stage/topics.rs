//! The topics on the stage: who else is in them, and what is said there.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::dialects::pusher::frames;
use crate::dialects::pusher::stage::{Stage, me};
use crate::dialects::{Form, Splice};
use crate::model::{
    ClusterConnectionId, Entered, Event, FollowId, JsonText, Member, Publication, Reply, Subject,
    Ticket, TopicEntry, TopicEvent, TopicId, TopicNews,
};

/// One topic.
#[derive(Debug, Default)]
pub(super) struct Topic {
    /// The users in it: what each says, and by how many connections.
    members: BTreeMap<Arc<str>, (Option<JsonText>, usize)>,
    /// As whom the connection on the stage is in it.
    me: Option<Option<Arc<str>>>,
    others: u64,
    last: Option<JsonText>,
}

impl Topic {
    /// A user comes by one more connection: `true` if it is the first.
    fn join(&mut self, member: &Member) -> bool {
        let known = self.members.entry(Arc::clone(&member.user)).or_default();
        known.0.clone_from(&member.info);
        known.1 += 1;
        known.1 == 1
    }

    /// A user goes by one connection: `true` if it was the last.
    fn part(&mut self, user: &str) -> bool {
        let Some((_, count)) = self.members.get_mut(user) else {
            return false;
        };
        *count -= 1;
        let is_last = *count == 0;
        if is_last {
            self.members.remove(user);
        }
        is_last
    }
}

impl Stage {
    /// Another connection comes into a channel as this user.
    pub(in crate::dialects::pusher) fn join(
        &mut self,
        channel: &str,
        user: &str,
        info: Option<&str>,
    ) {
        let member = Member {
            user: Arc::from(user),
            info: info.map(|info| JsonText::parse(info).unwrap()),
        };
        let topic = self.topics.entry(channel.to_owned()).or_default();
        if topic.join(&member) {
            self.news(channel, TopicEvent::Joined { member, by: None });
        }
    }

    /// Another connection of this user leaves a channel.
    pub(in crate::dialects::pusher) fn part(&mut self, channel: &str, user: &str) {
        let topic = self.topics.entry(channel.to_owned()).or_default();
        if topic.part(user) {
            let user = Arc::from(user);
            self.news(channel, TopicEvent::Left { user });
        }
    }

    /// So many connections are in a channel now.
    pub(in crate::dialects::pusher) fn count(&mut self, channel: &str, count: u64) {
        self.news(channel, TopicEvent::Count(count));
    }

    /// Somebody publishes in a channel, except for this connection.
    pub(in crate::dialects::pusher) fn publish(
        &mut self,
        channel: &str,
        event: &str,
        data: &str,
        except: Option<ClusterConnectionId>,
    ) {
        let message = frames::message(event, data, None);
        let topic = self.topics.entry(channel.to_owned()).or_default();
        topic.last = Some(message.clone());
        self.news(channel, TopicEvent::Message { message, except });
    }

    /// A message for the topic of all users.
    pub(in crate::dialects::pusher) fn terminate(&mut self, user: &str) {
        let message = frames::termination(user);
        let except = None;
        self.news("#@users", TopicEvent::Message { message, except });
    }

    /// Tells those who are in a channel.
    fn news(&mut self, channel: &str, event: TopicEvent) {
        let topic = TopicId::new(&format!("{}/{channel}", self.app)).unwrap();
        let subject = Subject::Topic(topic.clone());
        let event = Event::Topic(Arc::new(TopicNews { topic, event }));
        self.deliver(&subject, &event);
    }

    pub(super) fn enter(&mut self, ticket: Ticket, entry: TopicEntry, form: Form, splice: &Splice) {
        let TopicEntry {
            topic,
            member,
            wants_last,
        } = entry;
        let user = member.as_ref().map(|member| Arc::clone(&member.user));
        self.lines.push(match &user {
            Some(user) => format!("enter> {topic} {user}"),
            None => format!("enter> {topic}"),
        });
        let kept = self.topics.entry(topic.channel().to_owned()).or_default();
        let is_new = kept.me.is_none();
        if let (true, Some(member)) = (is_new, &member) {
            kept.join(member);
        }
        kept.me = Some(user);
        let members = kept.members.iter().map(|(user, (info, _))| Member {
            user: Arc::clone(user),
            info: info.clone(),
        });
        let entered = Entered {
            members: members.filter(|_| member.is_some()).collect(),
            last: kept.last.clone().filter(|_| wants_last),
            connections: kept.others + 1,
        };
        let subject = Subject::Topic(topic);
        if is_new {
            self.follows
                .push((FollowId(0), subject, form, splice.clone()));
        }
        let reply = Ok(Reply::Entered(entered));
        self.with(|session, ambient, out| session.reply(ticket, reply, ambient, out));
    }

    pub(super) fn leave(&mut self, topic: &TopicId) {
        let subject = Subject::Topic(topic.clone());
        self.follows.retain(|(_, of, ..)| *of != subject);
        let kept = self.topics.entry(topic.channel().to_owned()).or_default();
        if let Some(Some(user)) = kept.me.take() {
            kept.part(&user);
        }
    }

    /// The client has published.
    pub(super) fn published(&mut self, publication: Publication) {
        let Publication {
            topic,
            message,
            except,
            kept,
            by,
        } = publication;
        assert_eq!(except, Some(me()));
        assert!(!kept, "what clients say is not kept");
        let user = by.and_then(|by| by.user);
        let user = user.as_deref().unwrap_or("-");
        self.lines
            .push(format!("publish> {topic} {user} {message}"));
    }
}
