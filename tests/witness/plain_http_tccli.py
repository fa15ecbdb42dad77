"""tccli over plain HTTP, for a simulator on loopback.

tccli reads its arguments, encodes and signs the request and prints the answer as always; it only has no setting for the
scheme, although the SDK below it has. This is that setting.
"""

import sys
from functools import partial

from tccli import action_caller, main

action_caller.HttpProfile = partial(action_caller.HttpProfile, protocol="http")
sys.exit(main.main())
