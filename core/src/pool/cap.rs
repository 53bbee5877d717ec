//! A bound on the calls in flight.

/// A bulkhead without a queue: a call that finds it full goes to another provider.
///
/// ```
/// use halfopen::pool::ConcurrencyCap;
///
/// let cap = ConcurrencyCap::new(1);
/// let cap = cap.enter().unwrap();
/// assert_eq!(cap.enter(), None);
/// assert!(cap.leave().enter().is_some());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConcurrencyCap {
    max: u32,
    in_flight: u32,
}

impl ConcurrencyCap {
    /// No call in flight, and at most `max` at once.
    pub const fn new(max: u32) -> Self {
        Self { max, in_flight: 0 }
    }

    /// With one call more; `None` if it is full.
    #[must_use]
    pub const fn enter(self) -> Option<Self> {
        if self.in_flight < self.max { Some(Self { in_flight: self.in_flight + 1, ..self }) } else { None }
    }

    /// With one call less.
    #[must_use]
    pub const fn leave(self) -> Self {
        Self { in_flight: self.in_flight.saturating_sub(1), ..self }
    }

    /// The calls in flight.
    pub const fn in_flight(&self) -> u32 {
        self.in_flight
    }

    /// With this many calls in flight.
    #[must_use]
    pub(super) const fn with_in_flight(self, in_flight: u32) -> Self {
        Self { in_flight, ..self }
    }

    /// With another bound. Calls in flight beyond it stay, and no call enters until there are fewer.
    #[must_use]
    pub const fn with_max(self, max: u32) -> Self {
        Self { max, ..self }
    }
}
