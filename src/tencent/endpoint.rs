//! Where calls are sent: the vendor's hosts, or the one that the user names.
//!
//! Source: the page "request structure" of the CVM API; finance regions must be called at their own hosts.

use url::{Host, Url};

use super::wire::Service;

/// Where calls are sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Endpoint(Kind);

#[derive(Clone, Debug, Default, PartialEq, Eq)]
enum Kind {
    #[default]
    Vendor,
    /// Another root domain of the vendor's, e.g. `internal.tencentcloudapi.com`.
    Domain(String),
    /// One origin for all services.
    Origin(String),
}

/// An endpoint that is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    /// Neither a URL nor a domain.
    #[error(
        "endpoint `{0}` is neither a URL like https://host:port nor a domain like internal.tencentcloudapi.com"
    )]
    NotAUrl(String),
    /// Plain HTTP to another machine: passwords and tokens would be readable on the way.
    #[error(
        "endpoint `{0}` is plain http; that is allowed only to this machine (127.0.0.1, [::1], localhost): use https"
    )]
    PlainHttp(String),
    /// More than scheme, host and port.
    #[error("endpoint `{0}` has a path, a query or a user; only scheme, host and port are allowed")]
    NotAnOrigin(String),
    /// Not the name of a region.
    #[error("region `{0}` is not the name of a region; they look like ap-guangzhou")]
    Region(String),
}

const ROOT: &str = "tencentcloudapi.com";

impl Endpoint {
    /// The vendor's public hosts.
    pub fn vendor() -> Self {
        Self::default()
    }

    /// Reads what a user gave: a full URL that is used for all services, or another root domain of the vendor's.
    pub fn parse(text: &str) -> Result<Self, EndpointError> {
        if !text.contains("://") {
            let domain = text.trim_end_matches('.').to_ascii_lowercase();
            let label = |label: &str| !label.is_empty() && label.bytes().all(is_label_byte);
            let fits = domain.contains('.') && domain.split('.').all(label);
            return if fits && domain.parse::<std::net::IpAddr>().is_err() {
                Ok(Self(Kind::Domain(domain)))
            } else {
                Err(EndpointError::NotAUrl(text.to_owned()))
            };
        }
        // The text may hold a password in its user part: errors must not repeat that.
        let shown = text.rsplit_once('@').map_or(text, |(_, host)| host).to_owned();
        let url = Url::parse(text).map_err(|_| EndpointError::NotAUrl(shown.clone()))?;
        match url.scheme() {
            "https" if url.host().is_some() => {}
            "http" if is_loopback(&url) => {}
            "http" => return Err(EndpointError::PlainHttp(shown)),
            _ => return Err(EndpointError::NotAUrl(shown)),
        }
        let bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
        if !bare || !url.username().is_empty() || url.password().is_some() {
            return Err(EndpointError::NotAnOrigin(shown));
        }
        Ok(Self(Kind::Origin(url.origin().ascii_serialization())))
    }

    /// It is the vendor's, so that the vendor's metadata service may be asked as well.
    pub fn is_vendor(&self) -> bool {
        !matches!(self.0, Kind::Origin(_))
    }

    /// What the user named in its one spelling, which [`Self::parse`] takes again; `None` for the vendor's public hosts.
    pub fn named(&self) -> Option<&str> {
        match &self.0 {
            Kind::Vendor => None,
            Kind::Domain(named) | Kind::Origin(named) => Some(named),
        }
    }

    /// It is spoken to in plain http, which only a simulated cloud on this machine is.
    pub fn is_plain_http(&self) -> bool {
        matches!(&self.0, Kind::Origin(origin) if origin.starts_with("http://"))
    }

    /// The one origin that the user named, if it is on this machine.
    pub(crate) fn loopback(&self) -> Option<Url> {
        let Kind::Origin(origin) = &self.0 else { return None };
        Url::parse(origin).ok().filter(is_loopback)
    }

    /// Scheme, host and port for calls to `service` in `region`.
    pub(crate) fn origin(&self, service: Service, region: &str) -> String {
        let root = match &self.0 {
            Kind::Origin(origin) => return origin.clone(),
            Kind::Domain(domain) => domain,
            Kind::Vendor => ROOT,
        };
        let name = service.name();
        if service == Service::Cvm || region.ends_with("-fsi") {
            format!("https://{name}.{region}.{root}")
        } else {
            format!("https://{name}.{root}")
        }
    }
}

/// Checks that `region` may become part of a host's name.
pub(crate) fn check_region(region: &str) -> Result<(), EndpointError> {
    let fits = region.bytes().all(|byte| is_label_byte(byte) && !byte.is_ascii_uppercase());
    if fits && region.contains('-') && !region.starts_with('-') && !region.ends_with('-') {
        Ok(())
    } else {
        Err(EndpointError::Region(region.to_owned()))
    }
}

fn is_label_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'-'
}

/// The URL names this machine.
fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_vendors_hosts() {
        let table = [
            (Service::Cvm, "ap-guangzhou", "https://cvm.ap-guangzhou.tencentcloudapi.com"),
            (Service::Clb, "ap-guangzhou", "https://clb.tencentcloudapi.com"),
            (Service::As, "ap-guangzhou", "https://as.tencentcloudapi.com"),
            (Service::Sts, "ap-shanghai-fsi", "https://sts.ap-shanghai-fsi.tencentcloudapi.com"),
        ];
        for (service, region, expected) in table {
            assert_eq!(Endpoint::vendor().origin(service, region), expected);
        }
    }

    #[test]
    fn a_named_endpoint_serves_all_services() {
        for (text, expected) in [
            ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
            ("http://127.0.0.1:8080/", "http://127.0.0.1:8080"),
            ("http://[::1]:1", "http://[::1]:1"),
            ("http://localhost", "http://localhost"),
            ("https://Proxy.Example.com:443", "https://proxy.example.com"),
        ] {
            let endpoint = Endpoint::parse(text).unwrap();
            assert_eq!(endpoint.origin(Service::Clb, "ap-guangzhou"), expected);
            assert!(!endpoint.is_vendor());
            assert_eq!(endpoint.named(), Some(expected));
        }
        let inside = Endpoint::parse("internal.tencentcloudapi.com").unwrap();
        assert_eq!(
            inside.origin(Service::Cvm, "ap-tokyo"),
            "https://cvm.ap-tokyo.internal.tencentcloudapi.com"
        );
    }

    #[test]
    fn plain_http_is_told_by_the_parsed_scheme() {
        for (text, plain) in [
            ("HTTP://127.0.0.1:1", true),
            ("http://localhost", true),
            ("HTTPS://127.0.0.1:1", false),
            ("internal.tencentcloudapi.com", false),
        ] {
            assert_eq!(Endpoint::parse(text).unwrap().is_plain_http(), plain, "{text}");
        }
        assert!(!Endpoint::vendor().is_plain_http());
        assert_eq!(Endpoint::vendor().named(), None);
    }

    #[test]
    fn what_is_refused_says_why_and_repeats_no_password() {
        use EndpointError as E;
        for (text, expected) in [
            ("http://10.0.0.1:80", E::PlainHttp("http://10.0.0.1:80".into())),
            ("http://127.0.0.1.example.com", E::PlainHttp("http://127.0.0.1.example.com".into())),
            ("https://host/path", E::NotAnOrigin("https://host/path".into())),
            ("https://user:hunter2@host", E::NotAnOrigin("host".into())),
            ("ftp://host", E::NotAUrl("ftp://host".into())),
            ("127.0.0.1:8080", E::NotAUrl("127.0.0.1:8080".into())),
            ("127.0.0.1", E::NotAUrl("127.0.0.1".into())),
            ("", E::NotAUrl(String::new())),
        ] {
            assert_eq!(Endpoint::parse(text).unwrap_err(), expected);
        }
    }

    #[test]
    fn a_region_can_not_redirect_calls_to_another_host() {
        assert_eq!(check_region("ap-shanghai-fsi"), Ok(()));
        for region in
            ["", "guangzhou", "ap-x.evil.com/", "ap-guangzhou/", "-ap", "ap-", "AP-GUANGZHOU", "ap-é"]
        {
            assert!(check_region(region).is_err(), "{region}");
        }
    }
}
