//! Reading a configuration back: fields, errors, JSON Schema.

use std::time::Duration;

use halfopen::clock::ManualClock;
use halfopen::config::{ConfigBuilder, WindowShape};
use halfopen::host::{self, Entries, Spelling, Value};
use halfopen::{CircuitBreaker, Config};

#[test]
fn a_field_is_read_by_its_name() {
    let config = Config::builder().timeout(Duration::from_millis(7500)).build().unwrap();
    assert_eq!(host::config_field(&config, "timeout_seconds"), Some(Value::Number(7.5)));
    assert_eq!(host::config_field(&config, "timeout"), None);
}

#[test]
fn an_unknown_field_error_lists_the_known_fields() {
    let error = host::set(Config::builder(), "failure_treshold", 3u16).build().unwrap_err();
    assert_eq!(error.field(), "failure_treshold");
    assert!(error.allowed().starts_with("one of: name, failure_threshold, success_threshold, "), "{error}");
    assert_eq!(error.allowed().split(", ").count(), Config::default().entries().count());
}

#[test]
fn an_error_names_field_value_and_allowed() {
    let error = Config::builder().success_threshold(0).build().unwrap_err();
    assert_eq!(error.to_string(), "success_threshold = 0 is refused: allowed is a whole number from 1 to 255");
}

#[test]
fn provider_id_follows_the_rule_for_names() {
    for name in ["gemini", " ", &"é".repeat(128)] {
        assert_eq!(host::check_name("provider_id", &name.into()), Ok(()));
    }
    for value in ["".into(), "a\u{2028}b".into(), (&*"é".repeat(129)).into(), Value::Null, 7u64.into()] {
        let error = host::check_name("provider_id", &value).unwrap_err();
        assert_eq!((error.field(), error.allowed()), ("provider_id", "1 to 128 printable characters"));
    }
}

#[test]
fn a_configuration_round_trips_through_its_entries() {
    let config = Config::builder().name("gemini").failure_threshold(None).failure_rate_threshold(0.25).build().unwrap();
    let fields = config.entries().map(|(name, value)| (name.to_owned(), value)).collect();
    assert_eq!(host::config_from(&Value::Map(fields), Spelling::SnakeCase), Ok(config));
    let refused = host::config_from(&Value::List(vec![]), Spelling::SnakeCase).unwrap_err();
    assert_eq!((refused.field(), refused.allowed()), ("config", "an object"));
}

#[test]
fn a_circuit_keeps_its_name_when_it_is_reconfigured() {
    let config = Config::builder().name("gemini").build().unwrap();
    let breaker = CircuitBreaker::with_clock(config, ManualClock::new());
    breaker.reconfigure(Config::builder().name("other").failure_threshold(9).build().unwrap());
    assert_eq!((breaker.name(), breaker.config().name()), ("gemini", "gemini"));
    assert_eq!(breaker.config().rules().failure_threshold, Some(9));
}

#[test]
fn a_count_too_large_is_refused_not_truncated() {
    let with = |number: f64| {
        let fields = [
            ("window", Value::from(WindowShape::Time(Duration::from_secs(60)))),
            ("failure_rate_threshold", 0.5.into()),
        ];
        let fields = fields.into_iter().chain([("minimum_calls", number.into())]);
        let fields = fields.map(|(name, value)| (name.into(), value)).collect();
        host::config_from(&Value::Map(fields), Spelling::SnakeCase)
    };
    assert!(with(9_007_199_254_740_992.0).is_ok());
    assert_eq!(with(18_446_744_073_709_551_616.0).unwrap_err().field(), "minimum_calls");
}

#[test]
fn a_duration_is_checked_in_seconds() {
    let field = |builder: ConfigBuilder| builder.build().unwrap_err().field().to_owned();
    assert_eq!(field(Config::builder().timeout(Duration::ZERO)), "timeout_seconds");
    assert_eq!(field(Config::builder().slow_call(Duration::MAX)), "slow_call_seconds");
    let rates = || Config::builder().failure_rate_threshold(0.5);
    for time in [Duration::ZERO, Duration::from_millis(1_500), Duration::from_secs(3_601)] {
        assert_eq!(field(rates().window(WindowShape::Time(time))), "window");
    }
    let hour = Duration::from_secs(3_600);
    let config = rates().window(WindowShape::Time(hour)).timeout(hour).max_timeout(None).build().unwrap();
    assert_eq!((config.rules().timeout, config.rules().window), (hour, WindowShape::Time(hour)));
}

#[test]
fn a_field_that_is_given_twice_is_refused() {
    let thresholds = |given: [u64; 2]| {
        let fields = given.map(|threshold| ("failure_threshold".to_owned(), threshold.into()));
        host::config_from(&Value::Map(fields.into()), Spelling::SnakeCase).unwrap_err()
    };
    assert_eq!((thresholds([3, 4]).field(), thresholds([3, 4]).allowed()), ("failure_threshold", "given once"));
    assert_eq!(thresholds([0, 4]).value(), &0u64.into(), "the first error wins");
}

#[test]
fn negative_zero_is_normalised() {
    let config = Config::builder().timeout_jitter(-0.0).build().unwrap();
    assert_eq!(host::config_field(&config, "timeout_jitter").unwrap().to_string(), "0");
}

/// The value of a property in a JSON Schema.
fn property<'v>(schema: &'v Value, name: &str) -> Option<&'v Value> {
    let Value::Map(entries) = schema else { return None };
    entries.iter().find(|(known, _)| known == name).map(|(_, value)| value)
}

#[test]
fn the_json_schema_has_each_default() {
    let schema = host::config_schema();
    let Some(Value::Map(properties)) = property(&schema, "properties") else { panic!("{schema}") };
    let defaults: Vec<_> = properties.iter().map(|(name, field)| (name.clone(), property(field, "default"))).collect();
    let config = Config::default();
    let entries: Vec<_> = config.entries().map(|(name, value)| (name.to_owned(), value)).collect();
    assert_eq!(defaults.len(), entries.len());
    for ((name, default), (field, value)) in defaults.iter().zip(&entries) {
        assert_eq!((name, *default), (field, Some(value)));
    }
}

#[test]
fn the_json_schema_limits_match_the_checks() {
    let schema = host::config_schema();
    let Some(Value::Map(properties)) = property(&schema, "properties") else { panic!("{schema}") };
    let accepts = |name: &str, number: f64| {
        let mut fields = vec![(name.to_owned(), Value::Number(number))];
        // Rules between fields: large numbers need a time window.
        if name != "max_timeout_seconds" && number > 60.0 {
            fields.push(("window".into(), Value::Map(vec![("seconds".into(), 60u64.into())])));
        }
        if name == "max_timeout_seconds" {
            fields.push(("timeout_seconds".into(), Value::Number(1e-9)));
        }
        if name == "slow_call_rate_threshold" {
            fields.push(("slow_call_seconds".into(), Value::Number(1.0)));
        }
        host::config_from(&Value::Map(fields), Spelling::SnakeCase).is_ok()
    };
    let mut limits = 0;
    for (name, field) in properties {
        let types = match property(field, "anyOf") {
            Some(Value::List(types)) => &types[0],
            _ => field,
        };
        let bound = |limit: &str| match property(types, limit) {
            Some(Value::Uint(bound)) => Some(*bound as f64),
            Some(Value::Number(bound)) => Some(*bound),
            _ => None,
        };
        if let Some(least) = bound("minimum") {
            assert!(accepts(name, least) && !accepts(name, least - 1.0), "{name} from {least}");
            limits += 1;
        }
        if let Some(least) = bound("exclusiveMinimum") {
            assert!(accepts(name, least + 1e-9) && !accepts(name, least), "{name} above {least}");
            limits += 1;
        }
        if let Some(most) = bound("maximum") {
            assert!(accepts(name, most) && !accepts(name, most + 1.0), "{name} up to {most}");
            limits += 1;
        }
    }
    // All minima and maxima of the table.
    assert_eq!(limits, 21);
}
