//! The words on Pitstop's own codes. A code that is added to one of the types has to be given its words here, which a test
//! holds.

use crate::cli::Exit;

/// What it means, what Pitstop does about it, what a person can do.
pub(super) type Text = (&'static str, &'static str, &'static str);

/// The code, what it means, what a person can do.
const COMPLAINTS: &[(&str, &str, &str)] = &[
    ("too-large", "the file is larger than a workflow may be", "is it the right file? divide it if it is"),
    (
        "encoding",
        "the file is not UTF-8 text, or has characters that YAML forbids",
        "save it as UTF-8; an editor's `show invisibles` finds the characters",
    ),
    ("empty", "the file holds nothing, or comments only", "begin with a file from workflows/"),
    (
        "syntax",
        "the text is not YAML",
        "look at the place and the line before it: indentation, a missing `:` or space, an open quote or bracket",
    ),
    (
        "unsupported-yaml",
        "it is YAML that a workflow does without: anchors, aliases, tags, merge keys, several documents",
        "write the values out where they are used, one workflow a file",
    ),
    (
        "duplicate-key",
        "a key stands twice in one mapping, and nobody can tell which one counts",
        "remove one of the two; the complaint shows both",
    ),
    (
        "unknown-key",
        "the language has no such key there; it is refused, since a key that is ignored is a promise broken",
        "take the key that is suggested, or one of those that the complaint lists",
    ),
    ("missing-key", "a key that must be there is not", "add it; the complaint shows how it is written"),
    (
        "wrong-type",
        "a list stands where text is meant, text where a number is meant, or the like",
        "write it as the complaint shows; quotes make text of a number",
    ),
    ("bad-value", "the value is of the right type, but can't be used", "take one that the complaint names"),
    (
        "version",
        "`version`, the version of the language, is missing or unknown",
        "write `version: 1`; a file of a later version needs a later pitstop",
    ),
    ("conflict", "two keys exclude each other, or one thing is said twice", "keep one of the two"),
    (
        "not-supported",
        "the key belongs to the language, and this version can't do it yet",
        "remove it or take the way that the complaint names; a later pitstop may do it",
    ),
    (
        "param",
        "a param is unknown, unused, malformed, or has no value",
        "declare it under `params`, use it as `${{ params.NAME }}`, and give it a value with --set NAME=VALUE",
    ),
    (
        "secret",
        "a secret stands in the file, where everybody can read it who reads the file; it is not shown again",
        "take it out, change it, and let it come by `env`, `file`, `command`, `prompt` or `generate`",
    ),
    (
        "file",
        "a file that the workflow names can't be read, or does not hold what it should",
        "check the name, which is relative to the workflow's folder, and what is in the file",
    ),
];

pub(super) fn complaint(code: &str) -> Option<Text> {
    const DOES: &str = "refuses the file, with all other complaints at once (exit 3); no cloud is asked";
    COMPLAINTS.iter().find(|(own, ..)| *own == code).map(|(_, means, mend)| (*means, DOES, *mend))
}

/// The code, what it means, what a person can do.
const REFUSALS: &[(&str, &str, &str)] = &[
    (
        "not-found",
        "the account has no instance of this id in this region",
        "check the id, the region and whose the credentials are: pitstop doctor",
    ),
    (
        "power",
        "the instance is neither RUNNING nor STOPPED, so nobody can say what a stop would do",
        "wait if it is on its way; take it out of the recycle bin or of rescue mode; else leave it out",
    ),
    (
        "restricted",
        "the vendor has restricted the instance: expired, or isolated for security",
        "renew it or clear the security finding in the console first",
    ),
    (
        "isolated",
        "the instance is isolated, because of arrears, expiry, or by hand",
        "settle the account or renew the instance in the console first",
    ),
    (
        "stopped-without-charge",
        "it was stopped with STOP_CHARGING, and accepts nothing but a start",
        "start it first; once it runs it can be stopped and changed",
    ),
    (
        "charging-stops",
        "`stop.charging: stop` would stop it without charge, and then it accepts no change",
        "remove `charging: stop`, or stop it in a second workflow without changes",
    ),
    ("operating", "another operation runs on the instance", "wait until it has ended, then plan again"),
    (
        "local-disk",
        "the instance has a local disk, and the vendor resizes only those with cloud disks",
        "leave it out of the resize, or make a new instance of the wanted type",
    ),
    (
        "dedicated-host",
        "the instance is on a dedicated host, where types can't be changed",
        "leave it out of the resize",
    ),
    (
        "spot",
        "it is a spot instance, whose type can't be changed",
        "replace it by a new one of the wanted type",
    ),
    (
        "type-not-offered",
        "the vendor does not let this instance become that type",
        "choose one that it offers; the plan names the nearest",
    ),
    (
        "gpu-family",
        "it has a GPU or FPGA, and the type is of another family",
        "choose a type of the same family",
    ),
    (
        "no-such-shape",
        "no type of the instance's family has this many cores and this much memory",
        "choose one of the shapes that the plan names, or name a type",
    ),
    (
        "sold-out",
        "the type is sold out in the instance's zone",
        "choose another type, or try later; stock changes within hours",
    ),
    (
        "downgrade-quota",
        "a prepaid instance may be made smaller only so often, and that is used up",
        "keep its size, or change how it is paid for",
    ),
    (
        "too-many-public-ips",
        "it has more public addresses than the new type carries",
        "unbind addresses first, or choose a type with more cores",
    ),
    (
        "resize-refused",
        "the price inquiry, which checks what a resize checks, was refused",
        "look the vendor's code up: pitstop explain CODE",
    ),
    (
        "windows-takes-no-keys",
        "the instance runs Windows, which takes no SSH keys",
        "leave it out of `load-ssh-key`, or set a password instead",
    ),
    (
        "key-not-found",
        "the account has no such SSH key in this region",
        "check the id or name; or import one with `public-key-file`",
    ),
    (
        "password",
        "the new password breaks the vendor's rule for this instance",
        "take 8 to 30 characters (12 to 30 for Windows) of three of the classes a-z, A-Z, 0-9 and specials, or let one \
             be generated",
    ),
    (
        "scaling-group",
        "it belongs to an auto-scaling group, which replaces or reinstalls a member that stops",
        "put it into standby in its group first, or take it out of the group",
    ),
    (
        "repair-task",
        "the vendor repairs the instance, or is about to",
        "let the repair end, or authorise it in the console",
    ),
    (
        "release-timer",
        "a timer is set that will destroy the instance",
        "delete the timer if it shall live on, or leave it out",
    ),
    (
        "own-machine",
        "pitstop itself runs on this instance, and could not start it again",
        "run pitstop on another machine",
    ),
];

pub(super) fn refusal(code: &str) -> Option<Text> {
    const DOES: &str =
        "stops nothing: the plan is refused (exit 4); with --skip-refused the other instances are run";
    REFUSALS.iter().find(|(own, ..)| *own == code).map(|(_, means, mend)| (*means, DOES, *mend))
}

/// The code, what it means, what a person can do.
const WARNINGS: &[(&str, &str, &str)] = &[
    (
        "load-balancer",
        "a load balancer sends requests to the instance, and clients get errors until it notices the stop",
        "set its weight to 0 before the run, and give the listener a health check",
    ),
    (
        "keys-dropped",
        "keys that are bound now stop working, since the vendor replaces them all",
        "add `keep-existing: true` to keep them",
    ),
    (
        "password-login-off",
        "binding a key switches login by password off",
        "make sure that somebody holds the private key",
    ),
    (
        "password-login-on",
        "setting a password opens login by password again, although keys are bound",
        "leave the password change out if only keys shall open the machine",
    ),
    (
        "low-stock",
        "little is left of the type: it may be gone between the plan and the resize",
        "run soon, or choose another type",
    ),
    (
        "other-family",
        "the new type is of another family: processor, network and licences may differ",
        "make sure that the guest boots there, on one instance first",
    ),
    (
        "prepaid",
        "the instance is prepaid: an upgrade is charged at once, a downgrade is refunded only in part",
        "make sure that the balance covers it, and that the price in the plan is meant",
    ),
    (
        "scaling-not-checked",
        "whether it belongs to an auto-scaling group could not be read; a group destroys or reinstalls what stops",
        "allow as:DescribeAutoScalingInstances (pitstop policy FILE), or make sure that it is in none",
    ),
    (
        "stops-charging",
        "stopped without charge it gives up cores, memory and a plain public address; its next start may fail",
        "remove `charging: stop`, or bind an elastic address first",
    ),
    (
        "hard-stop",
        "`mode: hard` cuts the power: data in memory may be lost",
        "use `mode: soft` unless the guest can't be reached",
    ),
    (
        "may-hard-stop",
        "`mode: soft-first` cuts the power if the guest has not gone down after 5 minutes",
        "use `mode: soft` to never cut it",
    ),
    (
        "passed-over",
        "a type that `prefer` names earlier can't be had, so the next one is taken",
        "make sure that the type taken is good enough; the plan says why the other is passed over",
    ),
    (
        "not-rolled-back",
        "`on-failure: roll-back` gives the former type back, not the former password or keys",
        "keep the former ones at hand, or make these changes in a run of their own",
    ),
    ("will-start", "it is stopped now, and will run afterwards", "use `start: as-found` to leave it stopped"),
    ("stays-stopped", "it runs now, and will stay stopped", "use `start: as-found` to bring it back"),
];

pub(super) fn warning(code: &str) -> Option<Text> {
    const DOES: &str = "shows it in the plan before it asks for approval, and goes on once that is given";
    WARNINGS.iter().find(|(own, ..)| *own == code).map(|(_, means, mend)| (*means, DOES, *mend))
}

/// What becomes of an instance after most failures.
const BACK: &str = "makes no more changes to it, and brings it back as `on-failure` and `start` say; it counts as failed (exit 6)";

/// The code, what it means, what Pitstop does, what a person can do.
const FAILURES: &[(&str, &str, &str, &str)] = &[
    (
        "drifted",
        "the instance is not as it was when the plan was approved",
        "leaves it alone: what was not approved is not done",
        "look who changed it, then plan and run again",
    ),
    (
        "refused",
        "the cloud refused a call for good, or it never got through",
        BACK,
        "look the vendor's code up with pitstop explain CODE, mend that, and run again: what is done is not done twice",
    ),
    (
        "operation",
        "the cloud accepted the call, and its operation ended badly",
        BACK,
        "read the vendor's words in pitstop show RUN, and give the request id to its support",
    ),
    (
        "timed-out",
        "an operation did not end in time; a soft stop hangs if the guest does not go down",
        "never forces it: watches the instance until it rests, then brings it back as `start` says",
        "look into the guest, raise `stop.timeout`, or use `mode: soft-first` if the power may be cut",
    ),
    (
        "no-effect",
        "the operation was reported done, but what it should have changed is not seen",
        BACK,
        "look at the instance in the console, and give the request id to the vendor's support",
    ),
    (
        "interference",
        "somebody else started, stopped or changed the instance during the run",
        "leaves theirs as it is, does not stop it a second time, and counts it as failed",
        "find out who or what it was, then run again",
    ),
    (
        "dead-end",
        "the instance is in a state out of which no call of pitstop's leads",
        "leaves it as it is; a person is needed (exit 8)",
        "look at it in the console",
    ),
    (
        "cut-short",
        "more instances failed than `max-failures` allows before this one was finished",
        BACK,
        "see to the failures first, then run again for what is left",
    ),
    (
        "over-budget",
        "the changes that are left no longer fit into `downtime-budget`",
        "skips them, and starts the instance in time; it counts as failed (exit 6)",
        "raise `downtime-budget`, or make fewer changes in one stop",
    ),
    (
        "rolled-back",
        "the instance did not do well with its new type, and has the former one again",
        "has resized it back and brought it up as `start` says; it counts as failed (exit 6)",
        "see in pitstop show RUN what went wrong, and try the type on one instance first",
    ),
    (
        "not-rolled-back",
        "the instance did not do well with its new type, and could not be given the former one back",
        "leaves it with the type that it has, and brings it up as `start` says",
        "see in pitstop show RUN why; the former type may be sold out, and can be tried again later",
    ),
    (
        "gone",
        "the cloud does not know the instance any more",
        "sends nothing more to it, and counts it as failed",
        "find out who destroyed it; take it out of the workflow",
    ),
    (
        "check",
        "the instance runs, and a check of the workflow did not pass in time",
        "leaves it running, counts it as failed (exit 6), and begins no more than `max-failures` allows",
        "look at the service on it; raise the check's `timeout` if it only takes longer",
    ),
];

pub(super) fn failure(code: &str) -> Option<Text> {
    FAILURES.iter().find(|(own, ..)| *own == code).map(|(_, means, does, mend)| (*means, *does, *mend))
}

/// The code, what it means, what Pitstop does, what a person can do.
const VERDICTS: &[(&str, &str, &str, &str)] = &[
    ("done", "everything is as planned", "reports it", "nothing"),
    ("unchanged", "the instance was as it should be already", "did not stop it", "nothing"),
    (
        "not-begun",
        "the instance was never touched",
        "says why: pitstop explain shows the reasons under their own names",
        "see to the reason, then run again",
    ),
    (
        "failed",
        "something went wrong; the instance has the power that the workflow says, or was never touched",
        "tells what, and the request ids (exit 6)",
        "pitstop show RUN tells the story; mend the cause and run again: what is done is not done twice",
    ),
    (
        "stranded",
        "the instance does not have the power that the workflow says, and pitstop could not give it that",
        "has tried for minutes; names the one command that helps (exit 8)",
        "type that command, then look at the instance",
    ),
];

pub(super) fn verdict(code: &str) -> Option<Text> {
    VERDICTS.iter().find(|(own, ..)| *own == code).map(|(_, means, does, mend)| (*means, *does, *mend))
}

/// The code, what it means, what Pitstop does, what a person can do.
const NOT_BEGUN: &[(&str, &str, &str, &str)] = &[
    (
        "too-many-failures",
        "more instances failed than `rollout.max-failures` allows, so that no other was stopped",
        "leaves it as it was, and finishes those that were begun",
        "see to the failures first, then run again: what is done is not done twice",
    ),
    (
        "canary-failed",
        "a canary failed: one of the instances that are begun first to show whether the others can follow",
        "leaves it as it was, whatever `max-failures` allows, and finishes those that were begun",
        "see why the canary failed with pitstop show RUN, then run again: what is done is not done twice",
    ),
    (
        "declined",
        "a person was asked after the canaries whether the others shall follow, and said no",
        "leaves it as it was, and finishes those that were begun",
        "run again when the others shall follow: what is done is not done twice",
    ),
    (
        "key-not-imported",
        "the key that shall be loaded could not be imported, so nothing was stopped",
        "ends the run before it touches an instance",
        "look the vendor's code up with pitstop explain CODE; the key may be there under another name",
    ),
    (
        "ordered",
        "the run was asked to end (Ctrl-C, SIGTERM) before this instance was begun",
        "brings back what is down, and begins nothing new (exit 7)",
        "pitstop resume RUN carries on",
    ),
    (
        "abandoned",
        "the run ended before anything was sent, and was closed",
        "lets its instances go, so that another run can have them",
        "run again",
    ),
];

pub(super) fn not_begun(code: &str) -> Option<Text> {
    NOT_BEGUN.iter().find(|(own, ..)| *own == code).map(|(_, means, does, mend)| (*means, *does, *mend))
}

pub(super) fn exit(exit: Exit) -> Text {
    let (does, mend) = match exit {
        Exit::Well => ("nothing more", "nothing"),
        Exit::Bug => (
            "tells what broke; the journal is safe",
            "report it with what was printed; pitstop resume carries an unfinished run on",
        ),
        Exit::Usage => ("does nothing", "read the message, or pitstop COMMAND --help"),
        Exit::InvalidWorkflow => {
            ("names every place at once; no cloud is asked", "mend the places, then pitstop check FILE")
        }
        Exit::NotApproved => (
            "stops nothing",
            "read the reasons in pitstop plan FILE; leave the refused ones out with --skip-refused, or approve with --yes",
        ),
        Exit::CouldNotBegin => ("stops nothing", "pitstop doctor finds out what is missing"),
        Exit::Failures => (
            "has given every instance the power that the workflow says",
            "pitstop show RUN tells what failed; mend that and run again",
        ),
        Exit::Interrupted => ("keeps the run in the journal", "pitstop resume"),
        Exit::NeedsPerson => (
            "names the instance, and the one command that helps",
            "type that command now; pitstop show RUN repeats it",
        ),
    };
    (exit.meaning(), does, mend)
}
