"""The files that platforms read are well-formed, agree with each other, and name what is there."""

import json
import re
import shlex
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
RUN = ["linqbot", "run", "examples.echo:bot"]


def _procfile() -> dict[str, list[str]]:
    lines = (ROOT / "Procfile").read_text().splitlines()
    return {name: shlex.split(command) for name, command in (line.split(": ", 1) for line in lines)}


def _docker(instruction: str) -> list[str]:
    lines = (DEPLOY / "Dockerfile").read_text().splitlines()
    return [line.removeprefix(instruction).strip() for line in lines if line.startswith(f"{instruction} ")]


@pytest.fixture
def app_json() -> dict[str, Any]:
    """What the Heroku button asks for."""
    return dict(json.loads((ROOT / "app.json").read_text()))


@pytest.fixture
def fly() -> dict[str, Any]:
    """Fly's configuration."""
    return tomllib.loads((DEPLOY / "fly.toml").read_text())


@pytest.fixture
def render() -> dict[str, dict[str, Any]]:
    """Render's services by their type."""
    return {service["type"]: service for service in yaml.safe_load((DEPLOY / "render.yaml").read_text())["services"]}


@pytest.fixture
def compose() -> dict[str, Any]:
    """The containers of the compose file."""
    return dict(yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"])


@pytest.fixture
def railway() -> dict[str, Any]:
    """How Railway starts and checks the bot."""
    return dict(json.loads((DEPLOY / "railway.json").read_text())["deploy"])


def test_the_procfile_serves_and_adds_hands() -> None:
    """Web does everything, and a worker process only adds hands."""
    assert _procfile() == {"web": RUN, "worker": [*RUN, "--only", "worker"]}


def test_the_commands_run_a_program_that_the_package_installs() -> None:
    """`linqbot` is a script of the project."""
    assert RUN[0] in PROJECT["scripts"]


def test_every_platform_runs_the_same_line(
    fly: dict[str, Any], render: dict[str, dict[str, Any]], railway: dict[str, Any], compose: dict[str, Any]
) -> None:
    """No file repeats the server's flags: Docker, Fly, Render, Railway and compose start the bot as the Procfile does."""
    assert json.loads(_docker("CMD")[-1]) == RUN
    assert fly["build"]["dockerfile"] == "Dockerfile"
    assert shlex.split(render["web"]["startCommand"]) == RUN
    assert shlex.split(railway["startCommand"]) == RUN
    assert compose["bot"]["build"] == {"context": "..", "dockerfile": "deploy/Dockerfile"}
    assert compose["worker"]["command"] == [*RUN, "--only", "worker"]


def test_every_platform_asks_whether_the_bot_is_alive(
    fly: dict[str, Any], render: dict[str, dict[str, Any]], railway: dict[str, Any]
) -> None:
    """The check is the one that does no I/O: a store that is down must not restart the bot."""
    assert fly["http_service"]["checks"][0]["path"] == "/healthz"
    assert render["web"]["healthCheckPath"] == "/healthz"
    assert railway["healthcheckPath"] == "/healthz"
    assert "/healthz" in (DEPLOY / "Dockerfile").read_text()


def test_every_platform_waits_for_the_drain(
    fly: dict[str, Any], render: dict[str, dict[str, Any]], railway: dict[str, Any], compose: dict[str, Any]
) -> None:
    """SIGTERM comes first, and nobody kills the process before its 25 seconds are over."""
    assert fly["kill_signal"] == "SIGTERM"
    assert fly["kill_timeout"] >= 30
    assert render["web"]["maxShutdownDelaySeconds"] >= 30
    assert railway["drainingSeconds"] >= 30
    assert compose["bot"]["stop_grace_period"] == "30s"


def test_no_platform_puts_the_bot_to_sleep(fly: dict[str, Any], render: dict[str, dict[str, Any]]) -> None:
    """Timers and retries need a process that is awake."""
    assert fly["http_service"]["auto_stop_machines"] == "off"
    assert fly["http_service"]["min_machines_running"] == 1
    assert render["web"]["plan"] != "free"


def test_no_store_that_we_configure_evicts_or_forgets(
    render: dict[str, dict[str, Any]], compose: dict[str, Any], fly: dict[str, Any]
) -> None:
    """Redis keeps what it was told, on disk where we choose; SQLite lies on a volume."""
    assert render["keyvalue"]["maxmemoryPolicy"] == "noeviction"
    assert render["keyvalue"]["plan"] != "free"
    assert "noeviction" in compose["valkey"]["command"]
    assert compose["valkey"]["command"][1:3] == ["--appendonly", "yes"]
    assert fly["env"]["LINQBOT_STORE"].removeprefix("sqlite:///").startswith(fly["mounts"]["destination"] + "/")


def test_the_container_runs_as_nobody_special() -> None:
    """The image's own user is not root, and its command needs no shell."""
    assert _docker("ARG") == ["RUN_AS=linqbot"]
    assert _docker("USER") == ["${RUN_AS}"]
    assert _docker("CMD")[-1].startswith("[")


def test_the_container_copies_only_what_is_there() -> None:
    """Each source of a COPY exists in the repository."""
    sources = [source for line in _docker("COPY") for source in line.split()[:-1]]

    assert [source for source in sources if not (ROOT / source).exists()] == []


def test_the_button_asks_for_what_the_bot_needs(app_json: dict[str, Any]) -> None:
    """Heroku's button brings a Redis that persists, and asks for the key without which the bot does not start."""
    assert app_json["addons"] == [{"plan": "heroku-redis:premium-0"}]
    assert app_json["env"]["LINQ_API_V3_API_KEY"]["required"] is True
    assert app_json["env"]["LINQ_WEBHOOK_SECRET"]["required"] is False
    assert app_json["formation"].keys() == _procfile().keys()


def test_the_python_version_is_one_the_project_supports() -> None:
    """`.python-version` is a single supported version, as pyenv, uv and Heroku all read it."""
    version = (ROOT / ".python-version").read_text().strip()

    assert f"Programming Language :: Python :: {version}" in PROJECT["classifiers"]


def test_every_deploy_file_is_told_of() -> None:
    """`deploy/README.md` names each file beside it, or the platform it is for."""
    told = (DEPLOY / "README.md").read_text().lower()
    platforms = {re.split(r"[.]", file.name)[0].lower() for file in DEPLOY.iterdir()} - {"readme"}

    assert {platform for platform in platforms if platform not in told} == set()
