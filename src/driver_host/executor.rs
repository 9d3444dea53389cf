//! The threads on which modules' calls begin.
//!
//! A call goes from a worker's thread to its module and back, so what waking the module costs is most of what a short call costs.
//! Tokio's scheduler wakes a second thread for each task that comes from outside, to look for more; here one wake is one thread.
//! Any idle thread takes the next module that has something to do, so a driver that blocks one of them stops no other module.
//!
//! The threads run inside the drivers' runtime, whose own threads serve what drivers wait for: streams, timers, and the tasks they spawn.

use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;

use async_task::Runnable;
use driver_sdk::BoxFuture;
use tokio::runtime::Handle;

use crate::driver_host::Spawn;
use crate::model::lock;

/// A fixed number of threads that run modules.
pub struct ModuleExecutor {
    queue: Arc<Queue>,
}

/// The modules that have something to do. Each stands here at most once, so their number is the bound.
#[derive(Default)]
struct Queue {
    state: Mutex<State>,
    work: Condvar,
}

#[derive(Default)]
struct State {
    ready: VecDeque<Runnable>,
    /// Threads that wait for work.
    idle: usize,
    ended: bool,
}

impl ModuleExecutor {
    /// Starts this many threads inside a runtime.
    pub fn start(count: usize, runtime: &Handle) -> io::Result<Self> {
        let queue = Arc::new(Queue::default());
        let executor = Self {
            queue: Arc::clone(&queue),
        };
        for _ in 0..count {
            let (queue, runtime) = (Arc::clone(&queue), runtime.clone());
            // Not joined: a driver that blocks its thread would hold up the end of the process.
            thread::Builder::new()
                .name("riser-module".to_owned())
                .spawn(move || {
                    let _inside = runtime.enter();
                    queue.run();
                })?;
        }
        Ok(executor)
    }
}

impl Spawn for ModuleExecutor {
    fn spawn(&self, life: BoxFuture<'static, ()>) {
        let queue = Arc::clone(&self.queue);
        let (runnable, task) = async_task::spawn(life, move |runnable| queue.push(runnable));
        // Its spawner learns of its end in another way.
        task.detach();
        runnable.schedule();
    }
}

impl ModuleExecutor {
    /// Runs nothing any more. Idle threads end now, and busy ones when they come back.
    pub fn end(&self) {
        let mut state = lock(&self.queue.state);
        state.ended = true;
        // Dropping a task may wake others, so not under the lock.
        let left = std::mem::take(&mut state.ready);
        drop(state);
        drop(left);
        self.queue.work.notify_all();
    }
}

impl Drop for ModuleExecutor {
    fn drop(&mut self) {
        self.end();
    }
}

impl fmt::Debug for ModuleExecutor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ModuleExecutor").finish_non_exhaustive()
    }
}

impl Queue {
    fn push(&self, runnable: Runnable) {
        let mut state = lock(&self.state);
        if state.ended {
            drop(state);
            return;
        }
        state.ready.push_back(runnable);
        // A thread that is awake looks again before it waits.
        let wake = state.idle > 0;
        drop(state);
        if wake {
            self.work.notify_one();
        }
    }

    fn run(&self) {
        while let Some(runnable) = self.next() {
            // A driver's panic is caught where the driver is called; this is for the thread to outlive our own.
            if catch_unwind(AssertUnwindSafe(|| runnable.run())).is_err() {
                tracing::error!("a module's actor panicked; the module is gone");
            }
        }
    }

    /// The next module with something to do; waits for one. `None` at the end.
    fn next(&self) -> Option<Runnable> {
        let mut state = lock(&self.state);
        loop {
            if state.ended {
                return None;
            }
            if let Some(runnable) = state.ready.pop_front() {
                return Some(runnable);
            }
            state.idle += 1;
            state = self
                .work
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
            state.idle -= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
    use std::time::Duration;

    use tokio::runtime::{Builder, Runtime};
    use tokio::sync::oneshot;

    use super::*;

    /// How long what must happen may take.
    const DEADLINE: Duration = Duration::from_secs(10);

    struct Bench {
        executor: ModuleExecutor,
        done: SyncSender<&'static str>,
        seen: Receiver<&'static str>,
        _runtime: Runtime,
    }

    impl Bench {
        fn new(count: usize) -> Self {
            let runtime = Builder::new_multi_thread()
                .worker_threads(1)
                .enable_time()
                .build()
                .unwrap();
            let (done, seen) = sync_channel(8);
            Self {
                executor: ModuleExecutor::start(count, runtime.handle()).unwrap(),
                done,
                seen,
                _runtime: runtime,
            }
        }

        /// A life that says this when what it waits for is there.
        fn spawn(&self, word: &'static str, wait: impl Future<Output = ()> + Send + 'static) {
            let done = self.done.clone();
            self.executor.spawn(Box::pin(async move {
                wait.await;
                done.send(word).unwrap();
            }));
        }

        #[track_caller]
        fn expect(&self, word: &str) {
            assert_eq!(self.seen.recv_timeout(DEADLINE), Ok(word));
        }
    }

    #[test]
    fn a_blocked_lane_stops_no_other_module() {
        let bench = Bench::new(2);
        let (free, blocked) = sync_channel::<()>(0);
        bench.spawn("blocked", async move { blocked.recv().unwrap() });
        let (go, waits) = oneshot::channel::<()>();
        bench.spawn("woken", async move { waits.await.unwrap() });
        go.send(()).unwrap();
        bench.expect("woken");
        bench.spawn("timer", async {
            tokio::time::sleep(Duration::from_millis(1)).await
        });
        bench.expect("timer");
        free.send(()).unwrap();
        bench.expect("blocked");
    }

    #[test]
    fn a_panic_takes_no_thread_with_it() {
        let bench = Bench::new(1);
        bench.spawn("never", async { panic!("as a test wants it") });
        bench.spawn("next", async {});
        bench.expect("next");
    }

    #[test]
    fn past_the_end_nothing_is_run_and_what_waits_is_dropped() {
        let bench = Bench::new(1);
        let (go, waits) = oneshot::channel::<()>();
        let (held, dropped) = sync_channel::<()>(0);
        bench.spawn("never", async move {
            let _held = held;
            // Dropping its sender would end the wait as well.
            let _ = waits.await;
        });
        bench.spawn("ready", async {});
        bench.expect("ready");
        bench.executor.end();
        go.send(()).unwrap();
        // The life is dropped with the wake that finds the end.
        assert_eq!(
            dropped.recv_timeout(DEADLINE),
            Err(RecvTimeoutError::Disconnected)
        );
        assert!(bench.seen.try_recv().is_err());
    }
}
