//! The client against our own hub.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use luminous_signalr::client::{
    Client, ClientPort, ClientSettings, Event, Events, InvokeError, Lost, PostAnswer, PostFailed,
    TicketError,
};
use luminous_testkit::SeededEntropy;
use tokio::sync::Notify;
use url::Url;

use crate::held::Held;
use crate::house::House;
use crate::raw::ask;

const SOON: Duration = Duration::from_secs(5);

type Ticket = Result<Option<String>, TicketError>;

/// Tickets as told, then always `ticket-client`; posts without a client library.
#[derive(Clone, Default)]
pub struct PlainPort {
    tickets: Arc<Mutex<VecDeque<Ticket>>>,
}

impl ClientPort for PlainPort {
    async fn ticket(&self) -> Result<Option<String>, TicketError> {
        let told = self.tickets.lock().unwrap().pop_front();
        told.unwrap_or_else(|| Ok(Some("ticket-client".to_owned())))
    }

    async fn post(&self, address: &Url, bearer: Option<&str>) -> Result<PostAnswer, PostFailed> {
        let host = format!("{}:{}", address.host_str().unwrap(), address.port().unwrap());
        if tokio::net::TcpStream::connect(&host).await.is_err() {
            return Err(PostFailed("nobody is there".to_owned()));
        }
        let target = format!("{}?{}", address.path(), address.query().unwrap());
        let headers = bearer.map_or(String::new(), |it| format!("authorization: Bearer {it}\r\n"));
        let (status, head, body) = ask(&host, "POST", &target, &headers).await;
        let retry_after = head.lines().find_map(|line| line.strip_prefix("retry-after: "));
        let retry_after = retry_after.map(|it| Duration::from_secs(it.parse().unwrap()));
        let retry_after = retry_after.filter(|_| status == 429);
        Ok(PostAnswer { status, body: body.into_bytes(), retry_after })
    }
}

pub fn start(hub: &str) -> (Client, Events) {
    start_with(hub, PlainPort::default(), |_| {})
}

pub fn start_with(
    hub: &str,
    port: PlainPort,
    change: impl FnOnce(&mut ClientSettings),
) -> (Client, Events) {
    let entropy = Arc::new(SeededEntropy::new(1));
    let mut settings = ClientSettings::new(hub.parse().unwrap(), entropy);
    change(&mut settings);
    Client::start(settings, port)
}

pub async fn connected(events: &mut Events) {
    assert_eq!(events.next().await, Some(Event::Connected));
}

async fn lost(events: &mut Events) -> (Lost, Duration) {
    match events.next().await {
        Some(Event::Lost { why, again_in }) => (why, again_in),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn p1_the_client_invokes_and_is_called_in_order() {
    let mut house = House::start().await;
    let (client, mut events) = start(&house.url());
    connected(&mut events).await;
    let echoed: String = client.invoke("Echo", &["häl\u{1e}lo"], SOON).await.unwrap();
    assert_eq!(echoed, "häl\u{1e}lo");
    let (sum, who) = tokio::join!(
        client.invoke::<i64>("sum", &[1, 2, 3], SOON),
        client.invoke::<String>("Who", &(), SOON),
    );
    assert_eq!((sum.unwrap(), who.unwrap()), (6, "client".to_owned()));
    client.invoke::<()>("Quiet", &(), SOON).await.unwrap();
    let connection = house.came.recv().await.unwrap();
    for number in 0..1000u32 {
        connection.send("Event", &[number]).unwrap();
        tokio::task::yield_now().await;
    }
    for number in 0..1000u32 {
        let Some(Event::Called { target, arguments }) = events.next().await else { panic!() };
        assert_eq!((target.as_str(), arguments.read::<[u32; 1]>().unwrap()), ("Event", [number]));
    }
}

#[tokio::test]
async fn an_invocation_that_fails_says_how() {
    let house = House::start().await;
    let (client, mut events) = start(&house.url());
    connected(&mut events).await;
    let refused = client.invoke::<()>("Fail", &(), SOON).await;
    assert!(
        matches!(refused, Err(InvokeError::Refused(ref words)) if words.ends_with("it did not work"))
    );
    let other = client.invoke::<u8>("Who", &(), SOON).await;
    assert!(matches!(other, Err(InvokeError::Result(_))));
    let not_an_array = client.invoke::<()>("Who", &"x", SOON).await;
    assert!(matches!(not_an_array, Err(InvokeError::Arguments(_))));
    let held = Held::time();
    let (late, ()) = tokio::join!(client.invoke::<()>("Wait", &(), SOON), async {
        house.rooms().waiting.notified().await;
        held.pass(5.1).await;
    });
    assert!(matches!(late, Err(InvokeError::Late)));
    house.rooms().go_on.notify_one();
    assert!(client.invoke::<String>("Who", &(), SOON).await.is_ok(), "a late answer harms nobody");
}

#[tokio::test]
async fn p10_after_a_restart_the_client_comes_again_with_a_fresh_ticket() {
    let house = House::start().await;
    let (client, mut events) = start(&house.url());
    connected(&mut events).await;
    house.shutdown.cancel();
    let (why, again_in) = lost(&mut events).await;
    assert_eq!(why, Lost::Closed { error: None, allow_reconnect: true });
    assert!(again_in <= Duration::from_secs(30));
    house.hub.drained().await;
    let now = client.invoke::<()>("Quiet", &(), SOON).await;
    assert!(matches!(now, Err(InvokeError::NotConnected)));
    let restarted = House::replica(Arc::default(), house.address).await;
    client.wake();
    connected(&mut events).await;
    assert_eq!(*restarted.rooms().tickets.lock().unwrap(), ["ticket-client"]);
    assert!(client.invoke::<()>("Quiet", &(), SOON).await.is_ok());
}

#[tokio::test]
async fn p10_while_nobody_is_there_the_client_tries_again_and_again() {
    let house = House::start().await;
    let address = house.address;
    house.shutdown.cancel();
    let (client, mut events) = start(&house.url());
    for _ in 0..20 {
        let (why, again_in) = lost(&mut events).await;
        let nobody = matches!(why, Lost::Post(_) | Lost::Status(503));
        assert!(nobody, "{why:?}");
        assert!(again_in <= Duration::from_secs(30));
        client.wake();
    }
    house.hub.drained().await;
    let _restarted = House::replica(Arc::default(), address).await;
    loop {
        match events.next().await.unwrap() {
            Event::Connected => break,
            Event::Lost { .. } => client.wake(),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn p9_closed_for_good_the_client_ends() {
    let house = House::start().await;
    let (client, mut events) = start(&house.url());
    connected(&mut events).await;
    assert_eq!(client.invoke::<String>("Leave", &(), SOON).await.unwrap(), "gone");
    let why = Lost::Closed { error: Some("go".to_owned()), allow_reconnect: false };
    assert_eq!(events.next().await, Some(Event::Ended(why)));
    assert_eq!(events.next().await, None);
    let after = client.invoke::<()>("Quiet", &(), SOON).await;
    assert!(matches!(after, Err(InvokeError::NotConnected)));
    client.close().await;
}

#[tokio::test]
async fn a_client_that_is_closed_or_dropped_leaves_the_hub() {
    let house = House::start().await;
    let (client, mut events) = start(&house.url());
    connected(&mut events).await;
    client.close().await;
    assert_eq!(events.next().await, Some(Event::Ended(Lost::Ours)));
    house.empty().await;

    let (client, mut events) = start(&house.url());
    connected(&mut events).await;
    let other = client.clone();
    drop(client);
    assert!(other.invoke::<()>("Quiet", &(), SOON).await.is_ok(), "one handle is left");
    drop(other);
    assert_eq!(events.next().await, Some(Event::Ended(Lost::Ours)));
    house.empty().await;
}

#[tokio::test]
async fn who_drops_the_events_may_still_invoke() {
    let mut house = House::start().await;
    let (client, events) = start(&house.url());
    drop(events);
    let connection = house.came.recv().await.unwrap();
    for number in 0..100u32 {
        connection.send("Event", &[number]).unwrap();
    }
    // Without the events nothing tells when the client is connected too.
    while let Err(error) = client.invoke::<()>("Quiet", &(), SOON).await {
        assert!(matches!(error, InvokeError::NotConnected), "{error}");
    }
}

#[tokio::test]
async fn events_that_nobody_takes_hold_the_hub_back_and_none_is_lost() {
    let mut house = House::start().await;
    let (_client, mut events) =
        start_with(&house.url(), PlainPort::default(), |settings| settings.events = 2);
    let connection = house.came.recv().await.unwrap();
    for number in 0..200u32 {
        connection.send("Event", &[number]).unwrap();
        tokio::task::yield_now().await;
    }
    let held = Held::time();
    held.pass(16.0).await;
    held.pass(16.0).await;
    connected(&mut events).await;
    for number in 0..200u32 {
        let Some(Event::Called { arguments, .. }) = events.next().await else { panic!() };
        assert_eq!(arguments.read::<[u32; 1]>().unwrap(), [number]);
    }
}

#[tokio::test]
async fn without_a_ticket_the_client_waits_or_ends() {
    let house = House::start().await;
    let port = PlainPort::default();
    let (later, never) = ("offline".to_owned(), "revoked".to_owned());
    port.tickets
        .lock()
        .unwrap()
        .extend([Err(TicketError::Later(later.clone())), Err(TicketError::Never(never.clone()))]);
    let (client, mut events) = start_with(&house.url(), port, |_| {});
    assert_eq!(lost(&mut events).await.0, Lost::Ticket(TicketError::Later(later)));
    client.wake();
    let ended = Event::Ended(Lost::Ticket(TicketError::Never(never)));
    assert_eq!(events.next().await, Some(ended));
    assert_eq!(house.rooms().tickets.lock().unwrap().len(), 0);
}

#[tokio::test]
async fn p7_after_a_long_sleep_the_client_is_woken_and_comes_at_once() {
    let house = House::start().await;
    let (client, mut events) = start(&house.url());
    connected(&mut events).await;
    client.wake();
    assert_eq!(lost(&mut events).await, (Lost::Woken, Duration::ZERO));
    connected(&mut events).await;
    assert_eq!(house.rooms().tickets.lock().unwrap().len(), 2);
}

#[tokio::test]
async fn p7_who_is_woken_while_it_waits_does_not_wait_like_one_of_many_any_more() {
    let house = House::start().await;
    let port = PlainPort::default();
    let offline = || Err(TicketError::Later("offline".to_owned()));
    port.tickets.lock().unwrap().extend([
        Ok(Some("ticket-client".to_owned())),
        offline(),
        offline(),
    ]);
    let (client, mut events) = start_with(&house.url(), port, |_| {});
    connected(&mut events).await;
    house.shutdown.cancel();
    assert!(!matches!(lost(&mut events).await.0, Lost::Woken));
    for _ in 0..2 {
        client.wake();
        let (why, again_in) = lost(&mut events).await;
        assert!(matches!(why, Lost::Ticket(_)), "{why:?}");
        assert!(again_in <= Duration::from_secs(1), "{again_in:?}");
    }
}

/// Its first ticket never comes.
#[derive(Default)]
struct Asleep {
    asked: Arc<Notify>,
    is_awake: AtomicBool,
}

impl ClientPort for Asleep {
    async fn ticket(&self) -> Result<Option<String>, TicketError> {
        if !self.is_awake.swap(true, Ordering::Relaxed) {
            self.asked.notify_one();
            std::future::pending::<()>().await;
        }
        Ok(Some("ticket-client".to_owned()))
    }

    async fn post(&self, address: &Url, bearer: Option<&str>) -> Result<PostAnswer, PostFailed> {
        PlainPort::default().post(address, bearer).await
    }
}

#[tokio::test]
async fn p7_an_attempt_that_was_under_way_before_the_sleep_is_made_anew() {
    let house = House::start().await;
    let port = Asleep::default();
    let asked = Arc::clone(&port.asked);
    let settings =
        ClientSettings::new(house.url().parse().unwrap(), Arc::new(SeededEntropy::new(1)));
    let (client, mut events) = Client::start(settings, port);
    asked.notified().await;
    client.wake();
    connected(&mut events).await;
}

#[tokio::test]
async fn what_was_asked_when_the_connection_is_lost_is_answered_as_lost() {
    let house = House::start().await;
    let (client, mut events) = start(&house.url());
    connected(&mut events).await;
    let asked = tokio::spawn({
        let client = client.clone();
        async move { client.invoke::<()>("Wait", &(), Duration::from_secs(100)).await }
    });
    house.rooms().waiting.notified().await;
    client.wake();
    assert!(matches!(asked.await.unwrap(), Err(InvokeError::Lost)));
}
