//! Clients that keep one refresh token, and tokens that callers make for others.

use std::time::Duration;

use super::*;
use crate::core::access::authenticate::admit;
use crate::core::limits::{CLIENT_CODE_LIFE, CLIENT_IDLE};
use crate::core::tests::doubles::{api_key, room};
use crate::model::{
    ApiKey, Credentials, KeptTokenKind, KeyId, KeySecret, LongLivedRequest, SystemId,
};

const CLIENT: &str = "http://app.test/";
const AUDIENCE: &str = "the-app";
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

impl Fixture {
    async fn client_code(&self) -> Secret {
        let signed_in = self.sessions.sign_in_client(
            "a@example.test",
            Secret::new(PASSWORD),
            CLIENT.to_owned(),
            HERE,
        );
        signed_in.await.unwrap().1
    }

    async fn client(&self) -> Issued {
        let code = self.client_code().await;
        let redeemed = self.sessions.redeem_for_client(&code, CLIENT, AUDIENCE);
        redeemed.await.unwrap()
    }

    async fn refresh_client(&self, issued: &Issued) -> Result<Issued, SignInError> {
        let token = issued.refresh.as_ref().unwrap();
        self.sessions
            .refresh_client(token, Some(CLIENT), AUDIENCE)
            .await
    }

    fn caller(&self, issued: &Issued) -> Caller {
        let who = self.sessions.by_token(&issued.access, AUDIENCE).unwrap();
        Caller::new(who, HERE)
    }

    /// Who shows a bearer token, where the building has these keys.
    fn admitted(&self, keys: &KeyRing, token: &Secret) -> Result<Caller, Failure> {
        self.admitted_for(keys, token, AUDIENCE)
    }

    fn admitted_for(
        &self,
        keys: &KeyRing,
        token: &Secret,
        audience: &str,
    ) -> Result<Caller, Failure> {
        let subscriptions = Subscriptions::new(clock(), |_| Arc::new(EchoStore::without_feed()));
        let introspection = KeyIntrospection::new(None, FORMS, subscriptions);
        let shown = Credentials::Bearer {
            token: token.clone(),
            domain: audience.to_owned(),
        };
        let directory = Directory::default();
        let sessions = &self.sessions;
        admit(keys, &directory, sessions, &introspection, &[shown], HERE)
    }
}

fn asked(name: &str, life: Duration) -> LongLivedRequest {
    LongLivedRequest {
        name: name.to_owned(),
        icon: None,
        life,
    }
}

/// A ring of one key of the user of the tests, and the holder of that key.
fn ring(change: impl FnOnce(&mut ApiKey)) -> (KeyRing, Caller) {
    let mut key = ApiKey {
        secret: KeySecret::Plain(Secret::new("s3cret")),
        ..api_key("panel", Clearance::User)
    };
    change(&mut key);
    let next = directory(Building {
        systems: vec![room("sys-1", &[])],
        users: vec![user(Clearance::Support)],
        api_keys: vec![key],
        ..Building::default()
    });
    let mut ring = KeyRing::new();
    ring.align(&next, &Touched::all(&Directory::default(), &next));
    let holder = ring.find(&Secret::new("panel.s3cret")).unwrap();
    (ring, Caller::new(holder, HERE))
}

#[tokio::test]
async fn a_client_keeps_its_refresh_token() {
    let fixture = Fixture::new().await;
    let first = fixture.client().await;
    assert_eq!(first.expires_in, 1_800);
    for _ in 0..3 {
        let next = fixture.refresh_client(&first).await.unwrap();
        assert!(next.refresh.is_none(), "it has one");
        assert!(fixture.sessions.by_token(&next.access, AUDIENCE).is_ok());
        let elsewhere = fixture.sessions.by_token(&next.access, DOMAIN);
        elsewhere.expect_err("it is not meant for that host");
    }
    assert!(
        fixture
            .sessions
            .is_of_client(first.refresh.as_ref().unwrap())
    );
}

#[tokio::test]
async fn a_users_id_is_as_good_a_name_as_the_address() {
    let fixture = Fixture::new().await;
    let password = Secret::new(PASSWORD);
    let signed_in = fixture
        .sessions
        .sign_in_client("user-1", password, CLIENT.to_owned(), HERE);
    assert_eq!(signed_in.await.unwrap().0.id.as_str(), "user-1");
}

#[tokio::test]
async fn a_code_is_good_once_for_its_client_and_another_does_not_use_it_up() {
    let fixture = Fixture::new().await;
    let code = fixture.client_code().await;
    let redeem = |client| fixture.sessions.redeem_for_client(&code, client, AUDIENCE);
    assert!(fixture.sessions.is_of_client(&code));
    redeem("http://other.test/").await.unwrap_err();
    redeem(CLIENT).await.unwrap();
    redeem(CLIENT).await.unwrap_err();
    assert!(!fixture.sessions.is_of_client(&code));
}

#[tokio::test]
async fn a_code_is_over_in_ten_minutes() {
    let fixture = Fixture::new().await;
    let code = fixture.client_code().await;
    fixture.set_clock(NOW + CLIENT_CODE_LIFE.as_secs());
    let late = fixture.sessions.redeem_for_client(&code, CLIENT, AUDIENCE);
    late.await.unwrap_err();
}

#[tokio::test]
async fn a_refresh_token_is_no_other_clients() {
    let fixture = Fixture::new().await;
    let issued = fixture.client().await;
    let token = issued.refresh.as_ref().unwrap();
    let other = fixture
        .sessions
        .refresh_client(token, Some("http://other.test/"), AUDIENCE);
    let failure = other.await.unwrap_err();
    assert!(matches!(failure, SignInError::WrongClient), "{failure:?}");
    fixture
        .refresh(&issued)
        .await
        .expect_err("it does not change");
    fixture.refresh_client(&issued).await.unwrap();
}

#[tokio::test]
async fn a_client_that_comes_back_within_ninety_days_goes_on() {
    let fixture = Fixture::new().await;
    let issued = fixture.client().await;
    let step = CLIENT_IDLE.as_secs() - 60;
    for times in 1..=2 {
        fixture.set_clock(NOW + times * step);
        fixture.refresh_client(&issued).await.unwrap();
    }
    fixture.set_clock(NOW + 3 * step + 60);
    fixture.refresh_client(&issued).await.unwrap_err();
}

#[tokio::test]
async fn a_token_that_is_given_back_is_over_with_all_that_was_made_from_it() {
    let fixture = Fixture::new().await;
    let issued = fixture.client().await;
    let caller = fixture.caller(&issued);
    let lasting = fixture.sessions.grant_long_lived(&caller, asked("a", DAY));
    let lasting = lasting.await.unwrap();
    let keys = KeyRing::new();
    assert!(fixture.admitted(&keys, &lasting).is_ok());
    let CredentialId::Session(id) = *caller.credential() else {
        panic!("no sign-in");
    };
    let user = caller.user().unwrap();
    assert!(fixture.sessions.end_of_user(user, id).await.unwrap());
    fixture.admitted(&keys, &lasting).unwrap_err();
    fixture.refresh_client(&issued).await.unwrap_err();
    assert!(!fixture.sessions.end_of_user(user, id).await.unwrap());
}

#[tokio::test]
async fn a_token_lasts_as_long_as_was_asked_and_survives_the_keys_that_sign() {
    let fixture = Fixture::new().await;
    let (ring, holder) = ring(|_| {});
    let life = 365 * DAY;
    let lasting = fixture.sessions.grant_long_lived(&holder, asked("a", life));
    let lasting = lasting.await.unwrap();
    let fixture = fixture.again().await;
    fixture.set_clock(NOW + life.as_secs() - 1);
    assert!(fixture.admitted(&ring, &lasting).is_ok());
    fixture.set_clock(NOW + life.as_secs());
    fixture.admitted(&ring, &lasting).unwrap_err();
}

#[tokio::test]
async fn a_token_of_a_key_may_no_more_than_the_key() {
    let fixture = Fixture::new().await;
    let (ring, holder) = ring(|_| {});
    let lasting = fixture.sessions.grant_long_lived(&holder, asked("a", DAY));
    let who = fixture.admitted(&ring, &lasting.await.unwrap()).unwrap();
    assert_eq!(who.clearance(), Clearance::User, "the user has more");
    let of_key = Audience::Credential(CredentialId::Key(KeyId::new("panel").unwrap()));
    assert!(who.is_in(&of_key), "it closes with the key");
}

#[tokio::test]
async fn a_token_of_a_key_is_over_with_the_key_or_its_secret() {
    let fixture = Fixture::new().await;
    let (_, holder) = ring(|_| {});
    let lasting = fixture.sessions.grant_long_lived(&holder, asked("a", DAY));
    let lasting = lasting.await.unwrap();
    let (another, _) = ring(|_| {});
    for keys in [KeyRing::new(), another] {
        fixture.admitted(&keys, &lasting).unwrap_err();
    }
}

#[tokio::test]
async fn a_restricted_key_and_what_was_made_itself_make_no_tokens() {
    let fixture = Fixture::new().await;
    let (_, restricted) = ring(|key| key.systems = vec![SystemId::new("sys-1").unwrap()]);
    let made = fixture
        .sessions
        .grant_long_lived(&restricted, asked("a", DAY));
    made.await.unwrap_err();
    let signed = fixture
        .sessions
        .grant_signed(&restricted, AUDIENCE.to_owned(), DAY);
    signed.await.unwrap_err();

    let caller = fixture.caller(&fixture.client().await);
    let lasting = fixture.sessions.grant_long_lived(&caller, asked("a", DAY));
    let again = fixture
        .admitted(&KeyRing::new(), &lasting.await.unwrap())
        .unwrap();
    let made = fixture.sessions.grant_long_lived(&again, asked("b", DAY));
    made.await.unwrap_err();
}

#[tokio::test]
async fn a_name_is_taken_once_and_a_life_has_bounds() {
    let fixture = Fixture::new().await;
    let caller = fixture.caller(&fixture.client().await);
    let grant = |name, life| {
        fixture
            .sessions
            .grant_long_lived(&caller, asked(name, life))
    };
    grant("a", DAY).await.unwrap();
    let failure = grant("a", DAY).await.unwrap_err();
    assert!(matches!(failure, SignInError::NameTaken), "{failure:?}");
    for (name, life) in [("b", Duration::ZERO), ("b", 4_000 * DAY), (" ", DAY)] {
        let failure = grant(name, life).await.unwrap_err();
        assert!(matches!(failure, SignInError::Refused(_)), "{failure:?}");
    }
}

#[tokio::test]
async fn a_signed_token_opens_its_audience_alone_and_for_its_time() {
    let fixture = Fixture::new().await;
    let (ring, holder) = ring(|_| {});
    let caller = fixture.caller(&fixture.client().await);
    for who in [&holder, &caller] {
        let signed = fixture.sessions.grant_signed(who, "path".to_owned(), DAY);
        let signed = signed.await.unwrap();
        let found = fixture.admitted_for(&ring, &signed, "path").unwrap();
        assert_eq!(found.clearance(), who.clearance());
        fixture.admitted_for(&ring, &signed, "other").unwrap_err();
        fixture.set_clock(NOW + DAY.as_secs());
        fixture.admitted_for(&ring, &signed, "path").unwrap_err();
        fixture.set_clock(NOW);
    }
}

#[tokio::test]
async fn a_user_sees_the_tokens_that_go_on_and_which_is_the_present_one() {
    let fixture = Fixture::new().await;
    let issued = fixture.client().await;
    let caller = fixture.caller(&issued);
    let lasting = fixture.sessions.grant_long_lived(&caller, asked("a", DAY));
    lasting.await.unwrap();
    let _waiting = fixture.client_code().await;
    let kept = fixture.sessions.kept_tokens(&caller);
    assert_eq!(kept.len(), 2, "{kept:?}");
    for token in kept {
        let is_client = match token.kind {
            KeptTokenKind::Client(client) => client == CLIENT,
            KeptTokenKind::LongLived { name, .. } => name != "a",
        };
        assert_eq!(token.is_current, is_client);
        assert_eq!(token.made, Some(NOW));
    }
}

/// The sign-in by which a caller came in.
fn sign_in_of(caller: &Caller) -> SessionId {
    match caller.credential() {
        CredentialId::Session(id) => *id,
        CredentialId::Key(_)
        | CredentialId::Foreign(_)
        | CredentialId::App(_)
        | CredentialId::Device(_)
        | CredentialId::Automation(_) => panic!("no sign-in"),
    }
}

#[tokio::test]
async fn a_token_of_a_key_and_one_of_a_fixed_device_open_after_120_idle_days() {
    let fixture = Fixture::new().await;
    let (ring, holder) = ring(|key| key.device = DeviceKind::Fixed);
    let fixed = fixture.caller(&fixture.client().await);
    let fix = Change::Fix(sign_in_of(&fixed));
    fixture.sessions.change(fix).await.unwrap();
    let personal = fixture.caller(&fixture.client().await);
    let grant = |who, name| {
        fixture
            .sessions
            .grant_long_lived(who, asked(name, 365 * DAY))
    };
    let of_key = grant(&holder, "key").await.unwrap();
    let of_fixed = grant(&fixed, "fixed").await.unwrap();
    let of_personal = grant(&personal, "personal").await.unwrap();
    fixture.set_clock(NOW + 120 * DAY.as_secs());
    assert!(fixture.admitted(&ring, &of_key).is_ok());
    assert!(fixture.admitted(&ring, &of_fixed).is_ok());
    fixture.admitted(&ring, &of_personal).unwrap_err();
}

#[tokio::test]
async fn the_use_of_a_token_keeps_the_sign_in_alive_that_it_was_made_from() {
    let fixture = Fixture::new().await;
    let person = fixture.caller(&fixture.client().await);
    let token = fixture
        .sessions
        .grant_long_lived(&person, asked("a", 365 * DAY));
    let token = token.await.unwrap();
    let keys = KeyRing::new();
    let root = sign_in_of(&person);
    for days in [60, 120, 180] {
        fixture.set_clock(NOW + days * DAY.as_secs());
        let program = fixture.admitted(&keys, &token).unwrap();
        let before = fixture.sessions.end_of(root);
        fixture.sessions.use_later(program.principal());
        let used = async {
            while fixture.sessions.end_of(root) == before {
                tokio::task::yield_now().await;
            }
        };
        let used = tokio::time::timeout(Duration::from_secs(10), used).await;
        used.expect("it is written down");
    }
}
