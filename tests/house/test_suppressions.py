"""An exception to a rule gives its reason where it is made."""

import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.house.checkout import ROOT, modules

DIRECTIVE = re.compile(
    r"#?\s*(?:(?:ruff:\s*)?noqa(?P<rule>:\s*[A-Z]+\d+(?:[,\s]+[A-Z]+\d+\b)*)?"
    r"|type:\s*ignore(?P<code>\[[\w, -]+\])?|pragma:\s*no\s*cover(?P<branch>))"
)
REASON_WORDS = 1


def test_every_suppression_names_its_rule_and_its_reason() -> None:
    """Each `noqa`, `type: ignore` and `pragma: no cover` names the rule and says why on the same line."""
    assert [bare for file in modules("linqbot", "examples", "tests") for bare in _bare(file)] == []


@pytest.mark.parametrize(
    ("comment", "explained"),
    [
        ("# noqa: BLE001  # a handler may raise anything", True),
        ("# type: ignore[arg-type]  # hostile input on purpose", True),
        ("# noqa: BLE001, S110 - a broken hook must not stop the worker", True),
        ("# the same words, no directive", True),
        ("# noqa: BLE001", False),
        ("# noqa  # a handler may raise anything", False),
        ("# type: ignore", False),
        ("# type: ignore  # hostile input on purpose", False),
    ],
)
def test_a_suppression_needs_a_rule_and_a_reason(comment: str, explained: bool) -> None:
    """A directive without a rule, or without words beside it, is found."""
    assert _is_explained(comment) is explained


def _bare(file: Path) -> Iterator[str]:
    for token in tokenize.generate_tokens(io.StringIO(file.read_text()).readline):
        if token.type == tokenize.COMMENT and not _is_explained(token.string):
            yield f"{file.relative_to(ROOT)}:{token.start[0]} {token.string}"


def _is_explained(comment: str) -> bool:
    directives = list(DIRECTIVE.finditer(comment))
    if not directives:
        return True
    words = re.findall(r"[A-Za-z']{2,}", DIRECTIVE.sub("", comment))
    return all(_names_its_rule(found) for found in directives) and len(words) >= REASON_WORDS


def _names_its_rule(found: re.Match[str]) -> bool:
    return any(found[group] is not None for group in ("rule", "code", "branch"))
