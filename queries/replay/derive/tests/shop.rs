//! A small shop under one fault: gateway calls orders, orders calls payments, every 50 ms a request.

use crate::detect::tests::scene::{Part, Process, Put, Scene, Stage, client, server};
use crate::replay::derive::{About, Derived, Options, Refusal, derive};
use crate::replay::id::TraceId;

pub(super) const CHARGE: &str = "POST /charge";

/// One request on its way through the shop.
pub(super) struct Visit {
    pub number: u64,
    /// Milliseconds since the scene began.
    pub at: f64,
    pub order: Put,
}

pub(super) struct Shop {
    pub scene: Scene,
    pub gateway: Process,
    pub orders: Process,
    pub payments: Process,
    /// How far the clock of payments is ahead.
    pub skew_ms: f64,
}

/// How a call of payments went.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Charge {
    pub client_ms: f64,
    /// Negative: payments has no span.
    pub server_ms: f64,
}

/// Milliseconds that a charge takes where nothing is wrong: a little different each time.
pub(super) fn usual(number: u64) -> Charge {
    let server_ms = 8.0 + (number * 7 % 5) as f64;
    Charge { client_ms: server_ms + 2.0, server_ms }
}

impl Shop {
    pub(super) fn new() -> Self {
        let mut scene = Scene::new();
        let (gateway, orders) = (scene.service("gateway"), scene.service("orders"));
        let payments = scene.service("payments");
        Self { scene, gateway, orders, payments, skew_ms: 0.0 }
    }

    /// Puts `count` requests; `charge` puts what orders does for each, and tells how long that took and whether it failed.
    pub(super) fn requests(mut self, count: u64, charge: impl Fn(&mut Self, &Visit) -> (f64, bool)) -> Self {
        for number in 0..count {
            let at = number as f64 * 50.0;
            let checkout = self.ids(number, 1);
            let order = self.ids(number, 3);
            let (lasts, has_failed) = charge(&mut self, &Visit { number, at, order });
            let failed =
                |part: Part| if has_failed { part.failed().with("http.response.status_code", "502") } else { part };
            let (gateway, orders) = (self.gateway, self.orders);
            let root =
                server(gateway, "POST /checkout/17", at, lasts + 6.0).with("url.path", &format!("/checkout/{number}"));
            let root = root.with("http.request.method", "POST").with("http.host", "shop.prod.example:443");
            self.scene.put(failed(root).ids(checkout.trace_id, 1));
            let call = client(gateway, "POST /orders", at + 1.0, lasts + 4.0).ids(checkout.trace_id, 2);
            self.scene.put(failed(call).under_ids(checkout.trace_id, 1));
            let served = server(orders, "POST /orders", at + 2.0, lasts + 2.0).ids(checkout.trace_id, 3);
            self.scene.put(failed(served).under_ids(checkout.trace_id, 2));
        }
        self
    }

    /// The ids that a span of a request has.
    fn ids(&self, number: u64, span_id: u64) -> Put {
        let process = if span_id == 1 { self.gateway } else { self.orders };
        Put::of(process, u128::from(number + 1) << 64 | 0xabcd, span_id)
    }

    /// Puts a call of payments `after` ms into the order; both halves as `on_client` and `on_server` make them.
    pub(super) fn charge(
        &mut self,
        visit: &Visit,
        after: f64,
        charge: Charge,
        on_client: impl Fn(Part) -> Part,
        on_server: impl Fn(Part) -> Part,
    ) {
        let at = visit.at + 3.0 + after;
        let call =
            client(self.orders, CHARGE, at, charge.client_ms).with("peer.service", "payments").under(visit.order);
        let call = self.scene.put(on_client(call));
        if charge.server_ms >= 0.0 {
            let wait = ((charge.client_ms - charge.server_ms) / 2.0).max(0.5);
            self.scene
                .put(on_server(server(self.payments, CHARGE, at + wait + self.skew_ms, charge.server_ms)).under(call));
        }
    }

    pub(super) fn finish(self) -> Stage {
        self.scene.finish()
    }
}

pub(super) fn same(part: Part) -> Part {
    part
}

/// The trace of a request of the shop.
pub(super) fn trace(number: u64) -> About {
    About::Trace(TraceId(u128::from(number + 1) << 64 | 0xabcd))
}

pub(super) fn derived(stage: &Stage, about: &About) -> Result<Derived, Refusal> {
    derive(&stage.window, &stage.stitches, &stage.findings(), about, &Options::default())
}
