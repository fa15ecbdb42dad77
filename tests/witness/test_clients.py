"""The vendor's own clients, the Python SDK and tccli, work with the simulator as with the real cloud.

Each does a whole pit stop, and meets each error once; the codes are the documented ones.
"""

import json
import re
import unittest
from unittest import mock

from tencentcloud.common.common_client import CommonClient
from tencentcloud.common.credential import Credential
from tencentcloud.common.exception.tencent_cloud_sdk_exception import TencentCloudSDKException
from tencentcloud.cvm.v20170312 import models

from simulator import REGION, SECRET_ID, Simulator, until

WEB, OTHER_WEB, STOPPED_WEB = "ins-0web0001", "ins-0web0002", "ins-0web0003"
WINDOWS, BUSY, ISOLATED, NOT_CHARGED = "ins-0win0001", "ins-0busy001", "ins-0isolat1", "ins-0nopay01"
KEY, PASSWORD = "skey-0ops0001", "Correct-Horse-7"


class Refused(Exception):
    """The cloud's error code."""


class Witness:
    """What both clients do; `call` is what differs. It gives the answer's fields or raises `Refused`."""

    @classmethod
    def setUpClass(cls):
        cls.simulator = Simulator()
        cls.addClassCleanup(cls.simulator.close)

    def look(self, instance):
        (found,) = self.call("DescribeInstances", InstanceIds=[instance], Limit=100)["InstanceSet"]
        return found

    def settled(self, instance, request):
        """The instance, once the operation that was begun by this request has ended."""

        def look():
            seen = self.look(instance)
            mine = seen["LatestOperationRequestId"] == request
            return seen if mine and seen["LatestOperationState"] != "OPERATING" else None

        seen = until(look)
        self.assertEqual(seen["LatestOperationState"], "SUCCESS", seen)
        return seen

    def change(self, action, instance, **params):
        answer = self.call(action, InstanceIds=[instance], **params)
        return self.settled(instance, answer["RequestId"])

    def test_a_whole_pit_stop(self):
        before = self.look(WEB)
        self.assertEqual((before["InstanceState"], before["InstanceType"]), ("RUNNING", "S5.MEDIUM4"))
        stopped = self.change("StopInstances", WEB, StopType="SOFT", StoppedMode="KEEP_CHARGING")
        self.assertEqual(stopped["InstanceState"], "STOPPED")
        self.wait_for(WEB, "STOPPED")
        keyed = self.change("AssociateInstancesKeyPairs", WEB, KeyIds=[KEY])
        self.assertEqual(keyed["LoginSettings"]["KeyIds"], [KEY])
        self.change("ResetInstancesPassword", WEB, Password=PASSWORD, UserName="root")
        price = self.call("InquiryPriceResetInstancesType", InstanceIds=[WEB], InstanceType="S5.LARGE8")
        self.assertGreater(price["Price"]["InstancePrice"]["UnitPrice"], 0)
        resized = self.change("ResetInstancesType", WEB, InstanceType="S5.LARGE8")
        self.assertEqual((resized["InstanceType"], resized["CPU"], resized["Memory"]), ("S5.LARGE8", 4, 8))
        # The resize may have started it, as the vendor's does.
        if until(lambda: self.stable(WEB)) == "STOPPED":
            self.change("StartInstances", WEB)
        self.wait_for(WEB, "RUNNING")
        after = self.look(WEB)
        for kept in ["PrivateIpAddresses", "PublicIpAddresses", "SystemDisk", "SecurityGroupIds", "Uuid"]:
            self.assertEqual(after[kept], before[kept], kept)

    def stable(self, instance):
        state = self.look(instance)["InstanceState"]
        return state if state in ("RUNNING", "STOPPED") else None

    def wait_for(self, instance, state):
        until(lambda: self.look(instance)["InstanceState"] == state)

    def assert_refused(self, code, action, **params):
        with self.assertRaises(Refused) as refused:
            self.call(action, **params)
        self.assertEqual(str(refused.exception), code)

    def test_errors(self):
        too_many = [f"ins-{number:08x}" for number in range(101)]
        state = "UnsupportedOperation.InstanceState"
        resize = {"action": "ResetInstancesType", "InstanceType": "S5.LARGE8"}
        key = {"action": "AssociateInstancesKeyPairs", "KeyIds": [KEY]}
        for code, call in {
            "InvalidInstanceId.NotFound": {"action": "StopInstances", "InstanceIds": ["ins-00000000"]},
            "InvalidInstanceId.Malformed": {"action": "StopInstances", "InstanceIds": ["web-1"]},
            "InvalidParameterValue.LimitExceeded": {"action": "StartInstances", "InstanceIds": too_many},
            f"{state}Stopped": {"action": "StopInstances", "InstanceIds": [STOPPED_WEB]},
            f"{state}Running": {**resize, "InstanceIds": [OTHER_WEB]},
            f"{state}Shutdown": {"action": "StartInstances", "InstanceIds": [ISOLATED]},
            "OperationDenied.InstanceOperationInProgress": {"action": "StopInstances", "InstanceIds": [BUSY]},
            "UnsupportedOperation.StoppedModeStopCharging": {**resize, "InstanceIds": [NOT_CHARGED]},
            "ResourcesSoldOut.SpecifiedInstanceType": {
                **resize,
                "InstanceIds": [STOPPED_WEB],
                "InstanceType": "S6.LARGE16",
            },
            "InvalidKeyPairId.NotFound": {**key, "InstanceIds": [STOPPED_WEB], "KeyIds": ["skey-00000000"]},
            "UnsupportedOperation.InstanceOsWindows": {**key, "InstanceIds": [WINDOWS]},
            "InvalidParameterValue.InvalidPassword": {
                "action": "ResetInstancesPassword",
                "InstanceIds": [STOPPED_WEB],
                "Password": "password",
            },
        }.items():
            with self.subTest(code):
                self.assert_refused(code, **call)

    def test_wrong_credentials(self):
        call = {"action": "DescribeInstances", "Limit": 1}
        self.assert_refused("AuthFailure.SignatureFailure", **call, credential={"secret_key": "wrong"})
        self.assert_refused("AuthFailure.SecretIdNotFound", **call, credential={"secret_id": "AKIDnobody"})


class Sdk(Witness, unittest.TestCase):
    """tencentcloud-sdk-python."""

    def call(self, action, credential=None, **params):
        client = self.simulator.sdk(**credential or {})
        request = getattr(models, f"{action}Request")()
        request.from_json_string(json.dumps(params))
        try:
            return json.loads(getattr(client, action)(request).to_json_string())
        except TencentCloudSDKException as error:
            raise Refused(error.get_code()) from error

    def raw(self, action, params):
        """A call that the SDK's model does not know."""
        with self.assertRaises(TencentCloudSDKException) as refused:
            self.simulator.sdk().call_json(action, params)
        return refused.exception.get_code()

    def test_calls_that_are_not_in_the_model(self):
        self.assertEqual(self.raw("HaltInstances", {}), "InvalidAction")
        self.assertEqual(self.raw("StopInstances", {}), "MissingParameter")
        self.assertEqual(self.raw("StopInstances", {"InstanceIds": [OTHER_WEB], "Gently": True}), "UnknownParameter")
        both = {"InstanceIds": [OTHER_WEB], "ForceStop": True, "StopType": "HARD"}
        self.assertEqual(self.raw("StopInstances", both), "InvalidParameterCombination")

    def test_another_version(self):
        right = self.simulator.sdk()
        client = CommonClient("cvm", "2016-01-01", right.credential, REGION, right.profile)
        with self.assertRaises(TencentCloudSDKException) as refused:
            client.call_json("DescribeInstances", {"Limit": 1})
        self.assertEqual(refused.exception.get_code(), "NoSuchVersion")

    def test_a_clock_that_is_wrong(self):
        import time

        wrong = time.time() - 600
        with mock.patch("tencentcloud.common.abstract_client.time.time", return_value=wrong):
            self.assert_refused("AuthFailure.SignatureExpire", action="DescribeInstances", Limit=1)

    def test_a_token_that_is_nobodys(self):
        client = self.simulator.sdk()
        client.credential = Credential(SECRET_ID, client.credential.secretKey, "token")
        with self.assertRaises(TencentCloudSDKException) as refused:
            client.call_json("DescribeInstances", {"Limit": 1})
        self.assertEqual(refused.exception.get_code(), "AuthFailure.TokenFailure")


class Tccli(Witness, unittest.TestCase):
    """tccli. It refuses calls that are not in the model by itself, so they are the SDK's to make."""

    def call(self, action, credential=None, waiter=None, **params):
        arguments = []
        for name, value in params.items():
            arguments += [f"--{name}", value if isinstance(value, str) else json.dumps(value)]
        if waiter:
            arguments += ["--waiter", json.dumps(waiter)]
        code, printed = self.simulator.tccli(action, *arguments, **credential or {})
        if refused := re.search(r"\bcode:\s*([A-Za-z.]+)", printed):
            self.assertNotEqual(code, 0, printed)
            raise Refused(refused[1])
        self.assertEqual(code, 0, printed)
        return json.loads(printed[printed.index("{") :])

    def wait_for(self, instance, state):
        """By tccli's own means."""
        waiter = {"expr": "InstanceSet[0].InstanceState", "to": state, "timeout": 20, "interval": 1}
        answer = self.call("DescribeInstances", waiter=waiter, InstanceIds=[instance])
        self.assertEqual(answer["InstanceSet"][0]["InstanceState"], state)
