"""The check can fail: three bots that each break one mechanism are caught by the judge of the chaos run."""

from __future__ import annotations

import signal
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path

import pytest

from tests.chaos.arena import EVENTS, Arena, Plan, Report
from tests.chaos.broken import FRESH_KEYS, LATE_DEDUPE, NO_TOKEN_CHECK
from tests.chaos.crew import Post
from tests.faults.frozen import freeze

ALICE = "+12025559876"


@pytest.fixture(params=["redis", "sqlite"])
def kind(request: pytest.FixtureRequest) -> str:
    """Each store."""
    return str(request.param)


class Scene:
    """An arena with a crew that is hurt by hand."""

    def __init__(self, arena: Arena) -> None:
        self.arena = arena

    def start(self, name: str, only: str = "all", *, events: Sequence[str] = EVENTS) -> Post:
        """Put a process on a post of that name, subscribed to `events`."""
        post = Post(self.arena.role(name, only, events=events))
        self.arena.crew.posts.append(post)
        self.arena.crew.start(post)
        return post

    async def freeze(self, post: Post) -> None:
        """Stop a process for good."""
        assert post.process is not None
        assert post.process.pid is not None
        await freeze(post.process.pid, self.arena.store_url)

    async def until(self, true: Callable[[], object]) -> None:
        """Wait until something is so, turning the emulator's clock meanwhile."""
        await self.arena.stage.until(true, turn=True)

    async def end(self) -> Report:
        """Let heal, and judge."""
        return await self.arena.heal()


@pytest.fixture
async def scene(kind: str, broken: str, tmp_path: Path) -> AsyncIterator[Scene]:
    """A stage for one broken bot."""
    async with Arena(Plan(store=kind, workers=0, seconds=0, seed=1, broken=broken), tmp_path) as arena:
        yield Scene(arena)


@pytest.mark.parametrize("broken", [LATE_DEDUPE, ""])
async def test_an_acknowledgement_before_the_event_is_kept_is_caught_as_a_loss(scene: Scene, broken: str) -> None:
    """A process that is killed right after its 2xx loses the event if it keeps it only then; a sound one does not."""
    web = scene.start("web", "web")
    await scene.arena.say(ALICE)
    await scene.until(lambda: scene.arena.witness.acked)
    web.signal(signal.SIGKILL)
    await scene.until(lambda: not web.can_be_hurt)
    scene.arena.crew.start(web)
    scene.start("worker", "worker")

    report = await scene.end()

    assert bool(report.verdict.lost) is bool(broken), report.line()


@pytest.mark.parametrize("broken", [FRESH_KEYS, ""])
async def test_a_fresh_key_for_each_attempt_is_caught_as_a_duplicate(scene: Scene, broken: str) -> None:
    """A reply whose answer was lost on the way back arrives twice if each attempt has a key of its own; a frozen key
    arrives once."""
    scene.arena.emulator.fault("reset_after", count=1)
    scene.start("bot", events=["message.received"])  # without the receipt that would spare the second attempt
    label = await scene.arena.say(ALICE)
    await scene.until(lambda: len(scene.arena.answers(label)) >= 2)

    report = await scene.end()

    assert bool(report.verdict.duplicated) is bool(broken), report.line()
    assert report.counts["collapsed"] == (0 if broken else 1)


@pytest.mark.parametrize("broken", [NO_TOKEN_CHECK, ""])
async def test_p8_a_commit_without_its_token_is_caught(scene: Scene, broken: str) -> None:
    """A worker frozen past its lease wakes up while another one runs the chat's next message. Without a look at the token
    its late commit takes that message off the lane; with it, the commit is refused.

    Held by the token of each lease, which every later step must show.
    """
    arena = scene.arena
    scene.start("web", "web")
    late = scene.start("late", "worker")
    first = await arena.say(ALICE, pause_ms=2500)
    await scene.until(lambda: first in late.role.turns())
    await scene.freeze(late)
    soon = scene.start("soon", "worker")
    await scene.until(lambda: len(arena.answers(first)) == 2)
    second = await arena.say(ALICE, pause_ms=3000)
    await scene.until(lambda: second in soon.role.turns())
    late.signal(signal.SIGCONT)

    report = await scene.end()

    assert bool(report.verdict.lost) is bool(broken), report.line()
    assert report.complaints == [] or broken, report.complaints
