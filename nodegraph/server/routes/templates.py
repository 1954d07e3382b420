"""``/templates``: workflows to start from."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

from aiohttp import web
from pydantic import Field

from nodegraph.errors import errors_among, listed
from nodegraph.private_paths import hide_paths_in
from nodegraph.server import keys
from nodegraph.server.problems import Problem
from nodegraph.server.routes.answers import answer
from nodegraph.server.routes.operation import PREFIX, Call, operation
from nodegraph.server.templates import Template
from nodegraph.server.views import Answer, IssueView, WorkflowView
from nodegraph.server.wire import NoBody, NoQuery

PICTURE = "image/webp"


class TemplateView(Answer):
    """A workflow to start from."""

    name: str
    title: str
    description: str
    valid: bool = Field(description="Whether it would run here as it is.")
    issues: list[IssueView] = Field(description="What it lacks, such as weights that are not there.")
    picture: str | None = Field(description="Where a picture of what it makes is; null if there is none.")


class TemplatesView(Answer):
    """The workflows to start from."""

    templates: list[TemplateView]


@operation("GET", "/templates", NoQuery, NoBody, {200: TemplatesView})
async def list_templates(call: Call[NoQuery, NoBody]) -> web.Response:
    """The workflows to start from, and whether each would run here."""

    def look() -> list[dict[str, Any]]:
        return [_view(call, template) for template in call.app[keys.TEMPLATES].by_name.values()]

    return answer({"templates": await call.service.heavy(look)})


@operation("GET", "/templates/{name}", NoQuery, NoBody, {200: WorkflowView}, problems=(404,))
async def get_template(call: Call[NoQuery, NoBody]) -> web.Response:
    """One of them: the workflow itself."""
    template = await _template(call)
    return answer(await asyncio.to_thread(lambda: template.document))


@operation("GET", "/templates/{name}/picture", NoQuery, NoBody, {200: PICTURE}, problems=(404,))
async def get_template_picture(call: Call[NoQuery, NoBody]) -> web.Response:
    """A picture of what it makes."""
    template = await _template(call)
    if template.picture is None:
        raise Problem(404, "not_found", f"the template {template.name} has no picture")
    body = await asyncio.to_thread(template.picture.read_bytes)
    return web.Response(body=body, content_type=PICTURE, headers={"Cache-Control": "private, max-age=3600"})


async def _template(call: Call[NoQuery, NoBody]) -> Template:
    name, templates = call.part("name"), call.app[keys.TEMPLATES]
    template = await asyncio.to_thread(templates.get, name)
    if template is None:
        known = ", ".join(templates.by_name) or "none"
        raise Problem(404, "not_found", f"there is no template {name[:100]!r}; there are: {known}")
    return template


def _view(call: Call[NoQuery, NoBody], template: Template) -> dict[str, Any]:
    checker, owner = call.service.checker, call.user.name
    told = replace(
        checker.folders(owner), private=True
    )  # below which folder of models is all there is to know
    issues = [hide_paths_in(issue, told) for issue in checker.check_workflow(template.workflow, owner).issues]
    return {
        "name": template.name,
        "title": template.title,
        "description": template.workflow.description,
        "valid": not errors_among(issues),
        "issues": [issue.to_json() for issue in listed(issues)],
        "picture": f"{PREFIX}/templates/{template.name}/picture" if template.picture else None,
    }
