//! Ending when the system asks for it: SIGTERM of a service manager, Ctrl-C in a terminal.

use tauri::{AppHandle, Runtime, async_runtime};

/// Ends `app` as closing its window would, with all that is still to be written, when the system
/// asks for it.
pub fn when_asked<R: Runtime>(app: &AppHandle<R>) {
    let app = app.clone();
    async_runtime::spawn(async move {
        match asked().await {
            Ok(()) => app.exit(0),
            Err(error) => tracing::warn!(%error, "the system's wish to end would not be heard"),
        }
    });
}

#[cfg(unix)]
async fn asked() -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};

    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}

#[cfg(not(unix))]
async fn asked() -> std::io::Result<()> {
    tokio::signal::ctrl_c().await
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::task::Poll;

    use rustix::process::{Signal, getpid, kill_process};

    use super::asked;

    #[tokio::test]
    async fn sigterm_and_ctrl_c_are_heard_and_do_not_end_the_process_before_it_is_ready() {
        for signal in [Signal::TERM, Signal::INT] {
            let mut asked = std::pin::pin!(asked());
            let early = std::future::poll_fn(|context| Poll::Ready(asked.as_mut().poll(context)));
            assert!(early.await.is_pending(), "nobody asked yet");
            kill_process(getpid(), signal).expect("a signal to ourselves");
            asked.await.expect("it is heard");
        }
    }
}
