//! The breakers that the threads of a process share by name.

use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use halfopen::{Config, Registry, RegistryError, SystemClock};
use halfopen_js::{Breaker, JsClock};

/// How many names there may be. Names may come from user input, and what nobody holds is kept while it holds something
/// against the next calls.
const BOUND: usize = 10_000;

static BREAKERS: LazyLock<Registry<JsClock, fn() -> JsClock>> =
    LazyLock::new(|| Registry::new(BOUND, || JsClock::System(SystemClock::new())));

/// Held while a name is looked up, so that nobody takes a breaker while its configuration is replaced.
static LOOKING_UP: Mutex<()> = Mutex::new(());

/// The breaker of the configuration's name. One that no thread holds any more goes on with the new configuration.
///
/// # Errors
/// As [`Registry::get_or_create`].
pub(crate) fn get_or_create(config: Config) -> Result<Arc<Breaker>, RegistryError> {
    let _looking_up = LOOKING_UP.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = BREAKERS.get(config.name()) {
        // One is the registry's, and one is ours. No other can come while we look.
        let is_unheld = Arc::strong_count(&known) == 2;
        if is_unheld && known.config() != config {
            known.reconfigure(config.clone());
        }
    }
    BREAKERS.get_or_create(config)
}
