//! Where the app says what it does: standard error, without secrets.

use tracing::Level;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// Starts logging at the level of `LUMINOUS_LOG` (`info` without it).
///
/// The level counts for our own crates, whose types keep secrets out of every line. Libraries stay
/// at warnings whatever is asked: at their finest they may print requests as they go over the wire.
pub fn begin() {
    let level = std::env::var("LUMINOUS_LOG").ok().and_then(|l| l.parse::<Level>().ok());
    let ours = LevelFilter::from_level(level.unwrap_or(Level::INFO));
    let filter = Targets::new().with_default(LevelFilter::WARN).with_target("luminous", ours);
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_ansi(false);
    // A second call, in tests, finds a subscriber in place and leaves it there.
    let _ = tracing_subscriber::registry().with(filter).with(lines).try_init();
}
