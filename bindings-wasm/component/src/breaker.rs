//! The resource `breaker`.

use std::sync::Arc;

use halfopen::host::{self, Value};
use halfopen::{CircuitBreaker, Outcome, Snapshot};

use crate::clock::{HostClock, jitter};
use crate::permit::Permit;
use crate::{config, wit};

/// A handle on a circuit of the core. Its methods read the imported clock, and call nothing else of the host.
pub(crate) struct Breaker {
    core: Arc<CircuitBreaker<HostClock>>,
}

impl Breaker {
    pub(crate) fn handle(core: Arc<CircuitBreaker<HostClock>>) -> wit::Breaker {
        wit::Breaker::new(Self { core })
    }
}

impl wit::GuestBreaker for Breaker {
    fn create(record: wit::Config, seed: Option<u64>) -> Result<wit::Breaker, wit::InvalidValue> {
        let config = config::checked(record)?;
        Ok(Self::handle(Arc::new(CircuitBreaker::with_jitter(config, HostClock, jitter(seed)))))
    }

    fn acquire(&self) -> Result<wit::Permit, wit::Rejected> {
        let ticket = host::admit(&self.core, || None)?;
        Ok(wit::Permit::new(Permit::new(Arc::clone(&self.core), ticket)))
    }

    fn name(&self) -> String {
        self.core.name().into()
    }

    fn state(&self) -> wit::State {
        self.core.state().into()
    }

    fn mode(&self) -> wit::Mode {
        self.core.mode().into()
    }

    fn status(&self) -> wit::Status {
        self.core.status().into()
    }

    fn config(&self) -> wit::Config {
        config::to_wit(&self.core.config())
    }

    fn events(&self, after: u64) -> Vec<wit::Event> {
        self.core.events(after).into_iter().map(Into::into).collect()
    }

    fn edges(&self) -> Vec<wit::Edge> {
        self.core.edges().into_iter().map(Into::into).collect()
    }

    fn durations(&self) -> wit::CallDurations {
        self.core.durations().into()
    }

    fn percentile(&self, share: f64, outcome: wit::Outcome) -> Result<Option<f64>, wit::InvalidValue> {
        let outcome = Outcome::from(outcome).as_str();
        let duration = host::percentile(&self.core, &share.into(), &outcome.into())?;
        Ok(duration.map(|duration| duration.as_secs_f64()))
    }

    fn explain(&self) -> String {
        self.core.explain()
    }

    fn is_idle(&self) -> bool {
        self.core.is_idle()
    }

    fn force_open(&self, duration_seconds: Option<f64>) -> Result<(), wit::InvalidValue> {
        Ok(host::force_open(&self.core, &duration_seconds.into())?)
    }

    fn disable(&self) {
        self.core.disable();
    }

    fn reset(&self) {
        self.core.reset();
    }

    fn reconfigure(&self, record: wit::Config) -> Result<(), wit::InvalidValue> {
        self.core.reconfigure(config::checked(record)?);
        Ok(())
    }

    fn snapshot(&self) -> String {
        self.core.snapshot().to_value().to_json()
    }

    fn restore(&self, document: String) -> Result<(), wit::InvalidValue> {
        let snapshot = Snapshot::from_value(&Value::from_json("snapshot", &document)?)?;
        Ok(self.core.restore(&snapshot)?)
    }
}
