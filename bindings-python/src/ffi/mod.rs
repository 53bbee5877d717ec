//! All unsafe code of this binding: PyO3 cannot do these things, or not fast enough.
//!
//! Two parts are there because a row of the benchmark is slower by more than a fifth without them: [`run_method`] and
//! [`call_object`], which replace PyO3 classes. The figures stand in the files.

mod attach;
mod call_object;
mod frame;
mod handled_error;
mod host_calls;
mod interpreter;
mod methods;
mod objects;
mod plain_classes;
mod raise_soon;
mod run_method;
mod send_slot;

pub use attach::{attached, beside_an_error, unless_replaced};
pub use call_object::{add_begin, call_object, make_call_class, probe_of};
pub use frame::Frame;
pub use handled_error::{handled_error, while_handling};
pub use host_calls::{
    Anext, Step, call_host, call_host_method, call_host_plainly, call_host_with_one, says_yes, step_host, throw_host,
    unless_it_raised,
};
pub use interpreter::is_subinterpreter;
pub use objects::{
    has_aiter, has_attribute, has_await, inherits, is_abstract, is_exactly, is_iterator, is_made_in_python, is_shared,
    looks_up_plainly,
};
pub use plain_classes::{PLAIN_ERRORS, PLAIN_ITEMS, PLAIN_RESULTS, PLAIN_VALUES};
pub use raise_soon::raise_soon;
pub use run_method::add_run;
pub use send_slot::make_next_item_class;
