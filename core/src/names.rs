//! Names that are the same in every language: those of enumerations, and those of fields in each host's spelling.

use alloc::string::String;
use alloc::vec::Vec;

/// How a host spells a name of several words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spelling {
    /// `timeout_seconds`, as in Rust, Python and the documentation.
    SnakeCase,
    /// `timeoutSeconds`, as in JavaScript.
    CamelCase,
}

impl Spelling {
    /// A name of the documentation in this spelling.
    pub fn name(self, name: &str) -> String {
        self.letters(name).collect()
    }

    /// Whether `spelled` is this spelling of a name of the documentation.
    pub(crate) fn is_name(self, spelled: &str, name: &str) -> bool {
        self.letters(name).eq(spelled.chars())
    }

    /// A text in which names stand between backticks, with the names spelled and without the backticks. Hosts that spell
    /// in camelCase write `null` for none.
    pub fn text(self, text: &str) -> String {
        let parts = text.split('`').enumerate();
        let spelled = parts.map(|(index, part)| match self {
            _ if index % 2 == 1 => self.name(part),
            Self::SnakeCase => part.into(),
            // Word by word, because a text search would add 1 KB to a page.
            Self::CamelCase => {
                part.split(' ').map(|word| if word == "none" { "null" } else { word }).collect::<Vec<_>>().join(" ")
            }
        });
        spelled.collect()
    }

    fn letters(self, name: &str) -> impl Iterator<Item = char> {
        let mut starts_word = false;
        name.chars().filter_map(move |letter| {
            if self == Self::CamelCase && letter == '_' {
                starts_word = true;
                return None;
            }
            let upper = core::mem::take(&mut starts_word);
            Some(if upper { letter.to_ascii_uppercase() } else { letter })
        })
    }
}

/// An enumeration whose values have stable names.
pub(crate) trait Named: Copy + 'static {
    /// Every value, in the order of declaration.
    const VALUES: &'static [Self];

    /// The names of all values, in the same order.
    const NAMES: &'static [&'static str];

    /// The value of this name.
    fn from_name(name: &str) -> Option<Self> {
        Self::NAMES.iter().position(|known| *known == name).map(|index| Self::VALUES[index])
    }
}

/// Reads a value by its name.
#[cfg(feature = "serde")]
pub(crate) fn deserialize_name<'de, T: Named, D: serde::Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    let name: String = serde::Deserialize::deserialize(deserializer)?;
    T::from_name(&name).ok_or_else(|| serde::de::Error::unknown_variant(&name, T::NAMES))
}

/// Displays a type with `as_str`, and serialises it, by its name.
macro_rules! by_name {
    ($type:ident) => {
        #[cfg(feature = "serde")]
        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        #[cfg(feature = "serde")]
        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                $crate::names::deserialize_name(deserializer)
            }
        }

        impl core::fmt::Display for $type {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.pad(self.as_str())
            }
        }
    };
}

pub(crate) use by_name;

/// Declares a field-less enumeration together with the stable names of its values. With `: Default`, the first value is the
/// default.
///
/// The names are the same in the vectors, in Python, in JavaScript and in metrics, so they stand once, beside the
/// variant they belong to.
macro_rules! named_enum {
    ($(#[$meta:meta])* $type:ident $(: $default:ident)? { $($(#[doc = $doc:literal])+ $variant:ident = $name:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $type { $($(#[doc = $doc])+ $variant,)+ }

        impl $type {
            /// Every value, in the order of declaration.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The stable name, the same in every language.
            pub const fn as_str(self) -> &'static str {
                <Self as $crate::names::Named>::NAMES[self as usize]
            }

            /// One sentence that says what it means, for help texts and generated documentation.
            pub fn description(self) -> &'static str {
                const TEXTS: &[&str] = &[$(concat!($($doc),+)),+];
                TEXTS[self as usize].trim_start()
            }
        }

        $(impl $default for $type {
            fn default() -> Self {
                Self::ALL[0]
            }
        })?

        impl $crate::names::Named for $type {
            const VALUES: &'static [Self] = Self::ALL;
            const NAMES: &'static [&'static str] = &[$($name),+];
        }

        $crate::names::by_name!($type);
    };
}

pub(crate) use named_enum;

named_enum! {
    /// The stable code of an error.
    ErrorCode {
        /// The circuit rejected the call.
        CircuitOpen = "CIRCUIT_OPEN",
        /// The call took longer than its deadline and was cut off.
        CallTimeout = "CALL_TIMEOUT",
        /// A value is not allowed.
        InvalidValue = "INVALID_VALUE",
        /// A registry has a breaker of that name with another configuration.
        NameConflict = "NAME_CONFLICT",
        /// A registry holds as many breakers as it may, and each is in use.
        RegistryFull = "REGISTRY_FULL",
        /// No provider of a pool answered the call.
        AllProvidersFailed = "ALL_PROVIDERS_FAILED",
        /// A pool passed over a provider: it could not take the call.
        ProviderUnavailable = "PROVIDER_UNAVAILABLE",
        /// A stream ended before its answer was complete.
        StreamBroken = "STREAM_BROKEN",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_spelled_as_its_host_spells_names() {
        assert_eq!(Spelling::SnakeCase.name("half_open_max_calls"), "half_open_max_calls");
        assert_eq!(Spelling::CamelCase.name("half_open_max_calls"), "halfOpenMaxCalls");
        assert!(Spelling::CamelCase.is_name("timeoutSeconds", "timeout_seconds"));
        assert!(!Spelling::CamelCase.is_name("timeout_seconds", "timeout_seconds"));
    }

    #[test]
    fn a_text_spells_the_names_in_it_and_nothing_else() {
        let text = "at least `timeout_seconds`, or half_open";
        assert_eq!(Spelling::SnakeCase.text(text), "at least timeout_seconds, or half_open");
        assert_eq!(Spelling::CamelCase.text(text), "at least timeoutSeconds, or half_open");
        assert_eq!(Spelling::SnakeCase.text("1, or none"), "1, or none");
        assert_eq!(Spelling::CamelCase.text("1, or none"), "1, or null");
    }
}
