//! Breakers by name, for hosts that make them where they are needed.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use crate::breaker::CircuitBreaker;
use crate::clock::Clock;
use crate::config::Config;
use crate::control::Jitter;
use crate::names::ErrorCode;
use crate::sync::Mutex;

/// A bounded set of breakers, one for each name.
///
/// Names often come from user input; unbounded, a registry would leak memory.
///
/// ```
/// use halfopen::{Config, Registry, SystemClock};
///
/// let registry = Registry::new(1_000, SystemClock::new);
/// let config = Config::builder().name("gemini").build()?;
/// let breaker = registry.get_or_create(config.clone())?;
/// assert!(std::sync::Arc::ptr_eq(&breaker, &registry.get_or_create(config)?));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Registry<C, F> {
    bound: usize,
    clock: F,
    breakers: Mutex<Breakers<C>>,
}

type Breakers<C> = BTreeMap<Arc<str>, Arc<CircuitBreaker<C>>>;

/// A breaker that the registry does not hand out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RegistryError {
    /// There is a breaker of that name with another configuration.
    NameConflict {
        /// The name.
        name: String,
    },
    /// There are as many breakers as the registry may hold.
    Full {
        /// How many that is.
        bound: usize,
    },
}

impl<C: Clock, F: Fn() -> C> Registry<C, F> {
    /// An empty registry for at most `bound` breakers, each with a clock that `clock` makes.
    pub fn new(bound: usize, clock: F) -> Self {
        Self { bound, clock, breakers: Mutex::new(BTreeMap::new()) }
    }

    /// The breaker of the configuration's name, made now if there is none.
    ///
    /// # Errors
    /// [`RegistryError::NameConflict`] where that name has another configuration, [`RegistryError::Full`] where a new
    /// one would be one too many, even without the breakers that nobody uses.
    pub fn get_or_create(&self, config: Config) -> Result<Arc<CircuitBreaker<C>>, RegistryError> {
        self.get_or_make(config, Jitter::drawn)
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
        self.get_or_make(config, || jitter)
    }

    fn get_or_make(
        &self,
        config: Config,
        jitter: impl FnOnce() -> Jitter,
    ) -> Result<Arc<CircuitBreaker<C>>, RegistryError> {
        if let Some(known) = self.get(config.name()) {
            return same(known, &config);
        }
        // Creating a clock may run host code, so the breaker is created before the lock is taken. Another thread may be first.
        let made = Arc::new(CircuitBreaker::with_jitter(config.clone(), (self.clock)(), jitter()));
        if self.len() >= self.bound {
            self.remove_unused();
        }
        let mut breakers = self.breakers.lock();
        if let Some(known) = breakers.get(config.name()) {
            return same(Arc::clone(known), &config);
        }
        if breakers.len() >= self.bound {
            return Err(RegistryError::Full { bound: self.bound });
        }
        breakers.insert(config.shared_name(), Arc::clone(&made));
        Ok(made)
    }

    /// The breaker of that name, if there is one.
    pub fn get(&self, name: &str) -> Option<Arc<CircuitBreaker<C>>> {
        self.breakers.lock().get(name).cloned()
    }

    /// Removes the breaker of that name. Existing handles stay valid.
    pub fn remove(&self, name: &str) -> Option<Arc<CircuitBreaker<C>>> {
        self.breakers.lock().remove(name)
    }

    /// Removes the breakers that have no other handle and are [idle](CircuitBreaker::is_idle), and returns their number.
    /// A new breaker in their place behaves the same.
    pub fn remove_unused(&self) -> usize {
        // Reading a clock may run host code, and so may dropping a breaker: neither happens under the lock.
        let breakers = self.breakers().into_iter();
        let looked_at: Vec<_> =
            breakers.map(|it| (it.config().shared_name(), Arc::downgrade(&it), it.clock().now())).collect();
        let mut unused = Vec::new();
        let mut breakers = self.breakers.lock();
        for (name, breaker, now) in looked_at {
            let is_unused = |known: &Arc<CircuitBreaker<C>>| {
                // If the registry holds the only handle, another can only be created under this lock.
                Arc::as_ptr(known) == breaker.as_ptr() && Arc::strong_count(known) == 1 && known.is_idle_at(now)
            };
            if breakers.get(&name).is_some_and(is_unused) {
                unused.extend(breakers.remove(&name));
            }
        }
        drop(breakers);
        unused.len()
    }

    /// How many breakers there are.
    pub fn len(&self) -> usize {
        self.breakers.lock().len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All breakers, in the order of their names.
    pub fn breakers(&self) -> Vec<Arc<CircuitBreaker<C>>> {
        self.breakers.lock().values().cloned().collect()
    }
}

fn same<C: Clock>(known: Arc<CircuitBreaker<C>>, config: &Config) -> Result<Arc<CircuitBreaker<C>>, RegistryError> {
    if known.config() == *config { Ok(known) } else { Err(RegistryError::NameConflict { name: config.name().into() }) }
}

impl RegistryError {
    /// `NAME_CONFLICT` or `REGISTRY_FULL`, the same in every language.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NameConflict { .. } => ErrorCode::NameConflict,
            Self::Full { .. } => ErrorCode::RegistryFull,
        }
        .as_str()
    }
}

impl fmt::Display for RegistryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NameConflict { name } => write!(f, "a circuit named {name:?} exists with another configuration"),
            Self::Full { bound } => write!(f, "the registry holds {bound} circuits, as many as it may"),
        }
    }
}

impl core::error::Error for RegistryError {}
