//! Limits the requests of each client address, and bounds how many addresses are remembered.

use std::net::{IpAddr, Ipv4Addr};
use std::num::NonZeroU32;
use std::time::Duration;

use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

use super::address::limit_key;
use super::error::ApiError;

/// Most addresses that are remembered. When there are more, unknown ones share one limit until old ones are
/// removed.
pub const ADDRESSES_MAX: usize = 100_000;
/// The key of the limit that unknown addresses share.
const STRANGERS: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);

/// Allows each address `per_second` requests per second, and as many at once.
pub struct AddressLimiter {
    buckets: Option<DefaultKeyedRateLimiter<IpAddr>>,
}

impl AddressLimiter {
    /// `per_second` 0 means no limit.
    pub fn new(per_second: u32) -> Self {
        let quota = NonZeroU32::new(per_second).map(Quota::per_second);
        Self { buckets: quota.map(RateLimiter::keyed) }
    }

    /// Counts a request of the address; an error where it is one too many.
    pub fn check(&self, address: IpAddr) -> Result<(), ApiError> {
        let Some(buckets) = &self.buckets else { return Ok(()) };
        let key = if buckets.len() < ADDRESSES_MAX { limit_key(address) } else { STRANGERS };
        buckets.check_key(&key).map_err(|full| {
            let wait = full.wait_time_from(DefaultClock::default().now());
            ApiError::TooManyRequests { retry_after_seconds: whole_seconds(wait) }
        })
    }

    /// Removes addresses that could send as many requests as new ones.
    pub fn forget_idle(&self) {
        if let Some(buckets) = &self.buckets {
            buckets.retain_recent();
            buckets.shrink_to_fit();
        }
    }
}

/// Messages that one user may send in a minute, and at once.
pub const MESSAGES_PER_MINUTE: u32 = 60;

/// Allows each user so many messages in a minute. Only users with a valid token are remembered.
pub struct UserLimiter(DefaultKeyedRateLimiter<String>);

impl Default for UserLimiter {
    fn default() -> Self {
        let quota = NonZeroU32::new(MESSAGES_PER_MINUTE).unwrap_or(NonZeroU32::MIN);
        Self(RateLimiter::keyed(Quota::per_minute(quota)))
    }
}

impl UserLimiter {
    /// Counts a message of the user with this `sub`; an error where it is one too many.
    pub fn check(&self, sub: &str) -> Result<(), ApiError> {
        self.0.check_key(&sub.to_owned()).map_err(|full| {
            let wait = full.wait_time_from(DefaultClock::default().now());
            ApiError::TooManyMessages { retry_after_seconds: whole_seconds(wait) }
        })
    }

    /// Removes users who could send as many messages as others.
    pub fn forget_idle(&self) {
        self.0.retain_recent();
        self.0.shrink_to_fit();
    }
}

/// Rounded up, so that a client that waits for this long is allowed.
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
    fn each_user_may_send_sixty_messages_at_once_and_then_one_a_second() {
        let limiter = UserLimiter::default();
        assert!((0..MESSAGES_PER_MINUTE).all(|_| limiter.check("bia").is_ok()));
        let Err(ApiError::TooManyMessages { retry_after_seconds: 1 }) = limiter.check("bia") else {
            panic!("one too many");
        };
        assert!(limiter.check("caio").is_ok());
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
