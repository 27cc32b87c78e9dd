"""port -> a Linq that runs alone. `linqbot emulator`."""

from __future__ import annotations

import signal

import click

API_PATH = "/api/partner"


@click.command("emulator")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=4010, show_default=True, help="Port to listen on; 0 takes a free one.")
@click.option("--pair-limit", default=30, show_default=True, help="Messages per 60 s to one chat; 0 for no limit.")
@click.option("--choices", "list_choices", is_flag=True, help="List what Linq does not document and was chosen here.")
def emulator(host: str, port: int, *, pair_limit: int, list_choices: bool) -> None:
    """Run a Linq to play with: the v3 API, its webhooks, and a control API at the root.

    Any bearer token is accepted. Point LINQ_API_V3_BASE_URL at the address it prints.
    """
    if list_choices:
        _list_choices()
    else:
        _serve(host, port, pair_limit or None)


def _list_choices() -> None:
    from linqbot.emulator.choices import CHOICES

    for choice in CHOICES:
        click.echo(f"{choice.about}: {choice.value}  [{choice.unknown}]")


def _serve(host: str, port: int, pair_limit: int | None) -> None:
    import uvicorn

    from linqbot.cli.server import listen
    from linqbot.emulator.app import Emulator
    from linqbot.testing.clock import TurnedClock

    listener = listen(host, port)
    config = uvicorn.Config(
        Emulator(clock=TurnedClock(), pair_limit=pair_limit).app,
        lifespan="on",
        http="httptools",
        ws="none",
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=2,
    )
    address = f"http://{f'[{host}]' if ':' in host else host}:{listener.getsockname()[1]}"
    click.echo(f"Linq emulator on {address}{API_PATH}")
    click.echo(f"Control API on {address}/_control: POST inbound, GET transcript, POST faults, clock, reset")
    # uvicorn raises the signal that stopped it once more when it is done; being asked to stop is no failure
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    uvicorn.Server(config).run(sockets=[listener])
