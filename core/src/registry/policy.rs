//! The decisions of a registry, independent of the type of its entries: section 7 of the specification.

use alloc::collections::BTreeMap;
use alloc::sync::Arc;

use super::RegistryError;

/// The policy of a registry over the host's handles, which it never looks into.
///
/// It runs no code of the host, so a host may hold a lock around each method. Whether a breaker is in use is for the host
/// to say, between [`next_look`](Self::next_look) and [`evict`](Self::evict):
///
/// ```
/// use halfopen::host::RegistryPolicy;
///
/// let mut policy = RegistryPolicy::new(1);
/// policy.add("a".into(), 1)?;
/// let full = policy.add("b".into(), 2).unwrap_err();
/// assert_eq!(full.code(), "REGISTRY_FULL");
///
/// let in_use = |_handle: &i32| false;
/// let mut search = policy.making_room();
/// while let Some((name, handle)) = policy.next_look(&mut search) {
///     let looked_at = *handle;
///     if !in_use(&looked_at) {
///         policy.evict(&name, |known| *known == looked_at);
///     }
/// }
/// assert_eq!(policy.add("b".into(), 2)?, &2);
/// # Ok::<(), halfopen::registry::RegistryError>(())
/// ```
#[derive(Debug)]
pub struct RegistryPolicy<H> {
    bound: usize,
    entries: BTreeMap<Arc<str>, Entry<H>>,
    queue: BTreeMap<Place, Arc<str>>,
    turn: u64,
}

#[derive(Debug)]
struct Entry<H> {
    handle: H,
    place: Place,
}

/// The place of an entry in the order of inspection. New entries come before those that were looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    looked_at: bool,
    turn: u64,
}

/// A search for breakers to evict: it looks at each at most once, and ends when few enough are left.
#[derive(Debug)]
pub struct Search {
    /// It ends when this many entries are left.
    until: usize,
    /// Entries with this turn or a later one were looked at by this search.
    began: u64,
    has_begun: bool,
}

impl<H> RegistryPolicy<H> {
    /// An empty registry for at most `bound` breakers.
    pub const fn new(bound: usize) -> Self {
        Self { bound, entries: BTreeMap::new(), queue: BTreeMap::new(), turn: 0 }
    }

    /// The most breakers that it holds. If it was lowered while more were in use, those stay.
    pub const fn bound(&self) -> usize {
        self.bound
    }

    /// Changes the bound. The search finds what to evict; breakers in use stay, even if they are more than the bound, and
    /// no new one is added until there are fewer.
    pub const fn set_bound(&mut self, bound: usize) -> Search {
        self.bound = bound;
        self.search(bound)
    }

    /// The breaker of that name.
    pub fn get(&self, name: &str) -> Option<&H> {
        self.entries.get(name).map(|entry| &entry.handle)
    }

    /// The breaker of that name: the known one, or `handle`, which is added.
    ///
    /// # Errors
    /// [`RegistryError::Full`] if it would be one too many. The host then evicts ([`making_room`](Self::making_room)) and
    /// tries again, until nothing is left to evict.
    pub fn add(&mut self, name: Arc<str>, handle: H) -> Result<&H, RegistryError> {
        if self.len() >= self.bound && !self.entries.contains_key(&name) {
            return Err(RegistryError::Full { bound: self.bound });
        }
        let (turn, queue) = (&mut self.turn, &mut self.queue);
        let entry = self.entries.entry(name).or_insert_with_key(|name| {
            let place = Place { looked_at: false, turn: next(turn) };
            queue.insert(place, Arc::clone(name));
            Entry { handle, place }
        });
        Ok(&entry.handle)
    }

    /// Removes the breaker of that name, in use or not.
    pub fn remove(&mut self, name: &str) -> Option<H> {
        let entry = self.entries.remove(name)?;
        self.queue.remove(&entry.place);
        Some(entry.handle)
    }

    /// A search for one breaker to evict, so that another can be added.
    pub const fn making_room(&self) -> Search {
        self.search(self.bound.saturating_sub(1))
    }

    /// A search for every breaker that is not in use.
    pub const fn all_unused(&self) -> Search {
        self.search(0)
    }

    const fn search(&self, until: usize) -> Search {
        Search { until, began: self.turn, has_begun: false }
    }

    /// The next breaker of the search: the host evicts it if it is not in use.
    ///
    /// First comes one that was in use when it was looked at last, then every new one, oldest first, then the rest of
    /// those that were in use. So while new ones are evicted, the cost of making room does not depend on how many stay
    /// in use. Only a refusal looks at all of them.
    pub fn next_look(&mut self, search: &mut Search) -> Option<(Arc<str>, &H)> {
        if self.len() <= search.until {
            return None;
        }
        let first_looked_at = self.queue.range(Place { looked_at: true, turn: 0 }..).next();
        let next_looked_at = first_looked_at.filter(|(place, _)| place.turn < search.began).map(|(place, _)| *place);
        let next_new = self.queue.keys().next().filter(|place| !place.looked_at && place.turn < search.began).copied();
        let place = if search.has_begun { next_new.or(next_looked_at) } else { next_looked_at.or(next_new) }?;
        search.has_begun = true;
        let name = self.queue.remove(&place)?;
        let entry = self.entries.get_mut(&name)?;
        entry.place = Place { looked_at: true, turn: next(&mut self.turn) };
        self.queue.insert(entry.place, Arc::clone(&name));
        Some((name, &entry.handle))
    }

    /// Removes the breaker of that name if `unused` returns true for it. By now that may be another breaker than the
    /// one that was looked at.
    pub fn evict(&mut self, name: &str, unused: impl FnOnce(&H) -> bool) -> Option<H> {
        if self.get(name).is_some_and(unused) { self.remove(name) } else { None }
    }

    /// How many breakers there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// All breakers, in the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &H)> {
        self.entries.iter().map(|(name, entry)| (&**name, &entry.handle))
    }
}

fn next(turn: &mut u64) -> u64 {
    *turn += 1;
    *turn - 1
}
