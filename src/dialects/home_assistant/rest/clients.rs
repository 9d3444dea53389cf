//! Who an app says it is, and where a browser may be sent back to: by IndieAuth's rules, an app is the address of its page.
//!
//! Nothing is fetched: a page of another origin than its app's has no place here, but for the addresses at which Home Assistant's own apps on phones are called.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// What need not be escaped in a query.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// The longest address of an app or of a page.
const ADDRESS_MAX_BYTES: usize = 2_048;

/// The apps on phones and watches, which are no pages, with where each is called back.
const APPS: [(&str, &str); 4] = [
    (
        "https://home-assistant.io/iOS",
        "homeassistant://auth-callback",
    ),
    (
        "https://home-assistant.io/android",
        "homeassistant://auth-callback",
    ),
    (
        "https://home-assistant.io/android",
        "https://wear.googleapis.com/3p_auth/io.homeassistant.companion.android",
    ),
    (
        "https://home-assistant.io/android",
        "https://wear.googleapis-cn.com/3p_auth/io.homeassistant.companion.android",
    ),
];

/// An address taken apart as far as it matters here.
struct Address<'a> {
    scheme: &'a str,
    authority: &'a str,
    path: &'a str,
    has_fragment: bool,
}

impl<'a> Address<'a> {
    fn read(text: &'a str) -> Option<Self> {
        // Browsers take a backslash for a slash and cut blanks, so what has them could be read in two ways.
        let is_plain = text
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'\\' | b'"' | b'<' | b'>'));
        if !is_plain || text.len() > ADDRESS_MAX_BYTES {
            return None;
        }
        let (scheme, rest) = text.split_once("://")?;
        let (rest, fragment) = match rest.split_once('#') {
            Some((rest, fragment)) => (rest, Some(fragment)),
            None => (rest, None),
        };
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, behind) = rest.split_at(end);
        let path = behind.split('?').next().unwrap_or_default();
        Some(Self {
            scheme,
            authority,
            path,
            has_fragment: fragment.is_some_and(|fragment| !fragment.is_empty()),
        })
    }

    fn is_web(&self) -> bool {
        ["http", "https"]
            .iter()
            .any(|scheme| self.scheme.eq_ignore_ascii_case(scheme))
    }

    fn is_of_a_client(&self) -> bool {
        let (host, port) = match self.authority.rsplit_once(':') {
            Some((host, port)) if !port.contains(']') => (host, Some(port)),
            Some(_) | None => (self.authority, None),
        };
        let is_port = |port: &str| port.is_empty() || port.parse::<u16>().is_ok();
        let climbs = |segment: &str| segment == "." || segment == "..";
        self.is_web()
            && !self.has_fragment
            && !host.is_empty()
            && !self.authority.contains('@')
            && port.is_none_or(is_port)
            && !self.path.split('/').any(climbs)
    }
}

/// Whether a text is the address of a web page at all, which no other dialect's clients call themselves by.
pub fn is_web_client(id: &str) -> bool {
    Address::read(id).is_some_and(|address| address.is_web())
}

/// Whether an app may call itself so.
pub fn is_client(id: &str) -> bool {
    Address::read(id).is_some_and(|address| address.is_of_a_client())
}

/// Whether the code of an app may be sent to an address: one of the app's own origin.
pub fn may_return(client: &str, address: &str) -> bool {
    if APPS.contains(&(client, address)) {
        return true;
    }
    let (Some(client), Some(address)) = (Address::read(client), Address::read(address)) else {
        return false;
    };
    client.is_of_a_client()
        && client.scheme.eq_ignore_ascii_case(address.scheme)
        && client.authority.eq_ignore_ascii_case(address.authority)
}

/// Where a browser goes with its code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReturnAddress {
    /// The app.
    pub client: String,
    /// An address to which its codes may be sent.
    pub redirect: String,
    /// The app's own mark, which comes back unchanged.
    pub state: Option<String>,
}

impl ReturnAddress {
    /// Of an app and an address that belong together.
    pub fn new(client: &str, redirect: &str, state: Option<&str>) -> Option<Self> {
        may_return(client, redirect).then(|| Self {
            client: client.to_owned(),
            redirect: redirect.to_owned(),
            state: state.map(str::to_owned),
        })
    }

    /// The address with a code in it.
    pub fn with_code(&self, code: &str) -> String {
        let escaped = |text: &str| utf8_percent_encode(text, ESCAPED).to_string();
        let mut address = self.redirect.clone();
        address.push(match address.contains('?') {
            true => '&',
            false => '?',
        });
        address.push_str("code=");
        address.push_str(&escaped(code));
        if let Some(state) = &self.state {
            address.push_str("&state=");
            address.push_str(&escaped(state));
        }
        address
    }

    /// The origin of the address, or its scheme where that is no web page's: what a page has to be allowed to send its form on to.
    pub fn source(&self) -> String {
        match Address::read(&self.redirect) {
            Some(address) if address.is_web() => {
                format!("{}://{}", address.scheme, address.authority)
            }
            Some(address) => format!("{}:", address.scheme),
            None => "'self'".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_app_is_the_address_of_its_page() {
        for id in [
            "http://127.0.0.1:8123/",
            "http://[::1]:8123/",
            "https://app.test",
            "HTTPS://App.Test/x?y=z",
            "https://home-assistant.io/iOS",
        ] {
            assert!(is_client(id), "{id}");
        }
        for id in [
            "",
            "app",
            "ftp://app.test/",
            "http://",
            "http:///x",
            "http://user@app.test/",
            "http://user:word@app.test/",
            "http://app.test/#part",
            "http://app.test/../x",
            "http://app.test/./x",
            "http://app.test:99999/",
            "http://app.test/ x",
            "http://app.test\\@evil.test/",
        ] {
            assert!(!is_client(id), "{id}");
        }
    }

    #[test]
    fn a_code_goes_to_the_apps_own_origin_alone() {
        let app = "http://app.test:8123/";
        for address in [
            "http://app.test:8123/?auth_callback=1",
            "http://APP.test:8123/x",
        ] {
            assert!(may_return(app, address), "{address}");
        }
        for address in [
            "https://app.test:8123/",
            "http://app.test/",
            "http://app.test:8123@evil.test/",
            "http://evil.test/",
            "homeassistant://auth-callback",
            "//app.test:8123/",
            "",
        ] {
            assert!(!may_return(app, address), "{address}");
        }
        let phone = "https://home-assistant.io/iOS";
        assert!(may_return(phone, "homeassistant://auth-callback"));
        assert!(!may_return(phone, "homeassistant://auth-callback2"));
    }

    #[test]
    fn a_code_and_the_apps_mark_are_added_to_the_query() {
        let back = |redirect, state| {
            let back = ReturnAddress::new("http://a.test/", redirect, state).unwrap();
            back.with_code("a.b")
        };
        assert_eq!(back("http://a.test/", None), "http://a.test/?code=a.b");
        assert_eq!(
            back("http://a.test/?auth_callback=1", Some("x&y")),
            "http://a.test/?auth_callback=1&code=a.b&state=x%26y"
        );
        assert_eq!(
            ReturnAddress::new("http://a.test/", "http://b.test/", None),
            None
        );
    }
}
