//! The core: who is there, what each status says, who follows it, and the modules that run.
//!
//! It knows no wire format and no socket. The server room talks to it through the ports of [`Core`] alone; while it serves, all of that is sync and none of it waits.
//! Replies and events go back to a connection through the [`Outlet`] of its worker.
//! Here the parts are put together, started and stopped; what each is for is in the file of its port.

pub mod access;
mod access_control;
mod action_names;
mod automation;
mod building;
mod building_access;
mod building_editor;
mod bus;
mod call_watch;
mod calls;
mod cluster;
mod custom_commands;
mod directory;
mod follows;
mod inbound_calls;
mod lease;
mod ledger_replica;
mod limits;
mod messages;
mod metrics;
mod module_requests;
mod modules;
mod outlet;
mod queries;
mod quotas;
mod recent_calls;
mod reply;
mod resolve;
mod services;
mod settings;
mod sign_in;
mod snapshots;
mod subscriptions;
#[cfg(test)]
pub(crate) mod tests;
mod token_requests;
mod topic_counts;
mod topics;
mod views;

use std::fmt;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, Weak};

use futures_util::future::OptionFuture;
use tokio::runtime::Handle;

use crate::core::access::{KeyIntrospection, Sessions};
use crate::core::automation::WatchedAutomation;
use crate::core::building::{BuildingParts, BuildingService};
use crate::core::building_access::InternalAccess;
use crate::core::bus::{Bus, BusFeed};
use crate::core::call_watch::CallWatch;
use crate::core::cluster::Cluster;
use crate::core::cluster::inbound::Inbound;
use crate::core::cluster::outbound::Outbound;
use crate::core::limits::{FIRST_INSIDE_CONNECTION, PROCESS_ID_SPARE_BITS};
use crate::core::metrics::CoreMetrics;
use crate::core::module_requests::ModuleRequests;
use crate::core::modules::{OtherModules, Supervisor, Topology};
use crate::core::snapshots::Snapshots;
use crate::core::subscriptions::Subscriptions;
use crate::core::topic_counts::SpacedCounts;
use crate::driver_host::{DriverHost, Spawn};
use crate::model::{Clock, Failure, JsonText, Node, ProcessId, Request};
use crate::peers::KeyInspector;
use crate::stores::{
    DocumentStore, MessageFeed, MessageStore, StatusStore, StoreFeed, TopicFeed, TopicStore,
};

pub use crate::driver_host::Description as DriverDescription;
pub use crate::stores::Subscribed;
pub use access::{
    App, BadPublicKey, Caller, CodeRequest, CodeShown, ForeignForms, ForeignKey, Identity, Issued,
    ModuleAccess, Policy, Principal, PublicKey, SignInError, SignInSettings,
};
pub use access_control::AccessControl;
pub use action_names::{ActionNameError, resolve_action};
pub use automation::{Automation, NoAutomation};
pub use building::{Apply, EditError, Invalid, Rehearsal, RemoteProgramSettings, ServiceActor};
pub use building_access::BuildingAccess;
pub use building_editor::BuildingEditor;
pub use calls::Calls;
pub use cluster::ClusterPorts;
pub use cluster::Liveness;
pub use cluster::PeerNode;
pub use custom_commands::{
    CommandHandler, CommandMessage, CommandOutcome, CommandRefusal, CustomCommands, ProgramCommand,
};
pub use directory::{
    ALERTS_DRIVER, Directory, ModuleEntry, TRIGGER_HISTORY, TRIGGER_NOTIFY, TRIGGERS_DRIVER,
};
pub use follows::Follows;
pub use inbound_calls::{InboundCalls, NotHere};
pub use lease::{Lease, Uptime, since_boot};
pub use ledger_replica::OpenError;
pub use messages::Messages;
pub use modules::{Fault, HeardLine, Listening, Wakeup};
pub use outlet::{Delivery, Outlet, OutletId, WatchId};
pub use queries::{NodeShare, Queries};
pub use quotas::Quotas;
pub use reply::{ReplySlot, Returned};
pub use resolve::Resolver;
pub use services::{ServiceChange, ServiceError, Services};
pub use settings::{ClusterSettings, CoreSettings};
pub use sign_in::SignIns;
pub use token_requests::TokenRequests;
pub use topics::Topics;
pub use views::BuildingViews;

/// Everything that the server room asks of the building, as a handful of ports, and the life of what is behind them.
pub struct Core {
    /// Who a caller is, and whether the caller may make a request.
    pub access: Arc<AccessControl>,
    /// How people sign in, and their apps get tokens.
    pub sign_ins: SignIns,
    /// Tokens that clients make for other programs.
    pub tokens: TokenRequests,
    /// Which module is meant, and whether a caller may do with it what they want.
    pub resolver: Arc<Resolver>,
    /// What there is and how it fares.
    pub queries: Arc<Queries>,
    /// What dialects show of the building beside values.
    pub views: Arc<BuildingViews>,
    /// Who follows what.
    pub follows: Arc<Follows>,
    /// Who is in which topic, and what is published there.
    pub topics: Arc<Topics>,
    /// What services send to people's devices.
    pub messages: Arc<Messages>,
    /// How who holds a service changes it.
    pub services: Services,
    /// Calls of functions.
    pub calls: Arc<Calls>,
    /// What the building does by itself, and its procedures.
    pub automation: Arc<dyn Automation>,
    /// Commands of the program around the gateway.
    pub custom_commands: Arc<CustomCommands>,
    /// How code inside the gateway acts on the building.
    pub building_access: Arc<dyn BuildingAccess>,
    /// What other nodes ask of the modules that run here.
    pub inbound_calls: InboundCalls,
    /// How the building is changed.
    pub editor: BuildingEditor,
    /// Held here alone: modules find it as long as the core is there.
    _module_requests: Arc<dyn OtherModules>,
    subscriptions: Arc<Subscriptions>,
    modules: Arc<Supervisor>,
    sessions: Arc<Sessions>,
    introspection: Arc<KeyIntrospection>,
    building: Arc<BuildingService>,
    /// This node's place among others; `None` when it has the building to itself.
    cluster: Option<Arc<Cluster>>,
    /// What is asked of the others; `None` as well.
    outbound: Option<Arc<Outbound>>,
    metrics: Arc<CoreMetrics>,
}

/// What a core stands on.
pub struct CorePorts {
    /// Keeps the building.
    pub documents: Arc<dyn DocumentStore>,
    /// Makes the store of topics.
    pub topics: MakeTopicStore,
    /// Makes the store of messages.
    pub messages: MakeMessageStore,
    /// Runs the modules.
    pub host: Arc<dyn DriverHost>,
    /// Runs procedures.
    pub automation: Arc<dyn Automation>,
    /// The time, in Unix seconds.
    pub clock: Clock,
    /// Where edits of the building run.
    pub main: Handle,
    /// Where modules run.
    pub executor: Arc<dyn Spawn>,
    /// How others write what the core has to understand.
    pub forms: ForeignForms,
    /// The PlaceOS that knows API keys which the building does not have.
    pub key_inspector: Option<Arc<dyn KeyInspector>>,
    /// By what other nodes run modules of the building too; `None` for a gateway that has it to itself.
    pub cluster: Option<ClusterPorts>,
}

/// Makes the store of topics: for the process that it is in, with the feed by which it reports, and the clock that stamps its reports.
pub type MakeTopicStore =
    Box<dyn FnOnce(ProcessId, Weak<dyn TopicFeed>, Clock) -> Arc<dyn TopicStore> + Send>;

/// Makes the store of messages, with the feed by which it reports.
pub type MakeMessageStore = Box<dyn FnOnce(Weak<dyn MessageFeed>) -> Arc<dyn MessageStore> + Send>;

impl fmt::Debug for CorePorts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CorePorts").finish_non_exhaustive()
    }
}

impl Core {
    /// A core without a building: to be [opened](Self::open).
    ///
    /// `make_store` gets the feed by which the store of statuses reports changes.
    pub fn new(
        settings: CoreSettings,
        make_store: impl FnOnce(Weak<dyn StoreFeed>) -> Arc<dyn StatusStore>,
        ports: CorePorts,
    ) -> Self {
        let CorePorts {
            documents,
            topics: make_topics,
            messages: make_messages,
            host,
            automation,
            clock,
            main,
            executor,
            forms,
            key_inspector,
            cluster,
        } = ports;
        let metrics = Arc::new(CoreMetrics::new());
        let subscriptions = Subscriptions::new(Arc::clone(&clock), make_store);
        // Another at each start, and not to be guessed from those before.
        let process = ProcessId(rand::random::<u64>() >> PROCESS_ID_SPARE_BITS);
        let bus_feed = Arc::new(BusFeed::new(Arc::clone(&subscriptions), process));
        let topic_feed = SpacedCounts::new(bus_feed, main.clone());
        let told = Arc::downgrade(&topic_feed) as Weak<dyn TopicFeed>;
        let topic_store = make_topics(process, told, Arc::clone(&clock));
        // A node that has the building to itself has nobody to tell.
        let bus = cluster.as_ref().map(|_| Bus {
            store: Arc::clone(&topic_store),
            process,
            metrics: Arc::clone(&metrics),
            main: main.clone(),
        });
        let message_feed = Arc::downgrade(&subscriptions) as Weak<dyn MessageFeed>;
        let messages = Arc::new(Messages {
            store: make_messages(message_feed),
            clock: Arc::clone(&clock),
            metrics: Arc::clone(&metrics),
            main: main.clone(),
        });
        let modules = Arc::new(Supervisor::new(
            host,
            executor,
            Arc::clone(&subscriptions),
            Arc::clone(&metrics),
            match cluster {
                None => Topology::Alone,
                Some(_) => Topology::Cluster,
            },
            settings.quotas.clone(),
        ));
        let sessions = Arc::new(Sessions::new(
            settings.sign_in.clone(),
            forms,
            Arc::clone(&documents),
            Arc::clone(&subscriptions),
            Arc::clone(&clock),
            main.clone(),
        ));
        let introspection = Arc::new(KeyIntrospection::new(
            key_inspector,
            forms,
            Arc::clone(&subscriptions),
        ));
        let inbound = cluster.as_ref().map(Inbound::new);
        let cluster = cluster.map(|ports| Arc::new(Cluster::new(ports, &modules, &subscriptions)));
        let outbound = cluster.as_ref().map(|cluster| {
            Outbound::new(
                cluster,
                Arc::clone(&modules),
                Arc::clone(&subscriptions),
                Arc::clone(&metrics),
                main.clone(),
            )
        });
        let building = Arc::new(BuildingService::new(BuildingParts {
            documents,
            modules: Arc::clone(&modules),
            subscriptions: Arc::clone(&subscriptions),
            sessions: Arc::clone(&sessions),
            permission_forms: forms.permissions(),
            clock,
            quotas: settings.quotas.clone(),
            main: main.clone(),
        }));
        let access = Arc::new(AccessControl {
            sessions: Arc::clone(&sessions),
            introspection: Arc::clone(&introspection),
            building: Arc::clone(&building),
            metrics: Arc::clone(&metrics),
        });
        let resolver = Arc::new(Resolver {
            subscriptions: Arc::clone(&subscriptions),
            building: Arc::clone(&building),
            outbound: outbound.clone(),
            metrics: Arc::clone(&metrics),
        });
        let custom_commands = Arc::new(CustomCommands::new(main.clone(), settings.exec_deadline));
        let views = Arc::new(BuildingViews {
            custom_commands: Arc::clone(&custom_commands),
            building: Arc::clone(&building),
            modules: Arc::clone(&modules),
            subscriptions: Arc::clone(&subscriptions),
            seen: Mutex::default(),
        });
        let follows = Arc::new(Follows {
            subscriptions: Arc::clone(&subscriptions),
            modules: Arc::clone(&modules),
            building: Arc::clone(&building),
            outbound: outbound.clone(),
            bus,
        });
        let call_watch = CallWatch {
            subscriptions: Arc::clone(&subscriptions),
        };
        let calls = Arc::new(Calls {
            resolver: Arc::clone(&resolver),
            modules: Arc::clone(&modules),
            building: Arc::clone(&building),
            outbound: outbound.clone(),
            metrics: Arc::clone(&metrics),
            recent: Arc::default(),
            watch: call_watch.clone(),
            exec_deadline: settings.exec_deadline,
        });
        let queries = Arc::new(Queries {
            resolver: Arc::clone(&resolver),
            subscriptions: Arc::clone(&subscriptions),
            modules: Arc::clone(&modules),
            building: Arc::clone(&building),
            cluster: cluster.clone(),
            outbound: outbound.clone(),
            snapshots: Snapshots::new(
                Arc::clone(&subscriptions),
                Arc::clone(&building),
                main.clone(),
            ),
            main: main.clone(),
        });
        let topics = Arc::new(Topics {
            process,
            store: topic_store,
            _feed: topic_feed,
            building: Arc::clone(&building),
            main: main.clone(),
        });
        let building_access: Arc<dyn BuildingAccess> = Arc::new(InternalAccess {
            topics: Arc::clone(&topics),
            connections: AtomicU64::new(FIRST_INSIDE_CONNECTION),
            access: Arc::clone(&access),
            resolver: Arc::clone(&resolver),
            calls: Arc::clone(&calls),
            follows: Arc::clone(&follows),
        });
        let others: Arc<dyn OtherModules> = Arc::new(ModuleRequests {
            access: Arc::clone(&building_access),
            queries: Arc::clone(&queries),
            resolver: Arc::clone(&resolver),
            modules: Arc::clone(&modules),
            outbound: outbound.clone(),
        });
        modules.connect(Arc::downgrade(&others));
        let sign_ins = SignIns {
            sessions: Arc::clone(&sessions),
            building: Arc::clone(&building),
            metrics: Arc::clone(&metrics),
        };
        Self {
            tokens: TokenRequests {
                sign_ins: sign_ins.clone(),
                main,
            },
            sign_ins,
            queries,
            views,
            follows,
            topics,
            services: Services {
                building: Arc::clone(&building),
                store: Arc::clone(&messages.store),
            },
            calls,
            automation: Arc::new(WatchedAutomation {
                automation,
                calls: call_watch,
            }),
            custom_commands,
            building_access,
            inbound_calls: InboundCalls {
                inbound,
                resolver: Arc::clone(&resolver),
                modules: Arc::clone(&modules),
                building: Arc::clone(&building),
                metrics: Arc::clone(&metrics),
                exec_deadline: settings.exec_deadline,
            },
            editor: BuildingEditor {
                building: Arc::clone(&building),
                metrics: Arc::clone(&metrics),
                messages: Arc::clone(&messages.store),
                remote_programs: settings.remote_programs,
            },
            messages,
            access,
            resolver,
            _module_requests: others,
            subscriptions,
            modules,
            sessions,
            introspection,
            building,
            cluster,
            outbound,
            metrics,
        }
    }

    /// Reads the building that the store has. Nothing of it runs until a building is [applied](BuildingEditor::apply) over it or it [begins](Self::begin) as it is.
    pub async fn open(&self) -> Result<(), OpenError> {
        self.building.open().await
    }

    /// Starts the building as the store has it.
    pub fn begin(&self) {
        self.building.begin();
    }

    /// This node is to run its share of the modules, where others run the rest. To be called before [`Self::run`];
    /// without it the node looks on, as a gateway does. Of no effect when it has the building to itself.
    pub fn join(&self, node: Node) {
        if let Some(cluster) = &self.cluster {
            let statuses = self.subscriptions.store();
            cluster.join(node, &self.modules, statuses, &self.metrics);
        }
    }

    /// Why clients should rather go to another node at the moment, in a few words; `None` when all is well.
    pub fn trouble(&self) -> Option<&'static str> {
        let cluster = self.cluster.as_ref();
        let store = self.subscriptions.store().trouble();
        store.or_else(|| cluster.and_then(|cluster| cluster.liveness().trouble()))
    }

    /// Brings the gauges up to date, before they are read.
    pub fn measure(&self) {
        let depths = self.modules.depths();
        let calls: usize = depths.iter().map(|(_, depth)| depth).sum();
        let deepest = depths.iter().map(|(_, depth)| *depth).max().unwrap_or(0);
        self.metrics.modules.set(depths.len() as f64);
        self.metrics
            .watches
            .set(self.subscriptions.watches() as f64);
        self.metrics.sessions.set(self.sessions.count() as f64);
        let nodes = self.cluster.as_ref();
        let nodes = nodes.map_or(0, |cluster| cluster.membership().nodes().len());
        self.metrics.nodes.set(nodes as f64);
        self.metrics.mailbox_calls.set(calls as f64);
        self.metrics.mailbox_deepest.set(deepest as f64);
        self.metrics
            .revocations_unkept
            .set(self.building.revocations_unkept() as f64);
        self.metrics
            .arguments_held
            .set(self.modules.arguments_held() as f64);
    }

    /// Announces something by name to those who follow the bus, as far as the caller may.
    ///
    /// # Errors
    ///
    /// The caller may not.
    pub fn announce(&self, who: &Caller, name: Arc<str>, data: JsonText) -> Result<(), Failure> {
        let act = rand::random();
        let request = Request::Announce {
            name: Arc::clone(&name),
            data: data.clone(),
            act,
        };
        self.access.authorize(who, &request)?;
        self.follows.announce(who, name, data, act);
        Ok(())
    }

    /// The core's own clockwork: deadlines of calls, settling of slots, the end of sign-ins and of old messages, what other nodes commit and announce, and this node's share of the modules. Runs until it is dropped, on the main runtime.
    pub async fn run(&self) {
        let cluster = self.cluster.as_ref().map(|cluster| cluster.run());
        let bus = self.follows.bus.as_ref().map(Bus::enter);
        tokio::join!(
            self.modules.keep_deadlines(),
            self.subscriptions.settle(),
            self.sessions.keep(),
            self.introspection.keep(),
            self.building.keep_up(),
            self.messages.keep(),
            OptionFuture::from(cluster),
            OptionFuture::from(bus),
        );
    }

    /// Waits until everything that was applied is kept, the hashes of passwords too. Nothing can be edited after it.
    pub async fn finish_edits(&self) {
        self.building.finish().await;
        self.sessions.finish().await;
    }

    /// Leaves this node's share of the modules to the other nodes, when they have [stopped](Self::stop) and what they said last is written.
    pub async fn leave(&self) {
        if let Some(cluster) = &self.cluster {
            cluster.leave().await;
        }
    }

    /// Ends editing and signing in, and stops all modules, within bounded time.
    pub async fn stop(&self) {
        if let Some(cluster) = &self.cluster {
            cluster.close();
        }
        let outbound = self.outbound.as_ref().map(|outbound| outbound.stop());
        futures_util::future::join4(
            self.building.stop(),
            self.sessions.stop(),
            self.modules.stop(),
            OptionFuture::from(outbound),
        )
        .await;
    }
}

impl fmt::Debug for Core {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Core").finish_non_exhaustive()
    }
}
