//! Where requests and answers lie.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::cell::RefCell;

/// The bytes of the request that is to be read next, or of the last answer.
#[derive(Default)]
pub struct Wire(RefCell<Vec<u8>>);

impl Wire {
    pub(crate) fn take(&self) -> Vec<u8> {
        self.0.take()
    }

    pub(crate) fn put(&self, bytes: Vec<u8>) {
        self.0.replace(bytes);
    }
}

/// A place for requests and answers.
#[unsafe(no_mangle)]
pub extern "C" fn wire() -> Box<Wire> {
    Box::default()
}

/// Makes room for a request of so many bytes.
#[unsafe(no_mangle)]
pub extern "C" fn reserve(wire: &Wire, length: usize) {
    wire.put(alloc::vec![0; length]);
}

/// Where the request or the answer lies, until the next one.
#[unsafe(no_mangle)]
pub extern "C" fn place(wire: &Wire) -> *mut u8 {
    wire.0.borrow_mut().as_mut_ptr()
}
