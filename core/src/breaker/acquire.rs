//! Admission: without the lock while the circuit is closed or waits, under the lock otherwise.

use super::ticket::Start;
use super::{CircuitBreaker, Permit, Ticket};
use crate::clock::{Clock, Tick};
use crate::control::{Admission, Rejected, Stamp};
use crate::evidence::Stripe;

/// Whether every call is timed, so that it needs the time when it is admitted and when it is settled.
pub fn times_calls<C: Clock>(breaker: &CircuitBreaker<C>) -> bool {
    breaker.hot.mirror.mirrored().is_timed()
}

impl<C: Clock> CircuitBreaker<C> {
    /// Asks for a permit to make one call.
    ///
    /// # Errors
    /// [`Rejected`], with the rest of the wait.
    #[inline]
    pub fn acquire(&self) -> Result<Permit<'_, C>, Rejected> {
        self.admit(|| None).map(|ticket| Permit::new(self, ticket))
    }

    /// See [`host::admit`](crate::host::admit).
    #[inline(always)]
    pub(crate) fn admit(&self, outer: impl FnOnce() -> Option<Stamp>) -> Result<Ticket, Rejected> {
        match self.admit_without_time() {
            Some(ticket) => Ok(ticket),
            None => self.admit_at(self.hot.clock.now(), outer),
        }
    }

    /// Admits a call if that needs no time. Otherwise nothing has changed.
    #[inline(always)]
    pub(crate) fn admit_without_time(&self) -> Option<Ticket> {
        let mirrored = self.hot.mirror.mirrored();
        let stamp = mirrored.admits().filter(|_| !mirrored.is_timed())?;
        Some(Ticket { stamp, stripe: self.counters.admit(), start: Start::UNTIMED })
    }

    /// `now` was read just before. Reading it may run host code, so the mirror is read again after it.
    #[inline(always)]
    pub(crate) fn admit_at(&self, now: Tick, outer: impl FnOnce() -> Option<Stamp>) -> Result<Ticket, Rejected> {
        if let Some(rejected) = self.hot.mirror.rejection_at(now) {
            self.counters.reject(rejected.reason);
            return Err(rejected);
        }
        let (stamp, stripe, start) = self.admit_timed(now, outer)?;
        Ok(Ticket { stamp, stripe, start })
    }

    /// `inline(never)`, here and below, keeps the rare path out of the hot one. A ticket is passed in parts, because one
    /// with an address could not stay in registers.
    #[inline(never)]
    fn admit_timed(
        &self,
        now: Tick,
        outer: impl FnOnce() -> Option<Stamp>,
    ) -> Result<(Stamp, Stripe, Start), Rejected> {
        let mirrored = self.hot.mirror.mirrored();
        let start = if mirrored.is_timed() { Start::at(now) } else { Start::UNTIMED };
        if let Some(stamp) = mirrored.admits() {
            return Ok((stamp, self.counters.admit(), start));
        }
        if let Some((stamp, group)) = self.newest_group().join(now, || self.hot.mirror.mirrored().admits_tracked()) {
            return Ok((stamp, self.counters.admit().in_group(group), start));
        }
        self.admit_locked(now, start, outer())
    }

    #[inline(never)]
    fn admit_locked(&self, now: Tick, start: Start, outer: Option<Stamp>) -> Result<(Stamp, Stripe, Start), Rejected> {
        self.change(|inner| {
            if let Some(outer) = outer.filter(|outer| inner.control.shares_permit(*outer)) {
                return Ok((outer, Stripe::SHARED, Start::UNTIMED));
            }
            inner.evaluate_overdue(self.newest_group(), now);
            match inner.acquire(now) {
                Admission::Admitted { stamp, taken_back, shadow_rejected, .. } => {
                    self.counters.take_back(taken_back);
                    if shadow_rejected {
                        self.counters.shadow_reject();
                    }
                    let group = inner.track(self.newest_group(), now);
                    Ok((stamp, self.counters.admit().in_group(group), start))
                }
                Admission::Rejected(rejected) => {
                    self.counters.reject(rejected.reason);
                    Err(rejected)
                }
            }
        })
    }
}
