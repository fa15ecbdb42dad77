//! A document into a file: whole or not at all.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::Path;

use super::exit::{Error, Kind};

/// Writes `text` to the file. What a reader finds there is the old document or the new one, never a part; a pipe or a
/// device is written to as it is.
pub(super) fn deliver(to: &Path, text: &str) -> Result<(), Error> {
    written(to, text).map_err(|error| {
        Error::new(Kind::CouldNotBegin, format!("can't write {}: {error}", to.display()))
            .hint("name a file in a folder that is there and can be written to, or `-` for stdout")
    })
}

fn written(to: &Path, text: &str) -> io::Result<()> {
    // Through a link, it is the file behind it that is replaced.
    match fs::canonicalize(to) {
        Ok(there) if there.is_file() => replace(&there, text),
        Ok(there) => fs::write(there, text),
        Err(error) if error.kind() == io::ErrorKind::NotFound && !to.is_symlink() => replace(to, text),
        Err(error) => Err(error),
    }
}

fn replace(file: &Path, text: &str) -> io::Result<()> {
    let name = file.file_name().ok_or(io::ErrorKind::InvalidInput)?;
    let mut beside = OsString::from(".");
    beside.push(name);
    beside.push(format!(".{}.part", std::process::id()));
    let beside = file.with_file_name(beside);
    let moved = filled(&beside, file, text).and_then(|()| fs::rename(&beside, file));
    if moved.is_err() {
        fs::remove_file(&beside).ok();
    }
    moved
}

/// A new file with this text, and with the old one's permissions if there is one.
fn filled(beside: &Path, old: &Path, text: &str) -> io::Result<()> {
    let mut file = File::create_new(beside)?;
    file.write_all(text.as_bytes())?;
    if let Ok(old) = fs::metadata(old) {
        file.set_permissions(old.permissions())?;
    }
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    fn names(folder: &Path) -> Vec<OsString> {
        let mut names: Vec<_> =
            fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_document_replaces_an_older_one_and_leaves_nothing_beside() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("run.html");
        deliver(&file, "old").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
        let link = folder.path().join("latest.html");
        symlink(&file, &link).unwrap();
        deliver(&link, "new").unwrap();
        assert_eq!(fs::read_to_string(&file).unwrap(), "new");
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o640);
        assert!(link.is_symlink());
        assert_eq!(names(folder.path()), ["latest.html", "run.html"]);
    }

    #[test]
    fn a_device_stays_one_and_what_cannot_be_written_is_said() {
        deliver(Path::new("/dev/null"), "text").unwrap();
        assert!(!Path::new("/dev/null").is_file());
        let folder = tempfile::tempdir().unwrap();
        let nowhere = folder.path().join("none/run.html");
        let error = deliver(&nowhere, "text").unwrap_err();
        assert!(error.message.contains("none/run.html"), "{error}");
        assert!(deliver(folder.path(), "text").is_err());
        assert_eq!(names(folder.path()), [""; 0]);
    }
}
