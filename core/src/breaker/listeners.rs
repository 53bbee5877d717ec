//! Delivers transitions to listeners: after the change, in order, with no lock held.
//!
//! One thread delivers at a time; the others only enqueue. So a listener may call into its breaker, and events never
//! overtake each other. A call never waits for a listener of another thread, so the queue of a slow one is bounded.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use super::CircuitBreaker;
use crate::clock::Clock;
use crate::evidence::{EVENTS_KEPT, EVENTS_WAITING, Event, Listener, ListenerId};
use crate::sync::{Mutex, ThreadToken, thread_token};

#[derive(Default)]
pub(super) struct Listeners {
    /// Created with the first listener: most breakers never have one.
    queue: Mutex<Option<Box<DispatchQueue>>>,
}

#[derive(Default)]
struct DispatchQueue {
    listeners: Vec<Entry>,
    /// At most [`EVENTS_WAITING`], the newest.
    waiting: VecDeque<Event>,
    /// How many events were dropped from a full queue.
    missed: u64,
    /// The sequence number of the last enqueued transition.
    announced: u64,
    /// The thread that is delivering.
    delivering: Option<ThreadToken>,
    next_id: u64,
}

struct Entry {
    id: ListenerId,
    /// The last transition before it was added.
    since: u64,
    /// Whether it belongs to the host, which follows every breaker.
    follows: bool,
    listener: Arc<Listener>,
}

/// Adds the host's own listener, which is called with every transition and cannot be removed. Unlike one that is
/// [subscribed](CircuitBreaker::subscribe), it does not keep the breaker from being idle.
pub fn follow<C: Clock>(breaker: &CircuitBreaker<C>, listener: Arc<Listener>) {
    breaker.listeners.add(listener, true);
}

impl Listeners {
    pub(super) fn add(&self, listener: Arc<Listener>, follows: bool) -> ListenerId {
        let mut queue = self.queue.lock();
        let queue = queue.get_or_insert_default();
        let id = ListenerId(queue.next_id);
        queue.next_id += 1;
        if queue.listeners.is_empty() {
            // Most breakers have one listener, the host's, and a vector would begin with room for four.
            queue.listeners.reserve_exact(1);
        }
        queue.listeners.push(Entry { id, since: queue.announced, follows, listener });
        id
    }

    pub(super) fn remove(&self, id: ListenerId) -> bool {
        let mut queue = self.queue.lock();
        let listeners = queue.as_mut().map(|queue| &mut queue.listeners);
        // Dropped after the lock is released: dropping a listener may run host code.
        let gone: Vec<_> = listeners.map_or_else(Vec::new, |all| all.extract_if(.., |entry| entry.id == id).collect());
        drop(queue);
        !gone.is_empty()
    }

    /// Whether there is none but the host's own.
    pub(super) fn is_empty(&self) -> bool {
        self.queue.lock().as_ref().is_none_or(|queue| queue.listeners.iter().all(|entry| entry.follows))
    }

    /// How many events were dropped because the listeners were too slow.
    pub(super) fn missed(&self) -> u64 {
        self.queue.lock().as_ref().map_or(0, |queue| queue.missed)
    }

    /// Enqueues a transition. The caller holds the lock that orders transitions.
    pub(super) fn announce(&self, event: Event) {
        if let Some(queue) = &mut *self.queue.lock()
            && !queue.listeners.is_empty()
        {
            queue.announced = event.sequence;
            if queue.waiting.len() == EVENTS_WAITING {
                queue.waiting.pop_front();
                queue.missed += 1;
            }
            queue.waiting.push_back(event);
        }
    }

    /// Delivers what is queued, unless another thread is delivering. The caller holds no lock.
    pub(super) fn deliver(&self) {
        let mut first = true;
        while let Some((event, listeners)) = self.next(first) {
            first = false;
            for id in listeners {
                // An earlier listener may have removed it.
                if let Some(listener) = self.find(id) {
                    call(&*listener, &event);
                }
            }
        }
    }

    /// The next event and its listeners; `None` if the queue is empty or, at the start, another thread is delivering.
    fn next(&self, first: bool) -> Option<(Event, Vec<ListenerId>)> {
        let mut queue = self.queue.lock();
        let queue = queue.as_mut()?;
        if first && queue.delivering.is_some() {
            return None;
        }
        let event = queue.waiting.pop_front();
        queue.delivering = event.map(|_| thread_token());
        if event.is_none() {
            queue.waiting.shrink_to(EVENTS_KEPT);
        }
        let event = event?;
        let listening = queue.listeners.iter().filter(|entry| entry.since < event.sequence);
        Some((event, listening.map(|entry| entry.id).collect()))
    }

    /// See [`host::after_fork`](crate::host::after_fork).
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
    // The panic hook has reported it; the guarded call must not be affected.
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
