//! What a run must not touch. Nothing here is asked twice: an address that was allowed is pinned, and that one is called.
//!
//! Loopback is always allowed, as far as its name does not look like production; everything else has to stand on the allow-list of
//! the configuration, which is empty at first.

mod allow;

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::sync::LazyLock;

use regex::Regex;

pub use allow::{AllowError, Allowed};

use super::experiment::Plan;
use super::http::{self, HttpError};

/// What the configuration says of chaos.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Permissions {
    /// Hosts and ports that may be reached: `*.staging.internal:443`, `10.1.0.0/16`.
    pub allow: Vec<String>,
    /// Whether what looks like production may be reached once its exact name was typed.
    pub allow_production: bool,
}

/// Why something is off limits.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RailError {
    #[error(transparent)]
    Allow(#[from] AllowError),
    #[error("{target} looks like production ({seen})")]
    Production { target: String, seen: String },
    #[error("{target} was seen in the incident's own spans: that is where it happened")]
    Incident { target: String },
    #[error("{target} is at {address}, which no entry of `chaos_allow` in the configuration allows")]
    NotAllowed { target: String, address: IpAddr },
    #[error("{target} is not on the experiment's own list `target.allow`")]
    NotInPlan { target: String },
    #[error("{target} now is at {now}, it was at {before} when it was checked")]
    Moved { target: String, before: String, now: String },
    #[error("{0}")]
    Resolve(String),
}

/// The rails of one run.
#[derive(Debug, Clone)]
pub struct Rails {
    allowed: Vec<Allowed>,
    /// The experiment's own, narrower list; nothing where it has none.
    of_plan: Option<Vec<Allowed>>,
    /// Hosts and addresses of the incident, in lower case.
    seen: BTreeSet<String>,
    /// The one name that was typed although it looks like production.
    typed: Option<String>,
}

impl Rails {
    /// Makes the rails for a plan. `typed`: what the user typed to override one name, which counts only if the configuration says so.
    pub fn new(permissions: &Permissions, plan: &Plan, typed: Option<&str>) -> Result<Self, RailError> {
        let parse = |list: &[String]| list.iter().map(|entry| Allowed::parse(entry)).collect::<Result<Vec<_>, _>>();
        let of_plan = parse(&plan.target.allow)?;
        let rails = Self {
            allowed: parse(&permissions.allow)?,
            of_plan: Some(of_plan).filter(|list| !list.is_empty()),
            seen: plan.incident.hosts.iter().map(|host| host.to_lowercase()).collect(),
            typed: typed.filter(|_| permissions.allow_production).map(str::to_lowercase),
        };
        rails.check_name(&plan.target.environment)?;
        if plan.incident.environments.iter().any(|one| one.eq_ignore_ascii_case(&plan.target.environment)) {
            return Err(RailError::Incident { target: plan.target.environment.clone() });
        }
        Ok(rails)
    }

    /// Fails for a name (of a host, an environment, a cluster, a namespace) that looks like production.
    pub fn check_name(&self, name: &str) -> Result<(), RailError> {
        let lower = name.to_lowercase();
        match production(&lower) {
            Some(seen) if self.typed.as_deref() != Some(lower.as_str()) => {
                Err(RailError::Production { target: name.to_owned(), seen })
            }
            _ => Ok(()),
        }
    }

    /// Looks up a host and returns its addresses, if each of them may be reached at this port.
    pub fn resolve(&self, host: &str, port: u16) -> Result<Vec<SocketAddr>, RailError> {
        let addresses = http::resolve(host, port).map_err(|error: HttpError| RailError::Resolve(error.to_string()))?;
        self.check(host, port, &addresses)?;
        Ok(addresses)
    }

    /// Looks up a host again; fails where it went elsewhere, or may not be reached any more.
    pub fn check_again(&self, host: &str, port: u16, before: &[SocketAddr]) -> Result<(), RailError> {
        let now = self.resolve(host, port)?;
        if now.iter().any(|address| before.contains(address)) {
            return Ok(());
        }
        let shown = |list: &[SocketAddr]| list.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        Err(RailError::Moved { target: http::target(host, port), before: shown(before), now: shown(&now) })
    }

    /// Fails if `host` at any of `addresses` is off limits.
    pub fn check(&self, host: &str, port: u16, addresses: &[SocketAddr]) -> Result<(), RailError> {
        let target = http::target(host, port);
        self.check_name(host)?;
        for address in addresses {
            let ip = address.ip().to_canonical();
            // Loopback is another machine for everyone who says it.
            if !ip.is_loopback() {
                if [host.to_lowercase(), ip.to_string()].iter().any(|name| self.seen.contains(name)) {
                    return Err(RailError::Incident { target });
                }
                if !self.allowed.iter().any(|entry| entry.covers(host, ip, port)) {
                    return Err(RailError::NotAllowed { target, address: ip });
                }
            }
            if self.of_plan.as_ref().is_some_and(|list| !list.iter().any(|entry| entry.covers(host, ip, port))) {
                return Err(RailError::NotInPlan { target });
            }
        }
        Ok(())
    }
}

/// Returns the part of a name that makes it look like production. `name` is in lower case.
#[must_use]
pub fn production(name: &str) -> Option<String> {
    static NAME: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r"(?:^|[-_./:])(prod|production|prd|live|main-?cluster)(?:[-_./:\d]|$)").ok());
    Some(NAME.as_ref()?.captures(name)?.get(1)?.as_str().to_owned())
}

#[cfg(test)]
mod tests;
