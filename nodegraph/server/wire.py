"""What clients of ``/api/v1`` may send; what it answers is in ``views``.

Strict means that nothing is converted: ``"false"`` is not true, 3.9 is not 3, and a field that is not
known is refused rather than ignored.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from nodegraph.jobs.records import JobState

MAX_NAME, MAX_LABEL, MAX_URL, MAX_TARGETS, MAX_PRIORITY = 200, 500, 2000, 10_000, 1_000_000
MAX_PAGE = 1000
BIGGEST = 2**53 - 1
"""The largest whole number that every JSON reader keeps exactly."""
ID = r"^[0-9A-Za-z._-]{1,128}$"
WHOLE = re.compile(r"-?[0-9]{1,16}")
DECIMAL = re.compile(r"[0-9]{1,12}(\.[0-9]{1,20})?([eE][+-]?[0-9]{1,3})?")

Name = Annotated[str, Field(min_length=1, max_length=MAX_NAME)]
Document = dict[str, Any]


class Request(BaseModel):
    """The body of a request."""

    model_config = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False, frozen=True)


class NoBody(Request):
    """Nothing is taken: a body is empty, or an object without members."""


# --- queries --------------------------------------------------------------------------------------------


def _whole(text: Any) -> Any:
    return int(text) if isinstance(text, str) and WHOLE.fullmatch(text) else text


def _decimal(text: Any) -> Any:
    return float(text) if isinstance(text, str) and DECIMAL.fullmatch(text) else text


WholeText = BeforeValidator(_whole)
DecimalText = BeforeValidator(_decimal)


class NoQuery(Request):
    """No query parameters."""


class WaitQuery(Request):
    """Waiting for a job."""

    wait: Annotated[float, Field(ge=0, le=86400), DecimalText] = Field(
        0.0,
        description="Answer when the job has ended, at the latest after so many seconds. The server may "
        "answer earlier, with the job as it is then; ask again.",
    )


class JobsQuery(Request):
    """Which jobs are listed."""

    state: list[JobState] = Field(
        default_factory=list, description="Only jobs in this state; may be given several times."
    )
    limit: Annotated[int, Field(ge=1, le=MAX_PAGE), WholeText] = Field(100, description="How many at most.")
    before: Annotated[int, Field(ge=1, le=BIGGEST), WholeText] | None = Field(
        None, description="Only jobs with a smaller number: the `next` of the page before."
    )


class EventsQuery(Request):
    """Where an event stream begins."""

    after: Annotated[int, Field(ge=0, le=BIGGEST), WholeText] | None = Field(
        None, description="Begin after the event of this id; like the header `Last-Event-ID`."
    )


# --- requests -------------------------------------------------------------------------------------------

WORKFLOW = Field(description="A workflow, in this project's format or in ComfyUI's API format.")
TARGETS = Field(
    None,
    max_length=MAX_TARGETS,
    description="Ids of the nodes whose results are wanted; by default those that save or show something.",
)


class WorkflowRequest(Request):
    """A workflow to look at."""

    workflow: Document = WORKFLOW
    targets: list[Name] | None = TARGETS


class JobOptions(Request):
    """How jobs are queued."""

    targets: list[Name] | None = TARGETS
    priority: Annotated[int, Field(ge=-MAX_PRIORITY, le=MAX_PRIORITY)] = Field(
        0, description="Higher runs first."
    )
    front: bool = Field(False, description="Before all waiting jobs of its priority.")
    label: str = Field("", max_length=MAX_LABEL, description="What people call it.")
    webhook: Annotated[str, Field(pattern=r"^https?://[^\s]+$", max_length=MAX_URL)] | None = Field(
        None, description="Told by POST when the job has ended; see *Webhooks*."
    )
    time_limit: Annotated[float, Field(gt=0, le=1e9)] | None = Field(
        None, description="Seconds after which the job is stopped."
    )


class SubmitRequest(JobOptions):
    """One job."""

    workflow: Document = WORKFLOW


class BatchRequest(JobOptions):
    """The same workflow with other inputs, each a job of its own; all are queued, or none."""

    workflow: Document = WORKFLOW
    variants: list[Document] = Field(
        min_length=1, description='For each job the inputs that differ: `{"sampler.seed": 7}`.'
    )


class MoveRequest(Request):
    """Where a waiting job shall stand; one of ``front``, ``back`` and ``before`` at most."""

    front: bool = Field(False, description="Before all waiting jobs of its priority.")
    back: bool = Field(False, description="Behind all waiting jobs of its priority.")
    before: Annotated[str, Field(pattern=ID)] | None = Field(
        None, description="Before this waiting job, in its priority."
    )
    priority: Annotated[int, Field(ge=-MAX_PRIORITY, le=MAX_PRIORITY)] | None = Field(
        None, description="The new priority; higher runs first."
    )

    @model_validator(mode="after")
    def _says_where(self) -> Self:
        places = sum((self.front, self.back, self.before is not None))
        if places > 1:
            raise ValueError("give one of front, back and before")
        if not places and self.priority is None:
            raise ValueError("say where to: front, back, before or priority")
        return self


class FreeRequest(Request):
    """What the worker shall let go of."""

    models: bool = Field(True, description="Loaded models.")
    results: bool = Field(False, description="Results kept in memory; those on disk stay.")
