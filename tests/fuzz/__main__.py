"""`python -m tests.fuzz --seconds 60`, or `--inputs 1000000` for a night."""

from __future__ import annotations

import argparse
import sys

from tests.fuzz.run import TARGET, fuzz

parser = argparse.ArgumentParser(
    prog="python -m tests.fuzz", description="Fuzz the verification and reading of webhooks."
)
parser.add_argument("--seconds", type=float, help="how long")
parser.add_argument("--inputs", type=int, help="how many inputs")
parser.add_argument("--target", default=TARGET, help="module:function, given bytes")
given = parser.parse_args()

findings = fuzz(given.target, seconds=given.seconds or (None if given.inputs else 60), inputs=given.inputs)
print(findings)
sys.exit(findings.failed)
