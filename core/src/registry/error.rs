//! Why a registry does not hand out a breaker.

use alloc::string::String;
use core::fmt;

use crate::names::ErrorCode;

/// A breaker that the registry does not hand out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RegistryError {
    /// There is a breaker of that name with another configuration.
    NameConflict {
        /// The name.
        name: String,
        /// The first field that differs.
        field: String,
    },
    /// There are as many breakers as the registry may hold, and each of them is in use.
    Full {
        /// The most breakers that it may hold.
        bound: usize,
    },
}

impl RegistryError {
    /// `NAME_CONFLICT` or `REGISTRY_FULL`, the same in every language.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NameConflict { .. } => ErrorCode::NameConflict,
            Self::Full { .. } => ErrorCode::RegistryFull,
        }
        .as_str()
    }
}

impl fmt::Display for RegistryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NameConflict { name, field } => {
                write!(f, "a circuit named {name:?} exists with another configuration: {field} differs")
            }
            Self::Full { bound } => {
                write!(f, "the registry is full: each of its {bound} circuits is in use; raise its bound or remove one")
            }
        }
    }
}

impl core::error::Error for RegistryError {}
