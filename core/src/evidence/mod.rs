//! Counters, windows, histograms and history: evidence beside the machine. Nothing here changes a state.

mod counters;
mod histogram;
mod history;
mod saved_window;
mod window;

pub use counters::Counts;
pub(crate) use counters::{Counters, Stripe};
pub(crate) use histogram::Histogram;
pub use histogram::{BUCKET_BOUNDS, Durations};
pub use history::{EVENTS_KEPT, Edge, Event};
pub(crate) use history::{Edges, History, walked};
pub(crate) use saved_window::SavedWindow;
pub use window::WindowCounts;
pub(crate) use window::{BUCKETS, Call, Window};
