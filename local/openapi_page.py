"""The OpenAPI document as one HTML page: nothing is loaded, nothing runs, all of it can be read."""

import json
from collections.abc import Iterator, Mapping
from html import escape
from pathlib import Path
from typing import Any

from local.openapi_schema import body, code, inline, kind, link, named

_CSS = Path(__file__).with_name("openapi.css")
_JSON = "application/json"
Document = Mapping[str, Any]


def page(document: Document) -> str:
    """The whole page."""
    info = document["info"]
    css = _CSS.read_text(encoding="utf-8")
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(info['title'])}: the HTTP API</title>\n<style>\n{css}</style>\n"
        "</head>\n<body>\n"
        f"{_contents(document)}\n<main>\n{_head(document)}\n"
        f"{''.join(_tag(document, tag) for tag in document['tags'])}"
        f"{_failures(document)}{_schemas(document)}\n</main>\n</body>\n</html>\n"
    )


def _operations(document: Document, tag: str) -> Iterator[tuple[str, str, Document]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            if tag in operation["tags"]:
                yield method, path, operation


def _contents(document: Document) -> str:
    parts = []
    for tag in document["tags"]:
        entries = "".join(
            f'<li><a href="#{operation["operationId"]}">{_badge(method)} {escape(path)}</a></li>'
            for method, path, operation in _operations(document, tag["name"])
        )
        name = escape(tag["name"])
        parts.append(f'<li><a class="tag" href="#{name}">{name}</a><ul>{entries}</ul></li>')
    title = escape(document["info"]["title"])
    listed = "".join(parts)
    return (
        f'<nav><a class="title" href="#top">{title}</a><ul>{listed}'
        '<li><a class="tag" href="#failures">Failures</a></li>'
        '<li><a class="tag" href="#schemas">Schemas</a></li></ul></nav>'
    )


def _head(document: Document) -> str:
    info, server = document["info"], document["servers"][0]
    stage = server["variables"]["stage"]["default"]
    bearer = document["components"]["securitySchemes"]["bearer"]["description"]
    return (
        f'<header id="top"><h1>{escape(info["title"])} <small>{escape(info["version"])}</small>'
        f"</h1>{_text(info['description'])}<p>{inline(bearer)}</p>"
        f"<p>Paths are below {code(server['url'])}, which is {code('/' + stage)} unless the API "
        "has a domain of its own.</p></header>"
    )


def _tag(document: Document, tag: Document) -> str:
    name = escape(tag["name"])
    operations = "".join(_operation(document, *each) for each in _operations(document, tag["name"]))
    return (
        f'<section class="group" id="{name}"><h2>{name}</h2>'
        f"<p>{inline(tag['description'])}</p>{operations}</section>\n"
    )


def _operation(document: Document, method: str, path: str, operation: Document) -> str:
    scope = operation.get("x-required-scope")
    needs = f'<span class="scope">{escape(scope)}</span>' if scope else ""
    parts = [
        f'<article id="{operation["operationId"]}">',
        f"<h3>{_badge(method)} <span>{escape(path)}</span>{needs}</h3>",
        f'<p class="summary">{inline(operation["summary"])}</p>',
        _text(operation["description"]),
        _parameters(operation.get("parameters", [])),
        _request(document, operation.get("requestBody")),
        "<h4>Answers</h4>",
        _answers(document, operation["responses"]),
        "</article>",
    ]
    return "".join(parts)


def _badge(method: str) -> str:
    return f'<span class="method {method}">{method.upper()}</span>'


def _parameters(parameters: list[Document]) -> str:
    if not parameters:
        return ""
    rows = "".join(
        f"<tr><td>{code(each['name'])}"
        f"{' <span class=must>required</span>' if each['required'] else ''}</td>"
        f"<td>{escape(each['in'])}</td><td>{_of_parameter(each['schema'])}</td>"
        f"<td>{inline(each['description'])}</td>"
        f"<td>{code(str(each['example']))}</td></tr>"
        for each in parameters
    )
    return (
        "<h4>Parameters</h4><div class=scroll><table><thead><tr><th>name</th><th>in</th>"
        f"<th>what it may be</th><th>meaning</th><th>such as</th></tr></thead>"
        f"<tbody>{rows}</tbody></table></div>"
    )


def _of_parameter(schema: Document) -> str:
    default = f", {code(str(schema['default']))} unless told" if "default" in schema else ""
    return kind(schema) + default


def _request(document: Document, request: Document | None) -> str:
    if request is None:
        return ""
    content = request["content"][_JSON]
    ref = content["schema"]["$ref"]
    held = body(document["components"]["schemas"][named(ref)])
    return f"<h4>Body: {link(ref)}</h4>{held}{_examples(content)}"


def _examples(content: Document) -> str:
    return "".join(
        f"<details><summary>{escape(example['summary'])}</summary>"
        f"<pre>{escape(_readable(example['value']))}</pre></details>"
        for example in content.get("examples", {}).values()
    )


def _answers(document: Document, responses: Document) -> str:
    good = [_good(status, told) for status, told in responses.items() if "$ref" not in told]
    failures = [
        f"<b>{status}</b> {_codes(document, told['$ref'])}"
        for status, told in responses.items()
        if "$ref" in told
    ]
    listed = "".join(f"<li>{each}</li>" for each in failures)
    return f'{"".join(good)}<ul class="failures">{listed}</ul>'


def _codes(document: Document, ref: str) -> str:
    examples = document["components"]["responses"][named(ref)]["content"][_JSON]["examples"]
    return ", ".join(f'<a href="#code-{each}">{code(each)}</a>' for each in examples)


def _good(status: str, told: Document) -> str:
    content = told["content"][_JSON]
    on = ", ".join(f'<a href="#{name}">{name}</a>' for name in told.get("links", {}))
    return (
        f'<div class="good"><b>{status}</b> {link(content["schema"]["$ref"])}: '
        f"{inline(told['description'])}{f' Leads on to {on}.' if on else ''}</div>"
        f"{_examples(content)}"
    )


def _failures(document: Document) -> str:
    """Every code once, with its status."""
    known: dict[str, tuple[str, Document]] = {}
    for methods in document["paths"].values():
        for operation in methods.values():
            for status, told in operation["responses"].items():
                if "$ref" in told:
                    failure = document["components"]["responses"][named(told["$ref"])]
                    for name, example in failure["content"][_JSON]["examples"].items():
                        known[name] = (status, example)
    rows = "".join(
        f'<tr id="code-{name}"><td>{status}</td><td>{code(name)}</td>'
        f"<td>{inline(example['summary'])}</td></tr>"
        for name, (status, example) in sorted(known.items(), key=lambda each: (each[1][0], each[0]))
    )
    one = escape(_readable(known["BAD_INPUT"][1]["value"]))
    return (
        '<section class="group" id="failures"><h2>Failures</h2><table><thead><tr><th>status</th>'
        "<th>code</th><th>meaning</th></tr></thead>"
        f"<tbody>{rows}</tbody></table><pre>{one}</pre></section>"
    )


def _schemas(document: Document) -> str:
    parts = []
    for name, schema in document["components"]["schemas"].items():
        about = inline(schema.get("description", ""))
        parts.append(
            f'<article class="schema" id="schema-{escape(name)}"><h3>{escape(name)}</h3>'
            f"<p>{about}</p>{body(schema)}</article>"
        )
    return (
        '<section class="group" id="schemas"><h2>Schemas</h2>'
        f"<p>No object holds other keys than these.</p>{''.join(parts)}</section>"
    )


def _text(text: str) -> str:
    return "".join(
        f"<p>{inline(' '.join(paragraph.split()))}</p>" for paragraph in text.split("\n\n")
    )


def _readable(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)
