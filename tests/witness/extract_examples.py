"""Writes the vendor's documented answers to the actions that Pitstop uses: `extract_examples.py FILE`."""

import json
import sys
from pathlib import Path

from vendor import model, service_of, used_actions


def main(path):
    found = []
    for action in sorted(used_actions()):
        examples = model(service_of(action)).examples.get(action, [])
        found += [{"action": action, "title": e["title"], "output": e["output"]} for e in examples]
    Path(path).write_text(json.dumps(found, ensure_ascii=False, indent=1))
    print(f"{len(found)} documented answers of {len(used_actions())} actions")


if __name__ == "__main__":
    main(sys.argv[1])
