"""``/jobs/{id}/tensor``: what pictures, masks and latents between the nodes look like."""

from __future__ import annotations

from aiohttp import web
from pydantic import Field

from nodegraph.jobs.records import NewJob
from nodegraph.server import keys
from nodegraph.server.problems import Problem
from nodegraph.server.routes.answers import answer_text
from nodegraph.server.routes.checks import answered_text
from nodegraph.server.routes.jobs import visible_job
from nodegraph.server.routes.operation import Call, operation
from nodegraph.server.views import TensorView
from nodegraph.server.wire import Name, NoBody, Request

NONE = b"null"


class OutputQuery(Request):
    """An output of a node."""

    node: Name = Field(description="The id of the node, subgraphs unfolded: `outer/inner`.")
    output: Name = Field(description="The name of the output.")


@operation("GET", "/jobs/{id}/tensor", OutputQuery, NoBody, {200: TensorView}, problems=(404, 422, 503))
async def get_tensor(call: Call[OutputQuery, NoBody]) -> web.Response:
    """Look at a picture, a mask or latents that a node of a job gave to others.

    Results are kept as long as there is room for them; 404 says that this one is not, or is nothing of the
    kind. Run the workflow again to make it anew.
    """
    job, query = await visible_job(call), call.query
    workflow = await call.service.heavy(lambda: job.workflow)
    asked = NewJob(job.owner, workflow, targets=(query.node,))
    text = answered_text(await call.app[keys.RUNNER].tensor(asked, query.output))
    if text == NONE:
        what = f"{query.node}.{query.output}"[:200]
        raise Problem(
            404, "not_found", f"{what} is kept no more, or is no picture, mask or latent; run it again"
        )
    return answer_text(text)
