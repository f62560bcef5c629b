//! A person's own data as a file of their own.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::path::Path;

use luminous_domain::Timestamp;
use luminous_wire::{AppError, ErrorCode};

/// So many exports of one day; more is a mistake.
const MOST: u32 = 100;

/// Writes `text` into `folder` under a name with the day of `now`, never over another file, and
/// answers the path. Only the person may read it.
///
/// # Errors
/// [`ErrorCode::Internal`] when the folder cannot be written to.
pub fn write(folder: &Path, now: Timestamp, text: &str) -> Result<String, AppError> {
    let day = now.strftime("%Y-%m-%d");
    std::fs::create_dir_all(folder).map_err(no_folder)?;
    for number in 1..=MOST {
        let name = match number {
            1 => format!("luminous-{day}.json"),
            _ => format!("luminous-{day} ({number}).json"),
        };
        let path = folder.join(name);
        match create(&path) {
            Ok(mut file) => {
                let written = file.write_all(text.as_bytes()).and_then(|()| file.sync_all());
                return match written {
                    Ok(()) => Ok(path.display().to_string()),
                    Err(error) => Err(no_folder(error)),
                };
            }
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(no_folder(error)),
        }
    }
    Err(no_folder("it holds too many exports of today"))
}

fn create(path: &Path) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// There is nowhere to write to.
pub fn no_folder(error: impl std::fmt::Display) -> AppError {
    let message = format!("the folder for downloads cannot be written to: {error}");
    AppError::new(ErrorCode::Internal, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_export_is_the_persons_alone_and_never_overwrites_another() {
        let folder = tempfile::tempdir().expect("a folder");
        let deeper = folder.path().join("Downloads");
        let now = Timestamp::from_second(1_795_348_800).expect("a time");
        let first = write(&deeper, now, "one").expect("written");
        let second = write(&deeper, now, "two").expect("written");
        assert!(first.ends_with("luminous-2026-11-22.json"), "{first}");
        assert!(second.ends_with("luminous-2026-11-22 (2).json"), "{second}");
        assert_eq!(std::fs::read_to_string(&first).expect("there"), "one");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = std::fs::metadata(&first).expect("there").permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
    }
}
