//! A device that modules `virtual` report to, and which therefore knows which process acted for which module, in which order.

use std::collections::{BTreeMap, HashMap};
use std::net::Ipv4Addr;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};

use crate::harness::DEADLINE;

/// Acts that a failure shows.
const ACTS_SHOWN: usize = 40;

/// Something that a process did for a module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Act {
    pub(crate) process: u32,
    pub(crate) module: String,
    /// `start`, `stop`, `beat` or a function.
    pub(crate) what: String,
    pub(crate) at: Instant,
}

/// A running device. Dropping it ends it.
#[derive(Debug)]
pub(crate) struct Device {
    url: String,
    acts: watch::Receiver<Vec<Act>>,
    _tasks: JoinSet<()>,
}

impl Device {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await;
        let listener = listener.expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let (sender, acts) = watch::channel(Vec::new());
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                connections.spawn(listen(stream, sender.clone()));
            }
        });
        Self {
            url: format!("tcp://{address}"),
            acts,
            _tasks: tasks,
        }
    }

    /// What modules name in their settings.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Everything that has been done so far, in the order in which it was done.
    pub(crate) fn acts(&self) -> Vec<Act> {
        self.acts.borrow().clone()
    }

    /// Waits until what has been done is as asked for.
    pub(crate) async fn wait(&self, what: &str, deadline: Duration, is: impl Fn(&[Act]) -> bool) {
        let mut acts = self.acts.clone();
        let waited = timeout(deadline, acts.wait_for(|acts| is(acts))).await;
        if waited.is_err() {
            panic!(
                "{what} did not happen within {deadline:?}; {}",
                self.shown()
            );
        }
    }

    /// The modules that this process runs, as far as the device knows.
    pub(crate) fn modules_of(&self, process: u32) -> Vec<String> {
        let acts = self.acts.borrow();
        let mut last = BTreeMap::new();
        for act in acts.iter() {
            last.insert(&act.module, (act.process, act.what != "stop"));
        }
        let here = last.into_iter().filter(|(_, by)| *by == (process, true));
        here.map(|(module, _)| module.clone()).collect()
    }

    /// Waits until each of these modules, from the act with this number on, is started by another process than this one.
    pub(crate) async fn wait_moved(
        &self,
        modules: &[String],
        from: usize,
        away_from: u32,
        deadline: Duration,
    ) {
        let is = |acts: &[Act]| {
            modules.iter().all(|module| {
                let mut later = acts.iter().skip(from);
                later.any(|act| {
                    act.module == *module && act.what == "start" && act.process != away_from
                })
            })
        };
        self.wait("a start of each elsewhere", deadline, is).await;
    }

    /// Waits until this process has started something and acts, from the act with this number on.
    pub(crate) async fn wait_acting(&self, process: u32, from: usize) {
        let is = |acts: &[Act]| {
            let mut later = acts.iter().skip(from).filter(|act| act.process == process);
            later.any(|act| act.what == "start") && later.any(|act| act.what == "beat")
        };
        let what = format!("a start and a beat of {process}");
        self.wait(&what, DEADLINE, is).await;
    }

    /// How often modules were started.
    pub(crate) fn starts(&self) -> usize {
        let acts = self.acts.borrow();
        acts.iter().filter(|act| act.what == "start").count()
    }

    /// Waits until something is done for a module by a process that is as asked for, from the act with this number on.
    pub(crate) async fn wait_act(
        &self,
        module: &str,
        from: usize,
        deadline: Duration,
        is: impl Fn(&Act) -> bool,
    ) {
        let what = format!("an act for {module}");
        let is = |acts: &[Act]| {
            let mut later = acts.iter().skip(from);
            later.any(|act| act.module == module && is(act))
        };
        self.wait(&what, deadline, is).await;
    }

    /// Asserts that no module ever had two owners: a process acts from its `start` on and for as long as no other has started.
    pub(crate) fn assert_one_owner(&self) {
        let acts = self.acts.borrow();
        let mut owners = HashMap::new();
        for act in acts.iter() {
            if act.what == "start" {
                owners.insert(&act.module, act.process);
            }
            let owner = owners.get(&act.module).copied();
            assert_eq!(
                owner,
                Some(act.process),
                "{act:?} is not its owner's; {}",
                self.shown()
            );
        }
    }

    fn shown(&self) -> String {
        let acts = self.acts.borrow();
        let first = acts.first().map(|act| act.at);
        let lines = acts.iter().rev().take(ACTS_SHOWN).rev().map(|act| {
            let at = first.map(|first| act.at - first).unwrap_or_default();
            format!("{at:?} {} {} {}", act.process, act.module, act.what)
        });
        let lines: Vec<String> = lines.collect();
        format!("the last acts were\n{}", lines.join("\n"))
    }
}

async fn listen(stream: TcpStream, acts: watch::Sender<Vec<Act>>) {
    let mut stream = BufReader::new(stream);
    let mut line = String::new();
    // A process that ends leaves half a line at most, which nobody waits for.
    while matches!(stream.read_line(&mut line).await, Ok(count) if count > 0) {
        let Ok(report) = serde_json::from_str::<Value>(&line) else {
            return;
        };
        let word = |name: &str| report[name].as_str().unwrap_or_default().to_owned();
        let process = report["process"].as_u64().unwrap_or_default();
        let act = Act {
            process: u32::try_from(process).expect("the id of a process"),
            module: word("module"),
            what: word("what"),
            at: Instant::now(),
        };
        acts.send_modify(|acts| acts.push(act));
        if stream.write_all(b"ok\n").await.is_err() {
            return;
        }
        line.clear();
    }
}
