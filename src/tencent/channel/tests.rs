//! One call, through all that can become of it.

use std::sync::Mutex;

use async_trait::async_trait;
use serde_json::json;

use super::*;
use crate::tencent::credentials::CredentialError;
use crate::tencent::scripted::{
    Reply, SECRET, Scripted, answer, clock, credential, maybe_sent, not_sent, raw, refusal,
};

struct Outcome {
    result: Result<Answer<Value>, CloudError>,
    transport: Arc<Scripted>,
    took: Duration,
}

async fn call(effect: Effect, replies: Vec<Reply>) -> Outcome {
    let clock = clock();
    run(effect, Scripted::new(replies, &clock), clock).await
}

async fn run(effect: Effect, transport: Arc<Scripted>, clock: Clock) -> Outcome {
    let channel = channel(transport.clone(), clock.clone());
    let begin = clock.now();
    let result = channel.call(&a_call(effect), Signing::With(&credential())).await;
    Outcome { result, transport, took: between(begin, clock.now()) }
}

fn channel(transport: Arc<dyn Transport>, clock: Clock) -> Channel {
    Channel::new(Settings::of_region("ap-guangzhou"), transport, clock).unwrap()
}

fn a_call(effect: Effect) -> Call {
    let api = if effect == Effect::Read { Api::DescribeInstances } else { Api::StopInstances };
    Call { api, body: json!({ "InstanceIds": ["ins-1"] }) }
}

#[test]
fn parameters_are_written_without_growing_and_wiped() {
    let mut call = a_call(Effect::Write);
    call.body = json!({ "InstanceIds": ["ins-1"], "Password": "canary", "Options": [{ "Token": "canary" }], "Limit": 7 });
    let body = call.json();
    assert_eq!(
        (std::str::from_utf8(&body).unwrap(), body.capacity()),
        (call.body.to_string().as_str(), body.len())
    );
    wipe(&mut call.body);
    let wiped = json!({ "InstanceIds": [""], "Password": "", "Options": [{ "Token": "" }], "Limit": 7 });
    assert_eq!(call.body, wiped);
}

#[tokio::test(start_paused = true)]
async fn what_is_sent_is_signed_as_the_vendor_asks() {
    let outcome = call(Effect::Read, vec![answer(json!({}))]).await;
    assert_eq!(outcome.result.unwrap().request.as_str(), "req-1");
    let request = &outcome.transport.requests()[0];
    assert_eq!(request.origin, "https://cvm.ap-guangzhou.tencentcloudapi.com");
    let headers = [
        ("host", "cvm.ap-guangzhou.tencentcloudapi.com"),
        ("content-type", "application/json"),
        ("x-tc-action", "DescribeInstances"),
        ("x-tc-version", "2017-03-12"),
        ("x-tc-timestamp", "1800000000"),
        ("x-tc-region", "ap-guangzhou"),
        ("x-tc-token", "canary-token"),
    ];
    for (name, value) in headers {
        assert_eq!(request.header(name), Some(value), "{name}");
    }
    let signed = [("content-type", "application/json"), ("host", "cvm.ap-guangzhou.tencentcloudapi.com")];
    let at = Timestamp::from_second(1_800_000_000).unwrap();
    let (method, query, service) = ("POST", "", "cvm");
    let expected = Signable { method, query, headers: &signed, body: &request.body, service, at }
        .authorization("AKIDtest", &SECRET.into());
    assert_eq!(request.header("authorization"), Some(expected.as_str()));
    let client = request.header("x-tc-requestclient").unwrap();
    assert!(client.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_,;.".contains(&byte)), "{client}");
}

#[tokio::test(start_paused = true)]
async fn reads_are_repeated_while_it_may_help() {
    let bad = || vec![not_sent(), maybe_sent(), refusal("InternalError"), refusal("RequestLimitExceeded")];
    let mut replies = bad();
    replies.push(answer(json!({ "TotalCount": 1 })));
    let outcome = call(Effect::Read, replies).await;
    assert_eq!(outcome.result.unwrap().fields.unwrap()["TotalCount"], 1);
    assert!(outcome.transport.is_done());
    // 0.3 + 0.6 + 1.2 + 0.3 s, each lengthened to less than twice: nobody else was throttled before.
    assert!((2400..4800).contains(&outcome.took.as_millis()), "{:?}", outcome.took);

    let mut replies = bad();
    replies.push(maybe_sent());
    let outcome = call(Effect::Read, replies).await;
    assert_eq!(outcome.result.unwrap_err().kind, ErrorKind::Network);
    assert_eq!(outcome.transport.actions().len(), 5, "five times and no more");
}

#[tokio::test(start_paused = true)]
async fn every_attempt_is_signed_anew() {
    let outcome =
        call(Effect::Read, vec![maybe_sent(), maybe_sent(), maybe_sent(), maybe_sent(), answer(json!({}))])
            .await;
    let requests = outcome.transport.requests();
    let at = |index: usize| requests[index].header("x-tc-timestamp").unwrap().to_owned();
    assert_ne!(at(0), at(4));
    assert_ne!(requests[0].header("authorization"), requests[4].header("authorization"));
}

#[tokio::test(start_paused = true)]
async fn writes_are_repeated_only_if_surely_not_executed() {
    let replies = vec![not_sent(), refusal("RequestLimitExceeded.UinLimitExceeded"), answer(json!({}))];
    let outcome = call(Effect::Write, replies).await;
    assert!(outcome.result.is_ok() && outcome.transport.is_done());

    let lost = [
        maybe_sent(),
        refusal("InternalError.TradeUnknownError"),
        refusal("InternalServerError"),
        refusal("Brand.New"),
        raw(502, "<html>bad gateway</html>"),
        raw(200, "{\"Response\":{\"Requ"),
        raw(200, ""),
        raw(503, "{\"Response\":{\"RequestId\":\"r\"}}"),
    ];
    for reply in lost {
        let shown = format!("{reply:?}");
        let outcome = call(Effect::Write, vec![reply]).await;
        let error = outcome.result.unwrap_err();
        assert_eq!(error.sent, Sent::Maybe, "{shown}");
        assert_eq!(outcome.transport.actions().len(), 1, "{shown}");
    }

    for code in ["OperationDenied.InstanceOperationInProgress", "UnsupportedOperation.InstanceStateStopped"] {
        let outcome = call(Effect::Write, vec![refusal(code)]).await;
        let error = outcome.result.unwrap_err();
        assert_eq!((error.sent, error.code.as_deref()), (Sent::No, Some(code)));
        assert_eq!(error.request.unwrap().as_str(), "req-1");
    }
}

/// Never answers.
struct Silent;

#[async_trait]
impl Transport for Silent {
    async fn send(&self, _request: Request) -> Result<Response, TransportError> {
        std::future::pending().await
    }
}

#[tokio::test(start_paused = true)]
async fn a_transport_that_never_answers_is_given_up() {
    let channel = channel(Arc::new(Silent), clock());
    let result = channel.call::<Value>(&a_call(Effect::Write), Signing::With(&credential())).await;
    let error = result.unwrap_err();
    assert_eq!((error.kind, error.sent), (ErrorKind::Network, Sent::Maybe));
}

#[tokio::test(start_paused = true)]
async fn another_server_is_named_and_not_asked_again() {
    let page = "<!DOCTYPE html>\n<html><head><title>Welcome</title>";
    let outcome = call(Effect::Read, vec![raw(404, page)]).await;
    let error = outcome.result.unwrap_err();
    assert_eq!(
        error.to_string(),
        "this does not look like Tencent Cloud's API: https://cvm.ap-guangzhou.tencentcloudapi.com answered \
         HTTP 404 with an HTML or XML page: <!DOCTYPE html> <html><head><title>Welcome</title>"
    );
    assert_eq!(outcome.transport.actions().len(), 1);

    let echo = call(Effect::Read, vec![raw(400, "Authorization: TC3-HMAC-SHA256 Credential=AKIDtest")]).await;
    assert!(!echo.result.unwrap_err().to_string().contains("AKID"));

    let echo = call(Effect::Write, vec![raw(500, "{\"Password\":\"canary\"}")]).await;
    assert!(!echo.result.unwrap_err().to_string().contains("canary"));
}

/// Counts how often fresh credentials were asked for, and hands out another token each time.
#[derive(Default)]
struct Tokens(Mutex<Vec<bool>>);

#[async_trait]
impl Provider for Tokens {
    async fn get(&self, fresh: bool) -> Result<Credential, CredentialError> {
        let mut asked = self.0.lock().unwrap();
        asked.push(fresh);
        let fresh = asked.iter().filter(|fresh| **fresh).count();
        Ok(Credential { token: Some(format!("token-{fresh}").into()), ..credential() })
    }
}

#[tokio::test(start_paused = true)]
async fn a_token_that_was_refused_is_renewed_once_for_reads_and_writes() {
    for effect in [Effect::Read, Effect::Write] {
        let clock = clock();
        let replies = [refusal("AuthFailure.TokenFailure"), answer(json!({}))];
        let transport = Scripted::new(replies, &clock);
        let tokens = Tokens::default();
        let result =
            channel(transport.clone(), clock).call::<Value>(&a_call(effect), Signing::With(&tokens)).await;
        assert!(result.is_ok());
        let sent = transport.requests();
        assert_eq!(sent[0].header("x-tc-token"), Some("token-0"));
        assert_eq!(sent[1].header("x-tc-token"), Some("token-1"));
        assert_eq!(*tokens.0.lock().unwrap(), [false, true]);
    }
    for code in
        ["AuthFailure.TokenFailure", "AuthFailure.SecretIdNotFound", "UnauthorizedOperation.InvalidToken"]
    {
        let once = call(Effect::Write, vec![refusal(code), answer(json!({}))]).await;
        assert!(once.result.is_ok(), "{code}");
        let twice = call(Effect::Read, vec![refusal(code), refusal(code)]).await;
        assert_eq!(twice.result.unwrap_err().kind, ErrorKind::Auth, "{code}");
        assert!(twice.transport.is_done(), "{code}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_is_off_is_corrected_by_the_clouds() {
    let clock = clock();
    let replies = [refusal("AuthFailure.SignatureExpire"), answer(json!({}))];
    let transport = Arc::new(Scripted::with_offset(replies, &clock, SignedDuration::from_mins(-20)));
    let outcome = run(Effect::Write, transport, clock).await;
    assert!(outcome.result.is_ok());
    let sent = outcome.transport.requests();
    assert_eq!(sent[0].header("x-tc-timestamp"), Some("1800000000"));
    assert_eq!(sent[1].header("x-tc-timestamp"), Some("1799998800"));
    let twice = vec![refusal("AuthFailure.SignatureExpire"), refusal("AuthFailure.SignatureExpire")];
    let outcome = call(Effect::Read, twice).await;
    assert_eq!(outcome.result.unwrap_err().kind, ErrorKind::Auth);
}

#[tokio::test(start_paused = true)]
async fn a_throttled_action_is_held_back_for_all_callers() {
    let clock = clock();
    let replies = [refusal("RequestLimitExceeded"), answer(json!({})), answer(json!({}))];
    let transport = Scripted::new(replies, &clock);
    let channel = channel(transport.clone(), clock.clone());
    let (call, credential) = (a_call(Effect::Write), credential());
    let first = channel.call::<Value>(&call, Signing::With(&credential));
    let second = async {
        clock.sleep(Duration::from_millis(10)).await;
        channel.call::<Value>(&call, Signing::With(&credential)).await
    };
    let (first, second) = futures_util::future::join(first, second).await;
    assert!(first.is_ok() && second.is_ok());
    let times = transport.times();
    let waits: Vec<_> = times.iter().map(|at| between(times[0], *at).as_millis()).collect();
    assert!(waits[1] >= 300 && waits[2] >= 300, "{waits:?}");
}

#[tokio::test(start_paused = true)]
async fn without_credentials_nothing_is_sent() {
    struct Nobody;
    #[async_trait]
    impl Provider for Nobody {
        async fn get(&self, _fresh: bool) -> Result<Credential, CredentialError> {
            Err(CredentialError::NotFound { looked: vec!["nowhere".to_owned()] })
        }
    }
    let clock = clock();
    let transport = Scripted::new([], &clock);
    let result =
        channel(transport, clock).call::<Value>(&a_call(Effect::Write), Signing::With(&Nobody)).await;
    let error = result.unwrap_err();
    assert_eq!((error.kind, error.sent), (ErrorKind::Auth, Sent::No));
}
