"""What ``/api/v1`` answers: described by models, from which the OpenAPI description is made."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from nodegraph.errors import MOST_LISTED
from nodegraph.jobs.records import JobState

FIRST_ISSUES = (
    f"Where there are more than {MOST_LISTED}, the first ones, errors before warnings, and behind them one "
    "with the code `more_issues` that says how many are left out."
)


class Answer(BaseModel):
    """The body of an answer."""

    model_config = ConfigDict(json_schema_serialization_defaults_required=True)


class IssueView(Answer):
    """One thing that is wrong or odd in a workflow."""

    code: str
    message: str
    node: str | None = None
    input: str | None = None
    given: str | None = None
    expected: str | None = None
    suggestions: list[str] = []
    related: list[str] = []
    remedy: dict[str, JsonValue] = Field(
        {}, description="Values that would mend it, by their places as `node.input`."
    )
    severity: Literal["error", "warning"] = "error"


class FileView(Answer):
    """A file that a job wrote."""

    name: str
    subfolder: str
    kind: Literal["output", "temp"]
    digest: str
    media_type: str
    url: str = Field(description="Where it is downloaded.")


class OutputView(Answer):
    """One value of an output: a file, or plain data."""

    model_config = ConfigDict(extra="allow")

    kind: str | None = Field(None, description="How `value` is drawn: `series`, `table`, or as it is.")
    file: FileView | None = None
    value: JsonValue = None


class NodeErrorView(Answer):
    """A node that failed."""

    model_config = ConfigDict(extra="allow", json_schema_serialization_defaults_required=False)

    message: str
    node: str
    type: str
    inputs: dict[str, str] = Field({}, description="A short text for each value it was given.")
    place: str = Field("", description="The line of the node's own code that it came from.")
    exception: str = Field("", description="The class of the exception.")
    frames: list[str] = Field([], description="The way there, outermost first: `module:line, in name`.")


class ErrorView(Answer):
    """Why a job failed as a whole."""

    code: str
    message: str


class ResultView(Answer):
    """What came of a job."""

    model_config = ConfigDict(extra="allow")

    status: str
    executed: int = Field(description="How many nodes ran; the others came from a cache or were not needed.")
    seconds: float = Field(description="From the plan to the end.")
    waited: float = Field(
        0.0, description="Seconds before that, from `started` on, in which the job's process was started."
    )
    nodes: dict[str, dict[str, JsonValue]] = Field(description="How each node's result came about.")
    outputs: dict[str, dict[str, list[OutputView]]] = Field(description="By node, then by output name.")
    errors: list[NodeErrorView]
    issues: list[IssueView]
    error: ErrorView | None = None


class SummaryView(Answer):
    """What a job is about, to tell it from others."""

    name: str = Field(description="Of the workflow.")
    makes: list[str] = Field(description="Types of the nodes whose results are wanted; the first few.")
    seed: str | None = Field(description="The first seed on the way there, as text: it may have 64 bits.")
    prompt: str = Field(description="The beginning of the first prompt on the way there.")


class JobView(Answer):
    """A job."""

    id: str
    number: int = Field(description="Rises with each job.")
    state: JobState
    owner: str
    label: str = Field(description="What its client calls it.")
    summary: SummaryView
    priority: int
    targets: list[str] | None
    created: float = Field(description="Seconds since 1970, as all times.")
    started: float | None
    finished: float | None
    attempts: int = Field(description="How often it was begun; more than once if the server died.")
    cancel_requested: bool
    time_limit: float | None
    webhook: str | None
    result: ResultView | None = Field(description="Present once the job has ended.")


class WorkflowView(Answer):
    """A workflow, as in a file."""

    model_config = ConfigDict(extra="allow")

    format: Literal["nodegraph"]
    version: int
    nodes: dict[str, JsonValue] = {}


class JobPage(Answer):
    """Some jobs, the newest first."""

    jobs: list[JobView]
    next: int | None = Field(description="What to give as `before` for the next page; null at the end.")


class BatchView(Answer):
    """The jobs of a batch, in the order of its variants."""

    jobs: list[JobView]


class QueueView(Answer):
    """The queue."""

    paused: bool
    running: list[JobView]
    waiting: list[JobView] = Field(description="In the order they will run; the first of them.")
    counts: dict[JobState, int]


class PausedView(Answer):
    """Whether jobs are started."""

    paused: bool


class CancelView(Answer):
    """The state of a job after it was asked to stop; `running` if it will stop soon."""

    id: str
    state: JobState


class TensorView(Answer):
    """A tensor that a node gave: its numbers in short, and what they look like."""

    kind: Literal["image", "mask", "latent"]
    shape: list[int] = Field(
        description="`[batch, height, width, channels]` of an image, `[batch, height, width]` of a mask, "
        "`[batch, channels, height, width]` of latents."
    )
    dtype: str
    not_finite: int = Field(description="How many numbers are NaN or infinite; the others are measured.")
    min: float | None = Field(description="null where no number is finite, as the others.")
    mean: float | None
    max: float | None
    std: float | None
    pictures: list[str] = Field(
        description="Addresses (`data:`) of a PNG of each item, the first ones where there are many. Latents "
        "are shown as a grid of their channels in grey: the mean in the middle, black and white three "
        "standard deviations from it."
    )
    colours: list[str] = Field(
        description="The same of latents in colours, one pixel for each of theirs: roughly the picture they "
        "decode to where their latent space is known, else in false colours. Empty of anything else."
    )
    false_colours: bool = Field(
        default=False,
        description="Whether `colours` tells shapes alone, because the latent space is not known.",
    )


class ValidView(Answer):
    """What validation found."""

    valid: bool = Field(description="Whether it may run: no issue is an error.")
    issues: list[IssueView] = Field(description=f"Everything wrong or odd. {FIRST_ISSUES}")


class PlannedOutput(Answer):
    """What is known of an output before anything runs."""

    type: str = Field(description="Narrower than in the catalogue where the links tell more.")
    facts: dict[str, str | int | float | bool | None] = Field(
        description="Such as the size of a picture or the family of a model; empty where nothing is known."
    )


class PlannedNode(Answer):
    """What would happen to a node."""

    type: str
    origin: Literal["run", "memory", "disk", "maybe", "unneeded"] | None = Field(
        description="`run`: it would run. `memory`, `disk`: its result, or a later one that makes it "
        "unnecessary, is cached there. `maybe`: a node that runs may ask for it, such as a loop or a branch. "
        "`unneeded`: nothing asks for it. null: the workflow must not run."
    )
    outputs: dict[str, PlannedOutput] = Field(description="Empty where the node type is not known.")


class PlanView(Answer):
    """What a job would do now."""

    valid: bool = Field(description="Whether the workflow may run: no issue is an error.")
    targets: list[str] = Field(description="The nodes whose results are wanted.")
    runnable: list[str] = Field(
        description="The output nodes that could be targets: they need no node that has an error."
    )
    run: int = Field(description="How many nodes would run for certain.")
    maybe: int = Field(description="How many more may: those that loops and branches may ask for.")
    nodes: dict[str, PlannedNode] = Field(
        description="By id, subgraphs unfolded: `outer/inner`. Empty if the workflow is too large."
    )
    left_out: dict[str, str] = Field(
        description="Nodes that are muted, or need one that is, with the node which is why."
    )
    issues: list[IssueView] = Field(
        description=f"Everything wrong or odd; each names its node and input. {FIRST_ISSUES}"
    )


class InputView(Answer):
    """An input of a node type."""

    model_config = ConfigDict(extra="allow", json_schema_serialization_defaults_required=False)

    type: str
    required: bool
    description: str
    lazy: bool
    socket_only: bool = Field(description="Whether only a link can feed it.")
    schema_: dict[str, JsonValue] = Field(
        alias="schema",
        description="JSON Schema of its constants; `x-widget` says how to show it, `x-folder` whose files "
        "it names.",
    )
    widget: dict[str, JsonValue] | None = Field(
        description="How a constant is shown: `kind` (`number`, `text`, `switch`, `menu`, `file`, `seed`, "
        "`colour`, `list`, `body`, `json`, or what a pack says), and `min`, `max`, `step`, `whole`, "
        "`choices`, `folder` where they count; null where only a link can feed it."
    )
    default: JsonValue = Field(None, description="Absent where there is none.")


class NodeOutputView(Answer):
    """An output of a node type."""

    name: str
    type: str
    description: str


class NodeView(Answer):
    """A node type."""

    id: str
    display_name: str
    category: str
    version: int
    description: str
    pack: str
    terminal: bool = Field(description="Whether a workflow may end in it.")
    device: bool
    cacheable: bool
    inputs: dict[str, InputView]
    outputs: list[NodeOutputView]
    examples: list[str] = Field([], description="Names of the templates that use it.")


class PackProblemView(Answer):
    """A pack that did not load."""

    pack: str
    place: str
    message: str


class CatalogueView(Answer):
    """Every node type."""

    nodes: dict[str, NodeView]
    problems: list[PackProblemView]
    types: dict[str, list[str]] = Field(
        description="The classes that sockets carry, each with those it derives from."
    )


class ModelsView(Answer):
    """The files that nodes can name, by folder."""

    folders: dict[str, list[str]]


class ModelFolderView(Answer):
    """The files of one folder."""

    folder: str
    names: list[str]


class PackView(Answer):
    """A pack of nodes."""

    name: str
    nodes: int


class SystemView(Answer):
    """What the server is and what it has at its disposal."""

    version: str
    python: str
    platform: str
    torch: str
    started: float
    user: str
    scopes: list[str]
    packs: list[PackView]
    limits: dict[str, float | int | None] = Field(description="The settings that bound requests.")
    worker: dict[str, JsonValue] = Field(
        description="What the worker says of its memory; empty while it starts."
    )


class HealthView(Answer):
    """That the server answers."""

    status: Literal["ok"]


class FreeView(Answer):
    """What the worker said."""

    model_config = ConfigDict(extra="allow")


class ProblemView(Answer):
    """Problem details (RFC 9457)."""

    model_config = ConfigDict(extra="allow", json_schema_serialization_defaults_required=False)

    type: str
    title: str
    status: int
    code: str
    detail: str
    errors: list[dict[str, str]] = Field([], description="Every place of a request that is wrong.")
    issues: list[IssueView] = Field(
        [], description=f"Every issue of a workflow that must not run. {FIRST_ISSUES}"
    )


class UploadView(Answer):
    """An uploaded file. In a workflow it is named `subfolder/name`."""

    name: str
    subfolder: str
    size: int
    media_type: str
    url: str = Field(description="Where it is downloaded.")
    digest: str | None = Field(None, description="SHA-256 of its content; not told in listings.")


class UploadsView(Answer):
    """Uploaded files."""

    uploads: list[UploadView]


class WebhookView(Answer):
    """What a webhook is sent."""

    type: Literal["job_finished"]
    job: JobView
