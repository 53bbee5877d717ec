//! One circuit, its tickets, and the functions that JavaScript calls them by.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use halfopen::{
    CircuitBreaker, Clock, Config, Ending, InvalidValue, ManualClock, Outcome, Rejected, Snapshot, SystemClock, Tick,
    Tickets,
};

use crate::convert::{flat, histogram, object_of, refusal, refused, rejection, value_of};
use crate::js::{Env, Js};

/// A circuit on the core. It lives on its environment's thread, with the functions that share it.
struct Backend {
    core: CircuitBreaker<Time>,
    // Borrowed for single statements that run no host code, so never twice.
    tickets: RefCell<Tickets>,
    rejected: Cell<Option<Rejected>>,
}

/// Where a breaker made from Node reads the time.
enum Time {
    /// The platform's monotonic clock.
    System(SystemClock),
    /// What the host told last.
    Told(ManualClock),
}

impl Clock for Time {
    fn now(&self) -> Tick {
        match self {
            Self::System(clock) => clock.now(),
            Self::Told(clock) => clock.now(),
        }
    }
}

/// `create(fields, told)`: a closed circuit, or the refusal of a bad value. `fields` holds names and values in turn;
/// `told` says that the host tells the time.
pub(crate) fn create<'call>(env: Env<'call>, [fields, told]: [Js<'call>; 2]) -> Option<Js<'call>> {
    let time = if env.boolean_of(told)? { Time::Told(ManualClock::new()) } else { Time::System(SystemClock::new()) };
    match config_of(env, fields)? {
        Ok(config) => Backend::new(CircuitBreaker::with_clock(config, time)).object(env),
        Err(error) => refusal(env, &error),
    }
}

impl Backend {
    fn new(core: CircuitBreaker<Time>) -> Rc<Self> {
        Rc::new(Self { core, tickets: RefCell::default(), rejected: Cell::default() })
    }

    /// An object of functions that share this backend. Each costs some microseconds and a kilobyte to make, so only what
    /// is called with every guarded call has one of its own.
    fn object<'call>(self: Rc<Self>, env: Env<'call>) -> Option<Js<'call>> {
        let object = env.object()?;
        env.set(object, c"tell", env.function(c"tell", Rc::clone(&self), tell)?)?;
        env.set(object, c"enter", env.function(c"enter", Rc::clone(&self), enter)?)?;
        env.set(object, c"settle", env.function(c"settle", Rc::clone(&self), settle)?)?;
        env.set(object, c"operate", env.function(c"operate", self, operate)?)?;
        Some(object)
    }
}

/// What `operate` does.
type Operation = for<'call> fn(&Rc<Backend>, Env<'call>, [Js<'call>; 2]) -> Option<Js<'call>>;

/// The operations, in the order of their numbers.
const OPERATIONS: [(&str, Operation); 18] = [
    ("rejection", rejected),
    ("state", |backend, env, _| env.text(backend.core.state().as_str())),
    ("mode", |backend, env, _| env.text(backend.core.mode().as_str())),
    ("status", |backend, env, _| flat(env, backend.core.status().entries())),
    ("config", |backend, env, _| flat(env, backend.core.config().entries())),
    ("events", events),
    ("durations", durations),
    ("percentile", percentile),
    ("isIdle", |backend, env, _| env.boolean(backend.core.is_idle())),
    ("forceOpen", force_open),
    ("fail", fail),
    ("reconfigure", reconfigure),
    ("matches", matches),
    ("snapshot", |backend, env, _| object_of(env, &backend.core.snapshot().to_value())),
    ("restore", restore),
    ("explain", |backend, env, _| env.text(&backend.core.explain())),
    ("disable", |backend, _, _| {
        backend.core.disable();
        None
    }),
    ("reset", |backend, _, _| {
        backend.core.reset();
        None
    }),
];

/// The names of the operations, in the order of their numbers.
pub(crate) fn operations(env: Env<'_>) -> Option<Js<'_>> {
    env.list(OPERATIONS.iter().map(|(name, _)| env.text(name)))
}

/// `operate(number, first, second)`: the operation of that number, with its arguments.
fn operate<'call>(backend: &Rc<Backend>, env: Env<'call>, arguments: [Js<'call>; 3]) -> Option<Js<'call>> {
    let [number, first, second] = arguments;
    let (_, operation) = OPERATIONS.get(env.number_of(number)? as usize)?;
    operation(backend, env, [first, second])
}

/// `tell(millis)`: what time it is; false, and no time has passed, where no clock can mean that.
fn tell<'call>(backend: &Rc<Backend>, env: Env<'call>, [millis]: [Js<'call>; 1]) -> Option<Js<'call>> {
    let now = Tick::from_millis(env.number_of(millis)?);
    if let (Time::Told(clock), Some(now)) = (backend.core.clock(), now) {
        clock.set(now);
    }
    env.boolean(now.is_some())
}

/// `enter()`: the number of a ticket, or a negative number where the call is rejected.
fn enter<'call>(backend: &Rc<Backend>, env: Env<'call>, []: [Js<'call>; 0]) -> Option<Js<'call>> {
    env.number(match backend.core.admit() {
        Ok(ticket) => backend.tickets.borrow_mut().insert(ticket) as f64,
        Err(rejected) => {
            backend.rejected.set(Some(rejected));
            -1.0
        }
    })
}

/// `settle(ticket, outcome)`: with the outcome of that number; false where there is no such ticket (any more).
fn settle<'call>(backend: &Rc<Backend>, env: Env<'call>, arguments: [Js<'call>; 2]) -> Option<Js<'call>> {
    let [ticket, outcome] = arguments;
    let (ticket, outcome) = (env.number_of(ticket)?, env.number_of(outcome)?);
    let Some(outcome) = Outcome::ALL.get(outcome as usize) else { return env.boolean(false) };
    let taken = backend.tickets.borrow_mut().take(ticket as u64);
    env.boolean(taken.map(|ticket| backend.core.settle(ticket, *outcome)).is_some())
}

/// `rejection()`: of the last rejection the reason, and the seconds to wait or null; null before the first.
fn rejected<'call>(backend: &Rc<Backend>, env: Env<'call>, _: [Js<'call>; 2]) -> Option<Js<'call>> {
    match backend.rejected.get() {
        Some(rejected) => rejection(env, &rejected),
        None => env.null(),
    }
}

/// `events(after)`: the kept events with a sequence number above that.
fn events<'call>(backend: &Rc<Backend>, env: Env<'call>, [after, _]: [Js<'call>; 2]) -> Option<Js<'call>> {
    let events = backend.core.events(env.number_of(after)? as u64);
    env.list(events.iter().map(|event| flat(env, event.entries())))
}

/// `durations()`: the histograms.
fn durations<'call>(backend: &Rc<Backend>, env: Env<'call>, _: [Js<'call>; 2]) -> Option<Js<'call>> {
    let durations = backend.core.durations().by_outcome();
    env.list(durations.iter().map(|(outcome, durations)| histogram(env, outcome, durations)))
}

/// `forceOpen(seconds)`: for so many seconds, or without end; the refusal of a bad value, or null.
fn force_open<'call>(backend: &Rc<Backend>, env: Env<'call>, [seconds, _]: [Js<'call>; 2]) -> Option<Js<'call>> {
    refused(env, backend.core.force_open_seconds(&value_of(env, seconds)?))
}

/// `fail(ticket, retryAfter)`: settles as a failure that asked to be left alone for so many seconds; whether there was
/// such a ticket, or the refusal of a bad value.
fn fail<'call>(backend: &Rc<Backend>, env: Env<'call>, arguments: [Js<'call>; 2]) -> Option<Js<'call>> {
    let [ticket, retry_after] = arguments;
    match Ending::with_hint(Outcome::Failure, &value_of(env, retry_after)?) {
        Ok(ending) => {
            let taken = backend.tickets.borrow_mut().take(env.number_of(ticket)? as u64);
            env.boolean(taken.map(|ticket| backend.core.settle(ticket, ending)).is_some())
        }
        Err(error) => refusal(env, &error),
    }
}

/// `percentile(share, outcome)`: the seconds that this share of the calls did not exceed which ended so, or null; or the
/// refusal of a bad value.
fn percentile<'call>(backend: &Rc<Backend>, env: Env<'call>, arguments: [Js<'call>; 2]) -> Option<Js<'call>> {
    let [share, outcome] = arguments;
    match backend.core.percentile(&value_of(env, share)?, &value_of(env, outcome)?) {
        Ok(longest) => object_of(env, &longest.map(|longest| longest.as_secs_f64()).into()),
        Err(error) => refusal(env, &error),
    }
}

/// `reconfigure(fields)`: a whole new configuration; the refusal of a bad value, or null.
fn reconfigure<'call>(backend: &Rc<Backend>, env: Env<'call>, [fields, _]: [Js<'call>; 2]) -> Option<Js<'call>> {
    refused(env, config_of(env, fields)?.map(|config| backend.core.reconfigure(config)))
}

/// `matches(fields)`: whether a circuit of these would have the configuration in force; or the refusal of a bad value.
fn matches<'call>(backend: &Rc<Backend>, env: Env<'call>, [fields, _]: [Js<'call>; 2]) -> Option<Js<'call>> {
    match config_of(env, fields)? {
        Ok(config) => env.boolean(config == backend.core.config()),
        Err(error) => refusal(env, &error),
    }
}

/// `restore(document)`: goes on where a snapshot was taken; the refusal of a bad one, or null.
fn restore<'call>(backend: &Rc<Backend>, env: Env<'call>, [document, _]: [Js<'call>; 2]) -> Option<Js<'call>> {
    let snapshot = Snapshot::from_value(&value_of(env, document)?);
    refused(env, snapshot.and_then(|snapshot| backend.core.restore(&snapshot)))
}

/// `fields` holds names and values in turn.
fn config_of<'call>(env: Env<'call>, fields: Js<'call>) -> Option<Result<Config, InvalidValue>> {
    let mut builder = Config::builder();
    for field in env.items(fields)?.chunks_exact(2) {
        builder = builder.set(&env.text_of(field[0])?, value_of(env, field[1])?);
    }
    Some(builder.build())
}
