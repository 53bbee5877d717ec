//! The resource `registry`.

use halfopen::InvalidValue;
use halfopen::host;

use crate::breaker::Breaker;
use crate::clock::{HostClock, jitter};
use crate::{config, wit};

/// Breakers by name. It returns handles. To the core, a breaker with a handle is in use.
pub(crate) struct Registry {
    core: halfopen::registry::Registry<HostClock, fn() -> HostClock>,
}

impl wit::GuestRegistry for Registry {
    fn create(bound: u32) -> Result<wit::Registry, wit::InvalidValue> {
        let core = halfopen::registry::Registry::new(checked(bound)?, (|| HostClock) as fn() -> HostClock);
        Ok(wit::Registry::new(Self { core }))
    }

    fn get_or_create(&self, record: wit::Config, seed: Option<u64>) -> Result<wit::Breaker, wit::RegistryError> {
        let config = config::checked(record).map_err(|refused| wit::RegistryError::InvalidValue(refused.into()))?;
        Ok(Breaker::handle(self.core.get_or_create_with_jitter(config, jitter(seed))?))
    }

    fn get(&self, name: String) -> Option<wit::Breaker> {
        self.core.get(&name).map(Breaker::handle)
    }

    fn remove(&self, name: String) -> Option<wit::Breaker> {
        self.core.remove(&name).map(Breaker::handle)
    }

    fn remove_unused(&self) -> u32 {
        self.core.remove_unused() as u32
    }

    fn bound(&self) -> u32 {
        self.core.bound() as u32
    }

    fn set_bound(&self, bound: u32) -> Result<(), wit::InvalidValue> {
        self.core.set_bound(checked(bound)?);
        Ok(())
    }

    fn breakers(&self) -> Vec<wit::Breaker> {
        self.core.breakers().into_iter().map(Breaker::handle).collect()
    }

    fn size(&self) -> u32 {
        self.core.len() as u32
    }
}

fn checked(bound: u32) -> Result<usize, InvalidValue> {
    host::registry_bound(&bound.into())
}
