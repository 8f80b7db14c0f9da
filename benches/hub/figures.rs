//! Medians and percentiles.

/// The value below which this share (0 to 1) lies; sorts the values. 0 of nothing.
pub fn percentile(values: &mut [f64], share: f64) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    let Some(last) = values.len().checked_sub(1) else { return 0.0 };
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "an index between 0 and the last"
    )]
    let at = (last as f64 * share).ceil() as usize;
    values[at.min(last)]
}

/// The middle one; sorts the values.
pub fn median(values: &mut [f64]) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    match values.len() {
        0 => 0.0,
        count if count % 2 == 1 => values[count / 2],
        count => f64::midpoint(values[count / 2 - 1], values[count / 2]),
    }
}

/// The middle of what is read off each item.
pub fn median_of<T>(items: &[T], read: impl Fn(&T) -> f64) -> f64 {
    let mut values: Vec<f64> = items.iter().map(read).collect();
    median(&mut values)
}

/// A count or nanoseconds as a number to divide.
#[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
pub fn float(count: u64) -> f64 {
    count as f64
}

/// The same for a length.
#[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
pub fn float_of(count: usize) -> f64 {
    count as f64
}

/// Nanoseconds in milliseconds.
pub fn ms(nanos: f64) -> f64 {
    nanos / 1e6
}

/// Nanoseconds in microseconds.
pub fn us(nanos: f64) -> f64 {
    nanos / 1e3
}
