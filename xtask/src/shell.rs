//! Runs one program: says the command line, lets its output through, and fails with its name.

use std::env;
use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::context::Platform;
use crate::tools;

/// Why a program did not do its work.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ShellError {
    /// There is no such program.
    #[error("`{0}` was not found. Is it installed and in PATH?")]
    NotFound(String),
    /// The system refused to start it.
    #[error("`{line}` could not be started: {cause}")]
    NotStarted {
        /// The command line as it was shown.
        line: String,
        /// The system's words.
        cause: String,
    },
    /// It ran and said that it failed.
    #[error("`{line}` failed ({status})")]
    Failed {
        /// The command line as it was shown.
        line: String,
        /// The exit status in the system's words.
        status: String,
    },
}

/// One command line, built up and then run once.
#[derive(Debug)]
pub struct Line(Command);

impl Line {
    /// A program by name (looked for in `PATH`) or by path.
    pub fn new(program: impl AsRef<OsStr>) -> Self {
        let mut command = Command::new(program);
        command.env("PATH", path());
        Self(command)
    }

    /// The cargo that runs this program, so that one toolchain does everything.
    pub fn cargo() -> Self {
        Self::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
    }

    /// Adds one argument.
    pub fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.0.arg(arg);
        self
    }

    /// Adds arguments.
    pub fn args(mut self, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Self {
        self.0.args(args);
        self
    }

    /// Runs in this folder.
    pub fn dir(mut self, folder: impl AsRef<Path>) -> Self {
        self.0.current_dir(folder);
        self
    }

    /// Sets one variable of the program's environment.
    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.0.env(name, value);
        self
    }

    /// Shows the line, runs it with this terminal's output and without input, and waits.
    pub fn run(self) -> Result<(), ShellError> {
        self.wait(Stdio::null())
    }

    /// Like [`Line::run`], for a program that may ask the person something (a password).
    pub fn run_with_input(self) -> Result<(), ShellError> {
        self.wait(Stdio::inherit())
    }

    fn wait(mut self, input: Stdio) -> Result<(), ShellError> {
        let line = self.shown();
        println!("$ {line}");
        let status =
            self.0.stdin(input).status().map_err(|cause| self.not_started(&line, &cause))?;
        if status.success() {
            return Ok(());
        }
        Err(ShellError::Failed { line, status: status.to_string() })
    }

    /// Shows the line and starts it, with this terminal's output and without input. Ctrl-C in this
    /// terminal reaches it as it reaches us.
    pub fn start(mut self) -> Result<Started, ShellError> {
        let line = self.shown();
        println!("$ {line}");
        let child = self.0.stdin(Stdio::null()).spawn();
        let child = child.map_err(|cause| self.not_started(&line, &cause))?;
        Ok(Started { line, child })
    }

    /// Runs it unseen and answers what it wrote to standard output.
    pub fn read(mut self) -> Result<String, ShellError> {
        let line = self.shown();
        let output = self
            .0
            .stdin(Stdio::null())
            .output()
            .map_err(|cause| self.not_started(&line, &cause))?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        Err(ShellError::Failed { line, status: output.status.to_string() })
    }

    fn not_started(&self, line: &str, cause: &io::Error) -> ShellError {
        if cause.kind() == io::ErrorKind::NotFound {
            let program = self.0.get_program().to_string_lossy().into_owned();
            return ShellError::NotFound(program);
        }
        ShellError::NotStarted { line: line.to_owned(), cause: cause.to_string() }
    }

    /// The line as a person would type it.
    fn shown(&self) -> String {
        let program = Path::new(self.0.get_program());
        let name = program.file_stem().unwrap_or(program.as_os_str());
        std::iter::once(name).chain(self.0.get_args()).map(quoted).collect::<Vec<_>>().join(" ")
    }
}

/// A program that runs beside this one. It ends with this value at the latest.
#[derive(Debug)]
pub struct Started {
    line: String,
    child: Child,
}

impl Started {
    /// Asks it to end, as a service manager does, and waits until it has.
    pub fn end(mut self) -> Result<(), ShellError> {
        if !self.has_ended() {
            if cfg!(unix) {
                let id = self.child.id().to_string();
                let _ = Command::new("kill").args(["-TERM", &id]).status();
            } else {
                let _ = self.child.kill();
            }
        }
        self.child.wait().map(drop).map_err(|cause| self.failed(&cause))
    }

    /// Whether it has ended by itself.
    pub fn has_ended(&mut self) -> bool {
        !matches!(self.child.try_wait(), Ok(None))
    }

    /// Waits for its end, and fails with it.
    pub fn finish(mut self) -> Result<(), ShellError> {
        let status = self.child.wait().map_err(|cause| self.failed(&cause))?;
        if status.success() {
            return Ok(());
        }
        Err(self.failed(&status))
    }

    fn failed(&self, status: &impl ToString) -> ShellError {
        ShellError::Failed { line: self.line.clone(), status: status.to_string() }
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        // One that has ended, and was waited for, is left alone by the standard library.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn quoted(word: &OsStr) -> String {
    let word = word.to_string_lossy();
    if word.is_empty() || word.contains(|c: char| c.is_whitespace() || "'\"$&;|<>()".contains(c)) {
        return format!("'{}'", word.replace('\'', r"'\''"));
    }
    word.into_owned()
}

/// Where a program lies in `PATH`, or where set-up has put it.
pub fn find(program: &str) -> Option<PathBuf> {
    find_in(program, &path(), Platform::current().program_endings())
}

/// `PATH`, and after it the folder that set-up fills: what a person has installed comes first.
fn path() -> OsString {
    let own = env::var_os("PATH").unwrap_or_default();
    let ours = tools::folder().join("bin");
    env::join_paths(env::split_paths(&own).chain([ours])).unwrap_or(own)
}

fn find_in(program: &str, path: &OsString, endings: &[&str]) -> Option<PathBuf> {
    env::split_paths(path)
        .flat_map(|folder| endings.iter().map(move |end| folder.join(format!("{program}{end}"))))
        .find(|file| file.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_shown_as_a_person_would_type_it() {
        let line = Line::new("/usr/bin/apt-get").args(["install", "a b", "it's", ""]);
        assert_eq!(line.shown(), r"apt-get install 'a b' 'it'\''s' ''");
    }

    #[test]
    fn a_program_that_does_not_exist_is_named() {
        let refused = Line::new("no-such-program-of-ours").read();
        assert_eq!(refused, Err(ShellError::NotFound("no-such-program-of-ours".to_owned())));
    }

    #[test]
    fn a_program_that_fails_is_told_from_one_that_works() {
        let version = Line::cargo().args(["--version"]).read().expect("cargo says its version");
        assert!(version.starts_with("cargo "), "{version}");
        let refused = Line::cargo().args(["--no-such-flag"]).read();
        assert!(matches!(refused, Err(ShellError::Failed { .. })), "{refused:?}");
    }

    #[test]
    fn a_program_beside_this_one_ends_by_itself_or_when_it_is_asked_to() {
        let failing = Line::cargo().arg("--no-such-flag").start().expect("it starts");
        assert!(matches!(failing.finish(), Err(ShellError::Failed { .. })));
        let beside = Line::cargo().arg("--version").start().expect("it starts");
        assert_eq!(beside.end(), Ok(()));
    }

    #[test]
    fn a_program_is_found_by_each_ending_in_the_order_of_the_path() {
        let folder = std::env::temp_dir().join(format!("xtask-find-{}", std::process::id()));
        let (first, second) = (folder.join("first"), folder.join("second"));
        std::fs::create_dir_all(&first).expect("a folder");
        std::fs::create_dir_all(&second).expect("a folder");
        std::fs::write(second.join("npm.cmd"), "").expect("a file");
        std::fs::write(second.join("npm"), "").expect("a file");
        let path = env::join_paths([&first, &second]).expect("a path");
        assert_eq!(find_in("npm", &path, &[""]), Some(second.join("npm")));
        assert_eq!(find_in("npm", &path, &[".exe", ".cmd"]), Some(second.join("npm.cmd")));
        assert_eq!(find_in("node", &path, &[""]), None);
        std::fs::remove_dir_all(&folder).expect("the folder goes");
    }
}
