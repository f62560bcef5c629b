//! What a store does when its process is killed, its file is locked by another process, its disk is
//! full or may only be read. This binary starts itself again as that other process, which is why
//! it brings its own `main`.
#![cfg_attr(
    target_os = "linux",
    expect(clippy::unwrap_used, clippy::panic, reason = "test code with a main of its own")
)]

#[cfg(target_os = "linux")]
mod child;
#[cfg(target_os = "linux")]
mod disk;
#[cfg(target_os = "linux")]
mod kill;
#[cfg(target_os = "linux")]
mod lock;

#[cfg(target_os = "linux")]
fn main() {
    if let Ok(part) = std::env::var(child::PART) {
        return child::play(&part);
    }
    let arguments = libtest_mimic::Arguments::from_args();
    let trials = vec![
        trial("db1_a_lock_of_four_seconds_is_waited_for", lock::of_four_seconds),
        trial("db1_a_lock_of_ten_seconds_is_busy_and_nothing_is_half_done", lock::of_ten_seconds),
        trial("db2_on_a_full_disk_reading_goes_on_and_writing_recovers", disk::full),
        trial("db4_no_acknowledged_session_is_lost_by_kill_9", kill::while_writing),
        trial("db4_no_acknowledged_token_of_a_display_is_lost_by_kill_9", kill::while_refreshing),
        trial("db5_a_second_server_is_refused_until_the_first_is_gone", kill::second_server),
        trial("db5_a_read_only_file_system_is_named", disk::read_only),
        trial("db9_a_migration_killed_at_any_write_is_whole_or_not_there", kill::while_migrating),
    ];
    libtest_mimic::run(&arguments, trials).exit();
}

#[cfg(target_os = "linux")]
fn trial(name: &str, test: fn()) -> libtest_mimic::Trial {
    libtest_mimic::Trial::test(name, move || {
        test();
        Ok(())
    })
}

#[cfg(not(target_os = "linux"))]
fn main() {
    let arguments = libtest_mimic::Arguments::from_args();
    libtest_mimic::run(&arguments, Vec::new()).exit();
}
