//! The circuit as JavaScript sees it.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use halfopen::{CircuitBreaker, ListenerId, SystemClock, Value};
use halfopen_js::{Circuit as Handle, JsClock, config};
use napi::bindgen_prelude::{Env, Result, Unknown};
use napi_derive::napi;

use crate::circuits::{self, Shared};
use crate::values::{OrThrow, from_js, to_js};
use crate::{shared, wake};

/// A circuit. Its calls go through the `HotPath`, by its number.
///
/// The handle is dropped when the object is collected or its thread ends, terminated or not. That settles calls in flight
/// as cancelled.
#[napi]
pub struct Circuit {
    handle: Shared,
    number: u32,
    listener: Option<ListenerId>,
}

#[napi]
impl Circuit {
    /// A closed circuit on the user's clock, which reads `millis`, or on the system's if that is NaN. A shared circuit is
    /// the one of its name in this process, on the system's clock.
    #[napi(constructor)]
    pub fn new(
        env: &Env,
        #[napi(ts_arg_type = "Plain")] fields: Unknown<'_>,
        millis: f64,
        is_shared: bool,
    ) -> Result<Self> {
        let config = config(&from_js(env, fields)?).or_throw(env)?;
        let breaker = if is_shared {
            shared::get_or_create(config).or_throw(env)?
        } else {
            let clock = if millis.is_nan() { JsClock::System(SystemClock::new()) } else { JsClock::pushed(millis) };
            Arc::new(CircuitBreaker::with_clock(config, clock))
        };
        let handle = Rc::new(RefCell::new(Handle::new(breaker)));
        Ok(Self { number: circuits::insert(Rc::clone(&handle)), handle, listener: None })
    }

    /// Its number in the hot path.
    #[napi(getter)]
    pub fn number(&self) -> u32 {
        self.number
    }

    /// Begins to call the function that was passed to `onTransition`.
    #[napi]
    pub fn listen(&mut self) {
        if self.listener.is_none() {
            self.listener = wake::listen(self.number, self.handle.borrow().breaker());
        }
    }

    /// Ends that.
    #[napi]
    pub fn unlisten(&mut self) {
        if let Some(listener) = self.listener.take() {
            self.handle.borrow().breaker().unsubscribe(listener);
        }
    }

    #[napi]
    pub fn enter_inside(&self, outer: f64, millis: f64) -> f64 {
        self.handle.borrow_mut().enter_inside(outer, millis)
    }

    #[napi]
    pub fn retry_after(&self) -> f64 {
        self.handle.borrow().retry_after()
    }

    #[napi]
    pub fn is_timed(&self) -> bool {
        self.handle.borrow().is_timed()
    }

    #[napi]
    pub fn fail(
        &self,
        env: &Env,
        permit: f64,
        #[napi(ts_arg_type = "Plain")] retry_after: Unknown<'_>,
        millis: f64,
    ) -> Result<bool> {
        let retry_after = from_js(env, retry_after)?;
        self.handle.borrow_mut().fail(permit, &retry_after, millis).or_throw(env)
    }

    #[napi]
    pub fn pause(&self, permit: f64, millis: f64) {
        self.handle.borrow_mut().pause(permit, millis);
    }

    #[napi]
    pub fn resume(&self, permit: f64, millis: f64) {
        self.handle.borrow_mut().resume(permit, millis);
    }

    #[napi(ts_return_type = "State")]
    pub fn state(&self, millis: f64) -> &'static str {
        self.handle.borrow().state(millis)
    }

    #[napi(ts_return_type = "Mode")]
    pub fn mode(&self, millis: f64) -> &'static str {
        self.handle.borrow().mode(millis)
    }

    #[napi(ts_return_type = "StatusReading")]
    pub fn status<'env>(&self, env: &'env Env, millis: f64) -> Result<Unknown<'env>> {
        self.read(env, |handle| handle.status(millis))
    }

    #[napi]
    pub fn explain(&self, millis: f64) -> String {
        self.handle.borrow().explain(millis)
    }

    #[napi]
    pub fn is_idle(&self, millis: f64) -> bool {
        self.handle.borrow().is_idle(millis)
    }

    #[napi(ts_return_type = "EffectiveConfig")]
    pub fn config<'env>(&self, env: &'env Env) -> Result<Unknown<'env>> {
        self.read(env, Handle::config)
    }

    #[napi(ts_return_type = "EventReading[]")]
    pub fn events<'env>(&self, env: &'env Env, after: f64) -> Result<Unknown<'env>> {
        self.read(env, |handle| handle.events(after))
    }

    #[napi(ts_return_type = "DurationsByOutcome")]
    pub fn durations<'env>(&self, env: &'env Env) -> Result<Unknown<'env>> {
        self.read(env, Handle::durations)
    }

    #[napi(ts_return_type = "number | null")]
    pub fn percentile(
        &self,
        env: &Env,
        #[napi(ts_arg_type = "Plain")] share: Unknown<'_>,
        #[napi(ts_arg_type = "Plain")] outcome: Unknown<'_>,
    ) -> Result<Option<f64>> {
        let (share, outcome) = (from_js(env, share)?, from_js(env, outcome)?);
        self.handle.borrow().percentile(&share, &outcome).or_throw(env)
    }

    #[napi]
    pub fn force_open(
        &self,
        env: &Env,
        #[napi(ts_arg_type = "Plain")] duration_seconds: Unknown<'_>,
        millis: f64,
    ) -> Result<()> {
        let duration_seconds = from_js(env, duration_seconds)?;
        self.handle.borrow().force_open(&duration_seconds, millis).or_throw(env)
    }

    #[napi]
    pub fn disable(&self, millis: f64) {
        self.handle.borrow().disable(millis);
    }

    #[napi]
    pub fn reset(&self, millis: f64) {
        self.handle.borrow().reset(millis);
    }

    #[napi]
    pub fn reconfigure(
        &self,
        env: &Env,
        #[napi(ts_arg_type = "Plain")] fields: Unknown<'_>,
        millis: f64,
    ) -> Result<()> {
        let fields = from_js(env, fields)?;
        self.handle.borrow().reconfigure(&fields, millis).or_throw(env)
    }

    #[napi]
    pub fn difference(&self, env: &Env, #[napi(ts_arg_type = "Plain")] fields: Unknown<'_>) -> Result<Option<String>> {
        let fields = from_js(env, fields)?;
        self.handle.borrow().difference(&fields).or_throw(env)
    }

    #[napi(ts_return_type = "Plain")]
    pub fn snapshot<'env>(&self, env: &'env Env, millis: f64) -> Result<Unknown<'env>> {
        self.read(env, |handle| handle.snapshot(millis))
    }

    #[napi]
    pub fn restore(&self, env: &Env, document: String, millis: f64) -> Result<()> {
        self.handle.borrow().restore(&document, millis).or_throw(env)
    }

    /// A reading as a JavaScript object, created after the circuit is no longer borrowed.
    fn read<'env>(&self, env: &'env Env, read: impl FnOnce(&Handle) -> Value) -> Result<Unknown<'env>> {
        let reading = read(&self.handle.borrow());
        to_js(env, &reading)
    }
}

impl Drop for Circuit {
    fn drop(&mut self) {
        self.unlisten();
        circuits::remove(self.number);
    }
}
