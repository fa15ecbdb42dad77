"""Every exchange of the whole test suite, held against the vendor's model.

Requests count if Pitstop's own client sent them; the simulator's tests send bad ones on purpose, and then the simulator
must not have executed them. Answers count always.
"""

import json
import os
import unittest
from collections import Counter
from copy import deepcopy
from pathlib import Path

from vendor import SERVICES, common_codes, declared_codes, model, sdk_codes, service_of, used_actions

CLIENT = "pitstop_"


def judge(exchange):
    """What is wrong with an exchange."""
    service, action = exchange["service"], exchange["action"]
    if service not in SERVICES:
        return [f"there is no service {service} here"] if exchange["client"].startswith(CLIENT) else []
    vendor = model(service)
    request = vendor.request(action, exchange["request"])
    fields = exchange["response"]["Response"]
    own, refused = exchange["client"].startswith(CLIENT), "Error" in fields
    problems = [f"request: {problem}" for problem in request] if own else []
    if own and exchange["version"] != vendor.version:
        problems.append(f"request: version {exchange['version']}, not {vendor.version}")
    if request and not own and not refused and not all("deprecated" in problem for problem in request):
        problems.append(f"answer: executed, though {request[0]}")
    if not (refused and exchange["scripted"]):
        problems += [f"answer: {problem}" for problem in vendor.answer(action, fields)]
    return problems


def recordings():
    for path in sorted(Path(os.environ["PITSTOP_RECORDINGS"]).glob("*.jsonl")):
        with path.open() as lines:
            for number, line in enumerate(lines, 1):
                yield f"{path.name}:{number}", json.loads(line)


class Recordings(unittest.TestCase):
    def test_every_exchange_is_as_the_model_says(self):
        wrong, requests, answers = {}, Counter(), Counter()
        for place, exchange in recordings():
            for problem in judge(exchange):
                wrong.setdefault(problem, []).append(place)
            answers[exchange["service"], exchange["action"]] += 1
            requests[exchange["action"]] += exchange["client"].startswith(CLIENT)
        print(f"\n{sum(requests.values())} requests of Pitstop, {sum(answers.values())} answers of the simulator:")
        for service, action in sorted(answers):
            if service in SERVICES and action in model(service).actions:
                print(f"  {service}:{action:34} {requests[action]:6} {answers[service, action]:6}")
        # The credentials' own call is not among those whose answers are decoded from examples.
        unseen = sorted(action for action in used_actions() | {"AssumeRole"} if not requests[action])
        self.assertEqual(unseen, [], "Pitstop uses these actions, but no test of it sent one")
        told = [f"{problem}  ({len(places)} times, first at {places[0]})" for problem, places in wrong.items()]
        self.assertFalse(wrong, "\n" + "\n".join(sorted(told)))


class Judge(unittest.TestCase):
    """The judge itself: what is wrong is noticed."""

    STOP = {
        "service": "cvm",
        "action": "StopInstances",
        "version": "2017-03-12",
        "client": "pitstop_0.1.0",
        "scripted": False,
        "request": {"InstanceIds": ["ins-r8hr2upy"], "StopType": "SOFT"},
        "response": {"Response": {"RequestId": "6ef60bec-0242-43af-bb20-270359fb54a7"}},
    }

    def exchange(self, **changes):
        return {**deepcopy(self.STOP), **changes}

    def refused(self, code):
        return {"Response": {"Error": {"Code": code, "Message": "No."}, "RequestId": "r"}}

    def assert_problem(self, part, exchange):
        problems = judge(exchange)
        self.assertTrue(any(part in problem for problem in problems), f"{part!r} is not in {problems}")

    def test_a_good_exchange_is_good(self):
        self.assertEqual(judge(self.exchange()), [])
        self.assertEqual(judge(self.exchange(response=self.refused("UnsupportedOperation.InstanceStateStopped"))), [])

    def test_bad_requests_are_noticed(self):
        for part, request in [
            ("missing", {}),
            ("no such field", {"InstanceIds": ["ins-1"], "Force": True}),
            ("not string", {"InstanceIds": [1]}),
            ("not a list", {"InstanceIds": "ins-1"}),
            ("null", {"InstanceIds": ["ins-1"], "StopType": None}),
            ("deprecated", {"InstanceIds": ["ins-1"], "ForceStop": True}),
        ]:
            self.assert_problem(part, self.exchange(request=request))
        self.assert_problem("no action", self.exchange(action="HaltInstances", response=self.refused("InvalidAction")))
        self.assert_problem("version", self.exchange(version="2018-01-01"))

    def test_bad_requests_of_others_must_be_refused(self):
        self.assert_problem("executed", self.exchange(client="", request={}))
        refused = self.exchange(client="", request={}, response=self.refused("MissingParameter"))
        self.assertEqual(judge(refused), [])

    def test_bad_answers_are_noticed(self):
        self.assert_problem("not declared", self.exchange(response=self.refused("InvalidKeyPairId.NotFound")))
        scripted = self.exchange(response=self.refused("InvalidKeyPairId.NotFound"), scripted=True)
        self.assertEqual(judge(scripted), [])
        self.assert_problem("missing", self.exchange(response={"Response": {}}))
        answer = {"RequestId": "r", "TotalCount": "1", "InstanceSet": [{"InstanceId": None, "State": "RUNNING"}]}
        describe = self.exchange(action="DescribeInstances", request={"Limit": 1}, response={"Response": answer})
        for part in ["not int", "null", "no such field", "missing"]:
            self.assert_problem(part, describe)

    def test_the_declared_codes_are_the_vendors(self):
        for (service, action), codes in declared_codes().items():
            if service != "*":
                self.assertIn(action, model(service).actions)
                self.assertEqual(codes - sdk_codes(service) - common_codes(), set(), f"{service}:{action}")

    def test_every_used_action_has_declared_codes(self):
        for action in used_actions():
            self.assertIn((service_of(action), action), declared_codes())
