//! Every workflow that comes with Pitstop is checked, planned and run on the demo fleet.

use std::collections::BTreeMap;
use std::path::PathBuf;

use pitstop::journal::Verdict;
use pitstop::run::Conclusion;

use crate::rig::Rig;

fn shipped() -> Vec<PathBuf> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/workflows");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "yaml"));
    files.sort();
    files
}

#[test]
fn all_that_are_promised_are_there() {
    let names: Vec<_> =
        shipped().iter().map(|path| path.file_name().unwrap().to_str().unwrap().to_owned()).collect();
    for name in [
        "all-in-one-stop.yaml",
        "load-ssh-key.yaml",
        "resize-by-cpu-memory.yaml",
        "resize.yaml",
        "rotate-password.yaml",
        "scale-down-nightly.yaml",
        "scale-up-morning.yaml",
    ] {
        assert!(names.iter().any(|own| own == name), "{name} is missing");
    }
}

#[tokio::test(start_paused = true)]
async fn each_changes_something_and_ends_well() {
    for path in shipped() {
        let shown = path.display();
        pitstop::workflow::file::load(&path, &BTreeMap::new())
            .unwrap_or_else(|error| panic!("{shown}: {error}"));
        let text = std::fs::read_to_string(&path).unwrap();
        let mut rig = Rig::default();
        // The morning follows a night: what is scaled up in the morning was scaled down before.
        if shown.to_string().ends_with("scale-up-morning.yaml") {
            for instance in &mut rig.fleet.instances {
                if instance.id.as_str().starts_with("ins-0batch") {
                    instance.instance_type = "S5.LARGE8".into();
                }
            }
        }
        let ran = rig.run(&text).await;
        assert_eq!(ran.outcome.conclusion(), Conclusion::Well, "{shown}\n{}", ran.told());
        let done = ran.outcome.instances.iter().filter(|(_, verdict)| *verdict == Some(Verdict::Done));
        let changed: usize = done.map(|(id, _)| ran.changes(id.as_str()).len()).sum();
        assert!(changed > 0, "{shown} changed nothing");
    }
}
