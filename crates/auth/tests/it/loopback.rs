//! The loopback listener, over real sockets of this machine.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use luminous_auth::loopback::{Judge, Loopback, Verdict};
use luminous_auth::redirect::Redirect;
use luminous_testkit::{HeldTime, SessionRig};
use luminous_wire::{ErrorCode, RedirectChannel, SignInIntent, Stage};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use url::Url;

const FOUR: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const SIX: IpAddr = IpAddr::V6(Ipv6Addr::LOCALHOST);

struct Served {
    port: u16,
    task: JoinHandle<()>,
    seen: Arc<Mutex<Vec<Redirect>>>,
}

/// A listener that takes the answer whose state is "good".
async fn serve() -> Served {
    let loopback = Loopback::bind(&[0]).await.unwrap();
    let port = loopback.port();
    let seen: Arc<Mutex<Vec<Redirect>>> = Arc::default();
    let judge: Judge = {
        let seen = Arc::clone(&seen);
        Arc::new(move |parsed| match parsed {
            Ok(redirect) if redirect.state.as_deref() == Some("good") => {
                seen.lock().unwrap().push(redirect);
                Verdict::Taken
            }
            _ => Verdict::Refused,
        })
    };
    Served { port, task: tokio::spawn(loopback.serve(judge)), seen }
}

async fn send(address: IpAddr, port: u16, request: &str) -> io::Result<String> {
    let mut stream = TcpStream::connect(SocketAddr::new(address, port)).await?;
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer)
}

fn get(port: u16, target: &str, more: &str) -> String {
    format!("GET {target} HTTP/1.1\r\nHost: localhost:{port}\r\n{more}\r\n")
}

fn status(answer: &str) -> &str {
    answer.split(' ').nth(1).unwrap_or_default()
}

const GOOD: &str = "/auth/callback?code=secret-code&state=good";

#[tokio::test]
async fn r11_whatever_else_asks_gets_its_answer_and_the_true_one_still_comes_through() {
    let served = serve().await;
    let port = served.port;
    let huge = format!("X-Huge: {}\r\n", "x".repeat(1024 * 1024));
    let cases = [
        (get(port, "/favicon.ico", ""), "404"),
        (get(port, "/auth/callback2", ""), "404"),
        (get(port, "/", ""), "404"),
        (get(port, GOOD, "").replace("GET ", "POST "), "405"),
        (get(port, GOOD, "").replace("GET ", "HEAD "), "405"),
        (get(port, GOOD, "").replace("localhost:", "evil.example:"), "400"),
        (get(port, GOOD, "").replace("localhost:", "127.0.0.1:"), "400"),
        (get(port, GOOD, "Host: evil.example\r\n"), "400"),
        (format!("GET {GOOD} HTTP/1.1\r\n\r\n"), "400"),
        (get(port, GOOD, &huge), "431"),
        ("\u{1}\u{2}\u{3}\r\n\r\n".to_owned(), "400"),
        (get(port, "/auth/callback?code=c&state=bad", ""), "400"),
        (get(port, "/auth/callback?code=c&state=good&state=good", ""), "400"),
        (get(port, "/auth/callback?code=%00&state=good", ""), "400"),
    ];
    for (request, expected) in cases {
        let answer = send(FOUR, port, &request).await.unwrap_or_default();
        let shown = &request[..request.len().min(90)];
        // A peer that is still sending its megabyte may see the connection reset instead.
        assert!(status(&answer) == expected || (expected == "431" && answer.is_empty()), "{shown}");
        assert!(!served.task.is_finished(), "{shown}");
    }
    assert!(served.seen.lock().unwrap().is_empty());
    let answer = send(FOUR, port, &get(port, GOOD, "")).await.unwrap();
    assert_eq!(status(&answer), "200");
    served.task.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn r11_a_slow_loris_is_cut_off_after_ten_seconds_and_blocks_nobody() {
    let time = HeldTime::hold();
    let served = serve().await;
    let mut loris = TcpStream::connect((FOUR, served.port)).await.unwrap();
    for byte in b"GET /au" {
        loris.write_all(&[*byte]).await.unwrap();
        time.advance(Duration::from_secs(1)).await;
    }
    let other = send(FOUR, served.port, &get(served.port, "/favicon.ico", "")).await.unwrap();
    assert_eq!(status(&other), "404");
    time.advance(Duration::from_secs(4)).await;
    // Cut off: the end of the stream, or a reset.
    let mut rest = Vec::new();
    let end = loris.read_to_end(&mut rest).await;
    assert!(matches!(end, Ok(0) | Err(_)) && rest.is_empty(), "{end:?}");

    let answer = send(FOUR, served.port, &get(served.port, GOOD, "")).await.unwrap();
    assert_eq!(status(&answer), "200");
}

#[tokio::test]
async fn r12_it_answers_on_both_loopback_addresses_and_on_no_other() {
    for address in [FOUR, SIX] {
        let served = serve().await;
        let answer = send(address, served.port, &get(served.port, GOOD, "")).await.unwrap();
        assert_eq!(status(&answer), "200", "{address}");
        served.task.await.unwrap();
    }
    let served = serve().await;
    let wanted = format!(":{:04X} ", served.port);
    let listening: Vec<String> = ["/proc/net/tcp", "/proc/net/tcp6"]
        .iter()
        .flat_map(|path| {
            std::fs::read_to_string(path).unwrap().lines().map(str::to_owned).collect::<Vec<_>>()
        })
        .filter(|line| line.contains(&wanted) && line.contains(" 0A "))
        .collect();
    assert_eq!(listening.len(), 2, "{listening:?}");
    let loopback = ["0100007F:", "00000000000000000000000001000000:"];
    assert!(listening.iter().all(|line| loopback.iter().any(|address| line.contains(address))));
}

#[tokio::test]
async fn r12_a_port_whose_other_half_is_taken_is_not_used() {
    let squatter = TcpListener::bind((SIX, 0)).await.unwrap();
    let taken = squatter.local_addr().unwrap().port();
    let error = Loopback::bind(&[taken]).await.unwrap_err();
    assert!(error.tried[0].starts_with(&taken.to_string()));
    let loopback = Loopback::bind(&[taken, 0]).await.unwrap();
    assert_ne!(loopback.port(), taken);
}

#[tokio::test]
async fn r13_the_port_is_closed_after_the_answer() {
    let served = serve().await;
    send(FOUR, served.port, &get(served.port, GOOD, "")).await.unwrap();
    served.task.await.unwrap();
    assert!(TcpStream::connect((FOUR, served.port)).await.is_err());
    assert!(TcpStream::connect((SIX, served.port)).await.is_err());
}

#[tokio::test]
async fn the_page_speaks_the_persons_language_and_repeats_nothing() {
    let languages = [
        ("Accept-Language: de-AT,de;q=0.9,en;q=0.8\r\n", "Du kannst diesen Tab schließen."),
        ("Accept-Language: fr,es;q=0.5\r\n", "Ya puedes cerrar esta pestaña."),
        ("", "You may close this tab."),
    ];
    for (header, words) in languages {
        let served = serve().await;
        let target = format!("{GOOD}&x=%3Cscript%3Ealert(1)%3C/script%3E");
        let answer = send(FOUR, served.port, &get(served.port, &target, header)).await.unwrap();
        assert!(answer.contains(words), "{answer}");
        assert!(answer.contains("Content-Security-Policy: default-src 'none'"));
        assert!(answer.contains("Referrer-Policy: no-referrer"));
        for sent in ["secret-code", "good", "script", "alert"] {
            assert!(!answer.contains(sent), "{sent} is repeated");
        }
    }
}

fn is_waiting_on(stage: &Stage, expected: RedirectChannel) -> bool {
    matches!(stage, Stage::WaitingForBrowser { channel, .. } if *channel == expected)
}

fn port_of(link: &Url) -> u16 {
    let (_, redirect_uri) = link.query_pairs().find(|(name, _)| name == "redirect_uri").unwrap();
    Url::parse(&redirect_uri).unwrap().port().unwrap()
}

async fn follow(rig: &SessionRig, link: &Url) -> String {
    let redirect = Url::parse(&rig.provider.authorize(link)).unwrap();
    let port = redirect.port().unwrap();
    let target = format!("{}?{}", redirect.path(), redirect.query().unwrap());
    send(FOUR, port, &get(port, &target, "")).await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn without_the_scheme_the_answer_comes_back_through_the_port() {
    let rig = SessionRig::new();
    rig.scheme.set(false);
    let link = rig.begin().await;
    assert!(is_waiting_on(&rig.snapshot().stage, RedirectChannel::Loopback));
    let answer = follow(&rig, &link).await;
    assert_eq!(status(&answer), "200");
    rig.until(|snapshot| matches!(snapshot.stage, Stage::SignedIn { .. })).await;
    assert!(TcpStream::connect((FOUR, port_of(&link))).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn r13_cancelling_and_running_out_of_time_close_the_port() {
    let rig = SessionRig::new();
    rig.scheme.set(false);
    let cancelled = port_of(&rig.begin().await);
    rig.session.cancel_sign_in().await.unwrap();
    rig.advance(Duration::ZERO).await;
    assert!(TcpStream::connect((FOUR, cancelled)).await.is_err());

    let late = port_of(&rig.begin().await);
    assert!(TcpStream::connect((FOUR, late)).await.is_ok());
    rig.advance(Duration::from_secs(600)).await;
    rig.until(|snapshot| matches!(snapshot.stage, Stage::SignedOut { .. })).await;
    rig.advance(Duration::ZERO).await;
    assert!(TcpStream::connect((FOUR, late)).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn r10_with_all_ports_taken_the_deep_link_is_used_and_without_both_each_cause_is_named() {
    let taken = TcpListener::bind((FOUR, 0)).await.unwrap();
    let port = taken.local_addr().unwrap().port();
    let rig = SessionRig::with_ports(vec![port]);
    rig.begin().await;
    assert!(is_waiting_on(&rig.snapshot().stage, RedirectChannel::DeepLink));
    rig.session.cancel_sign_in().await.unwrap();

    rig.scheme.set(false);
    let error = rig.session.begin_sign_in(SignInIntent::SignIn, None).await.unwrap_err();
    assert_eq!(error.code, ErrorCode::RedirectNoChannel);
    assert!(error.message.contains("deep link"), "{}", error.message);
    assert!(error.message.contains(&port.to_string()), "{}", error.message);
    assert_eq!(rig.snapshot().problem, Some(error));
    // Before the browser opens: nothing was opened for the sign-in that cannot come back.
    assert_eq!(rig.browser.opened().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_answer_on_the_other_channel_is_not_taken() {
    let rig = SessionRig::new();
    rig.scheme.set(false);
    let link = rig.begin().await;
    let redirect = Url::parse(&rig.provider.authorize(&link)).unwrap();
    let forged = format!("family.luminous.app://auth/callback?{}", redirect.query().unwrap());
    let error = rig.session.redirect(forged.as_bytes()).await.unwrap_err();
    assert_eq!(error.code, ErrorCode::RedirectStateMismatch);
    assert!(rig.provider.token_requests().is_empty());
}

#[tokio::test(start_paused = true)]
async fn after_a_restart_it_listens_again_where_the_answer_is_awaited() {
    let mut rig = SessionRig::new();
    rig.scheme.set(false);
    let link = rig.begin().await;
    rig.restart().await;
    rig.advance(Duration::ZERO).await;
    rig.session.start().await;
    let answer = follow(&rig, &link).await;
    assert_eq!(status(&answer), "200");
    rig.until(|snapshot| matches!(snapshot.stage, Stage::SignedIn { .. })).await;
}
