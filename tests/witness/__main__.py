"""Runs the witnesses and ends with a line that counts them."""

import os
import sys
import unittest
from pathlib import Path


def main():
    # The SDK would ask a proxy for the simulator: it looks for HOST:PORT in NO_PROXY.
    for name in [name for name in os.environ if name.lower() in ("http_proxy", "https_proxy", "all_proxy")]:
        del os.environ[name]
    suite = unittest.defaultTestLoader.discover(str(Path(__file__).parent))
    result = unittest.TextTestRunner(stream=sys.stdout, verbosity=2).run(suite)
    # One test can fail in several sub-tests. What was skipped has seen nothing, so it counts as failed.
    bad = result.failures + result.errors + result.skipped + [(test, "") for test in result.unexpectedSuccesses]
    failed = len({getattr(test, "test_case", test).id() for test, _ in bad})
    passed = result.testsRun - failed
    print(f"{passed} passed, {failed} failed")
    sys.exit(failed > 0 or passed <= 0)


main()
