"""``nodegraph run``: one workflow, once or over a sweep of settings."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console

from nodegraph.console.engines import EngineOptions, make_engine, make_registry
from nodegraph.console.errors import DONE, FAILED, UsageError, counted, exit_code, tell, tell_node_error
from nodegraph.console.interrupt import cancelled_by_interrupt
from nodegraph.console.output import complain, say
from nodegraph.console.progress import progress
from nodegraph.console.remote import RemoteEngine, ServerOptions
from nodegraph.console.report import failure_document, result_document, summary_line, sweep_document
from nodegraph.console.settings import Setting, Variant, parse_settings, variants
from nodegraph.console.sheet import save_contact_sheet, sheet_columns
from nodegraph.console.sweep import noted_sweep, sheet_metadata
from nodegraph.engine import Engine, RunResult
from nodegraph.errors import Cancelled, NodeGraphError, ValidationError, errors_among, listed
from nodegraph.events import Event
from nodegraph.execution.base import CancelToken
from nodegraph.workflow.sources import load_workflow


@dataclass(frozen=True)
class RunRequest:
    """What the command line asks for.

    Attributes:
        file: a workflow of any format, or a picture that carries one.
        settings: texts of the form ``node.input=value``.
        grid: whether the settings are swept and the pictures put on a contact sheet.
        json: whether one JSON object is printed instead of text.
        explain: whether to say for each node why it was or was not cached.
        quiet: whether to print nothing but file paths and errors.
        traceback: whether to show the traceback of a node that fails.
        engine: what to run it on.
        server: the server to run it on instead.
    """

    file: Path
    settings: tuple[str, ...] = ()
    grid: bool = False
    json: bool = False
    explain: bool = False
    quiet: bool = False
    traceback: bool = False
    engine: EngineOptions = field(default_factory=EngineOptions)
    server: ServerOptions | None = None


def run_command(request: RunRequest) -> int:
    """Run a workflow and tell what came of it; returns the exit code."""
    try:
        return _Run(request).run()
    except NodeGraphError as error:
        if request.json:
            _print_json(failure_document(error))
        else:
            tell(error)
        return exit_code(error)


class _Run:
    def __init__(self, request: RunRequest) -> None:
        self.request = request
        self.registry = make_registry()
        self.workflow = load_workflow(request.file, self.registry)
        texts = request.settings or (noted_sweep(request.file) if request.grid else ())
        self.settings = parse_settings(texts, self.workflow, self.registry, sweep=request.grid)
        self.variants = variants(self.workflow, self.settings)
        if request.grid and len(self.variants) < 2:
            raise UsageError("--grid needs a --set with several values, such as --set sampler.cfg=1,5,15")

    def run(self) -> int:
        engine, output = self._engine()
        self._check_all(engine)
        results, error = self._results(engine)
        sheet = None
        try:
            if self.request.grid and error is None:
                sheet = self._sheet(results, output)
        except NodeGraphError as broken:  # what the runs made is told all the same
            error = broken
        self._report(results, sheet, error)
        if error is not None:
            return exit_code(error)
        return DONE if all(result.status == "done" for result in results) else FAILED

    def _engine(self) -> tuple[Engine | RemoteEngine, Path]:
        """What runs the workflow, and where pictures go."""
        if self.request.server is None:
            engine = make_engine(self.registry, self.request.engine)
            return engine, engine.folders.output
        output = self.request.engine.out or Path("output")
        remote = RemoteEngine(self.request.server, output, self.registry, self._mention)
        return remote, remote.output

    def _mention(self, text: str) -> None:
        if not self.request.quiet:
            complain(text)

    def _check_all(self, engine: Engine | RemoteEngine) -> None:
        """Find mistakes in the last run of a sweep before the first one has taken its time."""
        if len(self.variants) > 1:
            issues = [issue for variant in self.variants for issue in engine.validate(variant.workflow)]
            if errors_among(issues):
                raise ValidationError(list(dict.fromkeys(issues)))

    def _results(self, engine: Engine | RemoteEngine) -> tuple[list[RunResult], NodeGraphError | None]:
        """What came of the runs, up to the one that was cancelled or could not be; and why it could not.

        Raises:
            NodeGraphError: the first run could not be.
        """
        console = Console(stderr=True)
        shown = not (self.request.quiet or self.request.json)
        results: list[RunResult] = []
        # what nodes print goes to standard error: standard output holds the answer alone
        printed = redirect_stdout(sys.stderr)
        runs = len(self.variants)
        with printed, cancelled_by_interrupt() as token, progress(console, shown, runs) as on_event:
            for variant in self.variants:
                try:
                    results.append(self._one(engine, variant, token, on_event))
                except (NodeGraphError, KeyboardInterrupt) as error:
                    if not results:
                        raise
                    told = error if isinstance(error, NodeGraphError) else Cancelled("interrupted")
                    return results, told
                if results[-1].status == "cancelled":
                    break
        return results, None

    def _one(
        self,
        engine: Engine | RemoteEngine,
        variant: Variant,
        token: CancelToken,
        on_event: Callable[[Event], None] | None,
    ) -> RunResult:
        scope = " ".join([str(self.request.file.resolve()), *variant.labels])
        return engine.run_sync(variant.workflow, token=token, on_event=on_event, scope=scope)

    def _sheet(self, results: Sequence[RunResult], folder: Path) -> Path | None:
        if any(result.status == "cancelled" for result in results):
            return None
        cells = [
            ("\n".join(variant.labels), _pictures(result))
            for variant, result in zip(self.variants, results, strict=True)
        ]
        failed = any(result.status == "failed" for result in results)
        if failed and not any(pictures for _, pictures in cells):
            return None
        texts: dict[str, str] = {}
        if self.request.engine.metadata:
            texts = sheet_metadata(self.workflow, self.settings, self.registry)
        return save_contact_sheet(cells, _columns(self.settings), folder, texts).absolute()

    def _report(self, results: Sequence[RunResult], sheet: Path | None, error: NodeGraphError | None) -> None:
        if self.request.json:
            runs = [result_document(result, explain=self.request.explain) for result in results]
            runs += [failure_document(error)] if error else []
            path = str(sheet) if sheet else None
            _print_json(sweep_document(runs, path) if self.request.grid else runs[0])
            return
        if not self.request.quiet:
            found = dict.fromkeys(warning for result in results for warning in result.warnings)
            for warning in listed(list(found)):
                complain(str(warning))
        for variant, result in zip(self.variants, results, strict=False):
            self._tell(variant, result)
        if sheet:
            say(sheet)
        if error:
            tell(error)
        self._tell_kept(results)

    def _tell_kept(self, results: Sequence[RunResult]) -> None:
        """Say of a sweep that was broken off how far it came: what its runs made stays."""
        whole = [result for result in results if result.status != "cancelled"]
        if self.request.grid and len(whole) < len(self.variants):
            files = len({file.path for result in results for file in result.files})
            verb = "is" if files == 1 else "are"
            kept = f"kept {verb} the {counted(files, 'file')} named above" if files else "no file was made"
            complain(f"{len(whole)} of {counted(len(self.variants), 'run')} came to their end; {kept}")

    def _tell(self, variant: Variant, result: RunResult) -> None:
        for path in dict.fromkeys(file.path for file in result.files):
            say(path)
        if self.request.explain:
            for node, explanation in result.explanations.items():
                say(f"  {node}: {explanation}")
        for error in result.errors:
            tell_node_error(error, traceback=self.request.traceback)
        if result.status == "cancelled":
            complain(f"cancelled; {counted(result.executed, 'node')} had run")
        elif not self.request.quiet:
            label = f"{', '.join(variant.labels)}: " if variant.labels else ""
            say(label + summary_line(result))


def _pictures(result: RunResult) -> list[Path]:
    """Every picture that a run saved or shows, each once."""
    paths = (file.path for file in result.files if file.media_type.startswith("image/"))
    return [Path(path) for path in dict.fromkeys(paths)]


def _columns(settings: Sequence[Setting]) -> int:
    return sheet_columns([len(setting.values) for setting in settings])


def _print_json(document: object) -> None:
    say(json.dumps(document, indent=2, ensure_ascii=False))
