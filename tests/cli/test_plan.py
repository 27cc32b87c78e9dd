"""The table of situations of `linqbot run`, row by row."""

from __future__ import annotations

import pytest

from linqbot.cli.plan import Only, plan_run
from linqbot.errors import ConfigurationError
from linqbot.settings import load_settings

ACCOUNT = {"api_key": "token"}
REDIS = {"redis_url": "redis://127.0.0.1:1/0"}
DYNO = {"dyno": "web.1"}
FILE = {"store": "sqlite:///bot.db"}


def test_one_process_does_everything_by_default() -> None:
    """With an account alone a bot runs in one process, on a file."""
    plan = plan_run(load_settings(**ACCOUNT))

    assert (plan.only, plan.processes, plan.listens, plan.warnings) == ("all", 1, True, ())


def test_flags_win_over_the_environment() -> None:
    """`--host` and `--port` are obeyed whatever HOST and PORT say."""
    plan = plan_run(load_settings(**ACCOUNT, host="10.0.0.1", port=5000), host="127.0.0.1", port=0)

    assert (plan.host, plan.port) == ("127.0.0.1", 0)


def test_without_a_key_it_stops() -> None:
    """No API key: one line that names the variable."""
    with pytest.raises(ConfigurationError, match=r"^there is no API key: set LINQ_API_V3_API_KEY [^\n]+$"):
        plan_run(load_settings())


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"store": "postgres://u:hush@host/db"}, "LINQBOT_STORE begins with 'postgres'"),
        ({"redis_url": "https://u:hush@host"}, "REDIS_URL begins with 'https'"),
        ({"store": "hush"}, "LINQBOT_STORE is not an address"),
        ({"store": "sqlite://bot.db"}, "LINQBOT_STORE names no file"),
        ({"store": "sqlite:///"}, "LINQBOT_STORE names no file"),
    ],
)
def test_a_wrong_store_stops_it(given: dict[str, str], message: str) -> None:
    """A store URL that is none: one line that names the variable and keeps the password."""
    with pytest.raises(ConfigurationError, match=message) as refused:
        plan_run(load_settings(**ACCOUNT, **given))

    assert "hush" not in str(refused.value)


def test_without_a_webhook_secret_it_runs() -> None:
    """A bot starts without a secret (its webhooks are answered 503), for the address must exist before the secret does."""
    assert plan_run(load_settings(**ACCOUNT)).listens


def test_a_certificate_that_is_not_verified_is_told() -> None:
    """`rediss://` on a dyno is accepted unverified, with a warning."""
    [warning] = plan_run(load_settings(**ACCOUNT, **DYNO, redis_url="rediss://host")).warnings

    assert "LINQBOT_REDIS_TLS" in warning


@pytest.mark.parametrize(
    "given", [{"redis_url": "rediss://host"}, {"redis_url": "rediss://host", "dyno": "web.1", "tls": "insecure"}, REDIS]
)
def test_a_certificate_that_is_verified_or_chosen_is_not_told(given: dict[str, str]) -> None:
    """Elsewhere certificates are verified, and who chose not to knows it."""
    assert plan_run(load_settings(**ACCOUNT, **given)).warnings == ()


def test_the_platforms_guess_of_processes_is_ignored() -> None:
    """WEB_CONCURRENCY that a platform set means one process."""
    settings = load_settings(**ACCOUNT, web_concurrency=9, web_concurrency_set_by="heroku/python")

    assert plan_run(settings).processes == 1


def test_a_users_own_number_of_processes_is_obeyed_on_redis() -> None:
    """WEB_CONCURRENCY that a user set starts as many."""
    assert plan_run(load_settings(**ACCOUNT, **REDIS, web_concurrency=3)).processes == 3


def test_a_users_own_number_of_processes_needs_redis() -> None:
    """Several processes on a file are refused with both ways out."""
    with pytest.raises(ConfigurationError, match=r"WEB_CONCURRENCY=3 needs Redis: set REDIS_URL, or WEB_CONCURRENCY=1"):
        plan_run(load_settings(**ACCOUNT, web_concurrency=3))


def test_a_dyno_without_redis_stops() -> None:
    """On a dyno a file that nobody asked for is refused, naming the add-on and the way to accept the loss."""
    with pytest.raises(ConfigurationError, match=r"heroku addons:create .* or set LINQBOT_STORE=sqlite:///"):
        plan_run(load_settings(**ACCOUNT, **DYNO))


def test_a_dyno_with_a_file_that_was_asked_for_runs() -> None:
    """Who sets LINQBOT_STORE=sqlite:///… accepts the loss."""
    assert plan_run(load_settings(**ACCOUNT, **DYNO, **FILE)).processes == 1


@pytest.mark.parametrize("only", ["web", "worker"])
def test_a_split_on_a_file_is_allowed_on_one_host(only: Only) -> None:
    """Processes of one host may share a file."""
    plan = plan_run(load_settings(**ACCOUNT, **FILE), only=only)

    assert (plan.only, plan.listens) == (only, only == "web")


@pytest.mark.parametrize("only", ["web", "worker"])
def test_a_split_in_memory_is_refused(only: Only) -> None:
    """What is kept in one process's memory is shared with nobody."""
    with pytest.raises(ConfigurationError, match="write sqlite:///path"):
        plan_run(load_settings(**ACCOUNT, store="sqlite:///:memory:"), only=only)


@pytest.mark.parametrize("only", ["web", "worker"])
def test_a_split_on_a_file_is_refused_on_dynos(only: Only) -> None:
    """Dynos share no disk, so that a worker would never see what web took."""
    with pytest.raises(ConfigurationError, match=f"--only {only} needs a store that dynos share"):
        plan_run(load_settings(**ACCOUNT, **DYNO, **FILE), only=only)


@pytest.mark.parametrize("only", ["web", "worker"])
def test_a_split_on_redis_is_allowed_on_dynos(only: Only) -> None:
    """With Redis a worker dyno adds hands."""
    assert plan_run(load_settings(**ACCOUNT, **DYNO, **REDIS), only=only).only == only
