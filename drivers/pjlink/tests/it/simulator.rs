//! A projector of the test's: PJLink class 1 and 2 on a socket, with the behaviours that people report of real ones.
//!
//! It is written from the specification and not from the driver, and two foreign clients check it (see `foreign`).

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use md5::{Digest, Md5};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

/// The random number of the greeting.
const SEED: &str = "498e4a67";

/// How long the projector thinks before it answers; what arrives meanwhile is too early.
const THINKING: Duration = Duration::from_millis(20);

/// What a projector is and how it behaves. The default is one of class 1 in standby.
#[derive(Debug, Clone)]
pub(crate) struct Projector {
    pub(crate) class: u8,
    pub(crate) password: Option<&'static str>,
    pub(crate) power: Power,
    pub(crate) warm_up: Duration,
    pub(crate) cool_down: Duration,
    /// For how long `POWR ?` reports the old power after a switch.
    pub(crate) lag: Duration,
    pub(crate) inputs: Vec<(&'static str, Option<&'static str>)>,
    pub(crate) input: &'static str,
    pub(crate) video_mute: bool,
    pub(crate) audio_mute: bool,
    pub(crate) frozen: bool,
    pub(crate) errors: &'static str,
    /// `None` without lamps.
    pub(crate) lamps: Option<&'static str>,
    pub(crate) name: Vec<u8>,
    pub(crate) filter_hours: Option<u32>,
    /// After how long an idle connection is closed.
    pub(crate) idle: Duration,
    pub(crate) mood: Mood,
    pub(crate) line_end: &'static str,
    /// The pause between the bytes of an answer, if they come one by one.
    pub(crate) dribble: Option<Duration>,
    /// What is answered to a command in the place of the right answer: all of the line.
    pub(crate) instead: BTreeMap<&'static str, Vec<u8>>,
}

/// How a projector takes a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mood {
    Well,
    /// It closes what is opened.
    Closes,
    /// It does not even greet.
    SaysNothing,
    /// It greets and answers nothing.
    AnswersNothing,
}

/// The power of a projector. What is on the way arrives at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Power {
    Off,
    On,
    Warming(Instant),
    Cooling(Instant),
}

impl Default for Projector {
    fn default() -> Self {
        Self {
            class: 1,
            password: None,
            power: Power::Off,
            warm_up: Duration::from_secs(30),
            cool_down: Duration::from_secs(60),
            lag: Duration::ZERO,
            inputs: vec![
                ("11", Some("Computer")),
                ("31", Some("HDMI 1")),
                ("32", None),
            ],
            input: "31",
            video_mute: false,
            audio_mute: false,
            frozen: false,
            errors: "000000",
            lamps: Some("1234 0"),
            name: b"Board".to_vec(),
            filter_hours: Some(77),
            idle: Duration::from_secs(30),
            mood: Mood::Well,
            line_end: "\r",
            dribble: None,
            instead: BTreeMap::new(),
        }
    }
}

impl Projector {
    pub(crate) fn on() -> Self {
        Self {
            power: Power::On,
            ..Self::default()
        }
    }

    /// One of class 2, with inputs that class 1 does not have.
    pub(crate) fn class_2() -> Self {
        let mut projector = Self::on();
        projector.class = 2;
        projector.inputs.push(("5A", Some("Screen Küche")));
        projector.inputs.push(("61", Some("Memory")));
        projector
    }

    /// What the power is at this moment.
    fn settle(&mut self) -> Power {
        let now = Instant::now();
        self.power = match self.power {
            Power::Warming(until) if until <= now => Power::On,
            Power::Cooling(until) if until <= now => Power::Off,
            other @ (Power::Off | Power::On | Power::Warming(_) | Power::Cooling(_)) => other,
        };
        self.power
    }

    /// What stands behind the `=` of the answer.
    fn answer(&mut self, class: u8, body: &str, parameter: &str, shown: Option<Power>) -> Vec<u8> {
        let text = match (class, body) {
            (1, "NAME") if parameter == "?" => return self.name.clone(),
            (1, _) => self.answer_1(body, parameter, shown),
            (2, _) if self.class == 2 => self.answer_2(body, parameter),
            _ => "ERR1".to_owned(),
        };
        text.into_bytes()
    }

    fn answer_1(&mut self, body: &str, parameter: &str, shown: Option<Power>) -> String {
        let power = self.settle();
        let is_on = power == Power::On;
        let text = match (body, parameter) {
            ("POWR", "?") => match shown.unwrap_or(power) {
                Power::Off => "0",
                Power::On => "1",
                Power::Cooling(_) => "2",
                Power::Warming(_) => "3",
            },
            ("POWR", "0" | "1") => self.switch(parameter == "1"),
            ("INPT", _) => return self.input(parameter, is_of_class_1),
            ("AVMT", "?") if is_on => match (self.video_mute, self.audio_mute) {
                (true, false) => "11",
                (false, true) => "21",
                (true, true) => "31",
                (false, false) => "30",
            },
            ("AVMT", "10" | "11" | "20" | "21" | "30" | "31") if is_on => {
                let state = parameter.ends_with('1');
                if !parameter.starts_with('2') {
                    self.video_mute = state;
                }
                if !parameter.starts_with('1') {
                    self.audio_mute = state;
                }
                "OK"
            }
            ("AVMT", _) if !is_on => "ERR3",
            ("ERST", "?") => self.errors,
            ("LAMP", "?") => self.lamps.unwrap_or("ERR1"),
            ("INST", "?") => return self.list(is_of_class_1),
            ("INF1", "?") => "Lumen",
            ("INF2", "?") => "L-2000",
            ("INFO", "?") => "simulated",
            ("CLSS", "?") => return self.class.to_string(),
            ("POWR" | "AVMT" | "ERST" | "LAMP" | "INST" | "NAME" | "INF1" | "INF2", _) => "ERR2",
            _ => "ERR1",
        };
        text.to_owned()
    }

    fn answer_2(&mut self, body: &str, parameter: &str) -> String {
        let is_on = self.settle() == Power::On;
        let text = match (body, parameter) {
            ("INPT", _) => return self.input(parameter, |_| true),
            ("INST", "?") => return self.list(|_| true),
            ("INNM", _) => {
                let code = parameter.strip_prefix('?').unwrap_or_default();
                let input = self.inputs.iter().find(|(it, _)| *it == code);
                input.and_then(|(_, name)| *name).unwrap_or("ERR2")
            }
            ("SNUM", "?") => "SN-0815",
            ("SVER", "?") => "1.0",
            ("IRES", "?") if is_on => "1920x1080",
            ("IRES", "?") => "-",
            ("RRES", "?") => "3840x2160",
            ("FILT", "?") => match self.filter_hours {
                Some(hours) => return hours.to_string(),
                None => "ERR1",
            },
            ("RLMP", "?") => "LMP-1",
            ("RFIL", "?") => "FIL-1",
            ("FREZ", "?") if is_on => match self.frozen {
                true => "1",
                false => "0",
            },
            ("FREZ", "0" | "1") if is_on => {
                self.frozen = parameter == "1";
                "OK"
            }
            ("FREZ", _) => "ERR3",
            ("SVOL" | "MVOL", "0" | "1") => "OK",
            _ => "ERR1",
        };
        text.to_owned()
    }

    fn switch(&mut self, state: bool) -> &'static str {
        let now = Instant::now();
        match (state, self.power) {
            (true, Power::Off) => self.power = Power::Warming(now + self.warm_up),
            (false, Power::On) => self.power = Power::Cooling(now + self.cool_down),
            (true, Power::Cooling(_)) | (false, Power::Warming(_)) => return "ERR3",
            (true, Power::On | Power::Warming(_)) | (false, Power::Off | Power::Cooling(_)) => {}
        }
        "OK"
    }

    fn input(&mut self, parameter: &str, has: impl Fn(&str) -> bool) -> String {
        if self.power != Power::On {
            return "ERR3".to_owned();
        }
        if parameter == "?" {
            return self.input.to_owned();
        }
        let mut inputs = self.inputs.iter().filter(|(code, _)| has(code));
        match inputs.find(|(code, _)| *code == parameter) {
            Some((code, _)) => {
                self.input = code;
                "OK".to_owned()
            }
            None => "ERR2".to_owned(),
        }
    }

    fn list(&self, has: impl Fn(&str) -> bool) -> String {
        let inputs = self.inputs.iter().map(|(code, _)| *code);
        inputs
            .filter(|code| has(code))
            .collect::<Vec<_>>()
            .join(" ")
    }
}

fn is_of_class_1(code: &str) -> bool {
    !code.starts_with('6') && code.ends_with(|it: char| it.is_ascii_digit())
}

/// What a projector has heard.
#[derive(Debug, Clone, Default)]
pub(crate) struct Heard {
    /// Every line with its moment, without the digest.
    pub(crate) lines: Vec<(Instant, String)>,
    /// The moments of its connections.
    pub(crate) connections: Vec<Instant>,
    /// Lines that had a digest in front.
    pub(crate) digests: usize,
    /// How many connections there were at the same time.
    pub(crate) most_open: usize,
    /// How often something came before the last line was answered.
    pub(crate) too_early: usize,
    open: usize,
}

impl Heard {
    /// The moments in which a line was heard.
    pub(crate) fn moments(&self, line: &str) -> Vec<Instant> {
        let lines = self.lines.iter().filter(|(_, it)| it == line);
        lines.map(|(at, _)| *at).collect()
    }
}

/// A projector on a socket. It is unplugged when it is dropped.
pub(crate) struct Simulator {
    pub(crate) at: String,
    shared: Arc<Shared>,
    _tasks: JoinSet<()>,
}

struct Shared {
    projector: Mutex<Projector>,
    heard: Mutex<Heard>,
    /// The power before the last switch, and until when it is shown.
    before: Mutex<Option<(Power, Instant)>>,
}

impl Simulator {
    pub(crate) async fn new(projector: Projector) -> Self {
        Self::at("127.0.0.1:0", projector).await
    }

    pub(crate) async fn at(address: &str, projector: Projector) -> Self {
        let listener = TcpListener::bind(address).await.expect("a free port");
        let at = listener.local_addr().expect("it listens").to_string();
        let shared = Arc::new(Shared {
            projector: Mutex::new(projector),
            heard: Mutex::default(),
            before: Mutex::new(None),
        });
        let own = Arc::clone(&shared);
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut serving = JoinSet::new();
            loop {
                let (stream, _) = listener.accept().await.expect("it listens");
                let shared = Arc::clone(&own);
                serving.spawn(async move { shared.serve(stream).await });
            }
        });
        Self {
            at,
            shared,
            _tasks: tasks,
        }
    }

    /// The projector, to look at and to change.
    pub(crate) fn projector(&self) -> MutexGuard<'_, Projector> {
        lock(&self.shared.projector)
    }

    pub(crate) fn heard(&self) -> Heard {
        lock(&self.shared.heard).clone()
    }
}

impl Shared {
    async fn serve(&self, stream: TcpStream) {
        {
            let mut heard = lock(&self.heard);
            heard.connections.push(Instant::now());
            heard.open += 1;
            heard.most_open = heard.most_open.max(heard.open);
        }
        // An error is the driver's hanging up.
        let _ = self.converse(stream).await;
        lock(&self.heard).open -= 1;
    }

    async fn converse(&self, stream: TcpStream) -> std::io::Result<()> {
        let mut stream = BufReader::new(stream);
        let Projector {
            mood,
            password,
            line_end,
            ..
        } = lock(&self.projector).clone();
        match mood {
            Mood::Closes => return Ok(()),
            Mood::SaysNothing => return ignore(&mut stream).await,
            Mood::Well | Mood::AnswersNothing => {}
        }
        let greeting = match password {
            None => format!("PJLINK 0{line_end}"),
            Some(_) => format!("PJLINK 1 {SEED}{line_end}"),
        };
        self.say(&mut stream, greeting.as_bytes()).await?;
        let mut digest = password.map(digest_of);
        loop {
            let idle = lock(&self.projector).idle;
            let mut line = Vec::new();
            match timeout(idle, stream.read_until(b'\r', &mut line)).await {
                Err(_) | Ok(Ok(0)) => return Ok(()),
                Ok(read) => read?,
            };
            let line = String::from_utf8_lossy(&line).trim_end().to_owned();
            let line = match digest.take() {
                None => line,
                Some(digest) => match line.strip_prefix(&digest) {
                    Some(line) => {
                        lock(&self.heard).digests += 1;
                        line.to_owned()
                    }
                    None => {
                        let refusal = format!("PJLINK ERRA{line_end}");
                        return self.say(&mut stream, refusal.as_bytes()).await;
                    }
                },
            };
            if lock(&self.projector).mood == Mood::AnswersNothing {
                return ignore(&mut stream).await;
            }
            let heard = (Instant::now(), line.clone());
            lock(&self.heard).lines.push(heard);
            let answer = self.answer(&line);
            if let Ok(early) = timeout(THINKING, stream.fill_buf()).await {
                match early?.is_empty() {
                    true => return Ok(()),
                    false => lock(&self.heard).too_early += 1,
                }
            }
            self.say(&mut stream, &answer).await?;
        }
    }

    /// The whole answer to a line.
    fn answer(&self, line: &str) -> Vec<u8> {
        let mut projector = lock(&self.projector);
        let end = projector.line_end.as_bytes();
        let parts = || {
            let (head, parameter) = line.strip_prefix('%')?.split_once(' ')?;
            let (class, body) = head.split_at_checked(1)?;
            Some((class.parse().ok()?, body.to_ascii_uppercase(), parameter))
        };
        let Some((class, body, parameter)) = parts() else {
            return [b"%1ERR1", end].concat();
        };
        if let Some(instead) = projector.instead.get(body.as_str()) {
            return instead.clone();
        }
        let power = projector.settle();
        let now = Instant::now();
        let shown = lock(&self.before).filter(|(_, until)| now < *until);
        let value = projector.answer(class, &body, parameter, shown.map(|(power, _)| power));
        if projector.power != power {
            *lock(&self.before) = Some((power, now + projector.lag));
        }
        [format!("%{class}{body}=").as_bytes(), &value, end].concat()
    }

    async fn say(&self, stream: &mut BufReader<TcpStream>, bytes: &[u8]) -> std::io::Result<()> {
        let dribble = lock(&self.projector).dribble;
        let Some(pause) = dribble else {
            return stream.write_all(bytes).await;
        };
        stream.get_ref().set_nodelay(true)?;
        for byte in bytes {
            stream.write_all(&[*byte]).await?;
            stream.flush().await?;
            sleep(pause).await;
        }
        Ok(())
    }
}

/// Takes what comes until it ends.
async fn ignore(stream: &mut BufReader<TcpStream>) -> std::io::Result<()> {
    loop {
        let length = stream.fill_buf().await?.len();
        if length == 0 {
            return Ok(());
        }
        stream.consume(length);
    }
}

fn digest_of(password: &str) -> String {
    let mut digits = String::new();
    for byte in Md5::digest([SEED, password].concat()) {
        let _ = write!(digits, "{byte:02x}");
    }
    digits
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("no test has panicked")
}
