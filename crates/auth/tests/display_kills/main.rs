//! `kill -9` at each of the seven points of a refresh (F3), against the real server: how many displays
//! are lost.
//!
//! `cargo test -p luminous-auth --test display_kills` kills three times at each point;
//! `-- --rounds 50` as often as is said. Each kill is of a process of its own, at an exact place in it,
//! and is followed by a start that must bring the same wall back.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test program: what goes wrong stops it, and what it finds is printed"
)]

mod child;
mod parent;
mod point;
mod store;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let after = |name: &str| {
        let at = arguments.iter().position(|argument| argument == name)?;
        arguments.get(at + 1).cloned()
    };
    if let Some(point) = after(child::ARGUMENT) {
        return child::run(&point);
    }
    // Runners ask for the tests there are before they run one.
    if arguments.iter().any(|argument| argument == "--list") {
        if !arguments.iter().any(|argument| argument == "--ignored") {
            println!("{}: test", parent::NAME);
        }
        return;
    }
    let rounds = after("--rounds").map_or(3, |rounds| rounds.parse().unwrap());
    parent::run(rounds);
}
