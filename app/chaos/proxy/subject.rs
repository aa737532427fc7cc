//! A connection in the eyes of the faults: which of those that act on bytes hit it, as they are armed and disarmed.

use std::future::Future;
use std::sync::Arc;

use tokio::sync::watch;
use tokio::time::Instant;

use crate::chaos::faults::Level;
use crate::chaos::proxy::armed::Armed;
use crate::chaos::proxy::effect::{ConnectionPlan, Cut};
use crate::chaos::proxy::link::{Faults, Note, Orders};
use crate::chaos::proxy::stage::{Chain, Stream};

/// One connection and the faults that were decided for it.
pub(super) struct Subject {
    pub(super) note: Note,
    armed: watch::Receiver<Faults>,
    orders: watch::Receiver<Orders>,
    decided: Vec<u64>,
    is_new: bool,
    /// Where bytes to the upstream go through.
    pub(super) up: Chain,
    /// Where bytes to the client go through.
    pub(super) down: Chain,
}

impl Subject {
    pub(super) fn new(note: Note) -> Self {
        let (armed, orders) = (note.link.watch_armed(), note.link.watch_orders());
        Self { note, armed, orders, decided: Vec::new(), is_new: true, up: Chain::default(), down: Chain::default() }
    }

    /// Decides for what was armed since the last time and lets go what was disarmed; says how if the connection is to be refused.
    pub(super) fn decide(&mut self) -> Option<Cut> {
        let faults = self.armed.borrow_and_update().clone();
        let is_new = std::mem::replace(&mut self.is_new, false);
        if faults.is_empty() && self.decided.is_empty() {
            return None;
        }
        let now = Instant::now();
        let is_armed = |number| faults.iter().any(|armed| armed.number == number);
        self.decided.retain(|number| is_armed(*number));
        self.up.retain(is_armed, now);
        self.down.retain(is_armed, now);
        let mut of_bytes = faults.iter().filter(|armed| armed.level == Level::Connection);
        of_bytes.find_map(|armed| self.meet(armed, is_new, now))
    }

    fn meet(&mut self, armed: &Arc<Armed>, is_new: bool, now: Instant) -> Option<Cut> {
        if self.decided.contains(&armed.number) {
            return None;
        }
        self.decided.push(armed.number);
        let mut dice = armed.choose(now)?;
        let mut plan = ConnectionPlan { is_new, num_open: self.note.link.num_open(), ..ConnectionPlan::default() };
        armed.effect.connect(&mut plan, &mut dice);
        if plan.refuse.is_some() || !plan.stages.is_empty() {
            armed.counts.hit(true);
        }
        for (stream, stage) in plan.stages {
            let chain = if stream == Stream::Up { &mut self.up } else { &mut self.down };
            chain.add(armed.number, stage);
        }
        plan.refuse
    }

    /// Waits until something was armed or disarmed.
    pub(super) async fn changed(&mut self) {
        if self.armed.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// Waits until the connection is to close at once.
    pub(super) fn closed(&self) -> impl Future<Output = ()> + Send + use<> {
        self.told(|orders, number| number < orders.close)
    }

    /// Waits until the connection is to finish what it does, and close.
    pub(super) fn drained(&self) -> impl Future<Output = ()> + Send + use<> {
        self.told(|orders, number| number < orders.drain)
    }

    /// The same, also where new faults on bytes could not see those of this connection.
    pub(super) fn renewed(&self) -> impl Future<Output = ()> + Send + use<> {
        self.told(|orders, number| number < orders.drain.max(orders.renew))
    }

    fn told(&self, is_meant: fn(&Orders, u64) -> bool) -> impl Future<Output = ()> + Send + use<> {
        let (mut orders, number) = (self.orders.clone(), self.note.number);
        async move {
            // A link that is gone has closed its connections before.
            let _ = orders.wait_for(|orders| is_meant(orders, number)).await;
        }
    }
}
