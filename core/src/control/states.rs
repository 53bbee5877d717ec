//! The enumerations of the machine; their names are the same in every language.

use crate::names::named_enum;

named_enum! {
    /// The state of a circuit.
    State: Default {
        /// Calls pass.
        Closed = "closed",
        /// Calls are rejected until the wait is over.
        Open = "open",
        /// A few calls pass as probes.
        HalfOpen = "half_open",
    }
}

impl State {
    /// How bad it is: 0 closed, 1 half-open, 2 open. Metrics export this number; the worst of several states is the
    /// highest.
    pub const fn severity(self) -> u8 {
        match self {
            Self::Closed => 0,
            Self::HalfOpen => 1,
            Self::Open => 2,
        }
    }
}

named_enum! {
    /// The mode of a circuit: automatic, or set by an operator.
    Mode: Default {
        /// The state machine decides.
        Auto = "auto",
        /// An operator holds it open.
        ForcedOpen = "forced_open",
        /// An operator lets every call pass.
        Disabled = "disabled",
        /// The state machine decides, but calls that it would reject are admitted and only counted.
        Shadow = "shadow",
    }
}

named_enum! {
    /// Why a call was rejected.
    Reason {
        /// The wait is not over.
        Open = "open",
        /// Every probe slot is taken.
        ProbesBusy = "probes_busy",
        /// An operator holds the circuit open.
        ForcedOpen = "forced_open",
    }
}
