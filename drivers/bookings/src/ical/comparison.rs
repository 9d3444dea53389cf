//! Recurrence rules as this driver expands them, and as `dateutil` does, which many calendars stand on.

use driver_sdk::serde_json::{self, Value, json};
use jiff::civil::DateTime;
use test_support::{DEADLINE, Process, Stream, python_client, root};

use super::rule::{Extent, Rule};
use super::value::Written;

/// How many rules are compared.
const RULES: usize = 200;

/// Numbers that look random and are the same in every run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).expect("it has 31 bits") % limit
    }

    fn one<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.below(of.len())]
    }

    fn rule(&mut self) -> String {
        let mut parts = vec![format!(
            "FREQ={}",
            self.one(&["DAILY", "WEEKLY", "MONTHLY", "YEARLY", "HOURLY"])
        )];
        let is_hourly = parts[0].ends_with("HOURLY");
        for (odds, values) in [
            (2, &["INTERVAL=2", "INTERVAL=3", "INTERVAL=5"][..]),
            (3, &["COUNT=5", "COUNT=40", "UNTIL=20260601T090000"]),
            (4, &["BYMONTH=1", "BYMONTH=3,6,9", "BYMONTH=2,12"]),
            (5, &["BYMONTHDAY=1", "BYMONTHDAY=-1", "BYMONTHDAY=13,31"]),
            (
                3,
                &[
                    "BYDAY=MO",
                    "BYDAY=TU,TH",
                    "BYDAY=SA,SU",
                    "BYDAY=MO,TU,WE,TH,FR",
                ],
            ),
            (6, &["BYHOUR=9,14", "BYMINUTE=0,30"]),
            (8, &["WKST=SU", "WKST=TH"]),
        ] {
            if self.below(odds) == 0 {
                parts.push(self.one(values).to_owned());
            }
        }
        if matches!(parts[0].as_str(), "FREQ=MONTHLY" | "FREQ=YEARLY") {
            if self.below(3) == 0 {
                parts.retain(|part| !part.starts_with("BYDAY"));
                parts.push(
                    self.one(&["BYDAY=1MO", "BYDAY=-1FR", "BYDAY=2TU,4TU", "BYDAY=-2SU"])
                        .to_owned(),
                );
            }
            if self.below(4) == 0 && parts.iter().any(|part| part.starts_with("BYDAY")) {
                parts.push(
                    self.one(&["BYSETPOS=1", "BYSETPOS=-1", "BYSETPOS=2,-2"])
                        .to_owned(),
                );
            }
        }
        if parts[0] == "FREQ=YEARLY" && self.below(4) == 0 {
            parts.retain(|part| !part.starts_with("BYDAY") && !part.starts_with("BYMONTH"));
            parts.push(
                self.one(&[
                    "BYWEEKNO=1,20;BYDAY=MO",
                    "BYYEARDAY=100,-1",
                    "BYWEEKNO=-1;BYDAY=FR",
                ])
                .to_owned(),
            );
        }
        if is_hourly {
            // `dateutil` looks at every hour of thousands of years for one that never comes.
            parts.retain(|part| !part.starts_with("BYM"));
        }
        parts.join(";")
    }
}

#[tokio::test]
async fn rules_give_the_times_that_dateutil_gives() {
    let command = python_client("radicale", "recurrences.py");
    let mut dateutil = Process::start("recurrences.py", command, root());
    let mut numbers = Numbers(1);
    let mut compared = 0;
    for _ in 0..RULES {
        let text = numbers.rule();
        let starts = [
            "2025-01-06T09:00:00",
            "2024-02-29T14:30:00",
            "1999-12-31T23:30:00",
        ];
        // `dateutil` walks through every hour from the start on.
        let start = match text.contains("HOURLY") {
            true => starts[0],
            false => numbers.one(&starts),
        };
        let (from, to) = ("2026-01-05T00:00:00", "2026-03-05T00:00:00");
        let request = json!({"rule": text, "start": start, "from": from, "to": to});
        dateutil.tell(&request.to_string()).await;
        let line = dateutil.next_line(Stream::Out, DEADLINE).await;
        let reply: Value = serde_json::from_str(&line.expect("it answers")).unwrap();
        // Where a series does not begin by its rule, RFC 5545 does not say what it counts.
        if reply["first"] != start && text.contains("COUNT") {
            continue;
        }
        let rule = Rule::parse(&text).unwrap();
        let time = |text: &str| -> DateTime { text.parse().unwrap() };
        let until = rule.until.map(Written::local);
        let found = rule.expand(time(start), until, time(from), time(to));
        assert_eq!(found.extent, Extent::Whole, "{text} {start}");
        let found: Vec<String> = found.starts.iter().map(ToString::to_string).collect();
        assert_eq!(json!(found), reply["times"], "{text} {start}");
        compared += 1;
    }
    assert!(compared > RULES / 2, "{compared}");
}
