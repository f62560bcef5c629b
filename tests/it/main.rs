//! The product's flows across crates, through Tauri's mock runtime and the app's real context.

mod desk;
mod permissions;
mod secrets;
