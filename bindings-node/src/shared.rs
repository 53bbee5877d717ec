//! The breakers that the threads of a process share by name.

use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use halfopen::{Config, Registry, RegistryError, SystemClock};
use halfopen_js::{Breaker, JsClock};

/// The most names. Names may come from user input, and a breaker that no thread holds is kept unless it is idle.
const BOUND: usize = 10_000;

static BREAKERS: LazyLock<Registry<JsClock, fn() -> JsClock>> =
    LazyLock::new(|| Registry::new(BOUND, || JsClock::System(SystemClock::new())));

/// Locked while a name is looked up, so that no thread takes a breaker while its configuration is replaced.
static LOOKING_UP: Mutex<()> = Mutex::new(());

/// The breaker of the configuration's name. One that no thread holds any more continues with the new configuration.
///
/// # Errors
/// As [`Registry::get_or_create`].
pub(crate) fn get_or_create(config: Config) -> Result<Arc<Breaker>, RegistryError> {
    let _looking_up = LOOKING_UP.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = BREAKERS.get(config.name()) {
        // The registry's reference and ours. No other can appear while the lock is held.
        let is_unheld = Arc::strong_count(&known) == 2;
        if is_unheld && known.config() != config {
            known.reconfigure(config.clone());
        }
    }
    BREAKERS.get_or_create(config)
}
