//! Breakers by name, for hosts that make them where they are needed.

mod error;
pub(crate) mod policy;

use alloc::sync::Arc;
use alloc::vec::Vec;

pub use error::RegistryError;
use policy::{RegistryPolicy, Search};

use crate::breaker::CircuitBreaker;
use crate::clock::Clock;
use crate::config::Config;
use crate::control::Jitter;
use crate::sync::Mutex;

/// A bounded set of breakers, one for each name.
///
/// Names often come from user input; unbounded, a registry would leak memory.
///
/// ```
/// use halfopen::Config;
/// use halfopen::clock::SystemClock;
/// use halfopen::registry::Registry;
///
/// let registry = Registry::new(1_000, SystemClock::new);
/// let config = Config::builder().name("gemini").build()?;
/// let breaker = registry.get_or_create(config.clone())?;
/// assert!(std::sync::Arc::ptr_eq(&breaker, &registry.get_or_create(config)?));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Registry<C, F> {
    clock: F,
    policy: Mutex<RegistryPolicy<Arc<CircuitBreaker<C>>>>,
}

impl<C: Clock, F: Fn() -> C> Registry<C, F> {
    /// An empty registry for at most `bound` breakers, each with a clock that `clock` makes.
    pub fn new(bound: usize, clock: F) -> Self {
        Self { clock, policy: Mutex::new(RegistryPolicy::new(bound)) }
    }

    /// The breaker of the configuration's name, made now if there is none.
    ///
    /// # Errors
    /// [`RegistryError::NameConflict`] if that name has another configuration, [`RegistryError::Full`] if the registry is
    /// full and every breaker is in use.
    pub fn get_or_create(&self, config: Config) -> Result<Arc<CircuitBreaker<C>>, RegistryError> {
        self.get_or_make(config, None)
    }

    /// The same with the seed of a new breaker's jitter given, for hosts whose platform cannot draw one: breakers of one
    /// seed that opened together would probe together.
    ///
    /// # Errors
    /// As [`get_or_create`](Self::get_or_create).
    pub fn get_or_create_with_jitter(
        &self,
        config: Config,
        jitter: Jitter,
    ) -> Result<Arc<CircuitBreaker<C>>, RegistryError> {
        self.get_or_make(config, Some(jitter))
    }

    fn get_or_make(&self, config: Config, jitter: Option<Jitter>) -> Result<Arc<CircuitBreaker<C>>, RegistryError> {
        if let Some(known) = self.get(config.name()) {
            return same(known, &config);
        }
        // Creating a clock may run host code, so the breaker is created before the lock is taken. Another thread may be first.
        let made = Arc::new(CircuitBreaker::create(config.clone(), (self.clock)(), jitter));
        loop {
            let added = self.policy.lock().add(config.shared_name(), Arc::clone(&made)).cloned();
            match added {
                Ok(breaker) => return same(breaker, &config),
                Err(full) if self.evict(|policy| policy.making_room()) == 0 => return Err(full),
                Err(_) => {}
            }
        }
    }

    /// The most breakers that it holds. If it was lowered while more were in use, those stay.
    pub fn bound(&self) -> usize {
        self.policy.lock().bound()
    }

    /// Changes the bound. Unused breakers are removed until no more are left than `bound`; those in use stay, and no new
    /// one is made until there are fewer.
    pub fn set_bound(&self, bound: usize) {
        self.evict(|policy| policy.set_bound(bound));
    }

    /// The breaker of that name, if there is one.
    pub fn get(&self, name: &str) -> Option<Arc<CircuitBreaker<C>>> {
        self.policy.lock().get(name).cloned()
    }

    /// Removes the breaker of that name. Existing handles stay valid.
    pub fn remove(&self, name: &str) -> Option<Arc<CircuitBreaker<C>>> {
        self.policy.lock().remove(name)
    }

    /// Removes the breakers that have no other handle and are [idle](CircuitBreaker::is_idle), and returns their number.
    /// A new breaker in their place behaves the same.
    pub fn remove_unused(&self) -> usize {
        self.evict(|policy| policy.all_unused())
    }

    /// Evicts what a search finds unused, and returns the number.
    fn evict(&self, search: impl FnOnce(&mut RegistryPolicy<Arc<CircuitBreaker<C>>>) -> Search) -> usize {
        let mut search = search(&mut self.policy.lock());
        let mut evicted = 0;
        loop {
            let look = self.policy.lock().next_look(&mut search).map(|(name, breaker)| (name, Arc::clone(breaker)));
            let Some((name, breaker)) = look else { return evicted };
            // Reading a clock may run host code, and so may dropping a breaker: neither happens under the lock.
            let (now, looked_at) = (breaker.clock().now(), Arc::downgrade(&breaker));
            drop(breaker);
            let removed = self.policy.lock().evict(&name, |known| {
                // If the registry holds the only handle, another can only be created under this lock.
                Arc::as_ptr(known) == looked_at.as_ptr() && Arc::strong_count(known) == 1 && known.is_idle_at(now)
            });
            evicted += usize::from(removed.is_some());
        }
    }

    /// How many breakers there are.
    pub fn len(&self) -> usize {
        self.policy.lock().len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All breakers, in the order of their names.
    pub fn breakers(&self) -> Vec<Arc<CircuitBreaker<C>>> {
        self.policy.lock().iter().map(|(_, breaker)| Arc::clone(breaker)).collect()
    }
}

fn same<C: Clock>(known: Arc<CircuitBreaker<C>>, config: &Config) -> Result<Arc<CircuitBreaker<C>>, RegistryError> {
    match known.config().difference(config) {
        None => Ok(known),
        Some(field) => Err(RegistryError::NameConflict { name: config.name().into(), field: field.into() }),
    }
}
