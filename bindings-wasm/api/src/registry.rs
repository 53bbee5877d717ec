//! The policy of a registry over names, for hosts that keep the breakers themselves.

use halfopen::host::{RegistryPolicy as Policy, Search, registry_bound};
use napi_derive::napi;
#[cfg(target_family = "wasm")]
use wasm_bindgen::prelude::wasm_bindgen;

use crate::host::{Host, Plain, Result};

/// The names of a registry, and what the core decides about them. A bad bound throws an error whose cause has the code
/// `INVALID_VALUE`.
#[napi]
#[cfg_attr(target_family = "wasm", wasm_bindgen)]
pub struct RegistryPolicy {
    policy: Policy<()>,
    /// The searches that have begun, the newest last: a user's clock may use the registry while a search runs.
    searches: Vec<Search>,
    host: Host,
}

#[napi]
#[cfg_attr(target_family = "wasm", wasm_bindgen)]
impl RegistryPolicy {
    /// An empty registry.
    #[napi(factory)]
    pub fn create(bound: Plain) -> Result<RegistryPolicy> {
        let host = Host::of(&bound);
        let bound = host.checked(registry_bound(&host.value(bound)?))?;
        Ok(Self { policy: Policy::new(bound), searches: Vec::new(), host })
    }

    /// Changes the bound, and begins a search for what to evict.
    #[napi]
    pub fn resize(&mut self, bound: Plain) -> Result<()> {
        let bound = self.host.checked(registry_bound(&self.host.value(bound)?))?;
        self.searches.push(self.policy.set_bound(bound));
        Ok(())
    }

    /// Adds a name; false if it would be one too many.
    #[napi]
    pub fn add(&mut self, name: String) -> bool {
        self.policy.add(name.into(), ()).is_ok()
    }

    /// Removes a name.
    #[napi]
    pub fn remove(&mut self, name: String) {
        self.policy.remove(&name);
    }

    /// Begins a search for every name to evict, or for one so that another can be added.
    #[napi]
    pub fn search(&mut self, all: bool) {
        self.searches.push(if all { self.policy.all_unused() } else { self.policy.making_room() });
    }

    /// The next name of the newest search, which the host removes if its breaker is idle; empty at its end.
    #[napi]
    pub fn look(&mut self) -> String {
        let search = self.searches.last_mut();
        let next = search.and_then(|search| self.policy.next_look(search)).map(|(name, ())| name.as_ref().into());
        if next.is_none() {
            self.searches.pop();
        }
        next.unwrap_or_default()
    }
}
