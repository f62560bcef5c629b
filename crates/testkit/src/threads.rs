//! Whether the other threads of this program have anything to do.

/// True while each of them waits for something: none computes, is about to, or is at the disk. What
/// a thread was given to do is done then, and whoever asked for it has been woken.
///
/// Linux only, from `/proc` (proc_pid_stat(5)); elsewhere it is always true.
#[must_use]
pub fn others_wait() -> bool {
    let Ok(ours) = std::fs::read_link("/proc/thread-self") else { return true };
    let Ok(threads) = std::fs::read_dir("/proc/self/task") else { return true };
    threads.flatten().filter(|thread| Some(&*thread.file_name()) != ours.file_name()).all(
        |thread| {
            // One that ended meanwhile has nothing to do.
            let stat = std::fs::read_to_string(thread.path().join("stat"));
            stat.map_or(true, |stat| state(&stat) == Some('S'))
        },
    )
}

/// The state stands behind the name, which is in brackets and may hold any.
fn state(stat: &str) -> Option<char> {
    stat.rsplit_once(") ")?.1.chars().next()
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn the_state_is_behind_whatever_name() {
        assert_eq!(state("7 (key) ring) R 1 7"), Some('R'));
        assert_eq!(state("7 (keyring) S 1 7"), Some('S'));
        assert_eq!(state("nonsense"), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_thread_that_computes_is_seen_until_it_waits() {
        let (pause, paused) = mpsc::channel::<()>();
        let (end, ended) = mpsc::channel::<()>();
        let thread = std::thread::spawn(move || {
            while paused.try_recv() == Err(mpsc::TryRecvError::Empty) {}
            ended.recv()
        });
        assert!(!others_wait());
        pause.send(()).unwrap();
        while !others_wait() {}
        end.send(()).unwrap();
        thread.join().unwrap().unwrap();
    }
}
