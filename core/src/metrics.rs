//! Totals by label for metrics: the summed counts of all breakers with the same name and provider.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::sync::Arc;
use alloc::vec::Vec;

use crate::breaker::CircuitBreaker;
use crate::clock::Clock;
use crate::control::State;
use crate::evidence::Totals;
use crate::sync::Mutex;

/// Of how many label sets that no breaker has any more the counts are kept apart.
///
/// Each takes less than a kilobyte.
pub const ENDED_KEPT: usize = 1_000;

/// How many of them are folded when there are more: few enough to keep half, and many enough that folds are rare.
const FOLDED_AT_ONCE: usize = ENDED_KEPT / 2 + 1;

/// The name under which the folded ones are found.
const FOLDED_NAME: &str = "(other)";

/// The breakers of a process, for its metrics.
///
/// A breaker pays for it when it is made and when it goes, and nothing in between: the counts are read when somebody asks.
///
/// # What is kept of those that are gone
/// Nothing, until [`keep_ended`](Self::keep_ended). From then on the counts of a breaker outlive it, since a counter that
/// several breakers share must not run backwards when one of them goes. A label set whose last breaker went is kept, too.
/// Names are often made of what users send, so at most [`ENDED_KEPT`] such label sets are; when there are more, the oldest
/// half is added up in one series, and their own end.
///
/// That series begins anew with each fold: its provider is `(fold 1)`, then `(fold 2)`, and it holds all that was ever
/// folded. So a sum over all series never runs backwards; and the `rate` and `increase` of Prometheus, which see how much
/// a series has grown since its first sample, count nothing twice. In a series that jumped they would see calls.
#[derive(Debug)]
pub struct Metrics<C> {
    all: Mutex<All<C>>,
}

#[derive(Debug)]
struct All<C> {
    series: BTreeMap<Labels, Series<C>>,
    /// The label sets without a breaker, in the order in which their last one went.
    ended: BTreeMap<u64, Labels>,
    keeps_ended: bool,
    folded: Totals,
    folds: u64,
    next_id: u64,
}

/// What breakers are counted together by.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Labels {
    /// The circuit's name.
    pub name: Arc<str>,
    /// The provider's name.
    pub provider: Arc<str>,
}

#[derive(Debug)]
struct Series<C> {
    breakers: BTreeMap<u64, Arc<CircuitBreaker<C>>>,
    /// What those have counted that are gone.
    gone: Option<Arc<Totals>>,
    /// Its place among those that ended, where it has no breaker.
    ended: Option<u64>,
}

/// The key for removing a breaker.
#[derive(Debug)]
pub struct Membership {
    labels: Labels,
    id: u64,
}

/// A reading of all breakers of the same labels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// The labels.
    pub labels: Labels,
    /// The worst state of those that there are; `None` where there is none.
    pub state: Option<State>,
    /// What they and those that are gone have counted.
    pub totals: Totals,
}

impl<C: Clock> Metrics<C> {
    /// No breakers yet.
    pub fn new() -> Self {
        Self { all: Mutex::new(All::new()) }
    }

    /// Keeps from now on what breakers have counted that go: see above.
    pub fn keep_ended(&self) {
        self.all.lock().keeps_ended = true;
    }

    /// Follows a breaker until it is [removed](Self::remove).
    pub fn add(&self, breaker: Arc<CircuitBreaker<C>>, provider: &str) -> Membership {
        let labels = Labels { name: breaker.shared_name(), provider: provider.into() };
        self.all.lock().add(breaker, labels)
    }

    /// Lets go of a breaker.
    pub fn remove(&self, membership: &Membership) {
        let mut all = self.all.lock();
        let removed = all.remove(membership);
        // Dropping a breaker may run host code, so the lock is free by then.
        drop(all);
        drop(removed);
    }

    /// All breakers that there are.
    pub fn breakers(&self) -> Vec<Arc<CircuitBreaker<C>>> {
        let all = self.all.lock();
        all.series.values().flat_map(|series| series.breakers.values().cloned()).collect()
    }

    /// Reads all breakers, in the order of their labels. This reads their clocks, which may be the host's.
    pub fn read(&self) -> Vec<Reading> {
        let (unread, folded) = {
            let all = self.all.lock();
            (all.unread(), all.folded())
        };
        // Whoever makes or calls a breaker meanwhile waits for nothing. One that goes meanwhile is read here, and the next
        // time it is among those that are gone.
        let mut read: Vec<_> = unread.into_iter().map(Unread::read).collect();
        if let Some(folded) = folded {
            match read.binary_search_by(|reading| reading.labels.cmp(&folded.labels)) {
                // Somebody's breakers have these very labels.
                Ok(index) => read[index].totals.add(&folded.totals),
                Err(index) => read.insert(index, folded),
            }
        }
        read
    }
}

impl<C: Clock> Default for Metrics<C> {
    fn default() -> Self {
        Self::new()
    }
}

impl<C: Clock> All<C> {
    fn new() -> Self {
        Self {
            series: BTreeMap::new(),
            ended: BTreeMap::new(),
            keeps_ended: false,
            folded: Totals::default(),
            folds: 0,
            next_id: 0,
        }
    }

    fn next_id(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id
    }

    fn add(&mut self, breaker: Arc<CircuitBreaker<C>>, labels: Labels) -> Membership {
        let id = self.next_id();
        let series = self.series.entry(labels.clone()).or_insert_with(Series::new);
        if let Some(ended) = series.ended.take() {
            self.ended.remove(&ended);
        }
        series.breakers.insert(id, breaker);
        Membership { labels, id }
    }

    fn remove(&mut self, Membership { labels, id }: &Membership) -> Option<Arc<CircuitBreaker<C>>> {
        let series = self.series.get_mut(labels)?;
        let breaker = series.breakers.remove(id)?;
        if self.keeps_ended {
            Arc::make_mut(series.gone.get_or_insert_default()).add(&breaker.totals());
        }
        if series.breakers.is_empty() {
            self.end(labels);
        }
        Some(breaker)
    }

    /// The last breaker of these labels is gone.
    fn end(&mut self, labels: &Labels) {
        let ended = self.next_id();
        let Some(series) = self.series.get_mut(labels) else { return };
        if series.gone.as_ref().is_none_or(|gone| **gone == Totals::default()) {
            // No sum and no rate will miss a series of zeros.
            self.series.remove(labels);
            return;
        }
        series.ended = Some(ended);
        self.ended.insert(ended, labels.clone());
        if self.ended.len() > ENDED_KEPT {
            self.fold();
        }
    }

    fn fold(&mut self) {
        for _ in 0..FOLDED_AT_ONCE {
            let oldest = self.ended.pop_first().and_then(|(_, labels)| self.series.remove(&labels));
            if let Some(gone) = oldest.and_then(|series| series.gone) {
                self.folded.add(&gone);
            }
        }
        self.folds += 1;
    }

    fn folded(&self) -> Option<Reading> {
        let provider = format!("(fold {})", self.folds);
        let labels = Labels { name: FOLDED_NAME.into(), provider: provider.into() };
        (self.folds > 0).then_some(Reading { labels, state: None, totals: self.folded })
    }

    fn unread(&self) -> Vec<Unread<C>> {
        let unread = |(labels, series): (&Labels, &Series<C>)| Unread {
            labels: labels.clone(),
            breakers: series.breakers.values().cloned().collect(),
            gone: series.gone.clone(),
        };
        self.series.iter().map(unread).collect()
    }
}

/// A series of which handles have been taken, so that it can be read without the lock.
struct Unread<C> {
    labels: Labels,
    breakers: Vec<Arc<CircuitBreaker<C>>>,
    gone: Option<Arc<Totals>>,
}

impl<C: Clock> Unread<C> {
    fn read(self) -> Reading {
        let totals = self.gone.as_deref().copied().unwrap_or_default();
        let mut reading = Reading { labels: self.labels, state: None, totals };
        for breaker in self.breakers {
            let (totals, state) = breaker.totals_at(breaker.clock().now());
            reading.totals.add(&totals);
            reading.state = reading.state.into_iter().chain([state]).max_by_key(|state| state.severity());
        }
        reading
    }
}

impl<C> Series<C> {
    fn new() -> Self {
        Self { breakers: BTreeMap::new(), gone: None, ended: None }
    }
}
