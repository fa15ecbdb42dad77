"""`pitstop sim` as a process, and the vendor's two clients pointed at it."""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tencentcloud.common.credential import Credential
from tencentcloud.common.profile.client_profile import ClientProfile
from tencentcloud.common.profile.http_profile import HttpProfile
from tencentcloud.cvm.v20170312 import cvm_client

REGION = "ap-guangzhou"
# The demo fleet's, printed by `pitstop sim`.
SECRET_ID = "AKIDSIMULATEDPITSTOPDEMO00000000000"
SECRET_KEY = "simulatedSecretKeyOfThePitstopDemo"
# A stop takes about a third of a second then, while two processes of tccli take some seconds.
SPEED = "30"


class Simulator:
    """A simulator of its own, with the demo fleet, on a free port."""

    def __init__(self):
        command = [os.environ["PITSTOP"], "sim", "--listen", "127.0.0.1:0", "--speed", SPEED, "--output", "json"]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.address = json.loads(self.process.stdout.readline())["endpoint"].removeprefix("http://")
        self.home = tempfile.TemporaryDirectory()

    def close(self):
        self.process.terminate()
        self.process.wait(timeout=20)
        self.process.stdout.close()
        self.home.cleanup()

    def sdk(self, secret_id=SECRET_ID, secret_key=SECRET_KEY):
        """The official SDK's client."""
        profile = ClientProfile(httpProfile=HttpProfile(protocol="http", endpoint=self.address, reqTimeout=20))
        return cvm_client.CvmClient(Credential(secret_id, secret_key), REGION, profile)

    def tccli(self, action, *arguments, secret_id=SECRET_ID, secret_key=SECRET_KEY):
        """Runs the official command line; gives its exit code and what it printed."""
        environment = {
            "HOME": self.home.name,
            "PATH": os.environ["PATH"],
            "TENCENTCLOUD_SECRET_ID": secret_id,
            "TENCENTCLOUD_SECRET_KEY": secret_key,
        }
        # An endpoint with a scheme makes it speak plain HTTP, which it has no setting for.
        place = ["--region", REGION, "--endpoint", f"http://{self.address}", "--language", "en-US"]
        command = [str(Path(sys.executable).with_name("tccli")), "cvm", action, *arguments, *place]
        ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
        return ended.returncode, ended.stdout + ended.stderr


def until(look, seconds=20):
    """Asks until the answer is true, and gives it."""
    deadline = time.monotonic() + seconds
    while not (answer := look()):
        if time.monotonic() > deadline:
            raise AssertionError(f"still {answer!r} after {seconds} s")
        time.sleep(0.1)
    return answer
