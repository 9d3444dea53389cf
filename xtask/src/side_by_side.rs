//! Runs steps side by side, a bounded number at a time, and waits for all of them: one failure hides no other.

use std::sync::Mutex;
use std::thread;

use anyhow::{Error, Result};

use crate::step::{all_done, step};

/// A step that waits for its turn.
pub(crate) struct Job<'a> {
    pub(crate) name: String,
    pub(crate) work: Box<dyn FnOnce() -> Result<()> + Send + 'a>,
}

/// Runs the jobs, which start in their order, and tells every failure.
pub(crate) fn side_by_side(at_most: usize, jobs: Vec<Job<'_>>) -> Result<()> {
    let threads = at_most.min(jobs.len());
    let jobs = Mutex::new(jobs.into_iter());
    let next = || jobs.lock().expect("taking a job does not panic").next();
    let work = || {
        let mut failures: Vec<Error> = Vec::new();
        while let Some(Job { name, work }) = next() {
            failures.extend(step(&name, work).err());
        }
        failures
    };
    let failures = thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        let failures = workers.into_iter().map(|worker| worker.join());
        failures
            .flat_map(|failures| failures.expect("no step panics"))
            .collect()
    });
    all_done(failures)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::mpsc::sync_channel;
    use std::time::Duration;

    use anyhow::{Context, bail};

    use super::*;

    fn job<'a>(name: &str, work: impl FnOnce() -> Result<()> + Send + 'a) -> Job<'a> {
        Job {
            name: name.to_owned(),
            work: Box::new(work),
        }
    }

    #[test]
    fn two_jobs_run_at_the_same_time() {
        let patience = Duration::from_secs(10);
        let (to_second, from_first) = sync_channel(1);
        let (to_first, from_second) = sync_channel(1);
        let first = job("first", move || {
            to_second.send(())?;
            from_second.recv_timeout(patience).context("no answer")
        });
        let second = job("second", move || {
            from_first.recv_timeout(patience).context("no question")?;
            Ok(to_first.send(())?)
        });
        side_by_side(2, vec![first, second]).expect("each waits for the other");
    }

    #[test]
    fn no_more_jobs_run_at_a_time_than_may() {
        let running = AtomicUsize::new(0);
        let most = AtomicUsize::new(0);
        let done = AtomicUsize::new(0);
        let work = || {
            most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            for _ in 0..100 {
                thread::yield_now();
            }
            running.fetch_sub(1, Ordering::SeqCst);
            done.fetch_add(1, Ordering::SeqCst);
            Ok(())
        };
        let jobs = (0..20).map(|number| job(&number.to_string(), work));
        side_by_side(3, jobs.collect()).expect("none fails");
        assert_eq!(done.into_inner(), 20);
        assert!(most.into_inner() <= 3);
    }

    #[test]
    fn a_failure_stops_no_other_job_and_every_failure_is_told() {
        let done = AtomicUsize::new(0);
        let jobs = vec![
            job("bread", || bail!("no flour")),
            job("butter", || {
                done.fetch_add(1, Ordering::SeqCst);
                Ok(())
            }),
            job("cheese", || bail!("no milk")),
        ];
        let error = side_by_side(1, jobs).expect_err("two fail");
        assert_eq!(done.into_inner(), 1);
        assert_eq!(
            format!("{error:#}"),
            "2 steps failed:\nthe step 'bread' failed: no flour\nthe step 'cheese' failed: no milk"
        );
    }

    #[test]
    fn nothing_to_do_is_done() {
        side_by_side(4, Vec::new()).expect("nothing fails");
    }
}
