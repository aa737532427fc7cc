//! One request and its answer, with what faults make of them.

use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::http::{Request, Response};
use riftline_queries::replay::fault::Place;

use crate::chaos::proxy::effect::{Answer, Cut, Instead, Moment, RequestPlan};
use crate::chaos::proxy::http::Visit;
use crate::chaos::proxy::http::body::Body;
use crate::chaos::proxy::http::{forward, plan};
use crate::chaos::proxy::link::Faults;
use crate::chaos::proxy::proof::Proof;

/// A request that gets no answer.
#[derive(Debug)]
pub(super) enum Gone {
    /// A fault has cut it.
    Cut,
    /// The upstream broke it off: the client sees the same.
    Upstream(hyper::Error),
}

impl fmt::Display for Gone {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cut => formatter.write_str("cut by a fault"),
            Self::Upstream(error) => write!(formatter, "broken off by the upstream: {error}"),
        }
    }
}

impl Error for Gone {
    /// HTTP/2 takes the reason of a reset from here.
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Cut => None,
            Self::Upstream(error) => Some(error),
        }
    }
}

/// Answers a request.
pub(super) async fn answer(visit: &Arc<Visit>, request: Request<Incoming>) -> Result<Response<Body>, Gone> {
    let link = &visit.way.link;
    link.traffic.requests.fetch_add(1, Ordering::Relaxed);
    let faults = link.armed();
    if faults.iter().any(|armed| armed.level.needs_http()) {
        return answer_faulted(visit, &faults, request).await;
    }
    forward::forward(visit, request.map(Body::Passed), &[]).await
}

async fn answer_faulted(
    visit: &Arc<Visit>,
    faults: &Faults,
    request: Request<Incoming>,
) -> Result<Response<Body>, Gone> {
    let (mut head, body) = request.into_parts();
    let mut proof = Proof::of(&head);
    let (mut plan, hits) = plan::decide(visit, faults, &mut head).await;
    proof.begin(hits, visit.way.link.clone(), visit.house.clone());
    proof.pause(plan.request_delay).await;
    if let Some(instead) =
        plan.instead.take_if(|instead| plan.instead_at != Place::Response && needs_no_answer(instead))
    {
        return replace(visit, instead, None);
    }
    let body = Body::Passed(body).staged(std::mem::take(&mut plan.request_stages), visit);
    let response = forward::forward(visit, Request::from_parts(head, body), &plan.letters).await?;
    proof.pause(plan.response_delay).await;
    finish(visit, plan, response)
}

fn needs_no_answer(instead: &Instead) -> bool {
    !matches!(instead, Instead::Cut { moment: Moment::Headers | Moment::Body, .. })
}

fn finish(visit: &Arc<Visit>, plan: RequestPlan, response: Response<Body>) -> Result<Response<Body>, Gone> {
    let response = response.map(|body| body.staged(plan.response_stages, visit));
    match plan.instead {
        Some(instead) => replace(visit, instead, Some(response)),
        None => Ok(response),
    }
}

/// Gives what a fault wants instead of an answer, of which there is one or not yet.
fn replace(visit: &Arc<Visit>, instead: Instead, answer: Option<Response<Body>>) -> Result<Response<Body>, Gone> {
    match (instead, answer) {
        (Instead::Answer(answer), _) => Ok(given(*answer)),
        (Instead::Cut { how, moment: Moment::Headers }, Some(answer)) => {
            Ok(answer.map(|body| body.broken(how, false, visit)))
        }
        (Instead::Cut { how, moment: Moment::Body }, Some(answer)) => {
            Ok(answer.map(|body| body.broken(how, true, visit)))
        }
        (Instead::Cut { how, .. }, _) => Err(cut(visit, how)),
    }
}

fn given(answer: Answer) -> Response<Body> {
    let mut response = Response::new(Body::given(answer.body, answer.trailers));
    *response.status_mut() = answer.status;
    *response.headers_mut() = answer.headers;
    response
}

fn cut(visit: &Visit, how: Cut) -> Gone {
    visit.cut(how);
    Gone::Cut
}

/// More than this is taken for "until it is disarmed".
pub(in crate::chaos::proxy) const FOR_EVER: Duration = Duration::from_hours(24);
