//! Where two requests in flight exchange something.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use hyper::http::{HeaderMap, HeaderName};
use tokio::sync::oneshot;
use tokio::time::timeout;

/// Headers of one request, and what they are of.
type Context = HeaderMap;

struct Waiting {
    context: Context,
    partner: oneshot::Sender<Context>,
}

/// A place where requests wait for a partner, in pairs.
pub struct Swap {
    /// Headers that are exchanged.
    pub headers: Vec<HeaderName>,
    patience: Duration,
    waiting: Mutex<VecDeque<Waiting>>,
}

impl Swap {
    /// Makes a place where a request waits for at most `patience`.
    #[must_use]
    pub fn new(headers: Vec<HeaderName>, patience: Duration) -> Self {
        Self { headers, patience, waiting: Mutex::default() }
    }

    /// Exchanges the context of `headers` with another request; returns whether one came in time.
    pub async fn exchange(&self, headers: &mut HeaderMap) -> bool {
        let own = self.take(headers);
        let Some(other) = self.meet(own.clone()).await else {
            headers.extend(own);
            return false;
        };
        headers.extend(other);
        true
    }

    async fn meet(&self, own: Context) -> Option<Context> {
        let receiver = {
            let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
            match hand_over(&mut waiting, own) {
                Ok(other) => return Some(other),
                Err(own) => {
                    let (partner, receiver) = oneshot::channel();
                    waiting.push_back(Waiting { context: own, partner });
                    receiver
                }
            }
        };
        timeout(self.patience, receiver).await.ok()?.ok()
    }

    fn take(&self, headers: &mut HeaderMap) -> Context {
        let mut context = Context::new();
        for name in &self.headers {
            headers.get_all(name).iter().for_each(|value| {
                context.append(name.clone(), value.clone());
            });
            headers.remove(name);
        }
        context
    }
}

/// Gives `own` to the first that still waits and returns what that one has; `own` again where nobody waits.
fn hand_over(waiting: &mut VecDeque<Waiting>, mut own: Context) -> Result<Context, Context> {
    while let Some(other) = waiting.pop_front() {
        match other.partner.send(own) {
            Ok(()) => return Ok(other.context),
            Err(back) => own = back,
        }
    }
    Err(own)
}
