//! Counts what happens in a run, and makes the report of it.

use alloc::string::String;
use alloc::vec::Vec;

use super::report::{Latencies, POINTS, Point, Report, ReportedTransition, Score, TRANSITIONS_KEPT};
use super::scenario::Scenario;
use crate::control::State;
use crate::evidence::Event;

pub(super) struct Recorder {
    seconds: f64,
    /// The beginning of the first fault and the end of the last one, if there is any.
    faults: Option<(f64, f64)>,
    calls: u64,
    report: Report,
    latencies: Latencies,
    /// The circuits that are not closed.
    not_closed: u32,
    recovered_at: Option<f64>,
    /// The first point that a change of `not_closed` has not reached.
    point: usize,
}

impl Recorder {
    pub(super) fn new(scenario: &Scenario, circuits: usize) -> Self {
        let ends = |fault: &super::scenario::Fault| (fault.from_seconds, fault.to_seconds);
        let faults = scenario.faults.iter().map(ends);
        let faults = faults.reduce(|(from, to), (other_from, other_to)| (from.min(other_from), to.max(other_to)));
        Self {
            seconds: scenario.seconds,
            faults: faults.filter(|_| circuits > 0),
            calls: 0,
            report: Report {
                requests: 0,
                answered: 0,
                failed: 0,
                refused: 0,
                score: Score::default(),
                transitions: Vec::new(),
                transition_count: 0,
                step_seconds: scenario.seconds / POINTS as f64,
                series: alloc::vec![Point::default(); POINTS],
            },
            latencies: Latencies::new(),
            not_closed: 0,
            recovered_at: None,
            point: 0,
        }
    }

    pub(super) fn called(&mut self) {
        self.calls += 1;
    }

    pub(super) fn rejected(&mut self, would_have_succeeded: bool) {
        self.report.score.refused_in_vain += u64::from(would_have_succeeded);
    }

    pub(super) fn call_failed(&mut self, is_broken: bool) {
        self.report.score.wasted_calls += u64::from(is_broken);
    }

    pub(super) fn answered(&mut self, at: u64, latency: u64) {
        self.report.answered += 1;
        self.latencies.add(latency);
        let point = self.point_at(at as f64 * 1e-9);
        point.answered += 1;
        point.latency_seconds += latency as f64 * 1e-9;
    }

    pub(super) fn failed(&mut self, at: u64) {
        self.report.failed += 1;
        self.point_at(at as f64 * 1e-9).failed += 1;
    }

    pub(super) fn refused(&mut self, at: u64) {
        self.report.refused += 1;
        self.point_at(at as f64 * 1e-9).refused += 1;
    }

    /// Requests that end after the last step belong to it.
    fn index_at(&self, seconds: f64) -> usize {
        ((seconds / self.report.step_seconds) as usize).min(POINTS - 1)
    }

    fn point_at(&mut self, seconds: f64) -> &mut Point {
        let index = self.index_at(seconds);
        &mut self.report.series[index]
    }

    pub(super) fn transition(&mut self, place: (u32, u32), event: &Event, explain: impl FnOnce() -> String) {
        let at = event.at.as_seconds();
        let (from, to) = (event.transition.from, event.transition.to);
        self.reach(at);
        if from == State::Closed {
            self.not_closed += 1;
        } else if to == State::Closed {
            self.not_closed -= 1;
        }
        if let Some((begin, end)) = self.faults {
            if to == State::Open && at >= begin && self.report.score.seconds_to_open.is_none() {
                self.report.score.seconds_to_open = Some(at - begin);
            }
            // The last closing after the end counts: a circuit that opens again has not recovered.
            if self.not_closed > 0 {
                self.recovered_at = None;
            } else if at >= end {
                self.recovered_at = Some(at - end);
            }
        }
        self.report.transition_count += 1;
        if self.report.transitions.len() < TRANSITIONS_KEPT {
            self.report.transitions.push(ReportedTransition {
                at_seconds: at,
                worker: place.0,
                provider: place.1,
                from_state: from,
                to_state: to,
                cause: event.transition.cause,
                explanation: explain(),
            });
        }
    }

    /// Writes the number of circuits that are not closed into the points that have ended before `seconds`.
    fn reach(&mut self, seconds: f64) {
        let index = self.index_at(seconds).max(self.point);
        for point in &mut self.report.series[self.point..index] {
            point.not_closed = self.not_closed;
        }
        self.point = index;
    }

    pub(super) fn finish(mut self) -> Report {
        self.reach(self.seconds);
        self.report.series[POINTS - 1].not_closed = self.not_closed;
        let report = &mut self.report;
        report.requests = report.answered + report.failed + report.refused;
        report.score.failed_requests = report.failed + report.refused;
        report.score.seconds_to_recover = self.recovered_at;
        report.score.not_closed_at_end = self.not_closed;
        report.score.calls_per_request = self.calls as f64 / report.requests.max(1) as f64;
        let percentiles = [0.5, 0.95, 0.99].map(|share| self.latencies.percentile(share));
        report.score.latency_seconds = match percentiles {
            [Some(half), Some(most), Some(nearly_all)] => Some([half, most, nearly_all]),
            _ => None,
        };
        self.report
    }
}
