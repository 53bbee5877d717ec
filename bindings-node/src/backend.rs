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

    /// An object of functions that share this backend.
    fn object<'call>(self: Rc<Self>, env: Env<'call>) -> Option<Js<'call>> {
        let object = env.object()?;
        let set = |name, function: Option<Js<'call>>| env.set(object, name, function?);
        macro_rules! functions {
            ($($name:literal => $run:expr,)+) => {
                $(set($name, env.function($name, Rc::clone(&self), $run))?;)+
            };
        }
        functions! {
            c"tell" => tell,
            c"enter" => enter,
            c"rejection" => rejected,
            c"settle" => settle,
            c"state" => |backend, env, []| env.text(backend.core.state().as_str()),
            c"mode" => |backend, env, []| env.text(backend.core.mode().as_str()),
            c"status" => |backend, env, []| flat(env, backend.core.status().entries()),
            c"config" => |backend, env, []| flat(env, backend.core.config().entries()),
            c"events" => events,
            c"durations" => durations,
            c"percentile" => percentile,
            c"isIdle" => |backend, env, []| env.boolean(backend.core.is_idle()),
            c"forceOpen" => force_open,
            c"fail" => fail,
            c"reconfigure" => reconfigure,
            c"matches" => matches,
            c"snapshot" => |backend, env, []| object_of(env, &backend.core.snapshot().to_value()),
            c"restore" => restore,
            c"explain" => |backend, env, []| env.text(&backend.core.explain()),
            c"disable" => |backend, _, []| {
                backend.core.disable();
                None
            },
            c"reset" => |backend, _, []| {
                backend.core.reset();
                None
            },
        }
        Some(object)
    }
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

/// `rejection()`: of the last rejection the reason, and the seconds to wait or null; null before the first.
fn rejected<'call>(backend: &Rc<Backend>, env: Env<'call>, []: [Js<'call>; 0]) -> Option<Js<'call>> {
    match backend.rejected.get() {
        Some(rejected) => rejection(env, &rejected),
        None => env.null(),
    }
}

/// `settle(ticket, outcome)`: with the outcome of that number; false where there is no such ticket (any more).
fn settle<'call>(backend: &Rc<Backend>, env: Env<'call>, arguments: [Js<'call>; 2]) -> Option<Js<'call>> {
    let [ticket, outcome] = arguments;
    let (ticket, outcome) = (env.number_of(ticket)?, env.number_of(outcome)?);
    let Some(outcome) = Outcome::ALL.get(outcome as usize) else { return env.boolean(false) };
    let taken = backend.tickets.borrow_mut().take(ticket as u64);
    env.boolean(taken.map(|ticket| backend.core.settle(ticket, *outcome)).is_some())
}

/// `events(after)`: the kept events with a sequence number above that.
fn events<'call>(backend: &Rc<Backend>, env: Env<'call>, [after]: [Js<'call>; 1]) -> Option<Js<'call>> {
    let events = backend.core.events(env.number_of(after)? as u64);
    env.list(events.iter().map(|event| flat(env, event.entries())))
}

/// `durations()`: the histograms.
fn durations<'call>(backend: &Rc<Backend>, env: Env<'call>, []: [Js<'call>; 0]) -> Option<Js<'call>> {
    let durations = backend.core.durations().by_outcome();
    env.list(durations.iter().map(|(outcome, durations)| histogram(env, outcome, durations)))
}

/// `forceOpen(seconds)`: for so many seconds, or without end; the refusal of a bad value, or null.
fn force_open<'call>(backend: &Rc<Backend>, env: Env<'call>, [seconds]: [Js<'call>; 1]) -> Option<Js<'call>> {
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
fn reconfigure<'call>(backend: &Rc<Backend>, env: Env<'call>, [fields]: [Js<'call>; 1]) -> Option<Js<'call>> {
    refused(env, config_of(env, fields)?.map(|config| backend.core.reconfigure(config)))
}

/// `matches(fields)`: whether a circuit of these would have the configuration in force; or the refusal of a bad value.
fn matches<'call>(backend: &Rc<Backend>, env: Env<'call>, [fields]: [Js<'call>; 1]) -> Option<Js<'call>> {
    match config_of(env, fields)? {
        Ok(config) => env.boolean(config == backend.core.config()),
        Err(error) => refusal(env, &error),
    }
}

/// `restore(document)`: goes on where a snapshot was taken; the refusal of a bad one, or null.
fn restore<'call>(backend: &Rc<Backend>, env: Env<'call>, [document]: [Js<'call>; 1]) -> Option<Js<'call>> {
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
