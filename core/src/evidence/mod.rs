//! The numbers that a breaker collects: counters, window, histogram and history. Nothing here changes a state.
//!
//! A [`Status`] is the reading of one breaker. For the totals of all breakers see [`metrics`](crate::metrics).

mod call_groups;
mod counters;
mod histogram;
mod history;
mod saved_window;
mod status;
mod totals;
mod window;
mod window_counts;

pub(crate) use call_groups::{CallGroups, GroupNumber, NewestGroup};
pub use counters::Counts;
pub(crate) use counters::{Counters, Rejections, Stripe};
pub(crate) use histogram::Histogram;
pub use histogram::{BUCKET_BOUNDS, Durations};
pub use history::{EVENTS_KEPT, EVENTS_WAITING, Edge, Event, Listener, ListenerId};
pub(crate) use history::{Edges, History, edges_in};
pub(crate) use saved_window::SavedWindow;
pub use status::{CallDurations, Status};
pub use totals::Totals;
pub(crate) use window::Window;
pub(crate) use window_counts::Call;
pub use window_counts::WindowCounts;
