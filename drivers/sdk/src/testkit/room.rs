//! A room in memory: several modules that find, call and follow each other without a gateway.
//!
//! It answers what modules ask as the gateway does, with two differences: a follower of an emptied place gets `None` at once and not after a settle time,
//! and one that is behind gets the latest value alone.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use driver_types::{
    CallResult, ChannelName, Followed, ModuleCall, ModuleDescription, ModuleIndex, ModuleName,
    ModulePlace, ModuleSlot, RequestFailed, StatusName, SystemDescription, SystemId, SystemRef,
};
use futures_util::StreamExt;
use futures_util::future::{BoxFuture, FutureExt, ready};
use futures_util::stream::{self, BoxStream};
use jiff::Timestamp;
use tokio::sync::{broadcast, oneshot, watch};
use tokio::time::timeout;

use crate::testkit::Module;
use crate::testkit::recorder::{Recorder, Seen};
use crate::{Error, Interface, JsonText, ModuleId};

/// How long a call of another module waits for its answer, as in the gateway.
const CALL_DEADLINE: Duration = Duration::from_secs(120);

/// Messages of a channel that wait for a subscriber. One that is further behind misses the oldest.
const CHANNEL_MESSAGES_MAX: usize = 1_024;

/// A system in memory. Modules join it when they are started [in it](super::Plan::in_room), and leave it when they stop.
///
/// ```
/// use driver_sdk::interfaces::Powerable;
/// use driver_sdk::testkit::{Module, Room, StandIn};
/// use driver_sdk::{Context, Error, Status, driver};
///
/// struct AllOff(Context);
///
/// #[driver(id = "all_off", name = "AllOff")]
/// impl AllOff {
///     async fn start(context: Context) -> Result<Self, Error> {
///         Ok(Self(context))
///     }
///
///     pub async fn go_home(&self) -> Result<(), Error> {
///         for module in self.0.system().implementing("Powerable").await? {
///             module.call("power", (false,)).await?;
///         }
///         Ok(())
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() {
/// const POWER: Status<bool> = Status::new("power");
///
/// let room = Room::new("sys-test");
/// let display = StandIn::named("Display")
///     .implements("Powerable")
///     .function("power", &["state"], |context, (state,): (bool,)| {
///         context.set(&POWER, &state);
///         Ok(())
///     })
///     .join(&room);
/// display.set(&POWER, &true);
/// let logic = Module::of(&AllOff::DEFINITION).in_room(&room).start(()).await.unwrap();
/// logic.call("go_home", ()).await.unwrap();
/// assert_eq!(display.status(&POWER), Some(false));
/// # }
/// ```
#[derive(Clone)]
pub struct Room {
    system: SystemId,
    building: Arc<Building>,
}

/// The rooms of one test, and what they have in common.
#[derive(Default)]
struct Building {
    /// The modules of each room, in its order.
    rooms: Mutex<BTreeMap<SystemId, watch::Sender<Vec<Arc<Recorder>>>>>,
    channels: Mutex<HashMap<ChannelName, broadcast::Sender<JsonText>>>,
    /// How many modules there were.
    modules: AtomicU64,
}

/// A module's place in a room, and its way to the modules around it.
pub(super) struct Membership {
    room: Room,
    name: ModuleName,
    interface: Arc<Interface>,
}

impl Room {
    /// An empty system of this id.
    ///
    /// # Panics
    ///
    /// When the id is none.
    pub fn new(id: &str) -> Self {
        Self::in_building(id, Arc::default())
    }

    /// Another empty system, which modules of this one reach by its id.
    ///
    /// # Panics
    ///
    /// When the id is none.
    #[must_use]
    pub fn beside(&self, id: &str) -> Self {
        Self::in_building(id, Arc::clone(&self.building))
    }

    fn in_building(id: &str, building: Arc<Building>) -> Self {
        let system = SystemId::new(id).expect("a system id");
        building.rooms().entry(system.clone()).or_default();
        Self { system, building }
    }

    /// These modules stand in the room from here on, in this order, and no others: a re-map.
    ///
    /// # Panics
    ///
    /// When one of them was not started in this room.
    pub fn remap(&self, modules: &[&Module]) {
        let hosts = modules.iter().map(|module| {
            let membership = module.host.membership.as_ref();
            let here = membership.is_some_and(|membership| membership.room.is(self));
            assert!(here, "the module was started in this room");
            Arc::clone(&module.host)
        });
        let hosts = hosts.collect();
        self.members().send_replace(hosts);
    }

    fn is(&self, other: &Self) -> bool {
        self.system == other.system && Arc::ptr_eq(&self.building, &other.building)
    }

    /// A module joins the room, behind all others.
    pub(super) fn make_member(
        &self,
        name: &str,
        interface: Interface,
        now: Timestamp,
    ) -> Result<Arc<Recorder>, Error> {
        let number = self.building.modules.fetch_add(1, Ordering::Relaxed) + 1;
        let id = ModuleId::new(&format!("mod-{number}"))?;
        let membership = Membership {
            room: self.clone(),
            name: ModuleName::new(name)?,
            interface: Arc::new(interface),
        };
        let host = Arc::new(Recorder::new(id, now, Some(membership)));
        let members = self.members();
        members.send_modify(|members| members.push(Arc::clone(&host)));
        Ok(host)
    }

    fn members(&self) -> watch::Sender<Vec<Arc<Recorder>>> {
        let members = self.building.members(&self.system);
        members.expect("a room is made with its entry")
    }
}

impl fmt::Debug for Room {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Room")
            .field("system", &self.system)
            .finish_non_exhaustive()
    }
}

impl Building {
    fn rooms(&self) -> MutexGuard<'_, BTreeMap<SystemId, watch::Sender<Vec<Arc<Recorder>>>>> {
        self.rooms.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn members(&self, system: &SystemId) -> Option<watch::Sender<Vec<Arc<Recorder>>>> {
        self.rooms().get(system).cloned()
    }

    fn channel(&self, channel: &ChannelName) -> broadcast::Sender<JsonText> {
        let channels = self.channels.lock();
        let mut channels = channels.unwrap_or_else(PoisonError::into_inner);
        let made = || broadcast::channel(CHANNEL_MESSAGES_MAX).0;
        channels.entry(channel.clone()).or_insert_with(made).clone()
    }
}

impl Membership {
    /// The module stands in the room no longer.
    pub(super) fn leave(&self, module: &ModuleId) {
        let members = self.room.members();
        members.send_if_modified(|members| {
            let before = members.len();
            members.retain(|member| member.module != *module);
            members.len() != before
        });
    }

    pub(super) fn describe(&self, system: &SystemRef) -> Result<SystemDescription, RequestFailed> {
        let id = self.id_of(system);
        let members = self.members(system)?;
        let modules = slots(&members.borrow());
        let described = modules.into_iter().map(|(slot, host)| ModuleDescription {
            id: host.module.clone(),
            slot,
            interface: host.membership.as_ref().map(|it| Arc::clone(&it.interface)),
        });
        let modules = described.collect();
        Ok(SystemDescription { id, modules })
    }

    /// The module that stands at a place now.
    pub(super) fn find(&self, place: &ModulePlace) -> Result<Arc<Recorder>, RequestFailed> {
        let members = self.members(&place.system)?;
        let found = at(&members.borrow(), &place.slot);
        found.ok_or_else(|| RequestFailed::new(RequestFailed::NOT_FOUND, "could not find module"))
    }

    /// Calls a function. It is on its way when this returns.
    pub(super) fn call(
        &self,
        call: &ModuleCall,
    ) -> BoxFuture<'static, Result<CallResult, RequestFailed>> {
        let begun = self.find(&call.module).and_then(|callee| {
            let chain = call.chain.with(&callee.module, &call.function)?;
            let instance = callee.instance().ok_or_else(|| {
                let why = "the module does not run";
                RequestFailed::new(RequestFailed::UNAVAILABLE, why)
            })?;
            let running = callee.run(instance, chain, &call.function, &call.arguments);
            let (answer, answered) = oneshot::channel();
            // It runs on when the caller gives up, and ends with the module that is called.
            callee.tasks().spawn(async move {
                let _gone = answer.send(running.await);
            });
            Ok(answered)
        });
        let answered = match begun {
            Ok(answered) => answered,
            Err(failure) => return ready(Err(failure)).boxed(),
        };
        async move {
            let unanswered = |why| RequestFailed::new(RequestFailed::UNANSWERED, why);
            match timeout(CALL_DEADLINE, answered).await {
                Ok(Ok(Ok(outcome))) => Ok(CallResult {
                    value: outcome.value,
                    code: outcome.code,
                }),
                Ok(Ok(Err(error))) => Err(RequestFailed::new(error.code(), error.message())),
                Ok(Err(_)) => Err(unanswered("the module ended")),
                Err(_) => Err(unanswered("no answer before the deadline")),
            }
        }
        .boxed()
    }

    pub(super) fn follow(
        &self,
        what: Followed,
    ) -> Result<BoxStream<'static, JsonText>, RequestFailed> {
        match what {
            Followed::Status(place, status) => {
                let members = self.members(&place.system)?;
                Ok(values(members, place.slot, &status))
            }
            Followed::Modules(system) => {
                let members = self.members(&system)?;
                let notices = stream::unfold(members, |mut members| async {
                    members.changed().await.ok()?;
                    Some((JsonText::null(), members))
                });
                Ok(notices.boxed())
            }
            Followed::Channel(channel) => {
                let messages = self.room.building.channel(&channel).subscribe();
                let messages = stream::unfold(messages, |mut messages| async {
                    loop {
                        match messages.recv().await {
                            Ok(message) => return Some((message, messages)),
                            Err(broadcast::error::RecvError::Lagged(_)) => {}
                            Err(broadcast::error::RecvError::Closed) => return None,
                        }
                    }
                });
                Ok(messages.boxed())
            }
        }
    }

    pub(super) fn publish(&self, channel: &ChannelName, message: JsonText) {
        // Without a subscriber there is nobody to tell.
        let _nobody = self.room.building.channel(channel).send(message);
    }

    fn id_of(&self, system: &SystemRef) -> SystemId {
        match system {
            SystemRef::Own => self.room.system.clone(),
            SystemRef::Id(id) => id.clone(),
        }
    }

    fn members(
        &self,
        system: &SystemRef,
    ) -> Result<watch::Receiver<Vec<Arc<Recorder>>>, RequestFailed> {
        let id = self.id_of(system);
        let members = self.room.building.members(&id);
        let members = members.ok_or_else(|| {
            let why = format!("could not find system {id}");
            RequestFailed::new(RequestFailed::NOT_FOUND, why)
        })?;
        Ok(members.subscribe())
    }
}

/// Where each module stands: like-named ones count from 1 in the order of the room.
fn slots(members: &[Arc<Recorder>]) -> Vec<(ModuleSlot, Arc<Recorder>)> {
    let mut next: HashMap<ModuleName, ModuleIndex> = HashMap::new();
    let named = members.iter().filter_map(|host| {
        let name = host.membership.as_ref()?.name.clone();
        let index = next.entry(name.clone()).or_insert(ModuleIndex::FIRST);
        let slot = ModuleSlot {
            name,
            index: *index,
        };
        *index = index.next();
        Some((slot, Arc::clone(host)))
    });
    named.collect()
}

fn at(members: &[Arc<Recorder>], slot: &ModuleSlot) -> Option<Arc<Recorder>> {
    let mut slots = slots(members).into_iter();
    slots.find(|(other, _)| other == slot).map(|(_, host)| host)
}

/// What a status of a place is known to be: its value, and how often it was published again.
type Known = (Option<String>, u64);

/// The values of a status, whichever module stands in the place.
fn values(
    members: watch::Receiver<Vec<Arc<Recorder>>>,
    slot: ModuleSlot,
    status: &StatusName,
) -> BoxStream<'static, JsonText> {
    let status = status.to_string();
    let nothing: Known = (None, 0);
    let state = (members, slot, status, nothing);
    let values = stream::unfold(state, |(mut members, slot, status, mut told)| async {
        loop {
            let host = at(&members.borrow_and_update(), &slot);
            let mut seen = host.map(|host| host.seen.subscribe());
            let now = seen.as_mut().map_or((None, 0), |seen| known(seen, &status));
            if now != told {
                let was_there = told.0.is_some();
                told = now;
                match &told.0 {
                    Some(value) => {
                        let value = JsonText::parse(value).expect("it came as JSON text");
                        return Some((value, (members, slot, status, told)));
                    }
                    None if was_there => {
                        return Some((JsonText::null(), (members, slot, status, told)));
                    }
                    None => {}
                }
            }
            let said = async {
                let said = match &mut seen {
                    Some(seen) => seen.changed().await,
                    None => std::future::pending().await,
                };
                if said.is_err() {
                    // A host that is gone has left the room as well.
                    std::future::pending::<()>().await;
                }
            };
            tokio::select! {
                changed = members.changed() => changed.ok()?,
                () = said => {}
            }
        }
    });
    values.boxed()
}

fn known(seen: &mut watch::Receiver<Seen>, status: &str) -> Known {
    let seen = seen.borrow_and_update();
    let signals = seen.signals.get(status).copied().unwrap_or(0);
    (seen.statuses.get(status).cloned(), signals)
}
