//! Handing transitions to whoever listens: after the change, in order, one at a time, with no lock held.
//!
//! Whichever thread makes a transition finds either nobody delivering, and delivers what is waiting, or somebody who
//! does and will see it too. So a listener may call into the breaker that called it, and events never overtake
//! each other.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use crate::evidence::Event;
use crate::sync::{Mutex, ThreadToken, thread_token};

/// Called with each transition. A listener that panics is reported by the panic hook and harms nothing.
pub type Listener = dyn Fn(&Event) + Send + Sync;

/// What a listener is taken away by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ListenerId(u64);

#[derive(Default)]
pub(super) struct Listeners {
    /// Made for the first listener: most breakers never have one.
    queue: Mutex<Option<Box<DispatchQueue>>>,
}

#[derive(Default)]
struct DispatchQueue {
    listeners: Vec<Entry>,
    waiting: VecDeque<Event>,
    /// The number of the last transition that was put in line.
    announced: u64,
    /// The thread that is delivering.
    delivering: Option<ThreadToken>,
    next_id: u64,
}

struct Entry {
    id: ListenerId,
    /// The last transition before it began to listen.
    since: u64,
    listener: Arc<Listener>,
}

impl Listeners {
    pub(super) fn add(&self, listener: Arc<Listener>) -> ListenerId {
        let mut queue = self.queue.lock();
        let queue = queue.get_or_insert_default();
        let id = ListenerId(queue.next_id);
        queue.next_id += 1;
        queue.listeners.push(Entry { id, since: queue.announced, listener });
        id
    }

    pub(super) fn remove(&self, id: ListenerId) -> bool {
        let mut queue = self.queue.lock();
        let listeners = queue.as_mut().map(|queue| &mut queue.listeners);
        // Dropped after the lock is free: what a listener captured may run anybody's code when it goes.
        let gone: Vec<_> = listeners.map_or_else(Vec::new, |all| all.extract_if(.., |entry| entry.id == id).collect());
        drop(queue);
        !gone.is_empty()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.queue.lock().as_ref().is_none_or(|queue| queue.listeners.is_empty())
    }

    /// Puts a transition in line. The caller holds the lock that orders the transitions.
    pub(super) fn announce(&self, event: Event) {
        if let Some(queue) = &mut *self.queue.lock()
            && !queue.listeners.is_empty()
        {
            queue.announced = event.sequence;
            queue.waiting.push_back(event);
        }
    }

    /// Delivers what is waiting, unless somebody already does. The caller holds no lock.
    pub(super) fn deliver(&self) {
        let mut first = true;
        while let Some((event, listeners)) = self.next(first) {
            first = false;
            for id in listeners {
                // One that was told before it may have taken it away.
                if let Some(listener) = self.find(id) {
                    call(&*listener, &event);
                }
            }
        }
    }

    /// What to deliver next, and to whom; `None` where nothing waits, or where somebody else is delivering when this one
    /// would begin.
    fn next(&self, first: bool) -> Option<(Event, Vec<ListenerId>)> {
        let mut queue = self.queue.lock();
        let queue = queue.as_mut()?;
        if first && queue.delivering.is_some() {
            return None;
        }
        let event = queue.waiting.pop_front();
        queue.delivering = event.map(|_| thread_token());
        let event = event?;
        let listening = queue.listeners.iter().filter(|entry| entry.since < event.sequence);
        Some((event, listening.map(|entry| entry.id).collect()))
    }

    /// See [`CircuitBreaker::after_fork`](super::CircuitBreaker::after_fork).
    pub(super) fn inherit(&self) {
        if let Some(queue) = &mut *self.queue.lock() {
            queue.waiting.clear();
            // Of the parent's threads only the one that forked goes on here. It may have forked in a listener, and then
            // goes on delivering.
            queue.delivering = queue.delivering.filter(|thread| *thread == thread_token());
        }
    }

    fn find(&self, id: ListenerId) -> Option<Arc<Listener>> {
        let queue = self.queue.lock();
        let entry = queue.as_ref()?.listeners.iter().find(|entry| entry.id == id)?;
        Some(Arc::clone(&entry.listener))
    }
}

fn call(listener: &Listener, event: &Event) {
    let call = || listener(event);
    // The panic hook has told of it; the guarded call must not hear of it.
    #[cfg(feature = "std")]
    let _ = std::panic::catch_unwind(core::panic::AssertUnwindSafe(call));
    #[cfg(not(feature = "std"))]
    call();
}

impl fmt::Debug for Listeners {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Listeners")
            .field("listening", &self.queue.lock().as_ref().map_or(0, |queue| queue.listeners.len()))
            .finish()
    }
}
