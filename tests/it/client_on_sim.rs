//! The real client against the simulated cloud: every call that it makes is accepted, and every answer understood.

use std::collections::BTreeMap;
use std::sync::Arc;

use pitstop::clock::Clock;
use pitstop::cloud::{
    BATCH, Change, Charging, Cloud, ErrorKind, Filter, InstanceId, Price, Sent, StopMode, Survey,
};
use pitstop::sim::{Fault, Fleet, Happening, InProcess, LoadBalancerSpec, What, World};

use crate::rig::{Rig, morning};

/// A rig in which these things go wrong.
fn with(faults: Vec<Fault>) -> Rig {
    Rig { faults, ..Rig::default() }
}

fn stop(id: &str) -> Change {
    Change::Stop { ids: vec![id.into()], mode: StopMode::Soft, charging: Charging::Keep }
}

#[tokio::test(start_paused = true)]
async fn the_surroundings_of_the_demo_fleet() {
    let client = Rig::default().scene().client;
    let all = client.find(&Filter::default()).await.unwrap();
    let ids: Vec<InstanceId> = all.iter().map(|instance| instance.id.clone()).collect();

    let groups = client.scaling_groups(&ids).await.unwrap();
    assert_eq!(groups.keys().map(InstanceId::as_str).collect::<Vec<_>>(), ["ins-0group01"]);
    let balancers = client.load_balancers(&all.iter().collect::<Vec<_>>()).await.unwrap();
    let checks: BTreeMap<&str, Option<bool>> =
        balancers.iter().map(|(id, uses)| (id.as_str(), uses[0].health_check)).collect();
    assert_eq!(checks, BTreeMap::from([("ins-0lbchk01", Some(true)), ("ins-0lbnone1", Some(false))]));
    let repairs = client.repair_tasks(&ids).await.unwrap();
    assert_eq!(repairs.keys().map(InstanceId::as_str).collect::<Vec<_>>(), ["ins-0repair1"]);
    assert_eq!(client.release_timers(&ids).await.unwrap(), ["ins-0timer01".into()]);
    let quotas = client.downgrade_quota(&["ins-0small01".into(), "ins-0web0001".into()]).await.unwrap();
    assert_eq!((quotas[&"ins-0small01".into()].used, quotas[&"ins-0small01".into()].limit), (5, Some(5)));
    assert_eq!(quotas[&"ins-0web0001".into()].limit, None);
    assert_eq!(client.key_pairs().await.unwrap().len(), 2);
    assert_eq!(client.caller().await.unwrap().account, "100000000001");
}

#[tokio::test(start_paused = true)]
async fn what_an_instance_could_become_and_what_it_costs() {
    let client = Rig::default().scene().client;
    let id = InstanceId::new("ins-0web0001");
    let options = client.resize_options(&id).await.unwrap();
    assert!(options.iter().any(|option| option.instance_type.as_str() == "S5.LARGE8" && option.available));
    let zone = "ap-guangzhou-3".to_owned();
    let offers = client
        .type_offers(std::slice::from_ref(&zone), &["S5.LARGE8".into(), "S6.LARGE16".into()])
        .await
        .unwrap();
    let on_sale: BTreeMap<&str, bool> =
        offers.iter().map(|offer| (offer.instance_type.as_str(), offer.on_sale)).collect();
    assert_eq!(on_sale, BTreeMap::from([("S5.LARGE8", true), ("S6.LARGE16", false)]));
    assert!(client.type_offers(&[zone], &[]).await.unwrap().len() > offers.len());
    let price = client.resize_price(&id, &"S5.LARGE8".into()).await.unwrap();
    assert!(matches!(price, Price::PerHour(price) if price > 0.0), "{price:?}");
}

#[tokio::test(start_paused = true)]
async fn a_fleet_of_three_pages_and_each_filter() {
    let rig = Rig { fleet: Fleet::generated(7, 230), ..Rig::default() };
    let expected = rig.fleet.instances.clone();
    let client = rig.scene().client;
    let all = client.find(&Filter::default()).await.unwrap();
    assert_eq!(all.len(), 230);
    let ids: Vec<InstanceId> = all.iter().map(|instance| instance.id.clone()).collect();
    assert_eq!(client.look(&ids[..BATCH]).await.unwrap().len(), BATCH);

    let some = &expected[17];
    let filters = [
        Filter { name: Some(some.name.clone()), ..Filter::default() },
        Filter { name: Some(format!("{}*", &some.name[..3])), ..Filter::default() },
        Filter { zones: vec![some.zone.clone()], ..Filter::default() },
        Filter { states: vec![some.state.clone()], ..Filter::default() },
        Filter { tags: some.tags.clone(), ..Filter::default() },
    ];
    for filter in filters {
        let found = client.find(&filter).await.unwrap();
        assert!(found.iter().any(|instance| instance.id == some.id), "{filter:?}");
    }
    let zone = Filter { zones: vec![some.zone.clone()], ..Filter::default() };
    let in_zone = expected.iter().filter(|instance| instance.zone == some.zone).count();
    assert_eq!(client.find(&zone).await.unwrap().len(), in_zone);
}

/// A rig with so many instances, all behind one load balancer.
fn behind_one(count: usize) -> Rig {
    let mut fleet = Fleet::generated(7, count);
    fleet.load_balancers.push(LoadBalancerSpec {
        id: "lb-0many001".to_owned(),
        name: "many".to_owned(),
        listener: "lbl-0many001".to_owned(),
        port: 80,
        target_port: 8080,
        health_check: true,
        targets: fleet.instances.iter().map(|spec| spec.id.clone()).collect(),
    });
    Rig { fleet, ..Rig::default() }
}

/// How many reverse look-ups were refused, and how many were not.
fn looked_up(world: &InProcess) -> (usize, usize) {
    world.with_world(|world| {
        let refused = world.log().iter().filter_map(|entry| match &entry.what {
            Happening::Call { action, refused, .. } if action == "DescribeLBListeners" => {
                Some(refused.is_some())
            }
            _ => None,
        });
        let (refused, taken): (Vec<bool>, Vec<bool>) = refused.partition(|refused| *refused);
        (refused.len(), taken.len())
    })
}

#[tokio::test(start_paused = true)]
async fn as_many_addresses_at_a_time_as_the_cloud_takes() {
    let rig = behind_one(130);
    let table =
        [(usize::MAX, (0, 2)), (100, (0, 2)), (99, (1, 3)), (20, (2, 7)), (19, (3, 13)), (1, (5, 130))];
    for (most, (refused, taken)) in table {
        let clock = Clock::simulated(morning());
        let world = World::new(rig.fleet.clone(), rig.seed, morning()).backends(most);
        let world = InProcess::new(world, clock.clone());
        let client = rig.client(Arc::new(world.clone()), &clock);
        let all = client.find(&Filter::default()).await.unwrap();
        // The second time the ceiling is known.
        for times in [1, 2] {
            let uses = client.load_balancers(&all.iter().collect::<Vec<_>>()).await.unwrap();
            assert_eq!(uses.len(), 130, "{most}");
            assert_eq!(looked_up(&world), (refused, times * taken), "{most}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_reverse_look_up_that_is_refused_for_other_reasons_is_a_failure() {
    for (code, tries) in [("LimitExceeded", 6), ("UnauthorizedOperation", 1)] {
        let refused = Fault::always(What::Refuse(code.to_owned())).on("DescribeLBListeners");
        let scene = Rig { faults: vec![refused], ..behind_one(130) }.scene();
        let all = scene.client.find(&Filter::default()).await.unwrap();
        let error = scene.client.load_balancers(&all.iter().collect::<Vec<_>>()).await.unwrap_err();
        assert_eq!(error.code.as_deref(), Some(code));
        assert_eq!(looked_up(&scene.world), (tries, 0), "{code}");
    }
}

#[tokio::test(start_paused = true)]
async fn reads_get_through_whatever_goes_wrong_once() {
    for what in [
        What::NoConnection,
        What::LoseRequest,
        What::LoseReply,
        What::Throttle,
        What::InternalError,
        What::BadGateway,
        What::Truncate,
        What::NotJson,
        What::ExpireToken,
    ] {
        let scene = with(vec![Fault { times: Some(1), ..Fault::always(what.clone()) }]).scene();
        let found = scene.client.look(&["ins-0web0001".into()]).await;
        assert_eq!(found.map(|found| found.len()), Ok(1), "{what:?}");
        let struck = scene.world.with_world(|world| {
            let struck = |happening: &Happening| {
                matches!(happening, Happening::Call { faults, .. } if faults.contains(&what))
            };
            world.log().iter().filter(|entry| struck(&entry.what)).count()
        });
        assert_eq!(struck, 1, "{what:?} did not happen");
    }
}

#[tokio::test(start_paused = true)]
async fn a_write_is_executed_at_most_once_whatever_goes_wrong() {
    let table = [
        // The cloud surely did not execute it, so it is sent again.
        (What::NoConnection, None),
        (What::Throttle, None),
        (What::ExpireToken, None),
        // Nobody knows, so it is looked at first.
        (What::LoseRequest, Some(Sent::Maybe)),
        (What::LoseReply, Some(Sent::Maybe)),
        (What::InternalError, Some(Sent::Maybe)),
        (What::BadGateway, Some(Sent::Maybe)),
        (What::BadGatewayAfter, Some(Sent::Maybe)),
        (What::Truncate, Some(Sent::Maybe)),
        (What::NotJson, Some(Sent::Maybe)),
        (What::Refuse("UnsupportedOperation.InstanceStateStopped".into()), Some(Sent::No)),
    ];
    for (what, expected) in table {
        let once = Fault { times: Some(1), ..Fault::always(what.clone()).on("StopInstances") };
        let scene = with(vec![once]).scene();
        let result = scene.client.apply(&stop("ins-0web0001"), &|| Ok(())).await;
        assert_eq!(result.as_ref().err().map(|error| error.sent), expected, "{what:?}: {result:?}");
        let began = scene.world.with_world(|world| {
            let began = |happening: &Happening| matches!(happening, Happening::Began { .. });
            world.log().iter().filter(|entry| began(&entry.what)).count()
        });
        let executed = match &what {
            What::LoseReply | What::BadGatewayAfter | What::Truncate | What::NotJson => 1,
            _ => usize::from(expected.is_none()),
        };
        assert_eq!(began, executed, "{what:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn refusals_keep_their_kind_and_code() {
    let client = Rig::default().scene().client;
    let resize = |id: &str| Change::Resize { id: id.into(), to: "S5.LARGE8".into() };
    let table = [
        (stop("ins-0web0003"), ErrorKind::Power),
        (stop("ins-0gone001"), ErrorKind::Identity),
        (stop("ins-0isolat1"), ErrorKind::State),
        (stop("ins-0busy001"), ErrorKind::Busy),
        (resize("ins-0web0001"), ErrorKind::Power),
        (resize("ins-0nopay01"), ErrorKind::State),
    ];
    for (change, kind) in table {
        let error = client.apply(&change, &|| Ok(())).await.unwrap_err();
        assert_eq!((error.kind, error.sent), (kind, Sent::No), "{change:?}: {error}");
        assert!(error.request.is_some() && error.code.is_some(), "{error:?}");
    }
}
