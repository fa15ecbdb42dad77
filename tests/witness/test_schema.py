"""The schema of the workflow language, as validators and YAML readers see it that are not Pitstop's.

Editors show what the schema says: a complaint where Pitstop has none would be a lie, so that must never happen. Pitstop
complains of more than a schema can say; what that is, is listed here.
"""

import json
import os
import random
import re
import shutil
import subprocess
import tempfile
import unittest
from copy import deepcopy
from pathlib import Path

from jsonschema import Draft202012Validator
from ruamel.yaml import YAML, YAMLError

ROOT = Path(__file__).resolve().parents[2]
FIXTURES = ROOT / "tests" / "fixtures"
PITSTOP = str(Path(os.environ["PITSTOP"]).resolve())

# The bad workflows that the schema lets pass, and why it has to.
NOT_CAUGHT = {
    "the values of params are given elsewhere, or take effect elsewhere": [
        "param-bad-default",
        "param-bad-value",
        "param-in-number",
        "param-no-value",
        "param-set-unknown",
        "param-set-without-params",
        "password-param-in-env",
        "password-param-in-file",
        "password-param-in-generate",
        "password-param-in-prompt",
    ],
    "what is declared in one place and used in another": ["param-undeclared", "param-unknown", "param-unused"],
    "a span of time has many spellings, and a pattern can't tell how long it is": [
        "downtime-budget-short",
        "duration-too-long",
        "duration-zero",
        "timeouts-too-short",
    ],
    "one letter off a region looks like a region, and there are new ones": ["region-typo"],
    "other files": ["key-file-ed25519", "key-file-garbage", "key-file-missing", "key-file-private", "key-file-two"],
    "how a text is written, which is gone once it is read": ["tag", "utf16"],
}


def load(text):
    """The data of a YAML 1.2 file."""
    return YAML(typ="safe", pure=True).load(text)


def pitstop(*arguments):
    return subprocess.run([PITSTOP, *map(str, arguments)], capture_output=True, text=True, timeout=300, check=False)


SCHEMA = json.loads(pitstop("schema").stdout)
VALIDATOR = Draft202012Validator(SCHEMA)


def problems(data):
    return [f"{error.json_path}: {error.message}" for error in VALIDATOR.iter_errors(data)]


def caught(path):
    """The YAML reader or the schema complains of it."""
    try:
        return bool(problems(load(path.read_bytes())))
    except (YAMLError, UnicodeDecodeError, ValueError):
        return True


class Schema(unittest.TestCase):
    def test_it_is_a_schema(self):
        Draft202012Validator.check_schema(SCHEMA)
        self.assertEqual(SCHEMA["$schema"], Draft202012Validator.META_SCHEMA["$schema"])

    def test_the_committed_copy_is_the_one(self):
        self.assertEqual(json.loads((ROOT / "workflows/pitstop.schema.json").read_text()), SCHEMA)

    def test_every_good_workflow_is_valid(self):
        good = sorted([*(ROOT / "workflows").glob("*.yaml"), *(FIXTURES / "good-workflows").glob("*.yaml")])
        self.assertGreater(len(good), 12)
        for path in good:
            with self.subTest(path.name):
                self.assertEqual(problems(load(path.read_text())), [])

    def test_every_bad_workflow_is_caught_but_these(self):
        bad = {path.name.removesuffix(".yaml"): caught(path) for path in (FIXTURES / "bad-workflows").glob("*.yaml")}
        self.assertGreater(len(bad), 100)
        listed = [name for names in NOT_CAUGHT.values() for name in names]
        self.assertEqual(len(listed), len(set(listed)))
        passed = {name for name, was_caught in bad.items() if not was_caught}
        self.assertEqual(sorted(passed - set(listed)), [], "the schema lets these pass, and no reason is given")
        self.assertEqual(sorted(set(listed) - passed), [], "the schema catches these after all, or they are gone")


# What may stand anywhere by mistake, and what belongs somewhere.
SCALARS = [
    None, True, False, -1, 0, 1, 1.5, 2, 12, 22, 30, 31, 599, 65535, 65536, 1024, 1025, 10**6, 10**6 + 1, 10**30,
    "", " ", "x", "a b", "two\nlines", "é", "漢字", "x" * 64, "x" * 65, "x" * 80, "x" * 81, "~", "~/x", "~x", "$NAME", "NAME",
    "1NAME", "/a/b", "*", "web-*", "ins-0web0001", "ins-0web", "ins-0we", "INS-0WEB0001", "skey-abc12345", "skey-", "S5.LARGE8",
    "s5.large8", "S5", "S5.LARGE.8", "ap-guangzhou", "ap-guangzhou-3", "eu-frankfurt-1", "ap-gaungzhou", "me-riyadh", "a-b",
    "8GiB", "8 GiB", "08GiB", "0GiB", "8GB", "8gib", "8", "1.5GiB", "99999999999GiB", "90s", "10m", "1h 30m", "1h30m", "1.5h",
    "90", "90 s", "0s", "5s", "10s", "500ms", "24h", "25h", "1d", "-5m", "5m ago", "PT10M", "01:30:00", "1:30", "2 hours, 5 mins",
    "90seconds", "9us", "soft", "hard", "keep", "stop", "as-found", "always", "never", "Never", "start", "leave-stopped",
    "roll-back", "warn", "refuse", "drain", "RUNNING", "STOPPED", "PENDING", "yes", "no", "true", "1", "20%", "0%", "101%",
    "10.0.0.1", "::1", "10.0.0.1:22", "http://x", "web-1.example", "-x", ".x", "${{ params.type }}", "${{params.type}}",
    "S5.${{ params.type }}", "${{ params.none }}", "${{ instance.private-ip }}", "${{ instance.name }}", "${{ params.type", "${{ }}",
    [], {}, [1], ["x"], ["ins-0web0001"], {"x": 1}, {"type": "S5.LARGE8"}, {"env": "NAME"}, {"port": 22},
]  # fmt: skip

KEYS = [
    "version", "name", "description", "params", "target", "stop", "changes", "start", "check", "on-failure", "rollout", "guard",
    "window", "notify", "downtime-budget", "region", "instances", "match", "at-most", "tags", "zones", "states", "mode", "timeout",
    "charging", "resize", "reset-password", "load-ssh-key", "type", "cpu", "memory", "prefer", "user", "password", "env", "file",
    "command", "prompt", "generate", "length", "save-to", "key", "public-key-file", "keep-existing", "tcp", "http", "port", "host",
    "at-once", "canary", "pause", "max-failures", "load-balancer", "auto-scaling", "snapshot", "default", "x", "Version", "9",
]  # fmt: skip

# What the reader may refuse although the schema does not: a complaint's code, and a part of its message.
ONLY_THE_READER = [
    ("param", ""),
    ("file", ""),
    ("bad-value", "is not a region"),
    ("bad-value", "is longer than 24 hours"),
    ("bad-value", "is too short"),
    ("bad-value", "is not longer than nothing"),
    # Of two readers one takes a number of this size for a text.
    ("syntax", "not YAML that every reader understands"),
]

# What the good workflows have little of.
REST = """
version: 1
name: rest
target: { region: ap-guangzhou, instances: [ins-0web0001, ins-0web0002] }
stop: { mode: hard, timeout: 20s, charging: keep }
changes:
  - load-ssh-key: { key: skey-0ops0001, keep-existing: false }
  - reset-password: { user: root, password: { command: [pass, show, cvm/root] } }
  - resize: { cpu: 4, memory: 8GiB }
start: as-found
check: [{ tcp: { port: 22, host: web-1.example } }]
on-failure: roll-back
downtime-budget: 5m
rollout: { at-once: 20%, canary: 1, pause: 10m, max-failures: 2 }
"""


def places(data, found):
    """Every list and mapping with each of its keys."""
    inner = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for key, value in inner:
        found.append((data, key))
        places(value, found)
    return found


def mistake(data, chance):
    """The same data with something else in one place."""
    data = deepcopy(data)
    holder, key = chance.choice(places(data, []))
    kind = chance.random()
    if kind < 0.15:
        del holder[key]
    elif kind < 0.3 and isinstance(holder, dict):
        holder[chance.choice(KEYS)] = chance.choice(SCALARS)
    elif kind < 0.4 and isinstance(holder, dict):
        other, there = chance.choice(places(data, []))
        holder[chance.choice([key, *KEYS])] = deepcopy(other[there])
    elif kind < 0.45 and isinstance(holder, list):
        holder.append(deepcopy(holder[key]))
    else:
        holder[key] = chance.choice(SCALARS)
    return data


class Agreement(unittest.TestCase):
    """The reader and the schema, asked about the same workflows with a mistake or two in them."""

    COUNT = 4000
    AT_A_TIME = 500

    def test_the_schema_never_complains_where_the_reader_does_not(self):
        chance = random.Random(20260101)
        good = [load(path.read_text()) for path in sorted((FIXTURES / "good-workflows").glob("*.yaml"))]
        good += [load(path.read_text()) for path in sorted((ROOT / "workflows").glob("*.yaml"))]
        good += 3 * [load(REST)]
        both, lies, unexplained = 0, [], []
        with tempfile.TemporaryDirectory() as folder:
            shutil.copytree(FIXTURES / "good-workflows" / "keys", Path(folder) / "keys")
            for start in range(0, self.COUNT, self.AT_A_TIME):
                made = [mistake(chance.choice(good), chance) for _ in range(self.AT_A_TIME)]
                made = [mistake(data, chance) if chance.random() < 0.2 and places(data, []) else data for data in made]
                for data, verdict in zip(made, self.verdicts(folder, made), strict=True):
                    schema = problems(data)
                    if verdict["valid"] and schema:
                        lies.append((data, schema))
                    elif not verdict["valid"] and not schema:
                        whys = [why for why in verdict["complaints"] if not self.explained(why)]
                        unexplained += [(data, whys)] if whys else []
                    both += bool(schema) and not verdict["valid"]
        told = lambda pairs: "\n".join(f"{json.dumps(data)}\n    {why}" for data, why in pairs[:10])
        self.assertFalse(lies, f"{len(lies)} workflows are right, and an editor would complain:\n{told(lies)}")
        self.assertFalse(unexplained, f"{len(unexplained)} are wrong, and an editor is silent:\n{told(unexplained)}")
        self.assertGreater(both, self.COUNT // 3)

    def verdicts(self, folder, made):
        files = [Path(folder) / f"{number}.yaml" for number in range(len(made))]
        for file, data in zip(files, made, strict=True):
            # JSON is YAML.
            file.write_text(json.dumps(data, ensure_ascii=False))
        done = pitstop("check", "--output", "json", *files)
        return [json.loads(line) for line in done.stdout.splitlines()]

    def explained(self, why):
        of_a_param = any("with its parameters it is" in note for note in why["notes"])
        known = any(why["code"] == code and re.search(part, why["message"]) for code, part in ONLY_THE_READER)
        return of_a_param or known


if __name__ == "__main__":
    unittest.main()
