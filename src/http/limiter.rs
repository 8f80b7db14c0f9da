//! One bucket per client address, and a bound on how many addresses are remembered.

use std::net::{IpAddr, Ipv4Addr};
use std::num::NonZeroU32;
use std::time::Duration;

use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

use super::address::limit_key;
use super::error::ApiError;

/// Addresses that are remembered; past it strangers share one bucket until old ones are forgotten.
pub const ADDRESSES_MAX: usize = 100_000;
/// The bucket of strangers.
const STRANGERS: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);

/// Allows each address so many requests per second, and as many at once.
pub struct AddressLimiter {
    buckets: Option<DefaultKeyedRateLimiter<IpAddr>>,
}

impl AddressLimiter {
    /// 0: no limit.
    pub fn new(per_second: u32) -> Self {
        let quota = NonZeroU32::new(per_second).map(Quota::per_second);
        Self { buckets: quota.map(RateLimiter::keyed) }
    }

    /// Takes one from the address's bucket.
    pub fn check(&self, address: IpAddr) -> Result<(), ApiError> {
        let Some(buckets) = &self.buckets else { return Ok(()) };
        let key = if buckets.len() < ADDRESSES_MAX { limit_key(address) } else { STRANGERS };
        buckets.check_key(&key).map_err(|full| {
            let wait = full.wait_time_from(DefaultClock::default().now());
            ApiError::TooManyRequests { retry_after_seconds: whole_seconds(wait) }
        })
    }

    /// Forgets addresses whose bucket is full again.
    pub fn forget_idle(&self) {
        if let Some(buckets) = &self.buckets {
            buckets.retain_recent();
            buckets.shrink_to_fit();
        }
    }
}

/// Rounded up: a client that comes back after it is let in.
fn whole_seconds(wait: Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(number: u32) -> IpAddr {
        Ipv4Addr::from_bits(number).into()
    }

    #[test]
    fn each_address_has_its_own_bucket_and_zero_is_no_limit() {
        let limiter = AddressLimiter::new(2);
        assert!(limiter.check(address(1)).is_ok() && limiter.check(address(1)).is_ok());
        let Err(ApiError::TooManyRequests { retry_after_seconds: 1 }) = limiter.check(address(1)) else {
            panic!("the third in a second is one too many");
        };
        assert!(limiter.check(address(2)).is_ok());
        let unlimited = AddressLimiter::new(0);
        assert!((0..1_000).all(|_| unlimited.check(address(1)).is_ok()));
    }

    #[test]
    fn past_the_bound_strangers_share_a_bucket_and_known_memory_does_not_grow() {
        let limiter = AddressLimiter::new(1);
        let bound = u32::try_from(ADDRESSES_MAX).unwrap();
        assert!((1..=bound).all(|number| limiter.check(address(number)).is_ok()));
        assert!(limiter.check(address(bound + 1)).is_ok());
        assert!(limiter.check(address(bound + 2)).is_err());
        assert_eq!(limiter.buckets.as_ref().unwrap().len(), ADDRESSES_MAX + 1);
    }
}
