//! Handing transitions to whoever listens: after the change, in order, one at a time, with no lock held.
//!
//! Whichever thread makes a transition finds either nobody delivering, and delivers what is waiting, or somebody who
//! does and will see it too. So a listener may call into the breaker that called it, and events never overtake
//! each other.

use alloc::collections::VecDeque;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use super::history::Event;
use crate::sync::Mutex;

/// Called with each transition. A listener that panics is reported by the panic hook and harms nothing.
pub type Listener = dyn Fn(&Event) + Send + Sync;

/// What a listener is taken away by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ListenerId(u64);

#[derive(Default)]
pub(super) struct Listeners {
    desk: Mutex<Desk>,
}

#[derive(Default)]
struct Desk {
    listeners: Vec<(ListenerId, Arc<Listener>)>,
    waiting: VecDeque<Event>,
    delivering: bool,
    next_id: u64,
}

impl Listeners {
    pub(super) fn add(&self, listener: Arc<Listener>) -> ListenerId {
        let mut desk = self.desk.lock();
        let id = ListenerId(desk.next_id);
        desk.next_id += 1;
        desk.listeners.push((id, listener));
        id
    }

    pub(super) fn remove(&self, id: ListenerId) -> bool {
        let mut desk = self.desk.lock();
        let before = desk.listeners.len();
        // Dropped after the lock is free: what a listener captured may run anybody's code when it goes.
        let gone: Vec<_> = desk.listeners.extract_if(.., |(known, _)| *known == id).collect();
        let removed = desk.listeners.len() < before;
        drop(desk);
        drop(gone);
        removed
    }

    pub(super) fn is_empty(&self) -> bool {
        self.desk.lock().listeners.is_empty()
    }

    /// Puts a transition in line. The caller holds the lock that orders the transitions.
    pub(super) fn announce(&self, event: Event) {
        let mut desk = self.desk.lock();
        if !desk.listeners.is_empty() {
            desk.waiting.push_back(event);
        }
    }

    /// Delivers what is waiting, unless somebody already does. The caller holds no lock.
    pub(super) fn deliver(&self) {
        let mut desk = self.desk.lock();
        if desk.delivering {
            return;
        }
        while let Some(event) = desk.waiting.pop_front() {
            let listeners: Vec<_> = desk.listeners.iter().map(|(_, listener)| Arc::clone(listener)).collect();
            desk.delivering = true;
            drop(desk);
            for listener in listeners {
                call(&*listener, &event);
            }
            desk = self.desk.lock();
            desk.delivering = false;
        }
    }
}

#[cfg(feature = "std")]
fn call(listener: &Listener, event: &Event) {
    // The panic hook has told of it; the guarded call must not hear of it.
    let _ = std::panic::catch_unwind(core::panic::AssertUnwindSafe(|| listener(event)));
}

#[cfg(not(feature = "std"))]
fn call(listener: &Listener, event: &Event) {
    listener(event);
}

impl fmt::Debug for Listeners {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Listeners").field("listening", &self.desk.lock().listeners.len()).finish()
    }
}
