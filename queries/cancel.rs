//! Stopping a question whose answer nobody waits for any more.

use std::fmt::{self, Debug, Formatter};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Shared between who asks and who answers. Clones stop together.
#[derive(Clone, Default)]
pub struct Cancel {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    is_stopped: AtomicBool,
    hooks: Mutex<Hooks>,
}

#[derive(Default)]
struct Hooks {
    next: u64,
    waiting: Vec<(u64, Box<dyn FnOnce() + Send>)>,
}

/// What [`Cancel::on_stop`] registered; dropping it takes the action back.
#[must_use = "dropping the hook takes the action back"]
pub struct StopHook {
    cancel: Cancel,
    number: u64,
}

impl Cancel {
    /// Asks the work to stop.
    pub fn stop(&self) {
        self.shared.is_stopped.store(true, Ordering::SeqCst);
        let waiting = std::mem::take(&mut self.hooks().waiting);
        for (_, action) in waiting {
            action();
        }
    }

    /// Tells whether the work was asked to stop.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        self.shared.is_stopped.load(Ordering::SeqCst)
    }

    /// Runs `action` once when the work is asked to stop, on the thread that asks; at once where it was asked already.
    pub fn on_stop(&self, action: impl FnOnce() + Send + 'static) -> StopHook {
        let mut hooks = self.hooks();
        let number = hooks.next;
        hooks.next += 1;
        // Checked under the lock: whoever stops later finds the action in the list.
        if self.is_stopped() {
            drop(hooks);
            action();
        } else {
            hooks.waiting.push((number, Box::new(action)));
        }
        StopHook { cancel: self.clone(), number }
    }

    fn hooks(&self) -> MutexGuard<'_, Hooks> {
        self.shared.hooks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for StopHook {
    fn drop(&mut self) {
        self.cancel.hooks().waiting.retain(|(number, _)| *number != self.number);
    }
}

impl Debug for Cancel {
    fn fmt(&self, to: &mut Formatter<'_>) -> fmt::Result {
        to.debug_struct("Cancel").field("is_stopped", &self.is_stopped()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use super::*;

    #[test]
    fn actions_run_once_and_not_after_they_were_taken_back() {
        let cancel = Cancel::default();
        let count = Arc::new(AtomicUsize::new(0));
        let counted = |count: &Arc<AtomicUsize>| {
            let count = count.clone();
            move || _ = count.fetch_add(1, Ordering::SeqCst)
        };
        let _kept = cancel.on_stop(counted(&count));
        drop(cancel.on_stop(counted(&count)));
        assert_eq!(count.load(Ordering::SeqCst), 0);
        cancel.clone().stop();
        cancel.stop();
        assert!(cancel.is_stopped());
        assert_eq!(count.load(Ordering::SeqCst), 1);
        let _late = cancel.on_stop(counted(&count));
        assert_eq!(count.load(Ordering::SeqCst), 2);
    }
}
