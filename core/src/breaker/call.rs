//! Whole calls: the function runs inside, and its result settles the permit.

use core::future::{Future, poll_fn};
use core::pin::pin;

use super::{CallError, CircuitBreaker, Permit, nesting};
use crate::clock::Clock;
use crate::control::Outcome;

impl<C: Clock> CircuitBreaker<C> {
    /// Runs `function` if the circuit admits the call. `Ok` counts as a success, `Err` as a failure. A panic counts as
    /// cancelled and continues.
    ///
    /// # Errors
    /// [`CallError::Rejected`] if the circuit rejected the call, otherwise the function's own error.
    #[inline]
    pub fn call<T, E>(&self, function: impl FnOnce() -> Result<T, E>) -> Result<T, CallError<E>> {
        self.call_classified(function, |_| Outcome::FAILURE)
    }

    /// As [`call`](Self::call), where `classify` says what an error means for the provider.
    ///
    /// A rejection by another breaker says nothing about this one's provider. The classifier recognises it by the error's
    /// type:
    ///
    /// ```
    /// use halfopen::{CallError, CircuitBreaker, Config, Outcome};
    ///
    /// let (outer, inner) = (CircuitBreaker::new(Config::default()), CircuitBreaker::new(Config::default()));
    /// inner.force_open(None)?;
    /// let answer = outer.call_classified(
    ///     || inner.call(|| Ok::<_, std::io::Error>("hello")),
    ///     |error| if error.is_rejected() { Outcome::Ignored } else { Outcome::FAILURE },
    /// );
    /// assert!(matches!(answer, Err(CallError::Failed(CallError::Rejected(_)))));
    /// assert_eq!(outer.status().counts.ignored_calls, 1);
    /// # Ok::<(), halfopen::InvalidValue>(())
    /// ```
    ///
    /// A failure that an inner call of the same breaker has counted must not count again. A [`CallError`] in the
    /// error's type shows that an inner call has judged it; `|_| Outcome::Ignored` then counts it in that call only.
    ///
    /// # Errors
    /// As [`call`](Self::call).
    #[inline]
    pub fn call_classified<T, E>(
        &self,
        function: impl FnOnce() -> Result<T, E>,
        classify: impl FnOnce(&E) -> Outcome,
    ) -> Result<T, CallError<E>> {
        let ticket = self.admit(|| nesting::probe_of(self)).map_err(CallError::Rejected)?;
        let permit = Permit::new(self, ticket);
        let result = {
            let _inside = nesting::enter(self, permit.stamp());
            function()
        };
        match &result {
            Ok(_) => permit.settle(Outcome::Success),
            Err(error) => permit.settle(classify(error)),
        }
        result.map_err(CallError::Failed)
    }

    /// As [`call`](Self::call), for a function that returns a future. It works in every async runtime. Dropping the future
    /// before it is ready counts as cancelled.
    ///
    /// A call that the future makes is nested in this one (see [`Permit::acquire_nested`]). A call by a task that the future
    /// spawns is not.
    ///
    /// # Errors
    /// As [`call`](Self::call).
    pub async fn call_async<T, E, F>(&self, function: impl FnOnce() -> F) -> Result<T, CallError<E>>
    where
        F: Future<Output = Result<T, E>>,
    {
        self.call_async_classified(function, |_| Outcome::FAILURE).await
    }

    /// As [`call_async`](Self::call_async), where `classify` says what an error means for the provider, as in
    /// [`call_classified`](Self::call_classified).
    ///
    /// # Errors
    /// As [`call`](Self::call).
    pub async fn call_async_classified<T, E, F>(
        &self,
        function: impl FnOnce() -> F,
        classify: impl FnOnce(&E) -> Outcome,
    ) -> Result<T, CallError<E>>
    where
        F: Future<Output = Result<T, E>>,
    {
        let ticket = self.admit(|| nesting::probe_of(self)).map_err(CallError::Rejected)?;
        let permit = Permit::new(self, ticket);
        let mut future = pin!({
            let _inside = nesting::enter(self, permit.stamp());
            function()
        });
        let polled = poll_fn(|context| {
            // Only while it is polled: between two polls this thread does other work.
            let _inside = nesting::enter(self, permit.stamp());
            future.as_mut().poll(context)
        });
        let result = polled.await;
        match &result {
            Ok(_) => permit.settle(Outcome::Success),
            Err(error) => permit.settle(classify(error)),
        }
        result.map_err(CallError::Failed)
    }
}
