"""One hand wrote it all."""

from tests.house.checkout import expect_no_findings


def test_the_linter_is_silent() -> None:
    """`ruff check` finds nothing, in the package, the examples and the tests."""
    expect_no_findings("ruff", "check", "--output-format=concise")


def test_the_formatter_would_change_nothing() -> None:
    """`ruff format` leaves every file as it is."""
    expect_no_findings("ruff", "format", "--check")
