"""`examples/echo.py` or `examples.echo:bot` -> a Bot. Finds what the user means, or says on one line why it cannot.

A file is imported under its stem with its folder on the path, a module from the current folder; handlers are called the
same either way.
"""

from __future__ import annotations

import importlib
import sys
import traceback
from pathlib import Path
from types import ModuleType

from linqbot.bot import Bot
from linqbot.errors import ConfigurationError


class LoadError(ConfigurationError):
    """A bot could not be loaded; when the user's code raised, `__cause__` is what it raised."""


def load_bot(target: str) -> Bot:
    """The bot that a target names. Raises `LoadError`."""
    place, _, name = target.partition(":")
    module = _import_file(Path(place)) if _is_file(place) else _import_module(place)
    return _bot_in(module, place, name)


def check_place(target: str) -> None:
    """Raises `LoadError` if a target names a file that is not there: no save will heal that."""
    place = target.partition(":")[0]
    if _is_file(place) and not Path(place).is_file():
        raise LoadError(f"there is no file {place!r} here; the current folder is {str(Path.cwd())!r}")


def own_frames(error: BaseException, limit: int = 3) -> list[traceback.FrameSummary]:
    """The last places in the user's own code that an error passed through, outermost first."""
    frames = traceback.extract_tb(error.__traceback__)
    libraries = tuple({str(Path(folder).resolve()) for folder in (sys.prefix, sys.base_prefix)})
    ours = str(Path(__file__).resolve().parents[1])
    own = [at for at in frames if not at.filename.startswith((ours, "<frozen", *libraries))]
    return own[-limit:]


def _is_file(place: str) -> bool:
    return place.endswith(".py") or "/" in place


def _import_file(file: Path) -> ModuleType:
    check_place(str(file))
    if not file.stem.isidentifier():
        raise LoadError(f"{str(file)!r} cannot be imported: its name must be a Python word such as my_bot.py")
    _search_in(Path.cwd())
    _search_in(file.resolve().parent)
    module = _imported(file.stem, str(file))
    if module.__file__ is None or Path(module.__file__).resolve() != file.resolve():
        raise LoadError(f"{str(file)!r} has the name of another module ({module.__file__}); give the file another name")
    return module


def _import_module(place: str) -> ModuleType:
    if not all(word.isidentifier() for word in place.split(".")):
        raise LoadError(f"{place!r} is neither a file nor a module; write examples/echo.py or examples.echo:bot")
    _search_in(Path.cwd())
    return _imported(place, place)


def _search_in(folder: Path) -> None:
    path = str(folder)
    if path in sys.path:
        sys.path.remove(path)
    sys.path.insert(0, path)


def _imported(module: str, place: str) -> ModuleType:
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name is not None and f"{module}.".startswith(f"{error.name}."):
            raise LoadError(f"there is no module {error.name!r}; the current folder is {str(Path.cwd())!r}") from None
        raise _failed(place, error) from error
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # a module may even call sys.exit
        raise _failed(place, error) from error


def _failed(place: str, error: BaseException) -> LoadError:
    what = str(error).partition("\n")[0]
    where = "".join(f" (line {at.lineno} of {at.filename})" for at in own_frames(error, limit=1))
    if isinstance(error, SyntaxError) and error.filename:
        what, where = error.msg, f" (line {error.lineno} of {error.filename})"
    return LoadError(f"{place} cannot be imported: {type(error).__name__}: {what}{where}; -v shows the traceback")


def _bot_in(module: ModuleType, place: str, name: str) -> Bot:
    bots = {word: thing for word, thing in vars(module).items() if isinstance(thing, Bot)}
    if name:
        thing = getattr(module, name, None)
        if isinstance(thing, Bot):
            return thing
        raise LoadError(f"{place} has no bot called {name!r}{_choice(place, bots)}")
    different = {id(bot): bot for bot in bots.values()}
    if not different:
        raise LoadError(f"{place} has no bot: write `bot = Bot()` there, on a line of its own")
    if len(different) > 1:
        raise LoadError(f"{place} has several bots: name one{_choice(place, bots)}")
    return next(iter(different.values()))


def _choice(place: str, bots: dict[str, Bot]) -> str:
    return "; there is " + ", ".join(f"{place}:{word}" for word in bots) if bots else "; there is none at all"
