//! What can be asked and ordered by name.

use alloc::vec::Vec;

use halfopen::{Config, Ending, InvalidValue, Outcome, Snapshot, Value};

use crate::Circuit;
use crate::wire::{self, Writer};

impl Circuit {
    /// Does what `request` says, a list of the operation's name and its arguments, and answers in bytes: what it brings,
    /// or the refusal of a bad argument. `millis` is the time, where the host tells it.
    pub fn operate(&mut self, request: &[u8], millis: f64) -> Vec<u8> {
        self.core.clock().tell(millis);
        let request = wire::read(request);
        let (name, arguments) = match &request {
            Value::List(items) => match items.split_first() {
                Some((Value::Text(name), arguments)) => (name.as_str(), arguments),
                _ => ("", &[][..]),
            },
            _ => ("", &[][..]),
        };
        let argument = |place| arguments.get(place).unwrap_or(&Value::Null);
        let mut writer = Writer::new();
        if let Err(error) = self.answer(name, argument(0), argument(1), &mut writer) {
            writer.refusal(&error);
        }
        writer.answer()
    }

    fn answer(&mut self, name: &str, first: &Value, second: &Value, writer: &mut Writer) -> Result<(), InvalidValue> {
        let core = &self.core;
        match name {
            "state" => writer.text(core.state().as_str()),
            "mode" => writer.text(core.mode().as_str()),
            "status" => writer.map(&mut core.status().entries()),
            "config" => writer.map(&mut core.config().entries()),
            "explain" => writer.text(&core.explain()),
            "snapshot" => writer.value(&core.snapshot().to_value()),
            "is_idle" => writer.truth(core.is_idle()),
            "disable" => core.disable(),
            "reset" => core.reset(),
            "events" => {
                writer.list();
                for event in core.events(number(first) as u64) {
                    writer.map(&mut event.entries());
                }
                writer.end();
            }
            "durations" => self.durations(writer),
            "percentile" => {
                let longest = core.percentile(first, second)?;
                writer.value(&longest.map(|longest| longest.as_secs_f64()).into());
            }
            "force_open" => core.force_open_seconds(first)?,
            "fail" => {
                let ending = Ending::with_hint(Outcome::Failure, second)?;
                writer.truth(self.give_back(number(first), ending));
            }
            "reconfigure" => core.reconfigure(Config::from_value(first)?),
            "matches" => writer.truth(Config::from_value(first)? == core.config()),
            "restore" => core.restore(&Snapshot::from_value(first)?)?,
            _ => {}
        }
        Ok(())
    }

    /// For each outcome its name, the calls, all their seconds, and the bounds and counts of the buckets in turn.
    fn durations(&self, writer: &mut Writer) {
        writer.list();
        for (outcome, durations) in self.core.durations().by_outcome() {
            writer.list();
            writer.text(outcome);
            writer.number(durations.count() as f64);
            writer.number(durations.total.as_secs_f64());
            writer.list();
            for (bound, calls) in durations.cumulative() {
                writer.number(bound);
                writer.number(calls as f64);
            }
            writer.end();
            writer.end();
        }
        writer.end();
    }
}

/// What is no number is none that names anything.
fn number(value: &Value) -> f64 {
    if let Value::Number(number) = *value { number } else { f64::NAN }
}
