"""Types hold."""

from tests.house.checkout import expect_no_findings


def test_the_package_type_checks_strictly() -> None:
    """`mypy --strict` finds nothing to say about linqbot."""
    expect_no_findings("mypy", "--no-error-summary")
