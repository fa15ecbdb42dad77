"""The vendor's API model, as tccli carries it, and what it says about an exchange.

The model (`api.json`) has every action's parameters and answers: names, types, what is required, what may be null.
Which error codes an action may answer is not in it; that table is `tests/fixtures/vendor/declared-errors.txt`.
"""

import importlib
import json
import re
from datetime import datetime
from functools import cache
from pathlib import Path

import tccli

REPOSITORY = Path(__file__).resolve().parents[2]
FIXTURES = REPOSITORY / "tests" / "fixtures" / "vendor"

# Signing name of a service -> its package in tccli and in the SDK.
SERVICES = {"as": "autoscaling", "clb": "clb", "cvm": "cvm", "sts": "sts"}

TYPES = {"string": str, "int": int, "float": (int, float), "bool": bool, "list": list, "object": dict}
SCALARS = {"string": "string", "int64": "int", "uint64": "int", "float": "float", "bool": "bool"}


class Model:
    """One service's model."""

    def __init__(self, service):
        self.service = service
        package = SERVICES[service]
        folders = list((Path(tccli.__file__).parent / "services" / package).glob("v*"))
        # The highest version is the current one; all but `as` have one only.
        folder = max(folder for folder in folders if (folder / "api.json").exists())
        self.module = f"tencentcloud.{package}.{folder.name}"
        document = json.loads((folder / "api.json").read_text())
        self.version = document["metadata"]["apiVersion"]
        self.actions = document["actions"]
        self.objects = document["objects"]
        self.examples = json.loads((folder / "examples.json").read_text())["actions"]
        self.absent_in_examples = set()
        for action, output in self.example_answers():
            self._note_absent(self.actions[action]["output"], output)

    def example_answers(self):
        """The documented answers, without the envelope, by action."""
        for action, examples in self.examples.items():
            for example in examples:
                try:
                    yield action, json.loads(example["output"])["Response"]
                except (ValueError, KeyError, TypeError):
                    continue  # Not every documented answer is JSON; those are the decoder's test.

    def _note_absent(self, name, value):
        for member in self._members(name) if isinstance(value, dict) else ():
            inner = value.get(member["name"])
            if inner is None:
                self.absent_in_examples.add((name, member["name"]))
            for one in inner if isinstance(inner, list) else [inner]:
                self._note_absent(member["member"], one)

    def _members(self, name):
        return self.objects[name]["members"] if name in self.objects else []

    def request(self, action, params):
        """What is wrong with a request's parameters."""
        if action not in self.actions:
            return [f"{self.service} has no action {action}"]
        return list(self._object(self.actions[action]["input"], params, action, answer=False))

    def answer(self, action, fields):
        """What is wrong with an answer's fields."""
        if "Error" in fields:
            return list(self._refusal(action, fields))
        if action not in self.actions:
            return [f"{self.service} has no action {action}, yet it was executed"]
        return list(self._object(self.actions[action]["output"], fields, action, answer=True))

    def _refusal(self, action, fields):
        if set(fields) != {"Error", "RequestId"} or set(fields["Error"]) != {"Code", "Message"}:
            yield f"{action}: an error has other fields than Code, Message and RequestId"
        code = fields["Error"]["Code"]
        if code not in common_codes() | declared_codes().get((self.service, action), set()):
            yield f"{action}: the error {code} is not declared for it"

    def _object(self, name, value, path, answer):
        members = {member["name"]: member for member in self._members(name)}
        for unknown in sorted(set(value) - set(members)):
            yield f"{path}.{unknown}: {name} has no such field"
        for member in members.values():
            field = f"{path}.{member['name']}"
            if member["name"] in value:
                yield from self._field(name, member, value[member["name"]], field, answer)
            elif not (self._may_lack(name, member) if answer else not member.get("required")):
                yield f"{field}: missing, though {name} always has it"

    def _may_lack(self, name, member):
        """Whether an answer may be without this field. The model marks more fields than the vendor's own examples have."""
        if member["name"] == "RequestId":
            return False
        optional = not member.get("output_required") or member.get("disabled") or nullable(member)
        return optional or (name, member["name"]) in self.absent_in_examples

    def _field(self, name, member, value, path, answer):
        if value is None:
            if not (answer and nullable(member)):
                yield f"{path}: null, which {name} does not allow"
            return
        if not answer and member.get("disabled"):
            yield f"{path}: deprecated"
        if member["type"] != "list":
            yield from self._value(member["type"], member["member"], value, path, answer)
        elif not isinstance(value, list):
            yield f"{path}: {type(value).__name__}, not a list"
        else:
            kind = SCALARS.get(member["member"], "object")
            for one in value:
                yield from self._value(kind, member["member"], one, f"{path}[]", answer)

    def _value(self, kind, member, value, path, answer):
        wrong = not isinstance(value, TYPES[kind]) or (isinstance(value, bool) and kind != "bool")
        if wrong:
            yield f"{path}: {type(value).__name__}, not {kind}"
        elif kind == "object":
            yield from self._object(member, value, path, answer)
        elif member == "uint64" and value < 0:
            yield f"{path}: negative"
        elif member in TIMES and value != "" and not is_time(TIMES[member], value):
            yield f"{path}: not a time as {member} is written"


def nullable(member):
    """Whether an answer may have null here: by its flag, or only by its words ("this is null in postpaid mode")."""
    return member.get("value_allowed_null") or "为null" in member["document"]


TIMES = {
    "datetime": r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d",
    "datetime_iso": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)",
}


def is_time(pattern, text):
    try:
        return bool(re.fullmatch(pattern, text) and datetime.fromisoformat(text.replace("Z", "+00:00")))
    except ValueError:
        return False


@cache
def model(service):
    return Model(service)


@cache
def declared_codes():
    """The error codes of every (service, action)."""
    codes = {}
    for line in (FIXTURES / "declared-errors.txt").read_text().splitlines():
        if not line.startswith("#"):
            service, action, code = line.split()
            codes.setdefault((service, action), set()).add(code)
    return codes


def common_codes():
    return declared_codes()["*", "*"]


def sdk_codes(service):
    """The error codes that the SDK declares for a whole service."""
    module = importlib.import_module(model(service).module + ".errorcodes")
    return {value for name, value in vars(module).items() if name.isupper()}


def used_actions():
    """The actions that Pitstop uses; the decoder's test holds this list against the decoder."""
    return {example["action"] for example in json.loads((FIXTURES / "examples.json").read_text())}


def service_of(action):
    """The service that has an action which Pitstop uses."""
    return next(service for service in SERVICES if action in model(service).actions)
