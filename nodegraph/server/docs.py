"""The API description as one page of HTML that loads nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from html import escape
from http import HTTPStatus
from itertools import groupby
from typing import Any

from nodegraph.server.problems import TITLES

STYLE = """
:root { color-scheme: light dark; --line: #8884; --soft: #8881; --strong: #36c; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 0 auto; padding: 1rem; }
h1, h2 { line-height: 1.2; } h2 { margin-top: 3rem; border-bottom: 1px solid var(--line); }
code, pre { font: .9em/1.4 ui-monospace, monospace; background: var(--soft); border-radius: 3px; }
code { padding: .1em .3em; } td, th { padding: .25rem .6rem .25rem 0; text-align: left; vertical-align: top; }
table { border-collapse: collapse; width: 100%; } tr { border-bottom: 1px solid var(--line); }
details { border: 1px solid var(--line); border-radius: 6px; margin: .5rem 0; padding: .4rem .8rem; }
summary { cursor: pointer; } .method { font-weight: 700; color: var(--strong); } .quiet { opacity: .75; }
"""

PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title} API</title><style>{style}</style></head>
<body><main><h1>{title} {version}</h1>{body}</main></body></html>
"""


def docs_page(api: Mapping[str, Any]) -> str:
    """The page.

    Args:
        api: the OpenAPI description.
    """
    parts = [
        _markdown(api["info"]["description"]),
        '<p>For programs: <a href="openapi.json">openapi.json</a></p>',
        *_operations(api["paths"]),
        *_schemas(api["components"]["schemas"]),
        *_problems(),
    ]
    info = api["info"]
    return PAGE.format(
        title=escape(info["title"]), version=escape(info["version"]), style=STYLE, body="\n".join(parts)
    )


def _operations(paths: Mapping[str, Any]) -> Iterator[str]:
    listed = [(path, method, op) for path, methods in paths.items() for method, op in methods.items()]
    listed.sort(key=lambda item: item[2]["tags"][0])
    for tag, group in groupby(listed, key=lambda item: item[2]["tags"][0]):
        yield f"<h2>{escape(tag)}</h2>"
        for path, method, operation in group:
            yield _operation(path, method, operation)


def _operation(path: str, method: str, operation: Mapping[str, Any]) -> str:
    parts = [
        f'<span class="method">{method.upper()}</span> <code>{escape(path)}</code> '
        f"{escape(operation['summary'])}"
    ]
    body = [_markdown(operation.get("description", ""))]
    if operation["parameters"]:
        body.append(_table(_parameter(item) for item in operation["parameters"]))
    if "requestBody" in operation:
        body.append(f"<p>Body: {_content(operation['requestBody'])}</p>")
    body.append(_table(_response(status, item) for status, item in operation["responses"].items()))
    summary = f"<summary>{' '.join(parts)}</summary>"
    return f'<details id="{escape(operation["operationId"])}">{summary}{"".join(body)}</details>'


def _parameter(item: Mapping[str, Any]) -> list[str]:
    required = " (required)" if item.get("required") else ""
    text = _inline(item.get("description", ""))
    return [f"<code>{escape(item['name'])}</code>", f"{item['in']}{required}", _type(item["schema"]), text]


def _response(status: str, item: Mapping[str, Any]) -> list[str]:
    phrase = HTTPStatus(int(status)).phrase
    return [f"<code>{status}</code> {phrase}", _content(item), _inline(item["description"])]


def _content(item: Mapping[str, Any]) -> str:
    return " or ".join(
        f'<span class="quiet">{escape(media)}</span> {_type(entry["schema"])}'
        for media, entry in item.get("content", {}).items()
    )


def _schemas(schemas: Mapping[str, Any]) -> Iterator[str]:
    yield "<h2>Data</h2>"
    for name, schema in schemas.items():
        rows = _table(_field(key, value, schema) for key, value in schema.get("properties", {}).items())
        text = _markdown(schema.get("description", ""))
        heading = f"<summary><code>{escape(name)}</code></summary>"
        yield f'<details id="{escape(name)}">{heading}{text}{rows}</details>'


def _field(name: str, schema: Mapping[str, Any], parent: Mapping[str, Any]) -> list[str]:
    required = "" if name in parent.get("required", ()) else " (optional)"
    return [f"<code>{escape(name)}</code>{required}", _type(schema), _inline(schema.get("description", ""))]


def _problems() -> Iterator[str]:
    yield "<h2>Problems</h2>"
    yield _table([f'<code id="{code}">{code}</code>', escape(title)] for code, title in TITLES.items())


BOUNDS = {
    "minimum": "≥",
    "exclusiveMinimum": "&gt;",
    "maximum": "≤",
    "exclusiveMaximum": "&lt;",
    "minLength": "length ≥",
    "maxLength": "length ≤",
    "minItems": "items ≥",
    "maxItems": "items ≤",
}


def _type(schema: Mapping[str, Any]) -> str:
    """A schema in a few words."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f'<a href="#{name}">{name}</a>'
    if "anyOf" in schema:
        return " or ".join(_type(option) for option in schema["anyOf"])
    if "enum" in schema or "const" in schema:
        return " | ".join(f"<code>{escape(str(value))}</code>" for value in _choices(schema))
    bounds = [f"{sign} {schema[key]}" for key, sign in BOUNDS.items() if key in schema]
    return ", ".join([_base(schema), *bounds])


def _choices(schema: Mapping[str, Any]) -> Iterable[Any]:
    return schema["enum"] if "enum" in schema else [schema["const"]]


def _base(schema: Mapping[str, Any]) -> str:
    kind = schema.get("type", "anything")
    if kind == "array":
        return f"list of {_type(schema.get('items', {}))}"
    inner = schema.get("additionalProperties")
    if kind == "object" and isinstance(inner, Mapping) and inner:
        return f"object of {_type(inner)}"
    return escape(str(kind))


def _table(rows: Iterable[Iterable[str]]) -> str:
    lines = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    return f"<table>{lines}</table>" if lines else ""


def _markdown(text: str) -> str:
    return "".join(f"<p>{_inline(part)}</p>" for part in text.split("\n\n") if part.strip())


def _inline(text: str) -> str:
    safe = escape(text)
    safe = re.sub(r"\*\*(.+?)\*\*", r"<strong>\1</strong>", safe, flags=re.S)
    safe = re.sub(r"\*(.+?)\*", r"<em>\1</em>", safe, flags=re.S)
    return re.sub(r"`(.+?)`", r"<code>\1</code>", safe, flags=re.S)
