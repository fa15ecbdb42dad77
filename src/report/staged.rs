//! Runs made up for tests of what is told of them.

use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::dossier::Viewpoint;
use crate::cloud::{
    Action, Charging, CloudError, ErrorKind, InstanceId, InstanceType, PowerState, RequestId, Sent, StopMode,
};
use crate::journal::{Event, Failure, Halt, Intent, Order, Place, Record, RunId, Verdict};
use crate::plan::{Approval, EndPower, Found, InstancePlan, Plan, Step, Tags, Warning};
use crate::workflow::{Check, OnFailure, Rollout, Stop};

const SMALL: &str = "S5.MEDIUM4";
const LARGE: &str = "S5.LARGE8";

/// This many milliseconds into the run: from 22:13:20 UTC on.
pub(super) fn at(millis: i64) -> Timestamp {
    Timestamp::from_millisecond(1_763_936_000_000 + millis).unwrap()
}

pub(super) fn view() -> Viewpoint {
    Viewpoint { zone: TimeZone::UTC, place: Place::Tencent, now: None }
}

pub(super) fn instance(id: &str, name: &str) -> InstancePlan {
    InstancePlan {
        id: id.into(),
        found: Some(Found {
            name: name.to_owned(),
            zone: "ap-guangzhou-3".to_owned(),
            power: PowerState::Running,
            instance_type: SMALL.into(),
            cpu: 2,
            memory_gib: 4,
            keys: vec![],
            private_ips: vec!["10.0.0.11".parse().unwrap()],
            public_ips: vec![],
            disks: vec![],
            security_groups: vec![],
            windows: false,
            tags: Tags::default(),
            os: "Debian 12".to_owned(),
            uncharged: false,
        }),
        steps: vec![
            Step::ResetPassword { user: "root".to_owned() },
            Step::Resize { from: SMALL.into(), to: LARGE.into(), cpu: 4, memory_gib: 8, fallbacks: vec![] },
        ],
        ends: EndPower::Running,
        refusals: vec![],
        warnings: vec![Warning::LowStock(LARGE.into())],
        price: None,
        canary: false,
    }
}

pub(super) fn plan(instances: Vec<InstancePlan>) -> Plan {
    Plan {
        workflow: "resize-web".to_owned(),
        digest: "9f86d081884c7d65".to_owned(),
        region: "ap-guangzhou".to_owned(),
        account: Some("100000000001".to_owned()),
        stop: Stop::default(),
        password: None,
        import_key: None,
        checks: vec![Check::Tcp { host: None, port: 22, timeout: Duration::from_mins(2) }],
        on_failure: OnFailure::default(),
        rollout: Rollout::default(),
        downtime_budget: None,
        instances,
        notes: vec!["release timers were not checked: the site does not offer that".to_owned()],
    }
}

/// A run, told event by event.
pub(super) struct Staged {
    pub(super) records: Vec<Record>,
    requests: u32,
}

impl Staged {
    pub(super) fn new(plan: Plan) -> Self {
        let plan = Box::new(plan.approve(Approval::Flag).unwrap());
        let mut staged = Self { records: vec![], requests: 0 };
        staged.tell(0, None, Event::RunBegan { version: 2, plan, simulated: false });
        staged.taken(0, "process 4242 on ops");
        staged
    }

    pub(super) fn tell(&mut self, millis: i64, instance: Option<&str>, event: Event) {
        let (seq, run) = (self.records.len() as u64, RunId::new(at(0), [7; 10]));
        let instance = instance.map(InstanceId::from);
        self.records.push(Record { at: at(millis), run, seq, instance, event });
    }

    pub(super) fn taken(&mut self, millis: i64, by: &str) {
        self.tell(millis, None, Event::RunTaken { by: by.to_owned() });
    }

    pub(super) fn seen(&mut self, millis: i64, id: &str, power: PowerState, of: &str) {
        self.tell(millis, Some(id), Event::Seen { power, instance_type: InstanceType::from(of) });
    }

    pub(super) fn intended(&mut self, millis: i64, id: &str, intent: Intent) {
        self.tell(millis, Some(id), Event::Intended { intent, baseline: None });
    }

    pub(super) fn accepted(&mut self, millis: i64, id: &str) {
        self.requests += 1;
        let request = RequestId::from(format!("5b0c6f0e-0000-4000-8000-{:012}", self.requests).as_str());
        self.tell(millis, Some(id), Event::Accepted { request });
    }

    pub(super) fn achieved(&mut self, millis: i64, id: &str, took: i64) {
        let took = Duration::from_millis(u64::try_from(took).unwrap());
        self.tell(millis, Some(id), Event::Achieved { took });
    }

    /// A call that goes well, and what is seen at its end.
    pub(super) fn call(&mut self, from: i64, until: i64, id: &str, intent: Intent, seen: (PowerState, &str)) {
        self.intended(from, id, intent);
        self.accepted(from + 40, id);
        self.seen(until, id, seen.0, seen.1);
        self.achieved(until, id, until - from - 40);
    }

    /// It is seen running, and stopped in eight seconds.
    pub(super) fn stopped(&mut self, from: i64, id: &str) {
        self.seen(from, id, PowerState::Running, SMALL);
        self.call(from, from + 8000, id, stop(), (PowerState::Stopped, SMALL));
    }

    /// Started from 8.4 s on in six seconds, checked for a second, and done.
    pub(super) fn started(&mut self, from: i64, id: &str, of: &str) {
        self.call(from, from + 6000, id, Intent::Start, (PowerState::Running, of));
        self.tell(from + 7000, Some(id), Event::CheckPassed { check: 0 });
    }

    /// A whole pit stop: 24 s, of which 22.8 s down.
    pub(super) fn done(&mut self, from: i64, id: &str) {
        self.stopped(from, id);
        let power = PowerState::Stopped;
        self.call(from + 8200, from + 10_200, id, password(), (power.clone(), SMALL));
        self.call(from + 10_400, from + 16_400, id, resize(), (power, LARGE));
        self.started(from + 16_800, id, LARGE);
        self.ended(from + 24_000, id, Verdict::Done);
    }

    /// Its resize is refused for good, and it is brought back.
    pub(super) fn failed(&mut self, from: i64, id: &str) {
        self.refused_resize(from, id);
        self.call(from + 11_000, from + 17_000, id, Intent::Start, (PowerState::Running, SMALL));
        self.ended(from + 17_000, id, Verdict::Failed { failure: sold_out_failure() });
    }

    fn refused_resize(&mut self, from: i64, id: &str) {
        self.stopped(from, id);
        self.call(from + 8200, from + 10_200, id, password(), (PowerState::Stopped, SMALL));
        self.intended(from + 10_400, id, resize());
        let error = sold_out();
        self.tell(from + 10_500, Some(id), Event::Refused { error, among: 1 });
        self.tell(from + 10_500, Some(id), Event::Failed { failure: sold_out_failure() });
    }

    /// Its resize is refused, and then every start of it.
    pub(super) fn stranded(&mut self, from: i64, id: &str) {
        self.refused_resize(from, id);
        for try_at in [11_000, 16_000, 26_000] {
            self.intended(from + try_at, id, Intent::Start);
            let error = sold_out();
            self.tell(from + try_at + 100, Some(id), Event::Refused { error, among: 1 });
        }
        let power = PowerState::Stopped;
        self.ended(from + 30_000, id, Verdict::Stranded { failure: sold_out_failure(), power });
    }

    pub(super) fn not_begun(&mut self, millis: i64, id: &str) {
        self.ended(millis, id, Verdict::NotBegun { why: Halt::TooManyFailures });
    }

    pub(super) fn ended(&mut self, millis: i64, id: &str, verdict: Verdict) {
        let differences = match &verdict {
            Verdict::Failed { .. } => {
                vec!["its public address was 198.51.100.7 and is 198.51.100.9".to_owned()]
            }
            _ => vec![],
        };
        self.tell(millis, Some(id), Event::Ended { verdict, differences });
    }

    pub(super) fn run_ended(&mut self, millis: i64) {
        self.tell(millis, None, Event::RunEnded);
    }
}

pub(super) fn stop() -> Intent {
    Intent::Stop { mode: StopMode::Soft, charging: Charging::Keep }
}

pub(super) fn password() -> Intent {
    Intent::ResetPassword { user: "root".to_owned() }
}

pub(super) fn resize() -> Intent {
    Intent::Resize { to: LARGE.into() }
}

fn sold_out() -> CloudError {
    CloudError {
        code: Some("ResourcesSoldOut.SpecifiedInstanceType".to_owned()),
        request: Some("8f3e5a52-0000-4000-8000-00000000f001".into()),
        ..CloudError::new(ErrorKind::Capacity, Sent::No, "The specified type is sold out.")
    }
}

fn sold_out_failure() -> Failure {
    Failure::Refused { action: Action::Resize, error: sold_out() }
}

/// Three instances: one done, one failed, one in need of a person.
pub(super) fn three() -> Staged {
    let instances = vec![
        instance("ins-0web0001", "web-1"),
        instance("ins-0web0002", "网站服务器-2"),
        instance("ins-0web0003", ""),
    ];
    let mut staged = Staged::new(plan(instances));
    staged.done(1000, "ins-0web0001");
    staged.failed(2000, "ins-0web0002");
    staged.stranded(3000, "ins-0web0003");
    staged.run_ended(34_000);
    staged
}

/// A run that was killed while its second instance was down, and taken up again nine hours later.
pub(super) fn overnight() -> Staged {
    let names = ["web-1", "web-2", "web-3"];
    let ids = ["ins-0web0001", "ins-0web0002", "ins-0web0003"];
    let mut staged = Staged::new(plan(ids.iter().zip(names).map(|(id, name)| instance(id, name)).collect()));
    staged.done(1000, ids[0]);
    staged.stopped(25_000, ids[1]);
    staged.call(33_200, 35_200, ids[1], password(), (PowerState::Stopped, SMALL));
    staged.intended(35_400, ids[1], resize());
    let morning = 9 * 3_600_000;
    staged.taken(morning, "process 77 on ops");
    staged.tell(morning + 2000, Some(ids[1]), Event::NotExecuted);
    staged.call(morning + 2100, morning + 8000, ids[1], resize(), (PowerState::Stopped, LARGE));
    staged.started(morning + 8400, ids[1], LARGE);
    staged.ended(morning + 15_600, ids[1], Verdict::Done);
    staged.done(morning + 16_000, ids[2]);
    staged.run_ended(morning + 40_100);
    staged
}

/// A run that was ended early, with one instance brought back and one never touched.
pub(super) fn interrupted() -> Staged {
    let mut staged =
        Staged::new(plan(vec![instance("ins-0web0001", "web-1"), instance("ins-0web0002", "web-2")]));
    staged.stopped(1000, "ins-0web0001");
    staged.tell(9100, None, Event::Ordered { order: Order::BringBack });
    staged.call(9200, 15_200, "ins-0web0001", Intent::Start, (PowerState::Running, SMALL));
    staged.tell(15_300, Some("ins-0web0001"), Event::Suspended);
    staged
}

/// As many as are asked for, five at a time; every 97th fails, every 400th needs a person, and in the middle the run is
/// taken up again by another process after twenty minutes.
pub(super) fn fleet(count: usize) -> Staged {
    let id = |place: usize| format!("ins-{place:08x}");
    let name = |place: usize| match place % 3 {
        0 => format!("web-{place}"),
        1 => format!("数据库服务器-{place}"),
        _ => format!("batch-worker-of-the-nightly-report-{place}"),
    };
    let mut staged = Staged::new(plan((0..count).map(|place| instance(&id(place), &name(place))).collect()));
    let mut break_until = 0;
    for place in 0..count {
        let wave = i64::try_from(place / 5).unwrap();
        if place == count / 2 / 5 * 5 {
            break_until = 1_200_000;
            staged.taken(wave * 32_000 + break_until, "process 77 on ops");
        }
        let from = wave * 32_000 + break_until + i64::try_from(place % 5).unwrap() * 300;
        match place {
            _ if place % 400 == 399 => staged.stranded(from, &id(place)),
            _ if place % 97 == 13 => staged.failed(from, &id(place)),
            _ => staged.done(from, &id(place)),
        }
    }
    let last = i64::try_from(count.div_ceil(5)).unwrap() * 32_000 + break_until;
    staged.records.sort_by_key(|record| (record.at, record.seq));
    for (seq, record) in (0..).zip(&mut staged.records) {
        record.seq = seq;
    }
    staged.run_ended(last);
    staged
}

/// Names and vendor's words that would be markup, wherever they stood.
pub(super) fn hostile() -> Staged {
    let name =
        "<script>alert(1)</script>\"'><svg onload=alert(2)>|`*_[x](javascript:alert(3))\u{202e}\u{1b}[2J";
    let mut staged = Staged::new(plan(vec![instance("ins-\"><img src=x>", name)]));
    let id = "ins-\"><img src=x>";
    staged.stopped(1000, id);
    staged.intended(9000, id, resize());
    staged.accepted(9100, id);
    let failure = Failure::Operation {
        action: Action::Resize,
        message: "]]></style><script>alert(4)</script>{{ 7 * 7 }}\n| a | b |".to_owned(),
        request: "<request>".into(),
    };
    staged.tell(10_000, Some(id), Event::Failed { failure: failure.clone() });
    staged.tell(
        11_000,
        Some(id),
        Event::Ended {
            verdict: Verdict::Stranded { failure, power: PowerState::Stopped },
            differences: vec!["</title><script>alert(5)</script>".to_owned()],
        },
    );
    staged.run_ended(12_000);
    staged
}
