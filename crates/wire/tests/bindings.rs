//! The committed TypeScript is what the types say.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

fn files_in(folder: &Path) -> BTreeMap<String, String> {
    fs::read_dir(folder)
        .expect("the folder of generated types can be read")
        .map(|entry| entry.expect("a folder entry").path())
        .map(|path| {
            let name = path.file_name().expect("a name").to_string_lossy().into_owned();
            (name, fs::read_to_string(&path).expect("a text file"))
        })
        .collect()
}

#[test]
fn the_committed_typescript_is_what_the_types_say() {
    let fresh = Path::new(env!("CARGO_TARGET_TMPDIR")).join("wire");
    let _ = fs::remove_dir_all(&fresh);
    luminous_wire::bindings::export_to(&fresh).expect("the types can be written");
    let committed = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../ui/src/lib/wire");
    assert_eq!(
        files_in(&fresh),
        files_in(&committed),
        "stale bindings: run `cargo xtask bindings` and commit the result"
    );
}
