//! The reply of `DescribeJobMonitorData`: a curve, drawn from samples.

use kernel::time::Timestamp;
use serde_json::{Value, json};

/// One sample of what is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Point {
    /// The attempt it is of.
    pub attempt: u32,
    /// When.
    pub at: Timestamp,
    /// Hundredths of the metric's unit, a percent or a byte a second.
    pub value: u64,
}

/// Points without a value between two attempts, at most, as Tencent Batch documents it.
const GAP_POINTS: i64 = 10;
/// Points of one reply, at most, but for those without a value.
const POINTS: i64 = 1_440;
/// Spans between two points, in seconds.
const PERIODS: [i64; 6] = [1, 10, 60, 300, 3_600, 86_400];

/// The curve of samples, which stand in the order in which they were taken, between two moments. `sample_ms`: how
/// often samples are taken.
#[must_use]
pub fn describe_job_monitor_data(points: &[Point], from: Timestamp, to: Timestamp, sample_ms: u64) -> Value {
    let period = period(to.since_ms(from), sample_ms);
    let (mut timestamps, mut values) = (Vec::new(), Vec::<Option<f64>>::new());
    let mut last: Option<(u32, i64)> = None;
    for (attempt, slot, value) in means(points, period) {
        if let Some((before, end)) = last
            && before != attempt
        {
            for gap in (end + 1..slot).take(usize::try_from(GAP_POINTS).expect("a small number")) {
                timestamps.push(gap * period);
                values.push(None);
            }
        }
        timestamps.push(slot * period);
        values.push(Some(value));
        last = Some((attempt, slot));
    }
    json!({"Period": period, "DataPoints": {"Timestamps": timestamps, "Values": values}})
}

/// The span between two points, in seconds: the smallest that gives not too many, and no smaller than samples have.
fn period(range_ms: u64, sample_ms: u64) -> i64 {
    let fits = |period: &&i64| {
        let ms = period.unsigned_abs() * 1_000;
        ms >= sample_ms && range_ms / ms < POINTS.unsigned_abs()
    };
    *PERIODS.iter().find(fits).unwrap_or(&PERIODS[PERIODS.len() - 1])
}

/// The mean of the samples of each attempt in each period: attempt, number of the period, mean.
fn means(points: &[Point], period: i64) -> Vec<(u32, i64, f64)> {
    let mut means: Vec<(u32, i64, u64, u64)> = Vec::new();
    for point in points {
        let slot = point.at.seconds().div_euclid(period);
        match means.last_mut() {
            Some((attempt, last, sum, count)) if *attempt == point.attempt && *last == slot => {
                *sum = sum.saturating_add(point.value);
                *count += 1;
            }
            _ => means.push((point.attempt, slot, point.value, 1)),
        }
    }
    means.into_iter().map(|(attempt, slot, sum, count)| (attempt, slot, mean(sum, count))).collect()
}

/// Hundredths as units, with two digits; without them where there are more than 40 million.
fn mean(sum: u64, count: u64) -> f64 {
    let mean = sum / count;
    match u32::try_from(mean) {
        Ok(mean) => f64::from(mean) / 100.0,
        Err(_) => f64::from(u32::try_from(mean / 100).unwrap_or(u32::MAX)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(attempt: u32, second: i64, value: u64) -> Point {
        Point { attempt, at: Timestamp(second * 1_000 + 7), value }
    }

    fn drawn(points: &[Point], seconds: i64) -> Value {
        describe_job_monitor_data(points, Timestamp(1_000_000_000), Timestamp(1_000_000_000 + seconds * 1_000), 10_000)
    }

    #[test]
    fn samples_of_one_period_are_one_point() {
        let points = [point(1, 1_000_000, 5_000), point(1, 1_000_004, 5_101), point(1, 1_000_020, 10_000)];
        let expected = json!({"Period": 10, "DataPoints": {
            "Timestamps": [1_000_000, 1_000_020], "Values": [50.5, 100.0]}});
        assert_eq!(drawn(&points, 100), expected);
        let large = drawn(&[point(1, 1_000_000, 100_000_000_099), point(1, 1_000_020, u64::MAX)], 100);
        assert_eq!(large["DataPoints"]["Values"], json!([1e9, 4_294_967_295.0]));
        assert_eq!(drawn(&[], 100), json!({"Period": 10, "DataPoints": {"Timestamps": [], "Values": []}}));
    }

    #[test]
    fn between_attempts_there_is_nothing() {
        let points = [point(1, 1_000_000, 1), point(2, 1_000_030, 2), point(3, 1_000_040, 3), point(5, 1_009_000, 5)];
        let reply = drawn(&points, 10_000);
        let values = reply["DataPoints"]["Values"].as_array().unwrap();
        let nulls = vec![Value::Null; 10];
        let expected =
            [vec![json!(0.01), Value::Null, Value::Null, json!(0.02), json!(0.03)], nulls, vec![json!(0.05)]];
        assert_eq!(*values, expected.concat());
        let times = reply["DataPoints"]["Timestamps"].as_array().unwrap();
        assert_eq!((times[1].clone(), times[5].clone()), (json!(1_000_010), json!(1_000_050)));
        assert_eq!(times.len(), values.len());
    }

    #[test]
    fn shorter_spans_have_shorter_periods() {
        for (range_s, sample_ms, expected) in [
            (0, 10_000, 10),
            (0, 500, 1),
            (1_439, 500, 1),
            (1_440, 500, 10),
            (14_399, 10_000, 10),
            (14_400, 10_000, 60),
            (86_400 * 30, 10_000, 3_600),
            (86_400 * 30_000, 10_000, 86_400),
            (10, 7_200_000, 86_400),
        ] {
            assert_eq!(period(range_s * 1_000, sample_ms), expected, "{range_s} s");
        }
    }
}
