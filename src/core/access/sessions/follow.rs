//! Takes in the sign-ins that other nodes commit: a user who signed in there is signed in here, and a user who was signed out there is signed out here.

use std::collections::HashSet;

use crate::core::access::sessions::session_table::{SignInSession, document_id};
use crate::core::access::sessions::{Sessions, lock};
use crate::core::access::tokens::{KeyChain, SigningKey};
use crate::core::ledger_replica::{LedgerReplica, Materialized, OpenError};
use crate::model::SessionId;
use crate::stores::{BadDocument, Document, DocumentId, SESSIONS, SIGNING_KEYS, Write};

/// What a document holds.
enum Kept {
    Session(SignInSession),
    Key(SigningKey),
}

impl Sessions {
    /// Reads what the store has.
    pub(in crate::core) async fn open(&self) -> Result<(), OpenError> {
        let documents = self.ledger.open().await?;
        self.replace(documents)
    }

    /// Takes in what other nodes commit, until it is dropped, behind what is taken in of the building.
    pub(in crate::core) async fn keep_up(&self, building: Option<&LedgerReplica>) {
        self.ledger.keep_up(self, building).await;
    }

    /// A session as another node has it. One that has ended here stays ended: the store has yet to delete it.
    fn put(&self, session: SignInSession) {
        let id = document_id(session.id);
        let mut table = self.table_mut();
        if !lock(&self.owed).contains(&id) {
            table.put(session);
        }
    }

    /// Another node has ended a session.
    fn drop_session(&self, id: SessionId) {
        let document = document_id(id);
        lock(&self.owed).retain(|owed| *owed != document);
        if self.table_mut().remove(id) {
            self.close(id);
        }
    }
}

impl Materialized for Sessions {
    fn take(&self, writes: &[Write]) -> Result<(), OpenError> {
        // Read first, so that nothing is taken of what cannot be taken whole.
        let mut changes = Vec::with_capacity(writes.len());
        for write in writes {
            changes.push(match write {
                Write::Put(document) => Ok(read(document)?),
                Write::Delete(id) => Err(id),
            });
        }
        for change in changes {
            match change {
                Ok(Kept::Session(session)) => self.put(session),
                Ok(Kept::Key(key)) => self.keys_mut().add(key),
                Err(DocumentId { collection, id }) if collection == SESSIONS => {
                    if let Some(id) = SessionId::parse(id) {
                        self.drop_session(id);
                    }
                }
                Err(DocumentId { collection, id }) if collection == SIGNING_KEYS => {
                    self.keys_mut().remove(id);
                }
                // There is nothing of another ledger here.
                Err(_) => {}
            }
        }
        Ok(())
    }

    fn replace(&self, documents: Vec<Document>) -> Result<(), OpenError> {
        let mut keys = KeyChain::default();
        let mut sessions = Vec::new();
        for document in &documents {
            match read(document)? {
                Kept::Session(session) => sessions.push(session),
                Kept::Key(key) => keys.add(key),
            }
        }
        let there: HashSet<SessionId> = sessions.iter().map(|session| session.id).collect();
        let mut gone: Vec<SessionId> = self.table().all().map(|session| session.id).collect();
        gone.retain(|id| !there.contains(id));
        for id in gone {
            self.drop_session(id);
        }
        // A sign-in before what was made from it, which is over without it.
        sessions.sort_by_key(|session| session.parent.is_some());
        for session in sessions {
            self.put(session);
        }
        *self.keys_mut() = keys;
        Ok(())
    }

    fn documents(&self) -> Vec<Document> {
        let mut documents: Vec<Document> =
            self.table().all().map(SignInSession::document).collect();
        documents.extend(self.keys().all().map(SigningKey::document));
        documents
    }
}

fn read(document: &Document) -> Result<Kept, BadDocument> {
    let bad = |detail: &str| BadDocument::new(document, detail);
    match document.collection.as_str() {
        SIGNING_KEYS => SigningKey::read(document)
            .map(Kept::Key)
            .map_err(|detail| BadDocument::new(document, detail)),
        SESSIONS => SignInSession::read(document)
            .map(Kept::Session)
            .ok_or_else(|| bad("it holds no session")),
        _ => Err(bad("it is not of the sign-ins")),
    }
}
