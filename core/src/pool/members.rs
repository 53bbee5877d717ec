//! A pool as a host keeps it: the providers with everything that a choice looks at, except their circuits.

use alloc::vec::Vec;
use core::time::Duration;

use super::{
    AttemptBudget, CallKind, Candidate, Cooldown, Latencies, Meter, MoveAfter, Need, Order, Policy, PoolState, Price,
    Provider, Readiness, choose,
};
use crate::classify::Scope;
use crate::clock::Tick;
use crate::config::{InvalidValue, Value};
use crate::control::{Jitter, Outcome};

/// A circuit as a choice sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Circuit {
    /// The answer that it would give to a call.
    pub readiness: Readiness,
    /// When it closed; none if it never opened.
    pub closed_since: Option<Tick>,
}

impl Circuit {
    /// A circuit that never opened.
    pub const CLOSED: Self = Self { readiness: Readiness::Closed, closed_since: None };
}

/// A pool: its policy, its providers, and what has happened to them. A value, like everything else here.
///
/// Providers are told apart by their index in the declared order, circuits by the same index.
///
/// ```
/// use core::time::Duration;
/// use halfopen::classify::Scope;
/// use halfopen::clock::Tick;
/// use halfopen::pool::{Circuit, Need, Policy, Pool, Provider};
///
/// let mut pool = Pool::new(Policy::default(), vec![Provider::new("openai"), Provider::new("gemini")], 7)?;
/// pool.cool(0, Scope::KeyAndModel, Some(Duration::from_secs(20)), Tick::ZERO);
/// let order = pool.choose(&[Circuit::CLOSED; 2], &Need::default(), Tick::ZERO);
/// assert_eq!(pool.providers()[order.picks[0].index].id, "gemini");
/// # Ok::<(), halfopen::InvalidValue>(())
/// ```
#[derive(Clone, Debug)]
pub struct Pool {
    policy: Policy,
    jitter: Jitter,
    providers: Vec<Provider>,
    members: Vec<Member>,
    /// Providers share the cooldown of a key and of a model; `Member::cooldowns` has the places.
    cooldowns: Vec<Cooldown>,
    state: PoolState,
    budget: AttemptBudget,
}

#[derive(Clone, Debug)]
struct Member {
    meter: Meter,
    /// By kind of call; only where the policy has a hedge with a percentile.
    latencies: [Latencies; 2],
    in_flight: u32,
    closed_since: Option<Tick>,
    /// By scope.
    cooldowns: [usize; SCOPES],
}

impl Pool {
    /// A pool in which nothing has happened yet. The seed is of the draws and of the cooldowns' jitter.
    ///
    /// # Errors
    /// [`InvalidValue`] without a provider, or for an id that is empty or not unique.
    pub fn new(policy: Policy, providers: Vec<Provider>, seed: u64) -> Result<Self, InvalidValue> {
        if providers.is_empty() {
            return Err(InvalidValue::new("providers", &Value::List(Vec::new()), "at least one provider"));
        }
        for (index, provider) in providers.iter().enumerate() {
            if provider.id.is_empty() || providers[..index].iter().any(|other| other.id == provider.id) {
                return Err(InvalidValue::new(
                    "id",
                    &provider.id.as_str().into(),
                    "a text of its own for each provider",
                ));
            }
        }
        let member = |cooldowns| Member {
            meter: Meter::default(),
            latencies: Default::default(),
            in_flight: 0,
            closed_since: None,
            cooldowns,
        };
        Ok(Self {
            policy,
            jitter: Jitter { seed },
            members: cooldown_places(&providers).into_iter().map(member).collect(),
            cooldowns: alloc::vec![Cooldown::default(); providers.len() * SCOPES],
            providers,
            state: PoolState::new(seed),
            budget: AttemptBudget::default(),
        })
    }

    /// The policy.
    pub const fn policy(&self) -> &Policy {
        &self.policy
    }

    /// The providers, in the declared order.
    pub fn providers(&self) -> &[Provider] {
        &self.providers
    }

    /// Declares the provider at this index anew, from the next choice on. Its record, its id, its key and its model stay.
    pub fn declare(&mut self, index: usize, provider: Provider) {
        let old = &mut self.providers[index];
        let (id, key, model) = (old.id.clone(), old.key.clone(), old.model.clone());
        *old = Provider { id, key, model, ..provider };
    }

    /// Orders the providers for one call.
    pub fn choose(&mut self, circuits: &[Circuit], need: &Need<'_>, now: Tick) -> Order {
        for (index, circuit) in circuits.iter().enumerate() {
            self.closed(index, circuit.closed_since);
        }
        let state = core::mem::replace(&mut self.state, PoolState::new(0));
        let (state, order) = choose(&self.policy, state, &self.candidates(circuits, now), need, now);
        self.state = state;
        order
    }

    /// The order that a call would get now; nothing changes.
    pub fn look(&self, circuits: &[Circuit], need: &Need<'_>, now: Tick) -> Order {
        choose(&self.policy, self.state.clone(), &self.candidates(circuits, now), need, now).1
    }

    fn candidates(&self, circuits: &[Circuit], now: Tick) -> Vec<Candidate<'_>> {
        let situated = |((index, member), circuit): ((usize, &Member), &Circuit)| Candidate {
            provider: &self.providers[index],
            readiness: circuit.readiness,
            cooling_until: self.cooling_until(index, now),
            in_flight: member.in_flight,
            meter: member.meter,
            closed_since: circuit.closed_since,
        };
        self.members.iter().enumerate().zip(circuits).map(situated).collect()
    }

    /// A call begins at a provider; false if it has as many in flight as it may have.
    pub fn enter(&mut self, index: usize) -> bool {
        let in_flight = &mut self.members[index].in_flight;
        let has_room = self.providers[index].max_concurrent_calls.is_none_or(|most| *in_flight < most);
        *in_flight += u32::from(has_room);
        has_room
    }

    /// A call has ended at a provider.
    pub fn leave(&mut self, index: usize) {
        let in_flight = &mut self.members[index].in_flight;
        *in_flight = in_flight.saturating_sub(1);
    }

    /// A call succeeded; the latency is the time to the first content of a stream, otherwise the length of the call.
    pub fn succeeded(&mut self, index: usize, now: Tick, latency: Duration, kind: CallKind) {
        self.members[index].meter = self.members[index].meter.success(now, latency, kind);
        self.lasted(index, now, latency, kind);
        self.end_rate_limits(index);
    }

    /// A call was given up after this time because its hedge was faster. Without it, the slow calls would be missing in
    /// the record that says when a hedge is made.
    pub fn outrun(&mut self, index: usize, now: Tick, after: Duration, kind: CallKind) {
        self.lasted(index, now, after, kind);
    }

    fn lasted(&mut self, index: usize, now: Tick, latency: Duration, kind: CallKind) {
        if self.policy.hedge.is_some_and(|hedge| hedge.percentile.is_some()) {
            self.members[index].latencies[kind as usize].add(now, latency);
        }
    }

    /// How long an attempt at this provider may take before its call gets a second one; `None` for as long as it takes.
    pub fn hedge_after(&self, index: usize, kind: CallKind, now: Tick) -> Option<Duration> {
        self.policy.hedge?.delay(&self.members[index].latencies[kind as usize], now)
    }

    /// A call succeeded, and its latency is not known.
    pub fn untimed_success(&mut self, index: usize, now: Tick) {
        self.members[index].meter = self.members[index].meter.untimed_success(now);
        self.end_rate_limits(index);
    }

    /// A success ends a series of rate limits.
    fn end_rate_limits(&mut self, index: usize) {
        let member = &self.members[index];
        for place in member.cooldowns {
            self.cooldowns[place] = self.cooldowns[place].succeeded();
        }
    }

    /// A call failed.
    pub fn failed(&mut self, index: usize, now: Tick) {
        self.members[index].meter = self.members[index].meter.failure(now);
    }

    /// A part of a provider cools down, for `hint` if it said how long; returns the end. Without a hint, a rate limit
    /// cools down as [`Cooldown::limited`] says, and a refused key or model for [`Cooldown::refused`].
    pub fn cool(&mut self, index: usize, scope: Scope, hint: Option<Duration>, now: Tick) -> Option<Tick> {
        let cooldown = &mut self.cooldowns[self.members[index].cooldowns[scope as usize]];
        *cooldown = match (scope, hint) {
            (Scope::Key | Scope::Model, None) => cooldown.refused(now),
            _ => cooldown.limited(now, hint, self.jitter),
        };
        cooldown.until(now)
    }

    /// When the last of a provider's cooldowns ends, if one runs.
    pub fn cooling_until(&self, index: usize, now: Tick) -> Option<Tick> {
        self.members[index].cooldowns.iter().filter_map(|place| self.cooldowns[*place].until(now)).max()
    }

    /// A provider's circuit has been closed since then. Its record starts anew the first time that a pool is told of
    /// it, because the outage says nothing about a provider that has recovered.
    pub fn closed(&mut self, index: usize, since: Option<Tick>) {
        let member = &mut self.members[index];
        if since.is_some() && since != member.closed_since {
            (member.closed_since, member.meter) = (since, Meter::default());
            member.latencies = Default::default();
        }
    }

    /// A log says how many calls a provider has in flight.
    pub(super) fn set_in_flight(&mut self, index: usize, calls: u32) {
        self.members[index].in_flight = calls;
    }

    /// A provider's recent record.
    pub fn meter(&self, index: usize) -> Meter {
        self.members[index].meter
    }

    /// A provider's calls in flight.
    pub fn in_flight(&self, index: usize) -> u32 {
        self.members[index].in_flight
    }

    /// The price of a move of a call away from this provider; `circuit` is the present reading of its circuit. `None`
    /// if the budget has too few tokens. A move away from a provider that would not get an ordinary call now is free,
    /// because every new call makes the same choice.
    pub fn price_of_move(&self, from: usize, circuit: Circuit, after: MoveAfter, now: Tick) -> Option<Price> {
        let provider = &self.providers[from];
        let is_usual = provider.enabled
            && provider.weight > 0
            && circuit.readiness == Readiness::Closed
            && self.cooling_until(from, now).is_none();
        if is_usual { self.budget.price_of_move(after) } else { Some(Price::FREE) }
    }

    /// Holds the price of an attempt that its call could do without: a hedge, or another try at the same provider. `None`
    /// if the budget has too few tokens.
    pub fn hold(&mut self) -> Option<Price> {
        let (budget, price) = self.budget.hold()?;
        self.budget = budget;
        Some(price)
    }

    /// An attempt ended: a further one with its price, a first one without.
    pub fn settle(&mut self, price: Option<Price>, outcome: Outcome) {
        self.budget = match price {
            Some(price) => self.budget.settle(price, outcome),
            None if outcome == Outcome::Success => self.budget.earn(),
            None => self.budget,
        };
    }

    /// A further attempt did not take place after all.
    pub fn release(&mut self, price: Price) {
        self.budget = self.budget.release(price);
    }

    /// The budget of further attempts.
    pub const fn budget(&self) -> AttemptBudget {
        self.budget
    }

    /// Every call that was in flight belongs to another process: see [`host::after_fork`](crate::host::after_fork).
    pub fn after_fork(&mut self, seed: u64) {
        for member in &mut self.members {
            member.in_flight = 0;
        }
        (self.jitter, self.state) = (Jitter { seed }, PoolState::new(seed));
        self.budget = AttemptBudget::default();
    }
}

/// The scopes of cooldowns.
const SCOPES: usize = Scope::ALL.len();

/// For each provider the places of its cooldowns, by scope. Providers that share a label have the place of the first one.
fn cooldown_places(providers: &[Provider]) -> Vec<[usize; SCOPES]> {
    let shares = |scope: Scope, one: &Provider, other: &Provider| {
        let is_same_key = one.key.is_some() && one.key == other.key;
        let is_same_model = one.model.is_some() && one.model == other.model;
        match scope {
            Scope::Provider => false,
            Scope::Key => is_same_key,
            Scope::Model => is_same_model,
            Scope::KeyAndModel => is_same_key && is_same_model,
        }
    };
    let places = |(index, provider): (usize, &Provider)| {
        core::array::from_fn(|scope| {
            let first = providers.iter().position(|other| shares(Scope::ALL[scope], provider, other));
            first.unwrap_or(index) * SCOPES + scope
        })
    };
    providers.iter().enumerate().map(places).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn provider(id: &str, key: &str, model: &str) -> Provider {
        Provider { key: Some(key.into()), model: Some(model.into()), ..Provider::new(id) }
    }

    /// The ids that are cooling down.
    fn cooling(pool: &Pool) -> Vec<&str> {
        let cools = |index: &usize| pool.cooling_until(*index, Tick::ZERO).is_some();
        (0..pool.providers.len()).filter(cools).map(|index| pool.providers[index].id.as_str()).collect()
    }

    #[test]
    fn a_cooldown_concerns_the_providers_that_share_its_scope() {
        let all = ["a-small", "a-large", "b-small"];
        let providers = || {
            alloc::vec![provider(all[0], "a", "small"), provider(all[1], "a", "large"), provider(all[2], "b", "small")]
        };
        for (scope, expected) in [
            (Scope::Provider, &[all[0]][..]),
            (Scope::KeyAndModel, &[all[0]]),
            (Scope::Key, &[all[0], all[1]]),
            (Scope::Model, &[all[0], all[2]]),
        ] {
            let mut pool = Pool::new(Policy::default(), providers(), 0).unwrap();
            assert!(pool.cool(0, scope, None, Tick::ZERO).is_some());
            assert_eq!(cooling(&pool), expected, "{scope}");
        }
    }

    #[test]
    fn providers_without_labels_share_nothing() {
        let mut pool = Pool::new(Policy::default(), alloc::vec![Provider::new("a"), Provider::new("b")], 0).unwrap();
        for scope in Scope::ALL {
            pool.cool(0, *scope, None, Tick::ZERO);
        }
        assert_eq!(cooling(&pool), ["a"]);
    }

    #[test]
    fn ids_are_unique_and_there_is_one() {
        let pool = |ids: &[&str]| Pool::new(Policy::default(), ids.iter().map(|id| Provider::new(*id)).collect(), 0);
        assert_eq!(pool(&[]).unwrap_err().field(), "providers");
        assert_eq!(pool(&["a", "a"]).unwrap_err().field(), "id");
        assert_eq!(pool(&[""]).unwrap_err().field(), "id");
        assert!(pool(&["a", "b"]).is_ok());
    }

    #[test]
    fn a_look_changes_nothing_and_a_choice_takes_turns() {
        let policy = Policy { strategy: super::super::Strategy::RoundRobin, ..Policy::default() };
        let mut pool = Pool::new(policy, alloc::vec![Provider::new("a"), Provider::new("b")], 0).unwrap();
        let circuits = [Circuit::CLOSED; 2];
        let need = Need { replayable: true, ..Need::default() };
        let first = |order: &Order| order.picks[0].index;
        assert_eq!((0..3).map(|_| first(&pool.look(&circuits, &need, Tick::ZERO))).collect::<Vec<_>>(), [0, 0, 0]);
        assert_eq!((0..3).map(|_| first(&pool.choose(&circuits, &need, Tick::ZERO))).collect::<Vec<_>>(), [0, 1, 0]);
    }

    #[test]
    fn a_fork_holds_no_call_of_its_parent() {
        let one = Provider { max_concurrent_calls: Some(1), ..Provider::new("a") };
        let mut pool = Pool::new(Policy::default(), alloc::vec![one], 0).unwrap();
        assert!(pool.enter(0) && !pool.enter(0));
        pool.after_fork(1);
        assert!(pool.enter(0));
    }
}
