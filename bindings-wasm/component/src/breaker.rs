//! The resource `breaker`.

use std::rc::Rc;

use halfopen::{CircuitBreaker, Clock, Jitter, Outcome, Snapshot, Value};

use crate::Component;
use crate::clock::HostClock;
use crate::permit::Permit;
use crate::{config, wit};

/// A circuit on the core. What a host asks of it reads the imported clock and nothing else that is not its own.
pub(crate) struct Breaker {
    core: Rc<CircuitBreaker<HostClock>>,
}

impl wit::Guest for Component {
    type Breaker = Breaker;
    type Permit = Permit;

    fn parse_config(document: String) -> Result<wit::Config, wit::InvalidValue> {
        Ok(config::parse(&document)?)
    }
}

impl wit::GuestBreaker for Breaker {
    fn create(record: wit::Config, seed: Option<u64>) -> Result<wit::Breaker, wit::InvalidValue> {
        let config = config::checked(record)?;
        let jitter = Jitter { seed: seed.unwrap_or_else(|| HostClock.now().as_nanos()) };
        let core = Rc::new(CircuitBreaker::with_jitter(config, HostClock, jitter));
        Ok(wit::Breaker::new(Self { core }))
    }

    fn acquire(&self) -> Result<wit::Permit, wit::Rejected> {
        let ticket = self.core.admit()?;
        Ok(wit::Permit::new(Permit::new(Rc::clone(&self.core), ticket)))
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
        config::told(&self.core.config())
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
        let duration = self.core.percentile(&share.into(), &outcome.into())?;
        Ok(duration.map(|duration| duration.as_secs_f64()))
    }

    fn explain(&self) -> String {
        self.core.explain()
    }

    fn force_open(&self, duration_seconds: Option<f64>) -> Result<(), wit::InvalidValue> {
        Ok(self.core.force_open_seconds(&duration_seconds.into())?)
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
