//! The words of the gateway: ids, status values, requests, replies, events, failures.
//!
//! Every other room speaks in these types, so this one imports no room and does no I/O.
//! None of them derives `serde`: a wire format belongs to its dialect, and changing a word here cannot change a wire.
//! The fields of the building's collections are the exception: files, stores and wires are made from their lists.

mod backoff;
mod building;
mod call_news;
mod clock;
mod close;
mod credentials;
mod edit;
mod event;
mod expiry;
mod failure;
#[cfg(test)]
pub(crate) mod fuzz;
mod ids;
mod messages;
mod nearest;
mod network;
mod newest;
mod node;
mod printable;
mod reply;
mod request;
mod runs;
mod status;
mod sync;
mod time_zone;
mod token;
mod token_requests;
mod topic;
mod view;

pub use backoff::Backoff;
#[cfg(test)]
pub(crate) use building::samples::sample;
pub use building::{
    Action, ApiKey, AppKey, AppKeys, AppLimits, AppSigning, AppWebhook, AppWebhooks, ArgumentFault,
    Building, ChannelApp, Collection, CommandAction, CommandCall, CommandError, CommandErrors,
    CommandParameter, CommandSchema, CommandType, Condition, Conditions, Content, Cron,
    CustomCommand, Decimal, DriverProcess, DriverRef, EXPRESSION_FUNCTIONS, EntityDomain,
    EntityOverride, Evaluated, EventSource, Field, Flaw, FunctionPath, Hook, HookAnswer,
    HookMethod, HookName, InvalidCron, InvalidPath, InvalidProcess, Items, JsonKind,
    KEY_HASH_PREFIX, KeySecret, Kind, LEVELS, LeveledSettings, LocalPath, Mention, Metadata,
    MetadataId, Module, ModuleFunction, ModuleStatuses, Operator, Order, ParameterKind, Parameters,
    Password, PermissionsRead, Procedure, ProcedureId, RequiredHeaders, SERVICE_ICON_BYTES,
    SERVICE_NAME_CHARS, Scope, ScopeAccess, Service, SettingsLevel, StatusPath, Steps, System,
    TimeSpan, Trigger, TriggerId, TriggerPath, User, Value, Values, Variable, WebhookEvent,
    WebhookKey, WholePath, Wrong, Zone, ZonePermissions, is_variable_name, one_of, rules,
    sets_anything,
};
pub use call_news::{CallEnd, CallNews, CallTarget, Called};
pub use clock::Clock;
pub use close::{Audience, CloseReason};
pub use credentials::{
    CredentialId, Credentials, DeviceKind, MASK, Secret, SessionId, masked_address,
};
pub use driver_types::{
    Act, Clearance, Configuration, Function, FunctionName, Interface, InvalidId, InvalidJson,
    JsonText, LogLevel, Misfit, ModuleId, ModuleIndex, ModuleName, NotWhole, OnChange, Parameter,
    Place, Published, StatusName, Step, SystemId, Unfit, UriPresence, UriRule, Whole,
    is_json_number, is_same_number, whole_number,
};
pub use edit::{
    Change, Difference, Differences, Edit, Entry, EntryId, EntryInfo, EntryKind, Expected, Source,
    Version,
};
pub use event::{
    BusEvent, Cause, Event, Keep, Key, KeyBuf, LogLine, Old, Presence, Subject, TopicNews,
};
pub use expiry::{Expiry, InvalidExpiry};
pub use failure::{Failure, FailureKind};
pub use ids::{
    AppId, AutomationId, ConnectionId, DeviceId, FollowId, KeyId, MetadataName, ParentId, Revision,
    Ticket, Timestamp, TopicId, UserId, ZoneId,
};
pub use messages::{
    Mark, Message, MessageLevel, MessageNews, MessageNumber, MessageReply, MessageRequest, Notice,
    ServiceKey, ServiceSecret, Subscription, Unread,
};
pub use nearest::nearest;
pub use network::{Network, Transport, source_of};
pub use newest::Newest;
pub use node::{ClusterSecret, EdgeId, Edges, Node, NodeId, NodeRole, NodeUri, ServiceName};
pub use printable::{PrintableWriter, is_unprintable, printable};
pub use reply::{Found, Reply};
pub use request::{CallKey, ExecRequest, First, ModuleAddress, Query, Request};
pub use runs::{HookOutcome, HookReply, HookRequest, RunRequest};
pub use status::{
    BindingKey, BindingPath, ModulePath, Origin, Slots, State, StatusChange, StatusValue,
};
pub use sync::{lock, read_lock, write_lock};
pub use time_zone::{is_time_zone, time_zones};
pub use token::{LONG_LIVED_PREFIX, TokenClaims};
pub use token_requests::{KeptToken, KeptTokenKind, LongLivedRequest, TokenReply, TokenRequest};
pub use topic::{
    ClusterConnectionId, Entered, Member, Occupancy, ProcessId, Publication, Publisher, Reported,
    TopicEntry, TopicEvent, TopicQuery, TopicReport, TopicRules, TopicsFound,
};
pub use view::{
    BuildingView, ModuleView, OfferedCommand, SeenStatus, ServiceView, Shape, SystemView,
    TriggerView,
};
