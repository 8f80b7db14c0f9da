//! Summary of many durations: median, mean, percentiles and maximum.

/// A summary of durations in milliseconds. Percentiles are exact, by nearest rank: each is a value that
/// occurred.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spread {
    pub median: i64,
    /// Rounded to the next millisecond.
    pub mean: i64,
    pub p75: i64,
    pub p90: i64,
    pub p95: i64,
    pub max: i64,
}

impl Spread {
    /// Sorts the values and summarizes them; `None` where there are none.
    pub fn of(values: &mut [i64]) -> Option<Self> {
        values.sort_unstable();
        let max = *values.last()?;
        let sum: i128 = values.iter().map(|value| i128::from(*value)).sum();
        let count = i128::try_from(values.len()).ok()?;
        // Half a millisecond is rounded up; durations are never negative.
        let mean = i64::try_from((2 * sum + count) / (2 * count)).ok()?;
        let rank = |percent: usize| {
            let place = (values.len() * percent).div_ceil(100).max(1) - 1;
            values.get(place).copied().unwrap_or(max)
        };
        Some(Self { median: rank(50), mean, p75: rank(75), p90: rank(90), p95: rank(95), max })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_values_that_occurred() {
        let mut ten: Vec<i64> = (1..=10).rev().map(|value| value * 100).collect();
        let spread = Spread::of(&mut ten).unwrap();
        assert_eq!(spread, Spread { median: 500, mean: 550, p75: 800, p90: 900, p95: 1_000, max: 1_000 });
        let one = Spread::of(&mut [7]).unwrap();
        assert_eq!(one, Spread { median: 7, mean: 7, p75: 7, p90: 7, p95: 7, max: 7 });
        assert_eq!(Spread::of(&mut [1, 2]).unwrap().mean, 2, "half a millisecond rounds up");
        assert_eq!(Spread::of(&mut []), None);
    }
}
