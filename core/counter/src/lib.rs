//! The processor's counter, which takes 9 ns to read where the operating system's clock takes 26.
//!
//! It is a crate of its own, because reading it needs `unsafe`, which `halfopen` forbids. Crates that read the counter by
//! a safe function also measure its rate when they start (`quanta` for up to 200 ms), and `halfopen` measures it while
//! the clock is used.

/// Whether the counter runs at an even pace, in step on all processors: if Linux keeps its own time by it. Linux takes
/// another clock if processors change the counter's pace or are out of step.
///
/// Reads a file of the kernel, in some 20 µs. False on all platforms but Linux on x86-64.
pub fn is_even() -> bool {
    let source = "/sys/devices/system/clocksource/clocksource0/current_clocksource";
    cfg!(all(target_os = "linux", target_arch = "x86_64"))
        && std::fs::read_to_string(source).is_ok_and(|clock| clock.trim_end() == "tsc")
}

/// The value of the counter; 0 on all platforms but Linux on x86-64.
#[inline]
pub fn read() -> u64 {
    // SAFETY: every processor of this architecture has the instruction, and Linux allows it.
    #[cfg(all(target_os = "linux", target_arch = "x86_64"))]
    return unsafe { core::arch::x86_64::_rdtsc() };
    #[cfg(not(all(target_os = "linux", target_arch = "x86_64")))]
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_even_counter_counts() {
        let first = read();
        std::thread::sleep(std::time::Duration::from_millis(1));
        assert!(!is_even() || read() > first);
    }
}
