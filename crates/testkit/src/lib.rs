//! What tests need and the product does not: a dev-dependency only.
//!
//! Always there: [`FrozenClock`] and [`SeededEntropy`]. With the feature `auth`: the ports of
//! `luminous-auth` as things that can be told to fail ([`faulty_store`], [`browser`], [`scheme`]),
//! a provider and a family server that say what the test tells them to ([`scripted`],
//! [`scripted_api`]), tokio time that moves only when
//! told to ([`timer`]), and a whole session over all of them ([`rig`]). With the feature
//! `emulator`: the same session over the real emulator ([`emulator_rig`]) and a
//! browser that walks its pages ([`following`]). With the feature `display`: a wall display
//! ([`display_rig`]) over the real family server ([`family_server`]), with a network that can be told
//! to fail ([`between`]).

#![cfg_attr(
    feature = "auth",
    expect(
        clippy::unwrap_used,
        clippy::panic,
        reason = "a test that is set up wrongly shall stop there and then"
    )
)]

pub mod clock;
pub mod entropy;

#[cfg(feature = "display")]
pub mod between;
#[cfg(feature = "auth")]
pub mod browser;
#[cfg(feature = "display")]
pub mod display_rig;
#[cfg(feature = "emulator")]
pub mod emulator_rig;
#[cfg(feature = "display")]
pub mod family_server;
#[cfg(feature = "auth")]
pub mod faulty_store;
#[cfg(feature = "emulator")]
pub mod following;
#[cfg(feature = "auth")]
pub mod rig;
#[cfg(feature = "auth")]
pub mod scheme;
#[cfg(feature = "auth")]
pub mod scripted;
#[cfg(feature = "auth")]
pub mod scripted_api;
#[cfg(feature = "auth")]
pub mod threads;
#[cfg(feature = "auth")]
pub mod timer;

pub use clock::FrozenClock;
pub use entropy::SeededEntropy;

#[cfg(feature = "display")]
pub use between::Between;
#[cfg(feature = "auth")]
pub use browser::RecordingBrowser;
#[cfg(feature = "display")]
pub use display_rig::DisplayRig;
#[cfg(feature = "emulator")]
pub use emulator_rig::EmulatorRig;
#[cfg(feature = "display")]
pub use family_server::FamilyServer;
#[cfg(feature = "auth")]
pub use faulty_store::FaultyStore;
#[cfg(feature = "emulator")]
pub use following::FollowingBrowser;
#[cfg(feature = "auth")]
pub use rig::SessionRig;
#[cfg(feature = "auth")]
pub use scheme::FakeScheme;
#[cfg(feature = "auth")]
pub use scripted::ScriptedProvider;
#[cfg(feature = "auth")]
pub use scripted_api::ScriptedApi;
#[cfg(feature = "auth")]
pub use timer::HeldTime;
