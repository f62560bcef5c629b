//! A display and a desktop at the demo: the real emulator, family server, hubs and databases in one
//! process, from the code on the wall to the way back to it.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use luminous_auth::Display;
use luminous_auth::display::{Description, Ports, Server};
use luminous_domain::{OsEntropy, SystemClock};
use luminous_oidc::{ReqwestClient, Transport, Trust};
use luminous_testkit::FaultyStore;
use luminous_testkit::following::Visit;
use luminous_wire::api::{
    ConfirmLink, CreateFamily, DeviceView, LinkChallenge, LookUpLink, PostNote, WallView,
};
use luminous_wire::{FamilyNews, FamilyPart, FamilyStanding, KioskStage, SignInIntent};
use tokio::sync::broadcast;

use crate::demo::{Ana, Running, free_ports, standing};

/// Far longer than anything here takes: to fail with words instead of hanging.
const PATIENCE: Duration = Duration::from_secs(60);

fn hangs_a_display(folder: &Path, port: u16) -> Display {
    let ports = Ports {
        http: Arc::new(ReqwestClient::new(Trust::system()).expect("a client")),
        store: Arc::new(FaultyStore::new()),
        clock: Arc::new(SystemClock),
        entropy: Arc::new(OsEntropy),
    };
    let address = format!("http://localhost:{}", port + 1);
    let server = Server { address, transport: Transport::LoopbackHttp };
    let description = Description {
        name: "frame".to_owned(),
        model: "test".to_owned(),
        app_version: "0.1.0".to_owned(),
    };
    let display = Display::open(ports, folder, Some(&server), description);
    display.start();
    display
}

async fn shows<T>(display: &Display, what: &str, fits: impl Fn(&KioskStage) -> Option<T>) -> T {
    let mut snapshots = display.snapshots();
    let seen = snapshots.wait_for(|snapshot| fits(&snapshot.stage).is_some());
    let seen = tokio::time::timeout(PATIENCE, seen).await;
    let shown = display.snapshots().borrow().clone();
    assert!(seen.is_ok(), "not {what}, but {shown:?}");
    let seen = seen.expect("in time").expect("a display");
    fits(&seen.stage).expect("it fitted a moment ago")
}

async fn shows_a_code(display: &Display) -> (String, Option<String>) {
    shows(display, "a code", |stage| match stage {
        KioskStage::Code { user_code, former_name, .. } => {
            Some((user_code.clone(), former_name.clone()))
        }
        _ => None,
    })
    .await
}

async fn shows_a_wall(display: &Display, fits: impl Fn(&WallView) -> bool) -> WallView {
    shows(display, "the wall", |stage| match stage {
        KioskStage::Wall { wall, .. } => Some(wall.clone()).filter(|wall| fits(wall)),
        _ => None,
    })
    .await
}

/// Ana reads the code off the wall, types it, and types the number that is there then.
async fn links(running: &Running, display: &Display, name: &str) -> (LinkChallenge, DeviceView) {
    let (user_code, _) = shows_a_code(display).await;
    let typed = LookUpLink { user_code };
    let challenge = running.session.look_up_link(&typed).await.expect("a challenge");
    let number = shows(display, "a number", |stage| match stage {
        KioskStage::Claimed { number, .. } => Some(number.clone()),
        _ => None,
    })
    .await;
    let yes =
        ConfirmLink { challenge: challenge.challenge, number, name: name.to_owned(), room: None };
    let device = running.session.confirm_link(&yes).await.expect("it is linked");
    (challenge, device)
}

async fn hears<T>(
    news: &mut broadcast::Receiver<FamilyNews>,
    fits: impl Fn(FamilyNews) -> Option<T>,
) -> T {
    let heard = async {
        loop {
            if let Some(heard) = fits(news.recv().await.expect("news")) {
                return heard;
            }
        }
    };
    tokio::time::timeout(PATIENCE, heard).await.expect("nothing is told")
}

#[tokio::test]
async fn d1_a_display_is_linked_by_its_code_lives_and_comes_back_to_its_old_place() {
    luminous_app::use_one_crypto_provider();
    let folder = tempfile::tempdir().expect("a folder");
    let (ana, port) = (Ana::new(), free_ports());
    let running = ana.starts(folder.path(), port).await;
    let session = &running.session;
    session.begin_sign_in(SignInIntent::SignIn, None).await.expect("a sign-in begins");
    running.until(|snapshot| standing(snapshot) == Some(&FamilyStanding::Outside)).await;
    let family = CreateFamily { name: "The Lights".to_owned() };
    session.create_family(&family).await.expect("a family");
    let mut news = session.news();
    // From here on nothing is missed.
    hears(&mut news, |news| matches!(news, FamilyNews::Changed { .. }).then_some(())).await;

    let display = hangs_a_display(&folder.path().join("wall"), port);
    let (challenge, device) = links(&running, &display, "Kitchen").await;
    assert_eq!(challenge.device_name, "frame");
    let wall = shows_a_wall(&display, |_| true).await;
    assert_eq!(wall.family_name, "The Lights");
    assert_eq!(wall.device.expect("its place").name, "Kitchen");
    let joined = hears(&mut news, |news| match news {
        FamilyNews::DisplayJoined { device } => Some(device),
        _ => None,
    })
    .await;
    assert_eq!((joined.id, joined.name.as_str()), (device.id, "Kitchen"));

    let note = PostNote { text: "Soup at six".to_owned(), hours: None };
    session.post_note(&note).await.expect("a note");
    shows_a_wall(&display, |wall| wall.notes.iter().any(|note| note.text == "Soup at six")).await;
    let of_notes = |news| match news {
        FamilyNews::Changed { parts } => parts.contains(&FamilyPart::Notes).then_some(()),
        _ => None,
    };
    hears(&mut news, of_notes).await;

    // Taking it down is an act of administration; the display goes back to a code by itself.
    ana.browser.set_visit(Visit::SignIn);
    let opened = ana.browser.opened().len();
    session.revoke_device(device.id).await.expect("it is taken down");
    assert_eq!(ana.browser.opened().len(), opened + 1, "she proved a second factor");
    let (_, former_name) = shows_a_code(&display).await;
    assert_eq!(former_name.as_deref(), Some("Kitchen"));
    assert!(session.list_devices().await.expect("a list").devices.is_empty());

    // The same display, by its key: its old place is offered, and is its own again.
    let (challenge, again) = links(&running, &display, "Kitchen").await;
    assert_eq!(challenge.former.map(|place| place.id), Some(device.id));
    assert_eq!(again.id, device.id);
    shows_a_wall(&display, |_| true).await;

    // Whoever sees at once that it was a mistake needs no second factor.
    session.undo_link(device.id).await.expect("undone");
    shows_a_code(&display).await;
    assert_eq!(ana.browser.opened().len(), opened + 1);
    display.shutdown().await;
    running.stop().await;
}
