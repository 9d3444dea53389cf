//! The one way in which tests wait.

use std::time::Duration;

use tokio::time::timeout;

/// How long anything may take that should happen at once. Generous, for two cores that four tests share.
pub const DEADLINE: Duration = Duration::from_secs(20);

/// Waits for `work`; past the deadline the test fails with what it waited for.
pub async fn within<T>(
    deadline: Duration,
    what: impl FnOnce() -> String,
    work: impl Future<Output = T>,
) -> T {
    match timeout(deadline, work).await {
        Ok(done) => done,
        Err(_) => panic!("waited {deadline:?} in vain for {}", what()),
    }
}
