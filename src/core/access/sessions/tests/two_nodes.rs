//! Two nodes over one store of sign-ins, which is a double: what a real one does is for the store's own tests.

use tokio::task::JoinHandle;

use super::*;

#[tokio::test(start_paused = true)]
async fn what_is_given_on_one_node_is_good_on_the_other() {
    let (a, b) = pair().await;
    let (_, cookie) = a.sign_in(PASSWORD).await.unwrap();
    let issued = a.app().await;
    b.wait("the token", || b.by_token(&issued.access).is_ok())
        .await;
    b.wait("the cookie", || b.sessions.by_cookie(&cookie).is_ok())
        .await;
    let next = b.refresh(&issued).await.unwrap();
    a.wait("the next token", || a.by_token(&next.access).is_ok())
        .await;
}

#[tokio::test(start_paused = true)]
async fn a_code_of_one_node_is_good_once_on_any() {
    let (a, b) = pair().await;
    let (_, cookie) = a.sign_in(PASSWORD).await.unwrap();
    let code = a.code(&cookie).await.unwrap();
    b.wait("the code", || b.sessions.table().codes() == 1).await;
    let issued = b.redeem(&code).await.unwrap();
    a.wait("the token", || a.by_token(&issued.access).is_ok())
        .await;
    a.redeem(&code).await.unwrap_err();
    b.wait("its end", || b.by_token(&issued.access).is_err())
        .await;
    assert!(a.sessions.by_cookie(&cookie).is_ok());
}

#[tokio::test(start_paused = true)]
async fn signing_out_on_one_node_closes_sockets_on_the_other() {
    let (a, b) = pair().await;
    let issued = a.app().await;
    b.wait("the token", || b.by_token(&issued.access).is_ok())
        .await;
    let who = b.by_token(&issued.access).unwrap();
    a.sessions.sign_out(session_of(&who)).await.unwrap();
    b.wait("its end", || !b.sessions.still_admits(&who)).await;
    b.by_token(&issued.access).unwrap_err();
    assert_eq!((a.closed(), b.closed()), (1, 1));
}

#[tokio::test]
async fn a_refresh_token_that_is_used_on_both_nodes_counts_once_and_ends_with_a_late_use() {
    let documents = documents().await;
    let (a, b) = (Fixture::at(&documents).await, Fixture::at(&documents).await);
    let issued = a.app().await;
    let follower = b.follow();
    b.wait("the session", || b.sessions.count() == 1).await;
    follower.abort();
    let lost = a.refresh(&issued).await.unwrap();
    let again = b.refresh(&issued).await.unwrap();
    assert_eq!(again.refresh, lost.refresh, "the other node has given it");
    for node in [&a, &b] {
        node.set_clock(NOW + REFRESH_GRACE.as_secs());
    }
    b.refresh(&issued)
        .await
        .expect_err("a copy of it is in other hands");
    b.by_token(&issued.access).unwrap_err();
    a.refresh(&issued).await.unwrap_err();
    assert_eq!(a.again().await.sessions.count(), 0);
}

#[tokio::test]
async fn a_node_that_is_behind_does_not_take_the_newest_refresh_token_for_a_used_one() {
    let documents = documents().await;
    let (a, b) = (Fixture::at(&documents).await, Fixture::at(&documents).await);
    let issued = a.app().await;
    let follower = b.follow();
    b.wait("the session", || b.sessions.count() == 1).await;
    follower.abort();
    let next = a.refresh(&issued).await.unwrap();
    assert!(b.refresh(&next).await.is_ok());
    assert_eq!((a.closed(), b.closed()), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn what_has_ended_here_is_not_brought_back_by_what_another_node_did_before_it_knew() {
    let documents = documents().await;
    let (a, b) = (Fixture::at(&documents).await, Fixture::at(&documents).await);
    let issued = a.app().await;
    let follower = b.follow();
    b.wait("the session", || b.sessions.count() == 1).await;
    follower.abort();
    let who = a.by_token(&issued.access).unwrap();
    // The store gets the end after the other node has refreshed.
    a.sessions.forget(&[session_of(&who)]);
    let refreshed = b.refresh(&issued).await.unwrap();
    a.sessions.settle().await.unwrap();
    a.by_token(&refreshed.access).unwrap_err();
    assert_eq!(a.sessions.count(), 0);
    let follower = b.follow();
    b.wait("its end", || b.by_token(&refreshed.access).is_err())
        .await;
    follower.abort();
    assert_eq!(a.again().await.sessions.count(), 0);
}

#[tokio::test]
async fn two_nodes_that_make_the_first_key_at_one_time_have_one() {
    let documents = MemoryDocuments::new();
    let (a, b) = (Fixture::at(&documents).await, Fixture::at(&documents).await);
    let (one, other) = futures_util::join!(a.app(), b.app());
    let keys = |fixture: &Fixture| fixture.sessions.public_keys();
    // The faster node still has to learn of the other's sign-in, and neither of another key.
    let (first, second) = (a.follow(), b.follow());
    for (fixture, token) in [(&a, &other), (&b, &one)] {
        fixture
            .wait("the other's token", || {
                fixture.by_token(&token.access).is_ok()
            })
            .await;
    }
    assert_eq!(keys(&a).len(), 1);
    assert_eq!(keys(&a), keys(&b));
    first.abort();
    second.abort();
}

#[tokio::test(start_paused = true)]
async fn sign_ins_that_are_read_again_end_where_they_are_gone() {
    let (a, b) = pair().await;
    let (one, other) = (a.app().await, a.app().await);
    b.wait("both", || b.sessions.count() == 2).await;
    a.documents.set_terse();
    let who = a.by_token(&one.access).unwrap();
    a.sessions.sign_out(session_of(&who)).await.unwrap();
    b.wait("the end of one", || b.by_token(&one.access).is_err())
        .await;
    assert!(b.by_token(&other.access).is_ok());
    assert_eq!(b.closed(), 1);
}

#[tokio::test(start_paused = true)]
async fn sign_ins_that_the_store_has_lost_are_put_back() {
    let (a, b) = pair().await;
    let issued = a.app().await;
    b.wait("the token", || b.by_token(&issued.access).is_ok())
        .await;
    a.documents.lose();
    let again = || async { a.again().await.by_token(&issued.access).is_ok() };
    for _ in 0..1_000 {
        if again().await {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("they did not come back");
}

/// Two that follow each other.
async fn pair() -> (Fixture, Fixture) {
    let documents = documents().await;
    let (a, b) = (Fixture::at(&documents).await, Fixture::at(&documents).await);
    for fixture in [&a, &b] {
        // It ends with the test's runtime.
        drop(fixture.follow());
    }
    (a, b)
}

fn session_of(who: &Principal) -> crate::model::SessionId {
    let CredentialId::Session(session) = *who.credential() else {
        panic!("no session");
    };
    session
}

impl Fixture {
    async fn at(documents: &Arc<MemoryDocuments>) -> Self {
        Self::over(SignInSettings::default(), Arc::clone(documents)).await
    }

    /// Takes in what the other does, until it is aborted.
    fn follow(&self) -> JoinHandle<()> {
        let sessions = Arc::clone(&self.sessions);
        Handle::current().spawn(async move { sessions.keep_up(None).await })
    }
}
