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

/// The number of label sets without a breaker whose counts are kept as series of their own.
///
/// Each takes about 1.2 kilobytes: its counters and three histograms.
pub const ENDED_KEPT: usize = 1_000;

/// How many of them are folded when there are more: about half, so that folds are rare.
const FOLDED_AT_ONCE: usize = ENDED_KEPT / 2 + 1;

/// The name of the series of all folded ones.
const FOLDED_NAME: &str = "(other)";

/// The breakers of a process, for its metrics.
///
/// Adding and removing a breaker costs a lock each. Between the two, calls cost nothing: the counts are read on demand.
///
/// # Removed breakers
/// Their counts are dropped until [`keep_ended`](Self::keep_ended) is called. From then on they are kept, because a counter
/// that several breakers share must not decrease when one of them is removed. A label set stays after its last breaker is
/// removed. Names often come from user input, so at most [`ENDED_KEPT`] such label sets are kept. When there are more, the
/// oldest half is added up in one series, and their own series end.
///
/// Each fold starts that series under a new label: its provider is `(fold 1)`, then `(fold 2)`, and it holds the counts of
/// all folds. So a sum over all series never decreases, and Prometheus' `rate` and `increase`, which use the growth of a
/// series since its first sample, count nothing twice. In a series that jumped, they would show calls that never happened.
#[derive(Debug)]
pub struct Metrics<C> {
    all: Mutex<All<C>>,
}

#[derive(Debug)]
struct All<C> {
    series: BTreeMap<Labels, Series<C>>,
    /// The label sets without a breaker, in the order in which their last breaker was removed.
    ended: BTreeMap<u64, Labels>,
    keeps_ended: bool,
    folded: Totals,
    folds: u64,
    next_id: u64,
}

/// The labels of a series. Breakers with the same labels are counted together.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Labels {
    /// The circuit's name.
    pub name: Arc<str>,
    /// The provider's name.
    pub provider: Arc<str>,
}

#[derive(Debug)]
struct Series<C> {
    breakers: BTreeMap<u64, Member<C>>,
    /// The counts of removed breakers.
    gone: Option<Arc<Totals>>,
    /// Its key in `ended`, if it has no breaker.
    ended: Option<u64>,
}

/// A breaker that is present.
#[derive(Debug)]
struct Member<C> {
    breaker: Arc<CircuitBreaker<C>>,
    /// Its counts at the last [new beginning](Metrics::begin_anew), which are subtracted.
    before: Option<Arc<Totals>>,
}

impl<C: Clock> Member<C> {
    fn totals(&self, read: Totals) -> Totals {
        self.before.as_deref().map_or(read, |before| read.since(before))
    }
}

impl<C> Clone for Member<C> {
    fn clone(&self) -> Self {
        Self { breaker: Arc::clone(&self.breaker), before: self.before.clone() }
    }
}

/// The key for removing a breaker.
#[derive(Debug)]
pub struct Membership {
    labels: Labels,
    id: u64,
}

impl Membership {
    /// The labels of the breaker's series.
    pub fn labels(&self) -> &Labels {
        &self.labels
    }
}

/// A reading of all breakers of the same labels.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reading {
    /// The labels.
    pub labels: Labels,
    /// The worst state of the present breakers; `None` if there is none.
    pub state: Option<State>,
    /// The counts of present and removed breakers.
    pub totals: Totals,
}

impl<C: Clock> Metrics<C> {
    /// No breakers yet.
    pub fn new() -> Self {
        Self { all: Mutex::new(All::new()) }
    }

    /// Keeps the counts of breakers that are removed from now on. See above.
    pub fn keep_ended(&self) {
        self.all.lock().keeps_ended = true;
    }

    /// Adds a breaker until it is [removed](Self::remove).
    pub fn add(&self, breaker: Arc<CircuitBreaker<C>>, provider: &str) -> Membership {
        let labels = Labels { name: breaker.shared_name(), provider: provider.into() };
        self.all.lock().add(breaker, labels)
    }

    /// Removes a breaker.
    pub fn remove(&self, membership: &Membership) {
        let mut all = self.all.lock();
        let removed = all.remove(membership);
        // Dropping a breaker may run host code, so the lock is free by then.
        drop(all);
        drop(removed);
    }

    /// Forgets all counts so far: those of removed breakers, and what the present ones have counted. The breakers
    /// themselves do not change.
    ///
    /// For the child of a fork. Its parent goes on exporting these counts, and a sum over both would contain them twice.
    pub fn begin_anew(&self) {
        self.all.lock().begin_anew();
    }

    /// All present breakers.
    pub fn breakers(&self) -> Vec<Arc<CircuitBreaker<C>>> {
        let all = self.all.lock();
        all.series.values().flat_map(|series| series.breakers.values().map(|it| Arc::clone(&it.breaker))).collect()
    }

    /// Reads all breakers, in the order of their labels. This reads their clocks, which may be the host's.
    pub fn read(&self) -> Vec<Reading> {
        let (unread, folded) = {
            let all = self.all.lock();
            // The handles of each series, for reading it without the lock.
            let unread = all.series.iter().map(|(labels, series)| {
                (labels.clone(), series.breakers.values().cloned().collect::<Vec<_>>(), series.gone.clone())
            });
            (unread.collect::<Vec<_>>(), all.folded())
        };
        // Reading takes no lock here, so no call waits for it. A breaker that is removed meanwhile is still read as present.
        let mut read: Vec<_> = unread.into_iter().map(|(labels, members, gone)| read(labels, members, gone)).collect();
        if let Some(folded) = folded {
            match read.binary_search_by(|reading| reading.labels.cmp(&folded.labels)) {
                // A user gave a breaker these labels.
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
        series.breakers.insert(id, Member { breaker, before: None });
        Membership { labels, id }
    }

    fn remove(&mut self, Membership { labels, id }: &Membership) -> Option<Member<C>> {
        let series = self.series.get_mut(labels)?;
        let member = series.breakers.remove(id)?;
        if self.keeps_ended {
            Arc::make_mut(series.gone.get_or_insert_default()).add(&member.totals(member.breaker.totals()));
        }
        if series.breakers.is_empty() {
            self.end(labels);
        }
        Some(member)
    }

    fn begin_anew(&mut self) {
        (self.folded, self.folds) = (Totals::default(), 0);
        self.ended.clear();
        self.series.retain(|_, series| !series.breakers.is_empty());
        for series in self.series.values_mut() {
            series.gone = None;
            for member in series.breakers.values_mut() {
                member.before = Some(Arc::new(member.breaker.totals()));
            }
        }
    }

    /// Called when the last breaker of these labels was removed.
    fn end(&mut self, labels: &Labels) {
        let ended = self.next_id();
        let Some(series) = self.series.get_mut(labels) else { return };
        if series.gone.as_ref().is_none_or(|gone| **gone == Totals::default()) {
            // No sum and no rate changes without a series of zeros.
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
}

fn read<C: Clock>(labels: Labels, members: Vec<Member<C>>, gone: Option<Arc<Totals>>) -> Reading {
    let mut reading = Reading { labels, state: None, totals: gone.as_deref().copied().unwrap_or_default() };
    for member in members {
        let (totals, state) = member.breaker.totals_at(member.breaker.clock().now());
        reading.totals.add(&member.totals(totals));
        reading.state = reading.state.into_iter().chain([state]).max_by_key(|state| state.severity());
    }
    reading
}

impl<C> Series<C> {
    fn new() -> Self {
        Self { breakers: BTreeMap::new(), gone: None, ended: None }
    }
}
