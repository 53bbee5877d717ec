//! Where requests and answers lie.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::mem;

use crate::runtime::room_for_an_order;

/// The bytes of the request that is to be read next, or of the last answer.
#[derive(Default)]
pub struct Wire(Vec<u8>);

impl Wire {
    pub(crate) fn take(&mut self) -> Vec<u8> {
        mem::take(&mut self.0)
    }

    pub(crate) fn put(&mut self, bytes: Vec<u8>) {
        self.0 = bytes;
    }
}

/// A place for requests and answers.
#[unsafe(no_mangle)]
pub extern "C" fn wire() -> Box<Wire> {
    Box::default()
}

/// Makes room for a request of so many bytes.
#[unsafe(no_mangle)]
pub extern "C" fn reserve(wire: &mut Wire, length: usize) {
    room_for_an_order();
    wire.put(alloc::vec![0; length]);
}

/// Where the request or the answer lies, until the next one.
#[unsafe(no_mangle)]
pub extern "C" fn place(wire: &mut Wire) -> *mut u8 {
    wire.0.as_mut_ptr()
}
