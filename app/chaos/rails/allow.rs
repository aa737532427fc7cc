//! Entries of the allow-list.

use std::net::IpAddr;

/// Networks may not be wider than so many bits say: `/16` of IPv4, `/32` of IPv6.
const WIDEST: (u8, u8) = (16, 32);

/// What one entry covers, at one port or at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allowed {
    what: What,
    port: Option<u16>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum What {
    /// A host, in lower case.
    Host(String),
    /// `.staging.internal`: every host below it.
    Below(String),
    Network(IpAddr, u8),
}

/// Why an entry is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("allow-list: `{entry}` {reason}")]
pub struct AllowError {
    entry: String,
    reason: String,
}

impl Allowed {
    /// Reads `host`, `host:443`, `*.staging.internal`, `10.1.0.0/16`, `[::1]:80`, `10.0.0.7`.
    pub fn parse(entry: &str) -> Result<Self, AllowError> {
        let refuse = |reason: &str| AllowError { entry: entry.to_owned(), reason: reason.to_owned() };
        let (name, port) = split_port(entry.trim()).map_err(refuse)?;
        let what = match name.split_once('/') {
            Some((address, bits)) => network(address, bits).map_err(refuse)?,
            None => host(name).map_err(refuse)?,
        };
        Ok(Self { what, port })
    }

    /// Tells whether a host that was found at `address` is covered.
    #[must_use]
    pub fn covers(&self, host: &str, address: IpAddr, port: u16) -> bool {
        let name = host.to_lowercase();
        let fits = match &self.what {
            What::Host(host) => *host == name,
            What::Below(suffix) => name.len() > suffix.len() && name.ends_with(suffix.as_str()),
            What::Network(network, bits) => is_in(*network, *bits, address),
        };
        fits && self.port.is_none_or(|only| only == port)
    }
}

fn split_port(entry: &str) -> Result<(&str, Option<u16>), &'static str> {
    const WRONG: &str = "has a port that is no number from 1 to 65535";
    if let Some(rest) = entry.strip_prefix('[') {
        let (name, port) = rest.split_once(']').ok_or("lacks the bracket behind its address")?;
        let port = port.strip_prefix(':').map(|port| port.parse().map_err(|_| WRONG)).transpose()?;
        return Ok((name, port));
    }
    match entry.split_once(':') {
        Some((_, rest)) if rest.contains(':') => Ok((entry, None)),
        Some((name, port)) => Ok((name, Some(port.parse().map_err(|_| WRONG)?))),
        None => Ok((entry, None)),
    }
}

fn network(address: &str, bits: &str) -> Result<What, &'static str> {
    let address: IpAddr = address.parse().map_err(|_| "is no network: write address/bits")?;
    let bits: u8 = bits.parse().map_err(|_| "is no network: write address/bits")?;
    let (widest, most) = if address.is_ipv4() { (WIDEST.0, 32) } else { (WIDEST.1, 128) };
    // Loopback is this machine however wide it is written.
    if bits > most || (bits < widest && !address.is_loopback()) {
        return Err("is too wide a network: at most /16 (IPv6: /32)");
    }
    Ok(What::Network(address, bits))
}

fn host(name: &str) -> Result<What, &'static str> {
    if let Ok(address) = name.parse::<IpAddr>() {
        return Ok(What::Network(address, if address.is_ipv4() { 32 } else { 128 }));
    }
    let suffix = name.strip_prefix('*');
    match suffix {
        Some(suffix) if suffix.starts_with('.') && suffix[1..].contains('.') && !suffix.contains('*') => {
            Ok(What::Below(suffix.to_lowercase()))
        }
        None if !name.is_empty() && !name.contains('*') => Ok(What::Host(name.to_lowercase())),
        _ => Err("covers too much: write a host, `*.name.domain`, an address, or address/bits"),
    }
}

fn is_in(network: IpAddr, bits: u8, address: IpAddr) -> bool {
    match (network, address) {
        (IpAddr::V4(network), IpAddr::V4(address)) => {
            let mask = u32::MAX.checked_shl(32 - u32::from(bits.min(32))).unwrap_or(0);
            u32::from(network) & mask == u32::from(address) & mask
        }
        (IpAddr::V6(network), IpAddr::V6(address)) => {
            let mask = u128::MAX.checked_shl(128 - u32::from(bits.min(128))).unwrap_or(0);
            u128::from(network) & mask == u128::from(address) & mask
        }
        _ => false,
    }
}
