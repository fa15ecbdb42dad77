//! Core dumps off: the process holds passwords and keys, and a dump would write them to a disk.

use rustix::process::{Resource, Rlimit, setrlimit};

/// Forbids core dumps of this process, and of the programs that it runs to get a password.
///
/// Two ways, since neither covers all: the limit holds for what is run from here as well, but a kernel that pipes its
/// dumps to a program (`systemd-coredump`) does not look at it; a process that is not dumpable gives none to anybody,
/// and only root can read its memory and its environment or attach to it.
pub(super) fn forbid() -> std::io::Result<()> {
    setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) })?;
    #[cfg(target_os = "linux")]
    rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable)?;
    Ok(())
}

/// Whether the process would give no dump.
pub(super) fn are_forbidden() -> bool {
    let none = Rlimit { current: Some(0), maximum: Some(0) };
    #[cfg(target_os = "linux")]
    let dumpable = rustix::process::dumpable_behavior() != Ok(rustix::process::DumpableBehavior::NotDumpable);
    #[cfg(not(target_os = "linux"))]
    let dumpable = false;
    rustix::process::getrlimit(Resource::Core) == none && !dumpable
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use rustix::process::{DumpableBehavior, dumpable_behavior, getrlimit};

    use super::*;

    #[test]
    fn the_process_gives_no_dump() {
        forbid().unwrap();
        assert!(are_forbidden());
        assert_eq!(dumpable_behavior().unwrap(), DumpableBehavior::NotDumpable);
        assert_eq!(getrlimit(Resource::Core), Rlimit { current: Some(0), maximum: Some(0) });
    }
}
