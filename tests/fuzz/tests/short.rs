//! Checks the same few thousand inputs for each target on every run, on any toolchain.

/// Marsaglia, Xorshift RNGs (2003).
struct Xorshift(u64);

impl Xorshift {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn bytes(&mut self) -> Vec<u8> {
        let length = self.next() % 1000;
        (0..length).map(|_| (self.next() >> 32) as u8).collect()
    }
}

fn check_random_inputs(check: fn(&[u8])) {
    let mut random = Xorshift(0x2545_f491_4f6c_dd1d);
    for _ in 0..5000 {
        check(&random.bytes());
    }
}

#[test]
fn configurations_are_valid_or_refused_by_field() {
    check_random_inputs(halfopen_fuzz::configs::check);
}

#[test]
fn every_history_keeps_the_invariants() {
    check_random_inputs(halfopen_fuzz::histories::check);
}

#[test]
fn damaged_snapshots_are_refused_or_valid() {
    check_random_inputs(halfopen_fuzz::snapshots::check);
}

#[test]
fn every_response_has_a_verdict() {
    check_random_inputs(halfopen_fuzz::responses::check);
}
