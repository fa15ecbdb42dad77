//! What is read in Chinese, to the letter, and that it fits.

use std::collections::BTreeMap;

use super::super::{chinese, staged};
use super::*;
use crate::cloud::OperationState;
use crate::cloud::password::Weakness;
use crate::journal::{Halt, Place, RunSummary};
use crate::plan::OptionalRead;

fn look(width: usize) -> Look {
    Look { language: Language::Chinese, ..Look::plain(width) }
}

fn is_han(c: char) -> bool {
    matches!(c, '\u{4e00}'..='\u{9fff}')
}

/// A plan with everything in it, and the notes that a plan really has.
fn rich_plan() -> Plan {
    let missing = CloudError {
        code: Some("InvalidAction".to_owned()),
        ..CloudError::new(ErrorKind::Argument, Sent::No, "no such action")
    };
    let unread = crate::plan::Unread { read: OptionalRead::ReleaseTimers, error: missing };
    Plan { notes: vec![unread.to_string()], ..super::rich_plan() }
}

/// No wider than the look, no sign at the beginning of a line that belongs to the end of the one before.
fn assert_fits(text: &str, width: usize) {
    for line in text.lines() {
        // A command that is there to be copied is never wrapped.
        let copied = ["tccli ", "pitstop resume ", "请求"].iter().any(|own| line.contains(own));
        assert!(copied || layout::width(line) <= width, "{width}: {line}");
        assert!(
            !line.trim_start().starts_with(['，', '。', '；', '：', '、', '）']),
            "{width}: {line}\n{text}"
        );
    }
}

/// Han characters stand apart from Latin ones, unless they are one duration or a name.
fn assert_set_well(text: &str) {
    let pairs = text.chars().zip(text.chars().skip(1));
    for (one, next) in pairs {
        let unit = one.is_ascii_digit() && "秒分小".contains(next);
        let within = "分时".contains(one) && next.is_ascii_digit();
        let touching =
            (is_han(one) && next.is_ascii_alphanumeric()) || (one.is_ascii_alphanumeric() && is_han(next));
        assert!(!touching || unit || within, "{one}{next}: {text}");
    }
}

#[test]
fn a_plan_fits_narrow_and_wide_terminals() {
    for width in [40, 60, 80, 120, 160] {
        let text = plan_table(&rich_plan(), &Expected::default(), Rows::Brief, look(width));
        assert_fits(&text, width);
        if width > 40 {
            insta::assert_snapshot!(format!("chinese_plan_at_{width}"), text);
        }
    }
}

/// Each column begins in every row where its heading does, whatever stands before it.
#[test]
fn the_columns_of_a_plan_are_straight() {
    let place = |line: &str, word: &str| line.find(word).map(|byte| layout::width(&line[..byte]));
    for width in [70, 80, 120, 160] {
        let text = plan_table(&rich_plan(), &Expected::default(), Rows::Brief, look(width));
        let header = text.lines().find(|line| line.contains("当前")).unwrap();
        let (now, change) = (place(header, "当前").unwrap(), place(header, "更改").unwrap());
        let table = text.lines().skip_while(|line| !line.contains("当前")).skip(1);
        let rows: Vec<_> = table.take_while(|line| !line.is_empty()).collect();
        let powers: Vec<_> = rows
            .iter()
            .filter_map(|row| [place(row, "已关机"), place(row, "运行中")].into_iter().flatten().min())
            .collect();
        assert_eq!(powers, [now; 4], "{text}");
        let last: Vec<_> =
            rows.iter().filter_map(|row| row.rfind("运行中").map(|at| layout::width(&row[..at]))).collect();
        assert_eq!(last, [place(header, "完成后").unwrap(); 4], "{text}");
        let first = text.lines().find(|line| line.contains("1. 绑定密钥")).unwrap();
        assert_eq!(place(first, "1. 绑定密钥"), Some(change), "{text}");
        let second = text.lines().find(|line| line.contains("2. 重置密码")).unwrap();
        assert_eq!(place(second, "2. 重置密码"), Some(change), "{text}");
    }
}

#[test]
fn the_board_fits_and_its_columns_are_straight() {
    let story = midway().story();
    let mut expected = Expected::default();
    let (early, late) = (Duration::from_secs(7), Duration::from_secs(11));
    expected.set(Action::Resize, "S5", Expectation { early, late, of: 9 });
    for width in [40, 60, 80, 120, 160] {
        let board = Board { story: &story, expected: &expected, events: &["事件".to_owned()] };
        let text = board.lines(at(48), look(width), 10).join("\n");
        assert_fits(&text, width);
        if width > 40 {
            insta::assert_snapshot!(format!("chinese_board_at_{width}"), text);
            let places: Vec<_> = ["停机 25秒", "停机 20秒"]
                .iter()
                .filter_map(|down| text.lines().find(|line| line.contains(down)))
                .map(|line| layout::width(&line[..line.find("停机").unwrap()]))
                .collect();
            assert!(places.windows(2).all(|two| two[0] == two[1]), "{places:?} in\n{text}");
        }
        let late = board.lines(at(3700), look(width), 10).join("\n");
        assert_fits(&late, width);
    }
}

#[test]
fn a_board_of_many_is_summed_up() {
    let instances = (0..60).map(|place| instance(&format!("ins-{place}"), &format!("网站服务器-{place}")));
    let mut teller = Teller::new(plan(instances.collect()));
    for place in 0..6 {
        let id = format!("ins-{place}");
        teller.tell(place + 1, Some(&id), seen(PowerState::Running));
        teller.tell(place + 1, Some(&id), intended(stop()));
        teller.tell(place + 1, Some(&id), accepted("req"));
    }
    let failure = Failure::Refused { action: Action::Resize, error: sold_out() };
    teller.tell(20, Some("ins-0"), Event::Failed { failure });
    teller.tell(21, None, Event::Ordered { order: Order::BringBack });
    let story = teller.story();
    for width in [60, 80, 120] {
        let text = board_lines(&story, 60, look(width), 14).join("\n");
        assert_fits(&text, width);
        insta::assert_snapshot!(format!("chinese_board_of_many_at_{width}"), text);
    }
}

#[test]
fn lines_verdicts_and_old_runs_are_told() {
    let mut teller = midway();
    teller.tell(60, None, Event::Ordered { order: Order::BringBack });
    let mut story = Story::begin(&teller.records[0]).unwrap();
    let mut lines = Vec::new();
    for record in &teller.records[1..] {
        lines.extend(line_in(Language::Chinese, &story, record, &TimeZone::UTC));
        story.fold(record).unwrap();
    }
    insta::assert_snapshot!("chinese_lines", lines.join("\n"));
    let told = gone_wrong();
    for width in [60, 80, 120] {
        let text = verdicts(&told.story(), look(width), true);
        assert_fits(&text, width);
        insta::assert_snapshot!(format!("chinese_verdicts_at_{width}"), text);
    }
    insta::assert_snapshot!(
        "chinese_show",
        show(&told.records, Rows::Brief, look(80), &TimeZone::UTC, true).unwrap()
    );
    let fleet = staged::fleet(120);
    let story = Story::replay(&fleet.records).unwrap();
    insta::assert_snapshot!("chinese_verdicts_of_many", verdicts(&story, look(80), true));
    let interrupted = staged::interrupted();
    let story = Story::replay(&interrupted.records).unwrap();
    insta::assert_snapshot!("chinese_verdicts_interrupted", verdicts(&story, look(80), true));
}

#[test]
fn runs_are_listed() {
    let began = |second| RunSummary {
        id: run(),
        workflow: "网站服务器".to_owned(),
        region: "ap-guangzhou".to_owned(),
        began: at(second),
        ended: None,
        place: Place::InProcess,
    };
    let runs = [began(0), RunSummary { ended: Some(at(67)), place: Place::Tencent, ..began(0) }];
    for width in [80, 120] {
        let text = runs_table(&runs, look(width), &TimeZone::UTC);
        assert_fits(&text, width);
        insta::assert_snapshot!(format!("chinese_runs_at_{width}"), text);
    }
}

#[test]
fn a_person_is_asked() {
    let mut plan = rich_plan();
    plan.instances.retain(|own| own.refusals.is_empty());
    let names: Vec<_> = (0..12).map(|place| format!("数据库-{place}")).collect();
    plan.instances.extend(names.iter().map(|name| instance(&format!("ins-{name}"), name)));
    let expected = Expected::default();
    let asking = Asking { plan: &plan, expected: &expected };
    let mut out = vec![asking.what_will_be_down(look(60))];
    out.push(asking.question(Language::Chinese));
    let cautions = [
        Caution::Many { stopped: 14, usual: 10 },
        Caution::Production(vec!["web-1 (ins-1)".to_owned()]),
        Caution::Production(names.clone()),
    ];
    out.push(asking.cautions(&cautions, look(60)));
    out.push(asking.name_question(Language::Chinese));
    out.push(asking.wrong_name(Language::Chinese));
    out.push(asking.choice(&plan.instances[0], Language::Chinese));
    for down in [0, 1, 3] {
        for order in [Order::BringBack, Order::LeaveNow] {
            out.push(interrupted_words("Ctrl-C", order, down, Language::Chinese));
        }
    }
    out.push(way_back_words(Some(run()), Language::Chinese));
    out.push(way_back_words(None, Language::Chinese));
    let (well, question) = carry_on_question(&["ins-1".into()], 4, Language::Chinese);
    out.extend([well, question]);
    insta::assert_snapshot!("chinese_asking", out.join("\n"));
}

#[test]
fn an_estimate_says_what_it_rests_on() {
    let seconds = Duration::from_secs;
    let some = Estimate {
        known: 20,
        unknown: 0,
        shortest: seconds(25),
        longest: seconds(25),
        whole: seconds(100),
        at_once: 5,
        of: 40,
    };
    let said = |estimate: Estimate| chinese::asking::how_long(&estimate);
    assert_eq!(
        said(some),
        "预计每台停机约 25秒，每次 5 台，全部完成需 1分40秒（根据每类操作之前的 40 次记录）"
    );
    let one = Estimate { known: 1, unknown: 2, shortest: seconds(18), ..some };
    assert_eq!(said(one), "预计停机 18秒 至 25秒（根据每类操作之前的 40 次记录）；另有 2 台没有记录可参考");
    assert_eq!(said(Estimate { known: 0, ..some }), "停机时长未知：还没有同类操作的记录");
}

fn refusals() -> Vec<Refusal> {
    let (to, from) = (InstanceType::from("S6.LARGE8"), InstanceType::from("GN7.LARGE20"));
    let reason = Some("sold out here".to_owned());
    let message = "InvalidAccount.InsufficientBalance: no money".to_owned();
    let refused = |kind| Refusal::ResizeRefused { kind, message: message.clone() };
    vec![
        Refusal::NotFound,
        Refusal::Power(PowerState::Starting),
        Refusal::Power(PowerState::Shutdown),
        Refusal::Power(PowerState::RescueMode),
        Refusal::Restricted("EXPIRED".to_owned()),
        Refusal::Isolated("ARREAR".to_owned()),
        Refusal::StoppedWithoutCharge,
        Refusal::ChargingStops,
        Refusal::Operating { action: "ResetInstances".to_owned(), state: OperationState::Operating },
        Refusal::LocalDisk("LOCAL_SSD".to_owned()),
        Refusal::DedicatedHost("host-1".to_owned()),
        Refusal::Spot,
        Refusal::TypeNotOffered { to: to.clone(), reason: reason.clone(), near: Some(from.clone()) },
        Refusal::GpuFamily { from: from.clone(), to: to.clone() },
        Refusal::NoSuchShape {
            family: "S5".to_owned(),
            cpu: 3,
            memory_gib: 5,
            near: vec!["S5.LARGE8".to_owned()],
        },
        Refusal::SoldOut { to: to.clone(), zone: "ap-guangzhou-3".to_owned(), reason },
        Refusal::DowngradeQuota { used: 3, limit: 3 },
        Refusal::TooManyPublicIps { has: 3, to, carries: 2 },
        refused(ErrorKind::Money),
        refused(ErrorKind::Operator),
        refused(ErrorKind::Never),
        Refusal::WindowsTakesNoKeys,
        Refusal::KeyNotFound { wanted: "skey-ops".to_owned(), near: Some("skey-op".to_owned()) },
        Refusal::Password(Weakness::Length { found: 3, shortest: 8 }),
        Refusal::Password(Weakness::LeadingSlash),
        Refusal::Password(Weakness::Character),
        Refusal::Password(Weakness::Classes { found: 2 }),
        Refusal::Password(Weakness::HoldsUser),
        Refusal::ScalingGroup { group: "asg-1".to_owned(), name: "web".to_owned() },
        Refusal::RepairTask("rep-1".to_owned()),
        Refusal::ReleaseTimer,
        Refusal::OwnMachine,
    ]
}

fn warnings() -> Vec<Warning> {
    let (to, from) = (InstanceType::from("S6.LARGE8"), InstanceType::from("S5.LARGE8"));
    let balancer = |health_check| Warning::LoadBalancer {
        id: "lb-1".to_owned(),
        listener: "lbl-1".to_owned(),
        health_check,
    };
    vec![
        balancer(Some(true)),
        balancer(Some(false)),
        balancer(None),
        Warning::KeysDropped(vec!["skey-1".into(), "skey-2".into()]),
        Warning::PasswordLoginOff,
        Warning::PasswordLoginOn,
        Warning::LowStock(to.clone()),
        Warning::OtherFamily { from, to: to.clone() },
        Warning::Prepaid,
        Warning::ScalingNotChecked,
        Warning::StopsCharging,
        Warning::HardStop,
        Warning::MayHardStop,
        Warning::PassedOver { to, why: Refusal::Spot },
        Warning::NotRolledBack(vec![
            "the SSH keys bound before".to_owned(),
            "the former password".to_owned(),
        ]),
        Warning::WillStart,
        Warning::StaysStopped,
    ]
}

fn failures() -> Vec<Failure> {
    let (action, request) = (Action::Resize, RequestId::from("req-1"));
    let seconds = Duration::from_secs;
    let left = vec![Action::Resize, Action::ResetPassword];
    let gone = || Box::new(Failure::Gone);
    vec![
        Failure::Drifted { what: "it was RUNNING and is STOPPED".to_owned() },
        Failure::Refused { action, error: sold_out() },
        Failure::Operation { action, message: "failed".to_owned(), request: request.clone() },
        Failure::TimedOut { action: Action::Stop, limit: seconds(600), request: None },
        Failure::NoEffect { action, expected: "S5.LARGE8".to_owned(), request },
        Failure::Interference { what: "StartInstances (SUCCESS, request r)".to_owned() },
        Failure::DeadEnd { power: PowerState::RescueMode },
        Failure::CutShort { left: left.clone() },
        Failure::OverBudget {
            budget: seconds(60),
            used: seconds(0),
            expected: seconds(90),
            left: left.clone(),
        },
        Failure::OverBudget { budget: seconds(60), used: seconds(40), expected: seconds(30), left },
        Failure::RolledBack { cause: gone(), to: "S5.MEDIUM4".into() },
        Failure::NotRolledBack { cause: gone(), to: "S5.MEDIUM4".into(), why: Some(gone()) },
        Failure::NotRolledBack { cause: gone(), to: "S5.MEDIUM4".into(), why: None },
        Failure::Gone,
        Failure::Check { number: 1, message: "10.0.0.1 port 22 did not accept".to_owned() },
    ]
}

#[test]
fn every_refusal_warning_and_failure_has_chinese_words() {
    let mut out = Vec::new();
    for refusal in refusals() {
        out.push(format!("{}\n  {}", chinese::refusal::words(&refusal), chinese::refusal::hint(&refusal)));
    }
    for warning in warnings() {
        out.push(format!("{}\n  {}", chinese::warning::words(&warning), chinese::warning::hint(&warning)));
    }
    out.extend(failures().iter().map(chinese::failure::words));
    let halts = [
        Halt::TooManyFailures,
        Halt::CanaryFailed,
        Halt::Declined,
        Halt::KeyNotImported,
        Halt::Ordered,
        Halt::Abandoned,
    ];
    out.extend(halts.into_iter().map(|why| chinese::failure::halt(why).to_owned()));
    for said in &out {
        assert!(said.chars().filter(|c| is_han(*c)).count() > 3, "{said}");
        assert_set_well(said);
    }
    insta::assert_snapshot!("chinese_refusals_warnings_failures", out.join("\n"));
}

#[test]
fn the_notes_of_a_plan_are_said_in_chinese() {
    let reads = [
        OptionalRead::ScalingGroups,
        OptionalRead::LoadBalancers,
        OptionalRead::RepairTasks,
        OptionalRead::ReleaseTimers,
        OptionalRead::ResizeOptions,
        OptionalRead::TypeOffers,
        OptionalRead::ResizePrice,
        OptionalRead::DowngradeQuota,
        OptionalRead::Caller,
    ];
    let denied = CloudError {
        code: Some("UnauthorizedOperation".to_owned()),
        ..CloudError::new(ErrorKind::Auth, Sent::No, "no")
    };
    let missing = CloudError { code: Some("InvalidAction".to_owned()), ..denied.clone() };
    let mut said = Vec::new();
    for read in reads {
        for error in [&denied, &missing] {
            let note = crate::plan::Unread { read, error: error.clone() }.to_string();
            said.push(chinese::plan::note(&rich_plan(), &note));
        }
    }
    for note in &said {
        assert!(note.starts_with("未检查") && !note.contains("not checked"), "{note}");
    }
    insta::assert_snapshot!("chinese_notes", said.join("\n"));
    assert_eq!(
        chinese::plan::note(&rich_plan(), "a new note"),
        "a new note",
        "what is not known stays as it is"
    );
}

/// The instance as the plan found it.
fn as_found(found: &Found) -> crate::cloud::Instance {
    use crate::cloud::{ChargeType, Instance, Isolation, Restriction, StoppedCharging};
    Instance {
        id: "ins-1".into(),
        name: found.name.clone(),
        zone: found.zone.clone(),
        power: found.power.clone(),
        instance_type: found.instance_type.clone(),
        cpu: found.cpu,
        memory_gib: found.memory_gib,
        restriction: Restriction::Normal,
        isolation: Isolation::NotIsolated,
        stopped_charging: StoppedCharging::NotApplicable,
        charge_type: ChargeType::PostpaidByHour,
        expires: None,
        system_disk: None,
        data_disks: vec![],
        private_ips: vec![],
        public_ips: vec![],
        vpc: None,
        security_groups: vec![],
        keys: vec![],
        os: "Debian 12".to_owned(),
        login_user: None,
        host: None,
        gpu: false,
        tags: BTreeMap::new(),
        latest_operation: None,
    }
}

/// The sentences come from where they are made, so that one that is changed there and not here is noticed.
#[test]
fn what_was_seen_is_said_in_chinese() {
    use crate::cloud::{Isolation, Restriction, StoppedCharging};
    let found = Found { public_ips: vec![[198, 51, 100, 7].into()], ..found("web-1", PowerState::Running) };
    let mut now = as_found(&found);
    now.zone = "ap-guangzhou-4".to_owned();
    now.instance_type = "S5.LARGE8".into();
    (now.cpu, now.memory_gib) = (4, 8);
    now.private_ips = vec![[10, 0, 0, 1].into()];
    now.public_ips = vec![[198, 51, 100, 9].into()];
    now.security_groups = vec!["sg-1".to_owned(), "sg-2".to_owned()];
    now.keys = vec!["skey-1".into()];
    let mut said: Vec<String> =
        crate::plan::differences(&found, &[], &now).iter().map(|own| chinese::seen::change(own)).collect();
    now.power = PowerState::Stopped;
    now.os = "Windows Server 2022".to_owned();
    now.restriction = Restriction::from("EXPIRED".to_owned());
    now.isolation = Isolation::from("ARREAR".to_owned());
    now.stopped_charging = StoppedCharging::StopCharging;
    said.push(chinese::seen::changes(&crate::plan::drift(&found, &now).unwrap()));
    said.push(chinese::seen::interference(
        "it runs in the middle of the maintenance, though pitstop did not start it",
    ));
    said.push(chinese::seen::check("10.0.0.1 port 22 did not accept within 120 s: refused"));
    said.push(chinese::seen::expected("the type S5.LARGE8"));
    for one in &said {
        let english = ["its", "is", "was", "changed", "new", "the", "it"];
        assert!(!one.split(|c: char| !c.is_ascii_alphabetic()).any(|word| english.contains(&word)), "{one}");
        assert_set_well(one);
    }
    insta::assert_snapshot!("chinese_seen", said.join("\n"));
    assert_eq!(chinese::seen::change("something new happened"), "something new happened");
}
