"""What a Python script on the vendor's SDK does: stop, key, password, resize, start, each awaited by looking every 5 s,
with 20 threads.

    sdk.py HOST:PORT < ids

Needs tencentcloud-sdk-python; TENCENTCLOUD_SECRET_ID, TENCENTCLOUD_SECRET_KEY and NEW_PASSWORD in the environment.
"""

import os
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from tencentcloud.common.credential import Credential
from tencentcloud.common.exception.tencent_cloud_sdk_exception import TencentCloudSDKException
from tencentcloud.common.profile.client_profile import ClientProfile
from tencentcloud.common.profile.http_profile import HttpProfile
from tencentcloud.cvm.v20170312 import cvm_client, models

INTERVAL = 5
PATIENCE = 900
THREADS = 20

own = threading.local()


def client():
    """This thread's client."""
    if not hasattr(own, "client"):
        profile = ClientProfile(httpProfile=HttpProfile(protocol="http", endpoint=sys.argv[1], keepAlive=True))
        secret = (os.environ["TENCENTCLOUD_SECRET_ID"], os.environ["TENCENTCLOUD_SECRET_KEY"])
        own.client = cvm_client.CvmClient(Credential(*secret), "ap-guangzhou", profile)
    return own.client


def call(action, instance, **fields):
    """Calls, and again after a second if the cloud says that there were too many calls."""
    request = getattr(models, f"{action}Request")()
    request.InstanceIds = [instance]
    for name, value in fields.items():
        setattr(request, name, value)
    while True:
        try:
            return getattr(client(), action)(request)
        except TencentCloudSDKException as error:
            if error.code != "RequestLimitExceeded":
                raise
            time.sleep(1)


def change(instance, action, **fields):
    """Calls, and waits until the operation has ended well."""
    request = call(action, instance, **fields).RequestId
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        seen = call("DescribeInstances", instance).InstanceSet[0]
        # The state alone may still speak of the operation before.
        if seen.LatestOperationRequestId == request and seen.LatestOperationState != "OPERATING":
            if seen.LatestOperationState != "SUCCESS":
                raise RuntimeError(f"{action} of {instance}: {seen.LatestOperationErrorMsg}")
            return
        time.sleep(INTERVAL)
    raise RuntimeError(f"{action} of {instance} has not ended after {PATIENCE} s")


def pit_stop(instance):
    change(instance, "StopInstances", StopType="SOFT", StoppedMode="KEEP_CHARGING")
    # The key first: loading one switches login by password off.
    change(instance, "AssociateInstancesKeyPairs", KeyIds=["skey-0ops0001"])
    change(instance, "ResetInstancesPassword", Password=os.environ["NEW_PASSWORD"])
    change(instance, "ResetInstancesType", InstanceType="S5.LARGE8")
    change(instance, "StartInstances")


with ThreadPoolExecutor(THREADS) as pool:
    # A failure of one instance is raised here.
    list(pool.map(pit_stop, sys.stdin.read().split()))
