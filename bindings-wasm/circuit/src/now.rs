//! What time it is.

use alloc::boxed::Box;
use core::cell::Cell;

use halfopen::{Clock, Tick};

/// Where a circuit has the time from.
pub enum Now {
    /// Its host tells it: what was told last.
    Told(Cell<Tick>),
    /// A clock that runs no code of the host's.
    Own(Box<dyn Fn() -> Tick>),
}

impl Now {
    /// The clock of a host that tells the time, in milliseconds.
    pub fn told(millis: f64) -> Self {
        let now = Self::Told(Cell::default());
        now.tell(millis);
        now
    }

    /// Takes the time in milliseconds. Where that is none (NaN, say) the last one holds.
    #[inline]
    pub(crate) fn tell(&self, millis: f64) {
        if let (Self::Told(last), Some(now)) = (self, Tick::from_millis(millis)) {
            last.set(now);
        }
    }
}

impl Clock for Now {
    #[inline]
    fn now(&self) -> Tick {
        match self {
            Self::Told(last) => last.get(),
            Self::Own(read) => read(),
        }
    }
}
