//! The vault over the real gnome-keyring.
//!
//! Every case starts a message bus and a keyring daemon of its own in a folder of its own; the
//! person's own bus and keyring are never touched. The calls are made by another process of this
//! very program (see [`probe`]), because a process finds its bus by an environment variable. A
//! machine without gnome-keyring fails here and says so: a case that is skipped proves nothing.

#[cfg(target_os = "linux")]
mod desktop;
#[cfg(target_os = "linux")]
mod probe;

#[cfg(target_os = "linux")]
fn main() {
    if std::env::args().nth(1).as_deref() == Some(probe::ARGUMENT) {
        return probe::run();
    }
    let arguments = libtest_mimic::Arguments::from_args();
    libtest_mimic::run(&arguments, cases::all()).exit();
}

#[cfg(not(target_os = "linux"))]
fn main() {
    let arguments = libtest_mimic::Arguments::from_args();
    libtest_mimic::run(&arguments, Vec::new()).exit();
}

#[cfg(target_os = "linux")]
mod cases {
    use libtest_mimic::{Failed, Trial};

    use super::desktop::Desktop;

    type Case = fn() -> Result<(), Failed>;

    pub fn all() -> Vec<Trial> {
        let cases: [(&'static str, Case); 9] = [
            ("what_is_stored_is_read_after_the_daemon_was_restarted", stored_and_read),
            ("ten_kib_are_no_matter_here", large),
            ("s2_a_locked_keyring_is_locked_and_nothing_is_deleted", locked),
            ("s1_a_bus_that_appears_later_is_found_by_the_same_process", absent_then_there),
            ("s1_a_daemon_that_dies_is_found_again_by_the_same_process", dies_and_comes_back),
            ("s3_a_prompt_nobody_answers_is_waiting", prompted),
            ("s4_a_frozen_keyring_ends_at_the_deadline_and_its_late_answer_counts", frozen),
            ("s4_a_keyring_that_never_answers_does_not_keep_the_program_alive", never_answers),
            ("s4_a_damaged_keyring_file_is_told_from_an_empty_keyring", damaged),
        ];
        cases.map(|(name, case)| Trial::test(name, case)).into()
    }

    fn expect(said: &str, expected: &str) -> Result<(), Failed> {
        if said == expected { Ok(()) } else { Err(format!("`{said}`, not `{expected}`").into()) }
    }

    fn stored_and_read() -> Result<(), Failed> {
        let mut desktop = Desktop::new()?;
        desktop.start_bus()?;
        desktop.start_keyring(true)?;
        let mut probe = desktop.probe()?;
        expect(&probe.ask("read")?, "none")?;
        expect(&probe.ask("write first")?, "generation 1")?;
        expect(&probe.ask("write second")?, "generation 2")?;
        expect(&probe.ask("read")?, "found second")?;
        probe.quit()?;

        desktop.stop_keyring()?;
        desktop.start_keyring(true)?;
        let mut probe = desktop.probe()?;
        expect(&probe.ask("read")?, "found second")?;
        expect(&probe.ask("forget")?, "done")?;
        expect(&probe.ask("read")?, "found second")?;
        expect(&probe.ask("erase")?, "done")?;
        expect(&probe.ask("read")?, "none")?;
        probe.quit()
    }

    fn large() -> Result<(), Failed> {
        let mut desktop = Desktop::new()?;
        desktop.start_bus()?;
        desktop.start_keyring(true)?;
        let mut probe = desktop.probe()?;
        let token = "t".repeat(10 * 1024);
        expect(&probe.ask(&format!("write {token}"))?, "generation 1")?;
        expect(&probe.ask("read")?, &format!("found {token}"))?;
        probe.quit()
    }

    fn locked() -> Result<(), Failed> {
        let mut desktop = Desktop::new()?;
        desktop.start_bus()?;
        desktop.start_keyring(true)?;
        let mut probe = desktop.probe()?;
        expect(&probe.ask("write kept")?, "generation 1")?;
        probe.quit()?;
        desktop.stop_keyring()?;
        let before = desktop.keyring_file()?;

        desktop.start_keyring(false)?;
        let mut probe = desktop.probe()?;
        expect(&probe.ask("read")?, "error store.locked")?;
        expect(&probe.ask("write lost?")?, "error store.locked")?;
        probe.quit()?;
        desktop.stop_keyring()?;
        if desktop.keyring_file()? != before {
            return Err("the keyring file was changed while it was locked".into());
        }

        desktop.start_keyring(true)?;
        let mut probe = desktop.probe()?;
        expect(&probe.ask("read")?, "found kept")?;
        probe.quit()
    }

    fn absent_then_there() -> Result<(), Failed> {
        let mut desktop = Desktop::new()?;
        let mut probe = desktop.probe()?;
        expect(&probe.ask("read")?, "error store.unavailable")?;
        expect(&probe.ask("write x")?, "error store.unavailable")?;
        desktop.start_bus()?;
        expect(&probe.ask("read")?, "error store.unavailable")?;
        desktop.start_keyring(true)?;
        expect(&probe.ask("read")?, "none")?;
        expect(&probe.ask("write there")?, "generation 1")?;
        expect(&probe.ask("read")?, "found there")?;
        probe.quit()
    }

    fn dies_and_comes_back() -> Result<(), Failed> {
        let mut desktop = Desktop::new()?;
        desktop.start_bus()?;
        desktop.start_keyring(true)?;
        let mut probe = desktop.probe()?;
        expect(&probe.ask("write kept")?, "generation 1")?;
        desktop.stop_keyring()?;
        expect(&probe.ask("read")?, "error store.unavailable")?;
        desktop.start_keyring(true)?;
        expect(&probe.ask("read")?, "found kept")?;
        probe.quit()
    }

    /// A keyring that holds "kept", stopped again.
    fn filled(desktop: &mut Desktop) -> Result<(), Failed> {
        desktop.start_bus()?;
        desktop.start_keyring(true)?;
        let mut probe = desktop.probe()?;
        expect(&probe.ask("write kept")?, "generation 1")?;
        probe.quit()?;
        desktop.stop_keyring()
    }

    fn prompted() -> Result<(), Failed> {
        let mut desktop = Desktop::new()?;
        filled(&mut desktop)?;
        desktop.start_keyring(false)?;
        let _silent = desktop.silent_prompter()?;
        let mut probe = desktop.probe()?;
        expect(&probe.ask("read")?, "error store.waiting")?;
        probe.quit()
    }

    fn frozen() -> Result<(), Failed> {
        let mut desktop = Desktop::new()?;
        filled(&mut desktop)?;
        desktop.start_keyring(true)?;
        let mut probe = desktop.probe()?;
        desktop.signal_keyring("STOP")?;
        expect(&probe.ask("read")?, "error store.timeout")?;
        // Nobody waits behind the call that hangs.
        expect(&probe.ask("write other")?, "error store.timeout")?;
        desktop.signal_keyring("CONT")?;
        expect(&probe.ask("wait until freed")?, "done")?;
        expect(&probe.ask("read")?, "found kept")?;
        probe.quit()
    }

    fn never_answers() -> Result<(), Failed> {
        let mut desktop = Desktop::new()?;
        filled(&mut desktop)?;
        desktop.start_keyring(true)?;
        let mut probe = desktop.probe()?;
        desktop.signal_keyring("STOP")?;
        expect(&probe.ask("read")?, "error store.timeout")?;
        probe.quit()
    }

    /// What gnome-keyring makes of a damaged file depends on where the damage is. A client that
    /// asks it to create the missing collection then hangs; the vault asks first whether there is
    /// one, and each damage has its own words. Nothing of ours is deleted in any of them.
    fn damaged() -> Result<(), Failed> {
        let cut = |bytes: &mut Vec<u8>| bytes.truncate(20);
        let flipped = |bytes: &mut Vec<u8>| {
            if let Some(last) = bytes.last_mut() {
                *last ^= 1;
            }
        };
        // Cut short, and locked: the daemon does not load it, and there is no default collection.
        damaged_reads(cut, false, "error store.unavailable")?;
        // Cut short, and unlocked: the daemon puts an empty keyring in its place. That the sign-in
        // is lost, the marker in the state file knows.
        damaged_reads(cut, true, "none")?;
        // Damaged inside: no password opens it any more.
        damaged_reads(flipped, true, "error store.locked")
    }

    fn damaged_reads(
        damage: fn(&mut Vec<u8>),
        unlocked: bool,
        expected: &str,
    ) -> Result<(), Failed> {
        let mut desktop = Desktop::new()?;
        filled(&mut desktop)?;
        desktop.damage_keyring_file(damage)?;
        desktop.start_keyring(unlocked)?;
        let mut probe = desktop.probe()?;
        expect(&probe.ask("read")?, expected)?;
        probe.quit()
    }
}
