//! Headers that are of one connection only (RFC 9110, 7.6.1).

use hyper::header::{CONNECTION, HeaderName, HeaderValue, TE, TRANSFER_ENCODING, UPGRADE};
use hyper::http::HeaderMap;

/// Those that need not be named in `Connection`.
const OF_A_HOP: [&str; 2] = ["keep-alive", "proxy-connection"];

/// What the headers said of their connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Said {
    /// The connection ends after this message.
    pub(super) closes: bool,
    /// Another protocol is asked for or agreed on.
    pub(super) upgrades: bool,
}

/// Takes away what is of the connection that `headers` came on; keeps what asks for another protocol.
pub(super) fn strip(headers: &mut HeaderMap) -> Said {
    let named = named(headers);
    let is_named = |wanted: &str| named.iter().any(|name| name.eq_ignore_ascii_case(wanted));
    let said = Said { closes: is_named("close"), upgrades: is_named("upgrade") && headers.contains_key(UPGRADE) };
    for name in &named {
        let is_kept = said.upgrades && name.eq_ignore_ascii_case("upgrade") || name.eq_ignore_ascii_case("te");
        if !is_kept && let Ok(name) = HeaderName::try_from(name.as_str()) {
            headers.remove(name);
        }
    }
    if !headers.is_empty() {
        OF_A_HOP.iter().for_each(|name| {
            headers.remove(*name);
        });
        keep_trailers(headers);
        keep_connection(headers, said);
        headers.remove(TRANSFER_ENCODING);
    }
    said
}

/// Returns the names in `Connection`.
fn named(headers: &HeaderMap) -> Vec<String> {
    let lines = headers.get_all(CONNECTION).into_iter().filter_map(|value| value.to_str().ok());
    lines.flat_map(|line| line.split(',')).map(|name| name.trim().to_owned()).collect()
}

/// Of `TE` only that trailers are wanted goes on: they are passed.
fn keep_trailers(headers: &mut HeaderMap) {
    let Some(value) = headers.get(TE) else { return };
    let wants = value.to_str().is_ok_and(|text| text.split(',').any(|coding| coding.trim() == "trailers"));
    if wants {
        headers.insert(TE, HeaderValue::from_static("trailers"));
    } else {
        headers.remove(TE);
    }
}

fn keep_connection(headers: &mut HeaderMap, said: Said) {
    if said.upgrades {
        headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
        return;
    }
    headers.remove(CONNECTION);
    headers.remove(UPGRADE);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stripped(headers: &[(&'static str, &'static str)]) -> (Vec<String>, Said) {
        let mut map = HeaderMap::new();
        headers.iter().for_each(|(name, value)| {
            map.append(*name, HeaderValue::from_static(value));
        });
        let said = strip(&mut map);
        (map.iter().map(|(name, value)| format!("{name}: {}", value.to_str().unwrap())).collect(), said)
    }

    #[test]
    fn what_is_of_one_connection_does_not_go_on() {
        let (left, said) = stripped(&[
            ("connection", "close, X-Private"),
            ("x-private", "1"),
            ("keep-alive", "timeout=5"),
            ("transfer-encoding", "chunked"),
            ("te", "gzip, trailers"),
            ("trailer", "x-sum"),
            ("x-public", "2"),
        ]);
        assert_eq!(left, ["te: trailers", "x-public: 2", "trailer: x-sum"]);
        assert_eq!(said, Said { closes: true, upgrades: false });
    }

    #[test]
    fn another_protocol_may_be_asked_for() {
        let (left, said) = stripped(&[("connection", "keep-alive, Upgrade"), ("upgrade", "websocket")]);
        assert_eq!(left, ["connection: Upgrade", "upgrade: websocket"]);
        assert!(said.upgrades);
        assert_eq!(stripped(&[("upgrade", "h2c")]).0, [""; 0]);
    }
}
