//! Every file in `tests/fixtures/good-workflows` and in `workflows` is accepted, and means what the snapshot says.

use std::collections::BTreeMap;
use std::path::Path;

use pitstop::workflow::file;

fn read_all(folder: &str) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut count = 0;
    for entry in std::fs::read_dir(&folder).expect("the folder is there") {
        let path = entry.expect("the folder can be listed").path();
        if path.extension().is_some_and(|extension| extension == "yaml") {
            count += 1;
            let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            match file::load(&path, &BTreeMap::new()) {
                Ok(workflow) => {
                    // Paths are absolute, and differ from machine to machine.
                    let shown = format!("{workflow:#?}").replace(&folder.display().to_string(), "FOLDER");
                    insta::assert_snapshot!(name, shown);
                }
                Err(error) => panic!("{error}"),
            }
        }
    }
    assert!(count > 0);
}

#[test]
fn the_fixtures_are_read() {
    read_all("tests/fixtures/good-workflows");
}

#[test]
fn the_ready_made_workflows_are_read() {
    read_all("workflows");
}
