//! The content of a window in a snapshot, which has no clock.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::time::Duration;

use super::window_counts::{BUCKETS, Call, WindowCounts};
use crate::config::WindowShape;

/// The content of a window, without a clock.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) enum SavedWindow {
    /// No rate was set.
    #[default]
    None,
    /// The last calls, oldest first.
    Calls { size: u16, ended: Vec<Call> },
    /// The ten buckets, the current one first.
    Seconds { size: u16, buckets: Box<[WindowCounts; BUCKETS as usize]> },
}

impl SavedWindow {
    pub(crate) fn shape(&self) -> Option<WindowShape> {
        match self {
            Self::None => None,
            Self::Calls { size, .. } => Some(WindowShape::Calls(*size)),
            Self::Seconds { size, .. } => Some(WindowShape::Time(Duration::from_secs((*size).into()))),
        }
    }
}
