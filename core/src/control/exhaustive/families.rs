//! The configurations that are searched: thresholds and slots up to two or three, waits of a few nanoseconds.

use alloc::vec;
use alloc::vec::Vec;

use super::nanos;
use crate::config::{Config, ConfigBuilder, Rules};

/// Each is searched by itself: one configuration, or several between which an operator switches.
pub(super) fn all(wide: bool) -> Vec<Vec<Rules>> {
    let mut all = alone(if wide { 4 } else { 2 });
    all.push(vec![rules(builder(2, 2, 2, 2, 3).failure_threshold(None).failure_rate_threshold(0.5))]);
    all.push(vec![slow(builder(2, 2, 2, 2, 3))]);
    all.push(vec![rules(builder(2, 2, 2, 2, 3)), rules(builder(1, 1, 1, 3, 1).shadow(true))]);
    if wide {
        all.push(vec![slow(builder(3, 3, 3, 3, 2).timeout_multiplier(2.0))]);
        all.push(vec![rules(builder(1, 3, 1, 2, 3)), rules(builder(3, 1, 3, 2, 3))]);
        all.push(vec![slow(builder(2, 2, 2, 2, 3)), rules(builder(1, 2, 3, 3, 1).timeout_multiplier(2.0))]);
    }
    all
}

fn alone(most: u8) -> Vec<Vec<Rules>> {
    let mut all = Vec::new();
    for failures in 1..=most {
        for successes in 1..=most {
            for slots in 1..=most {
                let builder = |timeout, probe_timeout| builder(failures, successes, slots, timeout, probe_timeout);
                all.push(vec![rules(builder(2, 3))]);
                all.push(vec![rules(builder(2, 1).timeout_multiplier(2.0))]);
                all.push(vec![rules(builder(3, 2).shadow(true))]);
            }
        }
    }
    all
}

/// Times in nanoseconds.
fn builder(failures: u8, successes: u8, slots: u8, timeout: u8, probe_timeout: u8) -> ConfigBuilder {
    Config::builder()
        .failure_threshold(u16::from(failures))
        .success_threshold(successes)
        .half_open_max_calls(slots)
        .timeout(nanos(timeout.into()))
        .probe_timeout(nanos(probe_timeout.into()))
        .max_timeout(nanos(4))
}

fn rules(builder: ConfigBuilder) -> Rules {
    *builder.build().unwrap().rules()
}

/// A slow probe opens.
fn slow(builder: ConfigBuilder) -> Rules {
    rules(builder.slow_call(nanos(1)).slow_call_rate_threshold(0.5))
}
