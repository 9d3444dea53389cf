//! The stores of a gateway that is alone: statuses and topics in memory, documents and messages in a file each or in memory.

mod backing;
mod documents;
mod messages;
mod schema;
mod statuses;
#[cfg(test)]
mod testkit;
mod topics;

pub use documents::EmbeddedDocumentStore;
pub use messages::EmbeddedMessageStore;
pub use statuses::EmbeddedStatusStore;
pub use topics::EmbeddedTopicStore;
