// Written by docs/simulator/test/snippets.test.mjs, which says how to write it again.

use halfopen::InvalidValue;

pub fn all() -> Result<Vec<halfopen::Config>, InvalidValue> {
    Ok(vec![copied_0()?, copied_1()?, copied_2()?, copied_3()?, copied_4()?, copied_5()?, copied_6()?, copied_7()?, copied_8()?, copied_9()?, copied_10()?, copied_11()?, copied_12()?, copied_13()?, copied_14()?, copied_15()?, copied_16()?, copied_17()?, copied_18()?, copied_19()?, copied_20()?, copied_21()?, copied_22()?, copied_23()?])
}

fn copied_0() -> Result<halfopen::Config, InvalidValue> {
    use halfopen::Config;

    let config = Config::builder()
        .build()?;
    Ok(config)
}

fn copied_1() -> Result<halfopen::Config, InvalidValue> {
    use halfopen::Config;
    use halfopen::config::WindowShape;

    let config = Config::builder()
        .failure_threshold(None)
        .failure_rate_threshold(0.30000000000000004)
        .window(WindowShape::Calls(37))
        .minimum_calls(7)
        .build()?;
    Ok(config)
}

fn copied_2() -> Result<halfopen::Config, InvalidValue> {
    use halfopen::Config;
    use halfopen::config::WindowShape;
    use std::time::Duration;

    let config = Config::builder()
        .slow_call(Duration::from_secs_f64(1.25))
        .slow_call_rate_threshold(1.0)
        .window(WindowShape::Time(Duration::from_secs(3600)))
        .max_timeout(None)
        .build()?;
    Ok(config)
}

fn copied_3() -> Result<halfopen::Config, InvalidValue> {
    use halfopen::Config;
    use std::time::Duration;

    let config = Config::builder()
        .name("a \"quoted\" \\ name’s")
        .timeout(Duration::from_secs_f64(0.1))
        .timeout_multiplier(10.0)
        .timeout_jitter(1.0)
        .build()?;
    Ok(config)
}

fn copied_4() -> Result<halfopen::Config, InvalidValue> {
    use halfopen::Config;

    let config = Config::builder()
        .failure_threshold(65535)
        .probe_timeout(None)
        .cancel_failure_after(None)
        .shadow(true)
        .build()?;
    Ok(config)
}

fn copied_5() -> Result<halfopen::Config, InvalidValue> {
    use halfopen::Config;
    use std::time::Duration;

    let config = Config::builder()
        .timeout(Duration::from_secs(31536000))
        .max_timeout(Duration::from_secs_f64(31536000.5))
        .timeout_multiplier(1.1)
        .record_durations(false)
        .build()?;
    Ok(config)
}

fn copied_6() -> Result<halfopen::Config, InvalidValue> {
    use halfopen::Config;
    use std::time::Duration;

    let config = Config::builder()
        .probe_timeout(Duration::from_secs_f64(1e-9))
        .cancel_failure_after(Duration::from_secs_f64(123456.789))
        .half_open_max_calls(255)
        .build()?;
    Ok(config)
}

fn copied_7() -> Result<halfopen::Config, InvalidValue> {
    use halfopen::Config;
    use std::time::Duration;

    let config = Config::builder()
        .failure_threshold(5)
        .timeout(Duration::from_secs(10))
        .build()?;
    Ok(config)
}

fn copied_8() -> Result<halfopen::Config, InvalidValue> {
    use halfopen::Config;
    use std::time::Duration;

    let config = Config::builder()
        .failure_threshold(5)
        .timeout(Duration::from_secs(10))
        .build()?;
    Ok(config)
}

fn copied_9() -> Result<halfopen::Config, InvalidValue> {
    use halfopen::Config;
    use halfopen::config::WindowShape;
    use std::time::Duration;

    let config = Config::builder()
        .failure_threshold(None)
        .failure_rate_threshold(0.3)
        .window(WindowShape::Time(Duration::from_secs(10)))
        .minimum_calls(20)
        .timeout(Duration::from_secs(10))
        .build()?;
    Ok(config)
}

fn copied_10() -> Result<halfopen::Config, InvalidValue> {
    use halfopen::Config;
    use std::time::Duration;

    let config = Config::builder()
        .failure_threshold(5)
        .timeout(Duration::from_secs(10))
        .build()?;
    Ok(config)
}

fn copied_11() -> Result<halfopen::Config, InvalidValue> {
    use halfopen::Config;
    use halfopen::config::WindowShape;
    use std::time::Duration;

    let config = Config::builder()
        .failure_threshold(5)
        .slow_call(Duration::from_secs(1))
        .slow_call_rate_threshold(0.5)
        .window(WindowShape::Calls(20))
        .minimum_calls(10)
        .timeout(Duration::from_secs(10))
        .build()?;
    Ok(config)
}

fn copied_12() -> Result<halfopen::Config, InvalidValue> {
    use halfopen::Config;
    use std::time::Duration;

    let config = Config::builder()
        .failure_threshold(5)
        .timeout(Duration::from_secs(10))
        .build()?;
    Ok(config)
}

fn copied_13() -> Result<halfopen::Config, InvalidValue> {
    use halfopen::Config;
    use std::time::Duration;

    let config = Config::builder()
        .failure_threshold(5)
        .timeout(Duration::from_secs(8))
        .build()?;
    Ok(config)
}

fn copied_14() -> Result<halfopen::Config, InvalidValue> {
    use halfopen::Config;
    use halfopen::config::WindowShape;
    use std::time::Duration;

    let config = Config::builder()
        .failure_threshold(5)
        .slow_call(Duration::from_secs(2))
        .slow_call_rate_threshold(0.5)
        .window(WindowShape::Calls(20))
        .minimum_calls(10)
        .timeout(Duration::from_secs(8))
        .build()?;
    Ok(config)
}

fn copied_15() -> Result<halfopen::Config, InvalidValue> {
    use halfopen::Config;
    use std::time::Duration;

    let config = Config::builder()
        .failure_threshold(3)
        .timeout(Duration::from_secs(2))
        .success_threshold(2)
        .build()?;
    Ok(config)
}

fn copied_16() -> Result<halfopen::Config, InvalidValue> {
    use halfopen::Config;
    use std::time::Duration;

    let config = Config::builder()
        .failure_threshold(3)
        .timeout(Duration::from_secs(2))
        .timeout_multiplier(2.0)
        .max_timeout(Duration::from_secs(30))
        .success_threshold(2)
        .build()?;
    Ok(config)
}

fn copied_17() -> Result<halfopen::Config, InvalidValue> {
    use halfopen::Config;
    use std::time::Duration;

    let config = Config::builder()
        .failure_threshold(5)
        .timeout(Duration::from_secs(5))
        .build()?;
    Ok(config)
}

fn copied_18() -> Result<halfopen::Config, InvalidValue> {
    use halfopen::Config;
    use std::time::Duration;

    let config = Config::builder()
        .failure_threshold(2)
        .timeout(Duration::from_secs(5))
        .build()?;
    Ok(config)
}

fn copied_19() -> Result<halfopen::Config, InvalidValue> {
    use halfopen::Config;
    use halfopen::config::WindowShape;
    use std::time::Duration;

    let config = Config::builder()
        .failure_threshold(None)
        .failure_rate_threshold(0.5)
        .window(WindowShape::Time(Duration::from_secs(10)))
        .minimum_calls(20)
        .timeout(Duration::from_secs(5))
        .build()?;
    Ok(config)
}

fn copied_20() -> Result<halfopen::Config, InvalidValue> {
    use halfopen::Config;
    use std::time::Duration;

    let config = Config::builder()
        .failure_threshold(3)
        .timeout(Duration::from_secs(8))
        .build()?;
    Ok(config)
}

fn copied_21() -> Result<halfopen::Config, InvalidValue> {
    use halfopen::Config;
    use halfopen::config::WindowShape;
    use std::time::Duration;

    let config = Config::builder()
        .failure_threshold(None)
        .failure_rate_threshold(0.6)
        .window(WindowShape::Time(Duration::from_secs(10)))
        .minimum_calls(20)
        .timeout(Duration::from_secs(8))
        .build()?;
    Ok(config)
}

fn copied_22() -> Result<halfopen::Config, InvalidValue> {
    use halfopen::Config;
    use std::time::Duration;

    let config = Config::builder()
        .failure_threshold(5)
        .timeout(Duration::from_secs(10))
        .build()?;
    Ok(config)
}

fn copied_23() -> Result<halfopen::Config, InvalidValue> {
    use halfopen::Config;
    use halfopen::config::WindowShape;
    use std::time::Duration;

    let config = Config::builder()
        .failure_threshold(None)
        .failure_rate_threshold(0.5)
        .window(WindowShape::Time(Duration::from_secs(5)))
        .minimum_calls(20)
        .timeout(Duration::from_secs(4))
        .build()?;
    Ok(config)
}
