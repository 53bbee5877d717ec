//! What the standard library would bring: an allocator and an end for panics, here without the texts that no page shows.

#[global_allocator]
static ALLOCATOR: talc::wasm::WasmDynamicTalc = talc::wasm::new_wasm_dynamic_allocator();

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    core::arch::wasm32::unreachable()
}

/// More than an order ever needs: thirteen kilobytes.
const FRAMES: u32 = 32;

/// Throws where the stack has no room for an order, before anything has been touched: in the middle of one it would leave
/// the allocator, or a circuit, half changed.
pub(crate) fn room_for_an_order() {
    halfopen::descend(FRAMES);
}
