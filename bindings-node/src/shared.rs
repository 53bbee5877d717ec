//! The breakers that the threads of a process share by name.

use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use halfopen::Config;
use halfopen::host::Spelling;
use halfopen::registry::{Registry, RegistryError};
use halfopen_js::{Breaker, Host, JsBreaker, JsClock, Plain, Result};
use napi_derive::napi;

/// The most names. Names may come from user input, and a breaker that no thread holds is kept unless it is idle.
const BOUND: usize = 10_000;

static BREAKERS: LazyLock<Registry<JsClock, fn() -> JsClock>> =
    LazyLock::new(|| Registry::new(BOUND, || JsClock::new(f64::NAN)));

/// Locked while a name is looked up, so that no thread takes a breaker while its configuration is replaced.
static LOOKING_UP: Mutex<()> = Mutex::new(());

/// The breaker of the configuration's name that all threads share, on the system's clock.
#[napi]
pub fn share(config: Plain) -> Result<JsBreaker> {
    let host = Host::of(&config);
    let shared = get_or_create(host.config(config)?).map_err(|refused| match refused {
        RegistryError::NameConflict { name, field } => {
            RegistryError::NameConflict { name, field: Spelling::CamelCase.name(&field) }
        }
        full @ RegistryError::Full { .. } => full,
    });
    Ok(JsBreaker::new(host.checked(shared)?, host))
}

/// The breaker of the configuration's name. One that no thread holds any more continues with the new configuration.
///
/// # Errors
/// As [`Registry::get_or_create`].
fn get_or_create(config: Config) -> std::result::Result<Arc<Breaker>, RegistryError> {
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
