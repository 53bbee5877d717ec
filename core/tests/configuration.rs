//! What a configuration tells of itself.

use halfopen::{CircuitBreaker, Config, ManualClock, Value};

#[test]
fn a_field_is_read_by_its_name() {
    let config = Config::builder().timeout_seconds(7.5).build().unwrap();
    assert_eq!(config.entry("timeout_seconds"), Some(Value::Number(7.5)));
    assert_eq!(config.entry("timeout"), None);
}

#[test]
fn an_unknown_field_is_told_the_known_ones() {
    let error = Config::builder().set("failure_treshold", 3u16).build().unwrap_err();
    assert_eq!(error.field(), "failure_treshold");
    assert!(error.allowed().starts_with("one of: name, failure_threshold, success_threshold, "), "{error}");
    assert_eq!(error.allowed().split(", ").count(), Config::default().entries().count());
}

#[test]
fn what_a_configuration_tells_of_itself_makes_the_same_again() {
    let config = Config::builder().name("gemini").failure_threshold(None).failure_rate_threshold(0.25).build().unwrap();
    let fields = config.entries().map(|(name, value)| (name.to_owned(), value)).collect();
    assert_eq!(Config::from_value(&Value::Map(fields)), Ok(config));
    let refused = Config::from_value(&Value::List(vec![])).unwrap_err();
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
