"""The environment -> Settings."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from linqbot.errors import ConfigurationError
from linqbot.settings import SETTINGS, Settings, load_settings, playground

EVERY_NAME = [(setting.field, name) for setting in SETTINGS for name in setting.names]
SAMPLES = {
    "base_url": "https://example.test/api",
    "public_url": "https://bot.example.test",
    "webhook_path": "/hooks",
    "from_number": "+12025550100",
    "legacy_signatures": "true",
    "max_body": "1MiB",
    "pair_budget": "7/3s",
    "line_budget": "9/5m",
    "line_day_budget": "400",
    "handler_timeout": "5s",
    "lease": "9s",
    "dedupe_capacity": "77",
    "port": "4321",
    "web_concurrency": "3",
    "log_level": "WARNING",
    "log_format": "json",
}


@pytest.mark.parametrize(("field", "name"), EVERY_NAME)
def test_every_name_of_a_setting_sets_it(field: str, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each variable in the list, aliases included, reaches the field it stands beside."""
    monkeypatch.setenv(name, SAMPLES.get(field, "value"))

    settings = load_settings()

    assert settings.model_fields_set == {field}


def test_the_first_name_wins_over_its_aliases(monkeypatch: pytest.MonkeyPatch) -> None:
    """With several names set, the canonical one decides."""
    monkeypatch.setenv("LINQ_TOKEN", "alias")
    monkeypatch.setenv("LINQ_API_V3_API_KEY", "canonical")

    assert _value(load_settings(), "api_key") == "canonical"


@pytest.mark.parametrize(
    ("in_file", "in_environment"),
    [("LINQ_API_V3_API_KEY", "LINQ_TOKEN"), ("LINQ_TOKEN", "LINQ_API_V3_API_KEY"), ("LINQ_TOKEN", "LINQ_TOKEN")],
)
def test_the_environment_wins_over_the_file(
    in_file: str, in_environment: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`./.env` is read, but the real environment decides, whichever of the names either of them uses."""
    (folder / ".env").write_text(f"{in_file}=from-file\n")
    monkeypatch.setenv(in_environment, "from-environment")

    assert _value(load_settings(), "api_key") == "from-environment"


def test_the_file_is_read_where_the_environment_is_silent(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty variable counts as unset, so the file's value is used."""
    (folder / ".env").write_text("LINQBOT_NAMESPACE=from-file\nSOMETHING_ELSE=1\n")
    monkeypatch.setenv("LINQBOT_NAMESPACE", "")

    assert load_settings().namespace == "from-file"


def test_the_file_can_be_left_out(folder: Path) -> None:
    """`env_file=None` reads the environment alone."""
    (folder / ".env").write_text("LINQBOT_NAMESPACE=from-file\n")

    assert load_settings(env_file=None).namespace == "linqbot"


def test_keywords_win_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a program says itself is not overruled from outside."""
    monkeypatch.setenv("LINQ_API_KEY", "from-environment")

    assert _value(load_settings(api_key="given"), "api_key") == "given"


def test_keys_and_secrets_lose_surrounding_blanks(monkeypatch: pytest.MonkeyPatch) -> None:
    """A line feed copied along with a token does no harm."""
    monkeypatch.setenv("LINQ_API_KEY", " token\n")

    assert _value(load_settings(), "api_key") == "token"


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ({}, "sqlite:///.linqbot/bot.db"),
        ({"redis_url": "redis://one"}, "redis://one"),
        ({"redis_url": "redis://one", "store": "sqlite:///x.db"}, "sqlite:///x.db"),
    ],
)
def test_the_store_is_the_named_one_then_redis_then_a_file(given: dict[str, str], url: str) -> None:
    """`LINQBOT_STORE` wins over `REDIS_URL`, and without both there is a file."""
    assert load_settings(**given).store_url == url


@pytest.mark.parametrize(
    ("given", "tls"),
    [
        ({}, "verify"),
        ({"dyno": "web.1"}, "insecure"),
        ({"dyno": "web.1", "tls": "verify"}, "verify"),
        ({"tls": "/etc/ca.pem"}, "/etc/ca.pem"),
    ],
)
def test_certificates_are_checked_unless_the_platform_signs_its_own(given: dict[str, str], tls: str) -> None:
    """On Heroku an unset `LINQBOT_REDIS_TLS` accepts the platform's certificate; a set one is obeyed anywhere."""
    assert load_settings(**given).redis_tls == tls


def test_limits_carry_the_settings_of_the_store() -> None:
    """The store gets lease, capacity and budget in its own units."""
    limits = load_settings(lease="1.5s", dedupe_capacity=5, pair_budget="7/2s").limits()

    assert (limits.lease_ms, limits.dedupe_capacity, limits.budget, limits.budget_window_ms) == (1500, 5, 7, 2000)


def test_limits_carry_the_pace_of_a_line() -> None:
    """Window and day, and no limit unless one is set."""
    limits = load_settings(line_budget="9/5m", line_day_budget=400).limits()

    assert (limits.line_budget, limits.line_window_ms, limits.line_day_budget) == (9, 300_000, 400)
    assert (load_settings().limits().line_budget, load_settings().limits().line_day_budget) == (0, 0)


def test_durations_and_sizes_are_read_in_their_units() -> None:
    """Spans come as spans and sizes as bytes."""
    settings = load_settings(handler_timeout="2m", max_body="64KiB")

    assert (settings.handler_timeout, settings.max_body) == (timedelta(minutes=2), 65_536)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("LINQ_BASE_URL", "api.example.test"),
        ("LINQBOT_LEASE", "30"),
        ("LINQBOT_LEASE", "0s"),
        ("LINQBOT_HANDLER_TIMEOUT", "soon"),
        ("LINQBOT_PAIR_BUDGET", "25"),
        ("LINQBOT_LINE_BUDGET", "30"),
        ("LINQBOT_LINE_DAY_BUDGET", "-1"),
        ("LINQBOT_MAX_BODY", "4 parsecs"),
        ("LINQBOT_MAX_BODY", "3"),
        ("LINQBOT_DEDUPE_CAPACITY", "0"),
        ("LINQBOT_LEGACY_SIGNATURES", "perhaps"),
        ("LINQBOT_NAMESPACE", "a b"),
        ("LINQBOT_WEBHOOK_PATH", "hooks"),
        ("LINQBOT_WEBHOOK_PATH", "/"),
        ("PORT", "http"),
        ("PORT", "70000"),
        ("WEB_CONCURRENCY", "0"),
        ("LOG_LEVEL", "loud"),
        ("LOG_FORMAT", "xml"),
    ],
)
def test_an_unusable_value_is_named_on_one_line(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bad setting stops the start with one line that names the variable as it was written."""
    monkeypatch.setenv(name, value)

    with pytest.raises(ConfigurationError, match=rf"^{name} is not usable: [^\n]+\Z"):
        load_settings()


def test_secrets_are_in_no_repr_and_no_error(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the settings nor a complaint about another one shows keys, secrets, passwords or the phone number."""
    monkeypatch.setenv("LINQ_API_KEY", "hush-key")
    monkeypatch.setenv("LINQ_WEBHOOK_SECRET", "whsec_hush")
    monkeypatch.setenv("REDIS_URL", "redis://:hush-password@host")
    monkeypatch.setenv("LINQBOT_STORE", "redis://:hush-password@host")
    monkeypatch.setenv("LINQ_FROM_NUMBER", "+12025550199")
    shown = repr(load_settings()) + str(load_settings())
    monkeypatch.setenv("PORT", "hush")

    with pytest.raises(ConfigurationError) as refused:
        load_settings()

    assert "hush" not in shown
    assert "2025550199" not in shown
    assert "hush" not in str(refused.value)


def test_what_is_confidential_is_known_to_the_guard_of_the_logs() -> None:
    """Keys, each of several secrets, store addresses and the number are listed in the clear, for the one who masks them."""
    settings = load_settings(
        api_key="key", webhook_secret="one, two", store="redis://:pw@host", from_number="+12025550199"
    )

    assert {"key", "one", "two", "redis://:pw@host", "+12025550199"} <= {*settings.confidential}


def test_a_file_that_is_not_text_is_named(folder: Path) -> None:
    """A `.env` in a foreign encoding stops the start with its name."""
    (folder / ".env").write_bytes(b"LINQ_API_KEY=\xff\xfe\x00")

    with pytest.raises(ConfigurationError, match=r"^\.env cannot be read"):
        load_settings()


def test_a_playground_holds_no_token_secret_or_store(monkeypatch: pytest.MonkeyPatch) -> None:
    """What `dev` hands to its child has the shell's other variables, but nothing that reaches an account or a server."""
    monkeypatch.setenv("LINQ_API_TOKEN", "hush")
    monkeypatch.setenv("LINQ_SIGNING_SECRET", "hush")
    monkeypatch.setenv("REDIS_URL", "redis://hush")
    monkeypatch.setenv("LINQBOT_HANDLER_TIMEOUT", "5m")
    monkeypatch.setenv("OPENAI_API_KEY", "the user's own")

    environment = playground(api_key="a toy")

    assert "hush" not in "".join(environment.values())
    assert environment["LINQ_API_V3_API_KEY"] == "a toy"
    assert environment["LINQBOT_HANDLER_TIMEOUT"] == "5m"
    assert environment["OPENAI_API_KEY"] == "the user's own"


def test_a_playground_wins_over_the_file(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is put in place of an account's settings is not undone by a `.env` with other names for them."""
    (folder / ".env").write_text("LINQ_TOKEN=hush\nLINQBOT_STORE=redis://hush\nREDIS_URL=redis://hush\n")
    for name, value in playground(api_key="a toy", store="sqlite:///toy.db").items():
        monkeypatch.setenv(name, value)

    settings = load_settings()

    assert (_value(settings, "api_key"), settings.store_url) == ("a toy", "sqlite:///toy.db")


def test_every_setting_has_a_meaning_and_a_name_of_its_own() -> None:
    """The list is complete: each setting says what it means, and no variable stands for two of them."""
    names = [name for _, name in EVERY_NAME]

    assert all(setting.meaning for setting in SETTINGS)
    assert len(names) == len(set(names))


def _value(settings: Settings, field: str) -> str:
    return str(getattr(settings, field).get_secret_value())
