//! By which way a request arrived: the proxy that says so in `via`, else the address at the other end of the connection.

use super::Case;
use crate::trace::window::{Symbol, key};

/// Returns the last hop before an entry span, empty where it is not known.
#[must_use]
pub fn of(case: &Case<'_>, entry: u32) -> Symbol {
    let window = case.window;
    let via = case.headers.get(window, entry, "via").and_then(|via| window.texts.find(via));
    let attribute =
        |key: Symbol| window.attributes(entry).iter().find(|(name, _)| *name == key).map(|&(_, value)| value);
    via.or_else(|| attribute(key::NETWORK_PEER_ADDRESS)).unwrap_or_default()
}
