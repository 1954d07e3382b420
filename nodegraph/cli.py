"""The command line.

Only what ``--help`` needs is imported here; what a command does is in ``nodegraph.console``.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal, NoReturn

import typer

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
cache_app = typer.Typer(no_args_is_help=True, help="Look at the results kept between runs, or remove them.")
models_app = typer.Typer(no_args_is_help=True, help="Look at the models at hand.")
token_app = typer.Typer(no_args_is_help=True, help="Let clients use a server.")
app.add_typer(cache_app, name="cache")
app.add_typer(models_app, name="models")
app.add_typer(token_app, name="token")


def _place(given: str | Path) -> Path:
    """A path that was given. An empty one, as of a variable that is not set, would be this very folder."""
    import os

    text = os.fspath(given)
    if not text:
        raise typer.BadParameter("it is empty; name a file or a folder")
    try:
        os.fsencode(text)
    except UnicodeEncodeError:
        raise typer.BadParameter("it holds half a character, which no name of a file does") from None
    if "\0" in text:
        raise typer.BadParameter("it holds a null character, which no name of a file does")
    return Path(text)


WorkflowFile = Annotated[
    Path,
    typer.Argument(
        parser=_place, metavar="FILE", help="A workflow, a file of ComfyUI, or a PNG that carries one."
    ),
]
Out = Annotated[
    Path | None,
    typer.Option("--out", parser=_place, metavar="DIR", help="Where pictures go. [default: output]"),
]
Target = Annotated[
    Path | None, typer.Option("--out", "-o", parser=_place, metavar="FILE", help="[default: standard output]")
]
CacheDir = Annotated[
    Path | None, typer.Option(parser=_place, metavar="DIR", help="Where results are kept between runs.")
]
Models = Annotated[
    list[Path] | None,
    typer.Option(
        "--models",
        parser=_place,
        metavar="DIR",
        help="One more folder of models, or a YAML file of folders; repeatable.",
    ),
]
InputDir = Annotated[
    list[Path] | None,
    typer.Option(parser=_place, metavar="DIR", help="One more folder of input files; repeatable."),
]
AllowPickles = Annotated[
    bool,
    typer.Option(
        "--allow-pickles", help="Read embeddings from .pt and .bin files too: plain tensors, never programs."
    ),
]
ExportFormat = Literal["comfyui", "python"]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


def main() -> None:
    """The ``nodegraph`` command."""
    try:
        app()
    except OSError as error:  # of the help and of usage errors, which click prints; commands tell their own
        from nodegraph.console.output import OutputError, complain_of_output

        complain_of_output(OutputError(error))
        raise SystemExit(1) from None


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"nodegraph {version('nodegraph')}")
        raise typer.Exit


@app.callback()
def nodegraph(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Run node graphs of generative image models.

    Exit codes of every command: 0 done, 1 it failed or was cancelled, 2 invalid workflow or usage.
    """


@app.command()
def run(
    file: WorkflowFile,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="NODE.INPUT=VALUE",
            help="Change an input; the value is JSON or text. A node inside a subgraph is OUTER/INNER.",
        ),
    ] = None,
    grid: Annotated[
        bool, typer.Option(help="Take --set values as comma lists, run every combination, draw a sheet.")
    ] = False,
    out: Out = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1 or mps.")] = "auto",
    json: Json = False,
    explain: Annotated[bool, typer.Option("--explain", help="Say why each node ran or was cached.")] = False,
    no_metadata: Annotated[
        bool, typer.Option("--no-metadata", help="Save pictures without the workflow in them.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print file paths and errors only.")] = False,
    traceback: Annotated[
        bool, typer.Option("--traceback", help="Show the whole traceback of a failure.")
    ] = False,
    cache_dir: CacheDir = None,
    models: Models = None,
    input_dir: InputDir = None,
    allow_pickles: AllowPickles = False,
    server: Annotated[
        str | None, typer.Option(metavar="URL", help="Run it on this server; pictures are fetched to --out.")
    ] = None,
    token: Annotated[
        str | None,
        typer.Option(envvar="NODEGRAPH_TOKEN", help="The token that the server wants.", show_default=False),
    ] = None,
) -> None:
    """Run a workflow.

    Exit codes: 0 done, 1 a node failed or the run was cancelled, 2 invalid workflow or usage.
    """

    def command() -> int:
        from nodegraph.console.engines import EngineOptions
        from nodegraph.console.remote import server_options
        from nodegraph.console.running import RunRequest, run_command

        folders = tuple(models or ()), tuple(input_dir or ())
        options = EngineOptions(
            out, device, cache_dir, *folders, metadata=not no_metadata, pickles=allow_pickles
        )
        remote = server_options(server, token, options, explain=explain)
        request = RunRequest(
            file, tuple(settings or ()), grid, json, explain, quiet, traceback, options, remote
        )
        return run_command(request)

    _exit(command)


@app.command()
def validate(
    file: WorkflowFile,
    json: Json = False,
    cache_dir: CacheDir = None,
    models: Models = None,
    input_dir: InputDir = None,
    allow_pickles: AllowPickles = False,
) -> None:
    """Find every mistake in a workflow without running it."""

    def command() -> int:
        from nodegraph.console.documents import validate_command
        from nodegraph.console.engines import EngineOptions

        folders = tuple(models or ()), tuple(input_dir or ())
        options = EngineOptions(None, "auto", cache_dir, *folders, pickles=allow_pickles)
        return validate_command(file, options, as_json=json)

    _exit(command)


@app.command()
def nodes(
    name: Annotated[str | None, typer.Argument(help="A node type to describe.")] = None,
    json: Json = False,
) -> None:
    """List the node types, or describe one."""

    def command() -> int:
        from nodegraph.console.catalogue import nodes_command

        return nodes_command(name, as_json=json)

    _exit(command)


@app.command("import")
def import_(file: WorkflowFile, out: Target = None) -> None:
    """Convert a file of ComfyUI, or what a PNG carries, to a workflow of this program."""

    def command() -> int:
        from nodegraph.console.documents import import_command

        return import_command(file, out)

    _exit(command)


@app.command()
def export(
    file: WorkflowFile,
    out: Target = None,
    format: Annotated[
        ExportFormat, typer.Option(help="ComfyUI's API format, or a Python program that builds it.")
    ] = "comfyui",
) -> None:
    """Convert a workflow to ComfyUI's API format, or to Python."""

    def command() -> int:
        from nodegraph.console.documents import export_command

        return export_command(file, out, format)

    _exit(command)


@cache_app.command("info")
def cache_info(cache_dir: CacheDir = None, json: Json = False) -> None:
    """Say where the cache is and how full."""

    def command() -> int:
        from nodegraph.console.cache import info_command

        return info_command(cache_dir, as_json=json)

    _exit(command)


@cache_app.command("clear")
def cache_clear(cache_dir: CacheDir = None) -> None:
    """Forget every result."""

    def command() -> int:
        from nodegraph.console.cache import clear_command

        return clear_command(cache_dir)

    _exit(command)


@cache_app.command("verify")
def cache_verify(cache_dir: CacheDir = None) -> None:
    """Check every result and remove damaged ones."""

    def command() -> int:
        from nodegraph.console.cache import verify_command

        return verify_command(cache_dir)

    _exit(command)


@models_app.command("list")
def models_list(models: Models = None, json: Json = False) -> None:
    """List the model files that nodes can name: family, types and size."""

    def command() -> int:
        from nodegraph.console.engines import EngineOptions
        from nodegraph.console.models import list_command

        return list_command(EngineOptions(models=tuple(models or ())), as_json=json)

    _exit(command)


@models_app.command("verify")
def models_verify(models: Models = None, json: Json = False) -> None:
    """Read every model file: its digest, and whether it can be used."""

    def command() -> int:
        from nodegraph.console.engines import EngineOptions
        from nodegraph.console.models import verify_command

        return verify_command(EngineOptions(models=tuple(models or ())), as_json=json)

    _exit(command)


def _exit(command: Callable[[], int]) -> NoReturn:
    from nodegraph.console.errors import guarded

    raise typer.Exit(guarded(command))


@app.command()
def serve(
    host: Annotated[
        str, typer.Option(help="Address to listen on; others than loopback take tokens.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0 takes any that is free.")] = 8188,
    browse: Annotated[bool, typer.Option("--open", help="Show the editor in a browser when ready.")] = False,
    out: Annotated[Path, typer.Option(parser=_place, metavar="DIR", help="Folder for pictures.")] = Path(
        "output"
    ),
    data: Annotated[
        Path | None,
        typer.Option(parser=_place, metavar="DIR", help="Folder of the queue, the history and uploads."),
    ] = None,
    cache_dir: CacheDir = None,
    models: Models = None,
    input_dir: InputDir = None,
    allow_pickles: AllowPickles = False,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1 or mps.")] = "auto",
    workers: Annotated[int, typer.Option(min=1, max=64, help="Jobs that run side by side.")] = 1,
    time_limit: Annotated[float | None, typer.Option(help="Seconds a job may run.")] = None,
    tls_cert: Annotated[
        Path | None, typer.Option(parser=_place, metavar="FILE", help="Certificate chain, to speak TLS.")
    ] = None,
    tls_key: Annotated[
        Path | None, typer.Option(parser=_place, metavar="FILE", help="Private key of the certificate.")
    ] = None,
    public_url: Annotated[
        str | None, typer.Option(metavar="URL", help="What clients call it, where a proxy is in front.")
    ] = None,
    allow_host: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="One more name to be called by; repeatable.")
    ] = None,
    allow_origin: Annotated[
        list[str] | None,
        typer.Option(metavar="URL", help="One more site whose pages may call it; repeatable."),
    ] = None,
    trusted_proxy: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ADDRESS", help="A proxy that says whom it speaks for, or a network; repeatable."
        ),
    ] = None,
) -> None:
    """Serve the editor, and workflows over HTTP: an API of its own, and ComfyUI's."""

    def command() -> int:
        from nodegraph.console.serving import serve_command

        given = {
            "host": host,
            "port": port,
            "output": out,
            "data": data,
            "cache": cache_dir,
            "models": tuple(models or ()),
            "inputs": tuple(input_dir or ()),
            "allow_pickles": allow_pickles,
            "device": device,
            "workers": workers,
            "time_limit": time_limit,
            "tls_cert": tls_cert,
            "tls_key": tls_key,
            "public_url": public_url,
            "allow_hosts": tuple(allow_host or ()),
            "allow_origins": tuple(allow_origin or ()),
            "trusted_proxies": tuple(trusted_proxy or ()),
        }
        named = {name: value for name, value in given.items() if value is not None}
        return serve_command(named, browse=browse)

    _exit(command)


Data = Annotated[Path | None, typer.Option(parser=_place, metavar="DIR", help="Folder of the server's data.")]


@token_app.command("create")
def token_create(
    name: Annotated[str, typer.Argument(help="What to call it.")],
    user: Annotated[str, typer.Option(help="Whom it speaks for.")] = "local",
    admin: Annotated[bool, typer.Option(help="Whether it may see and change everything.")] = False,
    data: Data = None,
) -> None:
    """Make a token and print it, once."""

    def command() -> int:
        from nodegraph.console.serving import create_token

        return create_token(name, user, admin, data)

    _exit(command)


@token_app.command("list")
def token_list(data: Data = None) -> None:
    """List the tokens."""

    def command() -> int:
        from nodegraph.console.serving import list_tokens

        return list_tokens(data)

    _exit(command)


@token_app.command("revoke")
def token_revoke(name: Annotated[str, typer.Argument(help="Which.")], data: Data = None) -> None:
    """Let a token in no more."""

    def command() -> int:
        from nodegraph.console.serving import revoke_token

        return revoke_token(name, data)

    _exit(command)


@token_app.command("webhook-secret")
def token_webhook_secret(data: Data = None) -> None:
    """Print the secret that signs webhooks."""

    def command() -> int:
        from nodegraph.console.serving import show_webhook_secret

        return show_webhook_secret(data)

    _exit(command)
