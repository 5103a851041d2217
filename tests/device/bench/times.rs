//! Statistics of measured times.

use std::time::Duration;

use anyhow::Result;
use hdrhistogram::Histogram;
use serde::Serialize;

/// A distribution of times, in milliseconds.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(crate) struct Times {
    pub(crate) p50: f64,
    pub(crate) p99: f64,
    pub(crate) max: f64,
    pub(crate) count: u64,
}

impl Times {
    pub(crate) fn of(times: impl IntoIterator<Item = Duration>) -> Result<Self> {
        // Up to ten minutes, with three significant digits.
        let mut nanos: Histogram<u64> = Histogram::new_with_bounds(1_000, 600_000_000_000, 3)?;
        for time in times {
            nanos.saturating_record(u64::try_from(time.as_nanos())?);
        }
        let millis = |nanos: u64| Duration::from_nanos(nanos).as_secs_f64() * 1e3;
        Ok(Self {
            p50: millis(nanos.value_at_quantile(0.5)),
            p99: millis(nanos.value_at_quantile(0.99)),
            max: millis(nanos.max()),
            count: nanos.len(),
        })
    }
}
