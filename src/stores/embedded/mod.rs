//! The stores of a gateway that is alone: statuses and topics in memory, documents in one file or in memory.

mod documents;
mod messages;
mod schema;
mod statuses;
mod topics;

pub use documents::EmbeddedDocumentStore;
pub use messages::EmbeddedMessageStore;
pub use statuses::EmbeddedStatusStore;
pub use topics::EmbeddedTopicStore;
