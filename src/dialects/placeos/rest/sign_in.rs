//! Signing in as PlaceOS's clients do it: OAuth 2 with its habits. What comes in and goes out; whether it holds is the core's to say.
//!
//! Clients put parameters into the query with an empty body, or into a form, whichever their library took a liking to; both are read.

use std::borrow::Cow;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde::Serialize;

use crate::dialects::placeos::rest::admission::origin_is_foreign;
use crate::dialects::placeos::rest::credentials::SESSION_COOKIE;
use crate::model::{DeviceKind, Scope, Secret, Transport};

/// What need not be escaped in a query or a fragment.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// The longest name that an app may call itself.
const CLIENT_MAX_BYTES: usize = 128;

/// The length of a challenge of PKCE's method S256.
const CHALLENGE_BYTES: usize = 43;

/// The scope for a client that asks for none.
const DEFAULT_SCOPE: &str = "public";

/// A request's parameters, those of its form before those of its query.
pub struct Parameters<'a> {
    pairs: Vec<(Cow<'a, str>, Cow<'a, str>)>,
}

/// Their names alone: a password may be among them.
impl fmt::Debug for Parameters<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.pairs.iter().map(|(name, _)| name))
            .finish()
    }
}

impl<'a> Parameters<'a> {
    /// Decodes both.
    pub fn read(query: &'a str, form: &'a [u8]) -> Self {
        let form = form_urlencoded::parse(form);
        let query = form_urlencoded::parse(query.as_bytes());
        Self {
            pairs: form.chain(query).collect(),
        }
    }

    /// The first of this name that is not empty.
    pub fn get(&self, name: &str) -> Option<&str> {
        let mut named = self.pairs.iter().filter(|(known, _)| known == name);
        named
            .find(|(_, value)| !value.is_empty())
            .map(|(_, value)| &**value)
    }

    /// The kind of device that signs in: one with `fixed_device=true` is mounted in a room.
    /// PlaceOS's pages have it in their own address, so it counts in the place where the browser goes on too.
    pub fn device(&self) -> DeviceKind {
        let is = |text: &str| text.eq_ignore_ascii_case("true");
        let goes_on = self.get("continue").unwrap_or_default();
        let mut said = goes_on.split(['?', '#', '&']);
        let page_says = said.any(|pair| pair.strip_prefix("fixed_device=").is_some_and(is));
        if self.get("fixed_device").is_some_and(is) || page_says {
            DeviceKind::Fixed
        } else {
            DeviceKind::Personal
        }
    }

    fn secret(&self, name: &str) -> Option<Secret> {
        self.get(name).map(Secret::new)
    }

    fn required(&self, name: &str) -> Result<&str, OAuthError> {
        self.get(name).ok_or(OAuthError::InvalidRequest)
    }

    /// Takes the app's id from HTTP Basic, where it is not a parameter (RFC 6749 section 2.3.1). The secret beside it is ignored: no app here has one.
    pub fn with_basic(mut self, authorization: Option<&str>) -> Result<Self, OAuthError> {
        let Some((scheme, pair)) = authorization.and_then(|value| value.trim().split_once(' '))
        else {
            return Ok(self);
        };
        if !scheme.eq_ignore_ascii_case("basic") {
            return Ok(self);
        }
        let client = basic_user(pair.trim()).ok_or(OAuthError::InvalidRequest)?;
        match self.get("client_id") {
            Some(known) if known == client => {}
            Some(_) => return Err(OAuthError::InvalidRequest),
            None => self
                .pairs
                .push((Cow::Borrowed("client_id"), Cow::Owned(client))),
        }
        Ok(self)
    }

    fn client(&self) -> Result<&str, OAuthError> {
        let client = self.required("client_id")?;
        if client.len() > CLIENT_MAX_BYTES {
            return Err(OAuthError::InvalidRequest);
        }
        Ok(client)
    }

    /// What is asked for, apart by blanks.
    fn scopes(&self) -> Result<Vec<Scope>, OAuthError> {
        let asked = self.get("scope").unwrap_or(DEFAULT_SCOPE);
        let scopes = asked.split_ascii_whitespace().map(Scope::parse);
        scopes
            .collect::<Option<Vec<_>>>()
            .filter(|scopes| !scopes.is_empty())
            .ok_or(OAuthError::InvalidScope)
    }
}

/// The first half of `user:password`, as HTTP Basic carries it and a form encodes it.
fn basic_user(pair: &str) -> Option<String> {
    let pair = String::from_utf8(STANDARD.decode(pair).ok()?).ok()?;
    let (user, _) = pair.split_once(':')?;
    let user = user.replace('+', " ");
    let user = percent_decode_str(&user).decode_utf8().ok()?;
    Some(user.into_owned())
}

/// What is wrong with a request, in OAuth's words (RFC 6749 sections 4.1.2.1 and 5.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OAuthError {
    /// A parameter is missing or malformed.
    #[error("a parameter is missing or malformed")]
    InvalidRequest,
    /// The password, code or refresh token is not good.
    #[error("the grant is not valid, or no longer")]
    InvalidGrant,
    /// There is no such part of the API.
    #[error("the scope is not known")]
    InvalidScope,
    /// No such way to get a token.
    #[error("the grant type is not supported; use password, authorization_code or refresh_token")]
    UnsupportedGrant,
    /// Another server has issued the token.
    #[error("the token is not one that can be given back here")]
    UnsupportedToken,
    /// No such way to answer.
    #[error(
        "the response type is not supported; use code with code_challenge_method S256, or token"
    )]
    UnsupportedResponse,
    /// No user is signed in.
    #[error("nobody is signed in")]
    LoginRequired,
    /// Too much at this moment, or too many failures.
    #[error("not possible at the moment; try again later")]
    Unavailable,
    /// A fault of ours.
    #[error("an internal failure")]
    ServerError,
}

impl OAuthError {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::InvalidGrant => "invalid_grant",
            Self::InvalidScope => "invalid_scope",
            Self::UnsupportedGrant => "unsupported_grant_type",
            Self::UnsupportedToken => "unsupported_token_type",
            Self::UnsupportedResponse => "unsupported_response_type",
            Self::LoginRequired => "login_required",
            Self::Unavailable => "temporarily_unavailable",
            Self::ServerError => "server_error",
        }
    }
}

/// An error as a body.
#[derive(Debug, Serialize)]
pub struct OAuthErrorShape<'a> {
    error: &'static str,
    error_description: &'a str,
}

impl<'a> OAuthErrorShape<'a> {
    /// The error with words for people.
    pub fn new(error: OAuthError, description: &'a str) -> Self {
        Self {
            error: error.as_str(),
            error_description: description,
        }
    }
}

/// What is asked of `POST /auth/oauth/token` and `POST /auth/token`.
#[derive(Debug)]
pub enum TokenRequest {
    /// A token for a password.
    Password {
        /// Who.
        username: String,
        /// The password.
        password: Secret,
        /// The app.
        client: String,
        /// What the token is to open.
        scopes: Vec<Scope>,
        /// What kind of device the app runs on.
        device: DeviceKind,
    },
    /// A token for a code.
    Code {
        /// The code.
        code: Secret,
        /// The app.
        client: String,
        /// Where the code was sent.
        redirect: String,
        /// What the challenge is the digest of.
        verifier: Option<Secret>,
    },
    /// The next token.
    Refresh {
        /// The refresh token.
        token: Secret,
        /// The app, where it says so.
        client: Option<String>,
    },
    /// No token, but the end of this one.
    Revoke {
        /// The token.
        token: Secret,
    },
}

impl TokenRequest {
    /// Reads the parameters.
    pub fn read(parameters: &Parameters<'_>) -> Result<Self, OAuthError> {
        let Some(grant) = parameters.get("grant_type") else {
            // PlaceOS's client revokes a token at the same address, by naming it and nothing else.
            let token = parameters.secret("token");
            return token
                .map(|token| Self::Revoke { token })
                .ok_or(OAuthError::InvalidRequest);
        };
        match grant {
            "password" => Ok(Self::Password {
                username: parameters.required("username")?.to_owned(),
                password: Secret::new(parameters.required("password")?),
                client: parameters.client()?.to_owned(),
                scopes: parameters.scopes()?,
                device: parameters.device(),
            }),
            "authorization_code" => Ok(Self::Code {
                code: Secret::new(parameters.required("code")?),
                client: parameters.client()?.to_owned(),
                redirect: parameters.required("redirect_uri")?.to_owned(),
                verifier: parameters.secret("code_verifier"),
            }),
            "refresh_token" => Ok(Self::Refresh {
                token: Secret::new(parameters.required("refresh_token")?),
                client: parameters.get("client_id").map(str::to_owned),
            }),
            _ => Err(OAuthError::UnsupportedGrant),
        }
    }
}

/// A token that an app gets.
#[derive(Debug)]
pub struct TokenAnswer<'a> {
    /// The token.
    pub access: &'a Secret,
    /// By what the next is got.
    pub refresh: Option<&'a Secret>,
    /// What it opens.
    pub scopes: &'a [Scope],
    /// How long it is good, in seconds.
    pub expires_in: u64,
    /// When it was made, in Unix seconds.
    pub created_at: u64,
}

#[derive(Serialize)]
struct TokenShape<'a> {
    access_token: &'a str,
    token_type: &'static str,
    expires_in: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<&'a str>,
    scope: String,
    created_at: u64,
}

impl TokenAnswer<'_> {
    /// The body.
    pub fn to_json(&self) -> String {
        let shape = TokenShape {
            access_token: self.access.expose(),
            token_type: "Bearer",
            expires_in: self.expires_in,
            refresh_token: self.refresh.map(Secret::expose),
            scope: scope_text(self.scopes),
            created_at: self.created_at,
        };
        serde_json::to_string(&shape).expect("the shape has text keys")
    }
}

/// Scopes as they are written in a body.
pub fn scope_text(scopes: &[Scope]) -> String {
    let texts: Vec<String> = scopes.iter().map(Scope::to_string).collect();
    texts.join(" ")
}

/// How an app wants its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResponseType {
    /// A code in the query.
    Code,
    /// A token in the fragment.
    Token,
}

/// What is asked of `GET /auth/oauth/authorize`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthorizeRequest {
    /// How the answer is wanted.
    pub response: ResponseType,
    /// The app.
    pub client: String,
    /// What the token is to open.
    pub scopes: Vec<Scope>,
    /// The challenge of PKCE's method S256.
    pub challenge: Option<String>,
    /// What kind of device the app runs on.
    pub device: DeviceKind,
}

/// Where an answer goes, and what it brings back unchanged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReturnAddress {
    /// A place that may be sent to.
    pub redirect: String,
    /// The app's own mark.
    pub state: Option<String>,
    /// In what part of the place the answer stands.
    pub response: ResponseType,
}

impl AuthorizeRequest {
    /// Reads the parameters.
    pub fn read(parameters: &Parameters<'_>) -> Result<Self, OAuthError> {
        let response = match parameters.get("response_type") {
            Some("code") => ResponseType::Code,
            Some("token") => ResponseType::Token,
            Some(_) => return Err(OAuthError::UnsupportedResponse),
            None => return Err(OAuthError::InvalidRequest),
        };
        let challenge = match parameters.get("code_challenge") {
            Some(challenge) if challenge.len() != CHALLENGE_BYTES => {
                return Err(OAuthError::InvalidRequest);
            }
            // Without a method OAuth means `plain`, which proves nothing, because an attacker may have seen the request.
            Some(_) if parameters.get("code_challenge_method") != Some("S256") => {
                return Err(OAuthError::InvalidRequest);
            }
            challenge => challenge.map(str::to_owned),
        };
        Ok(Self {
            response,
            client: parameters.client()?.to_owned(),
            scopes: parameters.scopes()?,
            challenge,
            device: parameters.device(),
        })
    }
}

impl ReturnAddress {
    /// Where the answer goes, if it may go there.
    pub fn read(
        parameters: &Parameters<'_>,
        may_go: impl FnOnce(&str) -> bool,
    ) -> Result<Self, OAuthError> {
        let redirect = parameters.required("redirect_uri")?;
        if !may_go(redirect) {
            return Err(OAuthError::InvalidRequest);
        }
        Ok(Self {
            redirect: redirect.to_owned(),
            state: parameters.get("state").map(str::to_owned),
            response: match parameters.get("response_type") {
                Some("token") => ResponseType::Token,
                Some(_) | None => ResponseType::Code,
            },
        })
    }

    /// The place with an answer in it.
    pub fn with(&self, answer: &[(&str, &str)]) -> String {
        let Self {
            redirect,
            state,
            response,
        } = self;
        let state = state.as_deref().map(|state| ("state", state));
        let pairs: Vec<String> = answer
            .iter()
            .copied()
            .chain(state)
            .map(|(name, value)| format!("{name}={}", utf8_percent_encode(value, ESCAPED)))
            .collect();
        let mark = match response {
            ResponseType::Token => '#',
            ResponseType::Code if redirect.contains('?') => '&',
            ResponseType::Code => '?',
        };
        format!("{redirect}{mark}{}", pairs.join("&"))
    }
}

/// Whether an answer may be sent to a place: one of the listed, to the letter, or one on the origin that was called.
pub fn may_redirect(uri: &str, host: Option<&str>, listed: &[String], by: Transport) -> bool {
    listed.iter().any(|known| known == uri) || is_of_origin(uri, host, by)
}

/// Whether a URI is a page of the origin that was called.
fn is_of_origin(uri: &str, host: Option<&str>, by: Transport) -> bool {
    // What browsers read differently from us has no place in it: a backslash is a slash to them, and blanks are cut.
    let is_plain = uri
        .bytes()
        .all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'\\' | b'#' | b'"' | b'<' | b'>'));
    let Some((scheme, rest)) = uri.split_once("://") else {
        return false;
    };
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let authority = &rest[..end];
    let origin = format!("{scheme}://{authority}");
    is_plain && !authority.contains('@') && !origin_is_foreign(Some(&origin), host, by)
}

/// Where the browser goes on after signing in or out: the page that it asked for if it is one of riser's, else `otherwise`.
pub fn go_on<'a>(
    asked: Option<&'a str>,
    host: Option<&str>,
    by: Transport,
    otherwise: &'a str,
) -> &'a str {
    let Some(asked) = asked else {
        return otherwise;
    };
    let is_path = asked.starts_with('/')
        && !asked.starts_with("//")
        && asked
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    // A page's own fragment may come back with it.
    let (page, _) = asked.split_once('#').unwrap_or((asked, ""));
    let is_page = asked.bytes().all(|byte| byte.is_ascii_graphic()) && is_of_origin(page, host, by);
    if is_path || is_page { asked } else { otherwise }
}

/// Text as it stands in a query.
pub fn escaped(text: &str) -> String {
    utf8_percent_encode(text, ESCAPED).to_string()
}

/// The header that gives a browser its session for what is below `base`, or takes it away.
/// No script can read it, and no other site's form sends it.
pub fn set_session(cookie: Option<&Secret>, base: &str, by: Transport) -> String {
    let secure = match by {
        Transport::Encrypted => "; Secure",
        Transport::Plain => "",
    };
    let (value, end) = match cookie {
        Some(cookie) => (cookie.expose(), ""),
        None => ("", "; Max-Age=0"),
    };
    let path = if base.is_empty() { "/" } else { base };
    format!("{SESSION_COOKIE}={value}; Path={path}; HttpOnly; SameSite=Lax{secure}{end}")
}

/// The keys that sign tokens: `GET /.well-known/jwks.json` (RFC 7517).
#[derive(Debug, Serialize)]
pub struct KeySet<'a> {
    keys: Vec<KeyShape<'a>>,
}

#[derive(Debug, Serialize)]
struct KeyShape<'a> {
    kty: &'static str,
    r#use: &'static str,
    alg: &'static str,
    kid: &'a str,
    n: &'a str,
    e: &'a str,
}

impl<'a> KeySet<'a> {
    /// The set of RSA keys, each by its id, modulus and exponent.
    pub fn new(keys: impl Iterator<Item = (&'a str, &'a str, &'a str)>) -> Self {
        let shape = |(kid, n, e)| KeyShape {
            kty: "RSA",
            r#use: "sig",
            alg: "RS256",
            kid,
            n,
            e,
        };
        Self {
            keys: keys.map(shape).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn go(uri: &str, by: Transport) -> bool {
        may_redirect(
            uri,
            Some("rooms.test:3000"),
            &["https://app.test/back".to_owned()],
            by,
        )
    }

    #[test]
    fn a_device_is_fixed_when_its_sign_in_or_the_page_that_it_goes_on_to_says_so() {
        for query in [
            "fixed_device=true",
            "email=a&fixed_device=TRUE",
            "continue=%2Fpanel%2F%3Ffixed_device%3Dtrue",
            "continue=%2Fpanel%2F%23%2F%3Fa%3Db%26fixed_device%3Dtrue",
        ] {
            let parameters = Parameters::read(query, b"");
            assert_eq!(parameters.device(), DeviceKind::Fixed, "{query}");
        }
        for query in [
            "",
            "fixed_device=false",
            "fixed_device",
            "continue=%2Ffixed_device",
            "continue=%2F%3Fnot_fixed_device%3Dtrue",
        ] {
            let parameters = Parameters::read(query, b"");
            assert_eq!(parameters.device(), DeviceKind::Personal, "{query}");
        }
    }

    #[test]
    fn an_answer_goes_to_the_same_origin_or_to_what_is_listed() {
        for uri in [
            "http://rooms.test:3000/oauth-resp.html",
            "http://ROOMS.test:3000",
            "http://rooms.test:3000/a?b=c",
            "https://app.test/back",
        ] {
            assert!(go(uri, Transport::Plain), "{uri}");
        }
        for uri in [
            "http://rooms.test/oauth-resp.html",
            "http://rooms.test:3001/oauth-resp.html",
            "http://evil.test/",
            "http://rooms.test:3000@evil.test/",
            "http://evil.test\\@rooms.test:3000/",
            "http://evil.test?://rooms.test:3000",
            "http://rooms.test:3000/#",
            "http://rooms.test:3000/ x",
            "//rooms.test:3000/",
            "/oauth-resp.html",
            "javascript://rooms.test:3000/%0aalert(1)",
            "https://app.test/back/",
            "https://app.test/back?x=1",
            "",
        ] {
            assert!(!go(uri, Transport::Plain), "{uri}");
        }
    }

    #[test]
    fn an_answer_never_leaves_tls() {
        let plain = "http://rooms.test:3000/resp";
        assert!(go(plain, Transport::Plain) && !go(plain, Transport::Encrypted));
        assert!(go("https://rooms.test:3000/resp", Transport::Encrypted));
    }

    #[test]
    fn who_signs_in_goes_on_to_a_page_here() {
        let go = |asked| go_on(asked, Some("rooms.test"), Transport::Plain, "/");
        for good in ["/panel/?a=b#/systems/sys-1", "http://rooms.test/panel/#/x"] {
            assert_eq!(go(Some(good)), good);
        }
        for bad in [
            "//evil.test",
            "/\\evil.test",
            "http://evil.test/",
            "javascript:alert(1)",
            "/a\r\nSet-Cookie: x=1",
            "",
        ] {
            assert_eq!(go(Some(bad)), "/", "{bad}");
        }
        assert_eq!(go(None), "/");
    }

    #[test]
    fn a_host_without_a_port_is_no_other_port_of_that_host() {
        let go = |uri: &str, by| may_redirect(uri, Some("rooms.test"), &[], by);
        assert!(go("http://rooms.test/resp", Transport::Plain));
        assert!(go("https://rooms.test:443/resp", Transport::Encrypted));
        for uri in [
            "http://rooms.test:8080/resp",
            "https://rooms.test:8443/resp",
        ] {
            assert!(!go(uri, Transport::Plain), "{uri}");
            assert!(!go(uri, Transport::Encrypted), "{uri}");
            assert_eq!(
                go_on(Some(uri), Some("rooms.test"), Transport::Plain, "/"),
                "/"
            );
        }
    }

    #[test]
    fn an_answer_stands_in_the_query_or_the_fragment_and_brings_the_state_back() {
        let address = |redirect: &str, response| ReturnAddress {
            redirect: redirect.to_owned(),
            state: Some("n;x&y".to_owned()),
            response,
        };
        let code = address("http://r/", ResponseType::Code).with(&[("code", "a+b")]);
        assert_eq!(code, "http://r/?code=a%2Bb&state=n%3Bx%26y");
        let code = address("http://r/?z", ResponseType::Code).with(&[("code", "c")]);
        assert_eq!(code, "http://r/?z&code=c&state=n%3Bx%26y");
        let token = address("http://r/", ResponseType::Token).with(&[("access_token", "t")]);
        assert_eq!(token, "http://r/#access_token=t&state=n%3Bx%26y");
    }

    #[test]
    fn a_request_for_a_token_may_stand_in_the_query_or_the_form() {
        let query = "grant_type=password&client_id=c&username=a%40b&password=p+w&scope=public";
        for (query, form) in [(query, ""), ("", query), ("client_id=", query)] {
            let parameters = Parameters::read(query, form.as_bytes());
            let TokenRequest::Password {
                username, password, ..
            } = TokenRequest::read(&parameters).unwrap()
            else {
                panic!("no password");
            };
            assert_eq!((&*username, password.expose()), ("a@b", "p w"));
        }
        let refused = |query| TokenRequest::read(&Parameters::read(query, b"")).unwrap_err();
        assert_eq!(refused("grant_type=magic"), OAuthError::UnsupportedGrant);
        assert_eq!(refused("grant_type=password"), OAuthError::InvalidRequest);
        assert_eq!(refused(""), OAuthError::InvalidRequest);
        let scope = query.replace("scope=public", "scope=a.b.c");
        let scope = TokenRequest::read(&Parameters::read(&scope, b"")).unwrap_err();
        assert_eq!(scope, OAuthError::InvalidScope);
    }

    #[test]
    fn an_app_may_say_its_id_by_http_basic() {
        let client = |query: &'static str, authorization: Option<&str>| {
            let parameters = Parameters::read(query, b"").with_basic(authorization)?;
            parameters.client().map(str::to_owned)
        };
        // `my app:` and `c:secret`
        let (named, other) = (Some("Basic bXkrYXBwOg=="), Some("basic YzpzZWNyZXQ="));
        assert_eq!(client("", named), Ok("my app".to_owned()));
        assert_eq!(client("client_id=c", other), Ok("c".to_owned()));
        assert_eq!(client("client_id=c", Some("Bearer x")), Ok("c".to_owned()));
        for wrong in [named, Some("Basic ???"), Some("Basic Yw==")] {
            let refused = client("client_id=c", wrong);
            assert_eq!(refused, Err(OAuthError::InvalidRequest), "{wrong:?}");
        }
    }

    #[test]
    fn only_a_challenge_that_proves_something_is_taken() {
        let read = |rest: &str| {
            let query = format!("response_type=code&client_id=c{rest}");
            AuthorizeRequest::read(&Parameters::read(&query, b""))
        };
        let challenge = "&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
        assert!(read("").unwrap().challenge.is_none());
        let s256 = format!("{challenge}&code_challenge_method=S256");
        assert!(read(&s256).unwrap().challenge.is_some());
        for bad in [
            challenge.to_owned(),
            format!("{challenge}&code_challenge_method=plain"),
            "&code_challenge=short&code_challenge_method=S256".to_owned(),
        ] {
            assert_eq!(read(&bad), Err(OAuthError::InvalidRequest), "{bad}");
        }
    }
}
