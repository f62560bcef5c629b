//! The product's flows across crates, through Tauri's mock runtime and the app's real context.

#[cfg(feature = "demo")]
mod demo;
mod desk;
mod permissions;
mod secrets;
#[cfg(feature = "demo")]
mod wall;
