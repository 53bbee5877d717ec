//! The policy of a registry over names, for hosts that keep the breakers themselves.

use halfopen::host::{RegistryPolicy, Search};
use halfopen::{InvalidValue, Value};

/// The names of a registry, and what the core decides about them.
#[derive(Debug)]
pub struct Registry {
    policy: RegistryPolicy<()>,
    /// The searches that have begun, the newest last: a user's clock may use the registry while a search runs.
    searches: Vec<Search>,
}

impl Registry {
    /// An empty registry.
    ///
    /// # Errors
    /// [`InvalidValue`] for a bad bound.
    pub fn new(bound: &Value) -> Result<Self, InvalidValue> {
        let policy = RegistryPolicy::new(RegistryPolicy::<()>::bound_argument(bound)?);
        Ok(Self { policy, searches: Vec::new() })
    }

    /// The most names that it holds.
    pub fn bound(&self) -> f64 {
        self.policy.bound() as f64
    }

    /// Changes the bound, and begins a search for what to evict.
    ///
    /// # Errors
    /// [`InvalidValue`] for a bad bound; then nothing has changed.
    pub fn set_bound(&mut self, bound: &Value) -> Result<(), InvalidValue> {
        let search = self.policy.set_bound(RegistryPolicy::<()>::bound_argument(bound)?);
        self.searches.push(search);
        Ok(())
    }

    /// Adds a name; false if it would be one too many.
    pub fn add(&mut self, name: &str) -> bool {
        self.policy.add(name.into(), ()).is_ok()
    }

    /// Removes a name.
    pub fn remove(&mut self, name: &str) {
        self.policy.remove(name);
    }

    /// Begins a search for a name to evict, so that another can be added.
    pub fn make_room(&mut self) {
        self.searches.push(self.policy.making_room());
    }

    /// Begins a search for every name to evict.
    pub fn search_all(&mut self) {
        self.searches.push(self.policy.all_unused());
    }

    /// The next name of the newest search; none at its end.
    pub fn next_look(&mut self) -> Option<String> {
        let next = self.policy.next_look(self.searches.last_mut()?).map(|(name, ())| name.as_ref().into());
        if next.is_none() {
            self.searches.pop();
        }
        next
    }

    /// How many names there are.
    pub fn size(&self) -> usize {
        self.policy.len()
    }
}
