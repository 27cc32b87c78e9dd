"""Linq's published schema, reduced to structure, and a check of values against it.

`openapi.json` is `structure(...)` of linq-openapi.yaml: operations, answers and webhooks, without prose. Where
the whole document lies beside the checkout, a test compares the two.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

Json = dict[str, Any]

HERE = Path(__file__).parent
DOCUMENT = HERE.parents[2] / "shared" / "linq-openapi.yaml"
EXTRACT = HERE / "openapi.json"

_WITHOUT = ("/v3/payment", "payment.", "connection.")
"""What the emulator refuses as a whole (code 2011) is known by name only."""

_STRUCTURE = (
    *("type", "properties", "required", "enum", "items", "$ref", "allOf", "oneOf", "anyOf", "nullable", "pattern"),
    *("format", "minLength", "maxLength", "minItems", "maxItems", "minimum", "maximum", "additionalProperties"),
)
_TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "number": (int, float),
    "null": (type(None),),
}
_FORMATS = {
    "uuid": re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"),
    "date-time": re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)"),
    "uri": re.compile(r"[a-z][a-z0-9+.-]*:\S+"),
}


def structure(document: Json) -> Json:
    """Each operation's name, the schema of each answer and of each webhook, with all they refer to."""
    operations = {
        f"{method} {path}": operation
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        if "operationId" in operation
    }
    answers = {
        name: _bare(_json(operation["responses"][status]))
        for name, operation in operations.items()
        for status in operation["responses"]
        if status.startswith("2") and _is_read(name.split(" ")[1]) and "content" in operation["responses"][status]
    }
    hooks = {
        name: _bare(_json(hook["post"]["requestBody"])) for name, hook in document["webhooks"].items() if _is_read(name)
    }
    schemas: Json = {}
    todo = [*_references(answers), *_references(hooks), "ErrorResponse"]
    while todo:
        name = todo.pop()
        if name not in schemas:
            schemas[name] = _bare(document["components"]["schemas"][name])
            todo.extend(_references(schemas[name]))
    return {
        "operations": {name: operation["operationId"] for name, operation in operations.items()},
        "events": document["components"]["schemas"]["WebhookEventType"]["enum"],
        "answers": answers,
        "webhooks": hooks,
        "schemas": dict(sorted(schemas.items())),
    }


def _is_read(name: str) -> bool:
    return not name.startswith(_WITHOUT)


def published() -> Json:
    """The extract in this folder."""
    extract: Json = json.loads(EXTRACT.read_text())
    return extract


def faults(value: Any, schema: Json, where: str = "$") -> Iterator[str]:
    """What is wrong with a value under a schema of the extract; nothing when it fits."""
    if value is None and (schema.get("nullable") or "null" in _as_list(schema.get("type"))):
        return
    if "$ref" in schema:
        yield from faults(value, published_schema(schema["$ref"].rsplit("/", 1)[-1]), where)
    for part in schema.get("allOf", ()):
        yield from faults(value, part, where)
    for group in ("oneOf", "anyOf"):
        if group in schema and all(list(faults(value, part, where)) for part in schema[group]):
            yield f"{where}: none of {group}"
    yield from _own_faults(value, schema, where)


_SCHEMAS: Json = {}


def published_schema(name: str) -> Json:
    """A schema of the extract by name."""
    if not _SCHEMAS:
        _SCHEMAS.update(published()["schemas"])
    schema: Json = _SCHEMAS[name]
    return schema


def _own_faults(value: Any, schema: Json, where: str) -> Iterator[str]:
    types = _as_list(schema.get("type"))
    if types and not any(_is(value, kind) for kind in types):
        yield f"{where}: not of type {types}"
        return
    if "enum" in schema and value not in schema["enum"]:
        yield f"{where}: not in the enumeration"
    if isinstance(value, str):
        pattern = _FORMATS.get(schema.get("format", ""))
        if pattern is not None and pattern.fullmatch(value) is None:
            yield f"{where}: not in format {schema['format']}"
    if isinstance(value, list) and "items" in schema:
        for index, item in enumerate(value):
            yield from faults(item, schema["items"], f"{where}[{index}]")
    if isinstance(value, dict):
        yield from (f"{where}.{name}: missing" for name in schema.get("required", ()) if name not in value)
        for name, inner in schema.get("properties", {}).items():
            if name in value:
                yield from faults(value[name], inner, f"{where}.{name}")


def _is(value: Any, kind: str) -> bool:
    return isinstance(value, _TYPES[kind]) and (kind == "boolean" or not isinstance(value, bool))


def _as_list(kind: Any) -> list[str]:
    return [] if kind is None else kind if isinstance(kind, list) else [kind]


def _json(holder: Json) -> Json:
    (content,) = holder["content"].values()
    schema: Json = content["schema"]
    return schema


def _bare(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_bare(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    bare = {key: _bare(value) for key, value in schema.items() if key in _STRUCTURE and key != "properties"}
    if "properties" in schema:
        bare["properties"] = {name: _bare(inner) for name, inner in schema["properties"].items()}
    return bare


def _references(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        if isinstance(schema.get("$ref"), str):
            yield schema["$ref"].rsplit("/", 1)[-1]
        for value in schema.values():
            yield from _references(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from _references(value)
