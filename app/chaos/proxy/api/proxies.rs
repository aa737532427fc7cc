//! Links, as Toxiproxy calls them: proxies.

use std::sync::Arc;

use hyper::StatusCode;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::Api;
use super::answer::{Answer, Answered, ApiError, json as answer, nothing};
use super::route::read;
use crate::chaos::proxy::link::{Identity, Link, LinkSpec, Protocol, UpstreamTls};

/// What a client says of a proxy; the last three are ours.
#[derive(Debug, Clone, Deserialize)]
struct Input {
    #[serde(default)]
    name: String,
    listen: Option<String>,
    upstream: Option<String>,
    enabled: Option<bool>,
    protocol: Option<Protocol>,
    tls: Option<Identity>,
    upstream_tls: Option<UpstreamTls>,
}

impl Input {
    /// Returns what a link is to be: as this says, else as `before`.
    fn over(self, before: LinkSpec) -> LinkSpec {
        LinkSpec {
            name: before.name,
            listen: self.listen.map_or(before.listen, |listen| on_loopback(&listen)),
            upstream: self.upstream.unwrap_or(before.upstream),
            protocol: self.protocol.unwrap_or(before.protocol),
            enabled: self.enabled.unwrap_or(before.enabled),
            tls: self.tls.or(before.tls),
            upstream_tls: self.upstream_tls.or(before.upstream_tls),
        }
    }

    fn spec(self) -> LinkSpec {
        let usual = LinkSpec::new(&self.name, "127.0.0.1:0", "");
        self.over(usual)
    }
}

/// Where Toxiproxy means every address of the machine, we mean loopback.
fn on_loopback(listen: &str) -> String {
    match listen {
        "" => "127.0.0.1:0".to_owned(),
        port if port.starts_with(':') => format!("127.0.0.1{port}"),
        address => address.to_owned(),
    }
}

/// Returns what a link is now, with the port that it really has. So it gets the same one when it is switched on again.
fn now(link: &Link) -> LinkSpec {
    LinkSpec { listen: listens_on(link), ..LinkSpec::clone(&link.spec()) }
}

/// Returns host and port that a link listens on, or would.
pub fn listens_on(link: &Link) -> String {
    link.address().map_or_else(|| link.spec().listen.clone(), |address| address.to_string())
}

/// Returns a link as clients see it.
fn describe(api: &Api, link: &Link) -> Value {
    let spec = now(link);
    let mut members = Map::from_iter([
        ("name".to_owned(), spec.name.into()),
        ("listen".to_owned(), spec.listen.into()),
        ("upstream".to_owned(), spec.upstream.into()),
        ("enabled".to_owned(), spec.enabled.into()),
        ("toxics".to_owned(), api.toxics.of(link).into()),
    ]);
    if spec.protocol != Protocol::Auto {
        members.insert("protocol".to_owned(), json!(spec.protocol));
    }
    Value::Object(members)
}

pub fn list(api: &Api) -> Answer {
    let links = api.registry.links();
    let all: Map<String, Value> = links.iter().map(|link| (link.name.clone(), describe(api, link))).collect();
    answer(StatusCode::OK, &Value::Object(all))
}

pub fn show(api: &Api, name: &str) -> Answered {
    Ok(answer(StatusCode::OK, &describe(api, &*api.registry.link(name)?)))
}

pub async fn create(api: &Api, body: &[u8]) -> Answered {
    let input: Input = read(body)?;
    complete(&input, "")?;
    let link = api.registry.create(input.spec()).await?;
    Ok(answer(StatusCode::CREATED, &describe(api, &link)))
}

/// Fails where a field is not there without which there is no proxy.
fn complete(input: &Input, place: &str) -> Result<(), ApiError> {
    if input.name.is_empty() {
        return Err(ApiError::missing_field(&format!("name{place}")));
    }
    if input.upstream.as_ref().is_none_or(String::is_empty) {
        return Err(ApiError::missing_field(&format!("upstream{place}")));
    }
    Ok(())
}

pub async fn update(api: &Api, name: &str, body: &[u8]) -> Answered {
    let before = now(&*api.registry.link(name)?);
    let spec = read::<Input>(body)?.over(before.clone());
    let link = if spec == before { api.registry.link(name)? } else { api.registry.update(spec).await? };
    Ok(answer(StatusCode::OK, &describe(api, &link)))
}

pub async fn delete(api: &Api, name: &str) -> Answered {
    api.registry.remove(name).await?;
    Ok(nothing(StatusCode::NO_CONTENT))
}

/// Switches everything on and takes every toxic away, ours among them.
pub async fn reset(api: &Api) -> Answered {
    for link in api.registry.links() {
        let before = now(&link);
        if !before.enabled {
            api.registry.update(LinkSpec { enabled: true, ..before }).await?;
        }
    }
    api.registry.disarm_where(|_| true);
    Ok(nothing(StatusCode::NO_CONTENT))
}

/// Makes many at once. One that is there already as it should be stays as it is; another of its name is replaced.
pub async fn populate(api: &Api, body: &[u8]) -> Answer {
    let mut links = Vec::new();
    let error = fill(api, body, &mut links).await.err();
    let mut members = error.as_ref().map(ApiError::members).unwrap_or_default();
    // An empty list is null, as in Toxiproxy.
    members.insert("proxies".to_owned(), if links.is_empty() { Value::Null } else { Value::Array(links) });
    let status = error.map_or(StatusCode::CREATED, |error| error.status);
    answer(status, &Value::Object(members))
}

async fn fill(api: &Api, body: &[u8], links: &mut Vec<Value>) -> Result<(), ApiError> {
    let inputs: Vec<Input> = read(body)?;
    for (input, number) in inputs.iter().zip(1..) {
        complete(input, &format!(" at proxy {number}"))?;
    }
    for input in inputs {
        let link = put(api, input.spec()).await?;
        links.push(describe(api, &link));
    }
    Ok(())
}

async fn put(api: &Api, spec: LinkSpec) -> Result<Arc<Link>, ApiError> {
    if let Ok(link) = api.registry.link(&spec.name) {
        let before = now(&link);
        if (&before.listen, &before.upstream) == (&spec.listen, &spec.upstream) {
            return Ok(link);
        }
        api.registry.remove(&spec.name).await?;
    }
    Ok(api.registry.create(spec).await?)
}
