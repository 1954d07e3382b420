"""Odd files, folders, addresses and names at the command line: each ends in a line that says why."""

import os

import pytest


def one_line(result) -> str:
    """What a command that was refused says, which is one line and no traceback."""
    assert result.exit_code in (1, 2)
    assert isinstance(result.exception, SystemExit), result.exception
    [line] = result.stderr.splitlines()
    return line


@pytest.fixture
def models(home):
    folder = home / "models" / "vae"
    folder.mkdir(parents=True)
    (folder / "gone.safetensors").symlink_to("nowhere")
    os.mkfifo(folder / "pipe.safetensors")
    (folder / "rubbish.safetensors").write_bytes(os.urandom(3000))
    return home / "models"


@pytest.mark.parametrize("command", ["list", "verify"])
def test_a_model_that_cannot_be_read_does_not_hide_the_others(cli, models, command):
    result = cli("models", command, "--models", models)
    assert result.exit_code == (2 if command == "verify" else 0)
    lines = result.stdout.splitlines()
    for name in ("gone", "pipe"):
        [line] = [line for line in lines if f"{name}.safetensors" in line]
        assert "cannot be read" in line
    [line] = [line for line in lines if "rubbish.safetensors" in line]
    assert "2.9 KiB" in line


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("here", "named like"),
        ("http://", "named like"),
        ("http://:80", "named like"),
        ("http://a b", "named like"),
        ("http://x\x00", "named like"),
        ("http://127.0.0.1:0", "named like"),
        ("http://[::1", "Invalid IPv6"),
        ("http://127.0.0.1:99999", "Port out of range"),
        ("http://me:secret@127.0.0.1", "has a token"),
    ],
)
def test_what_is_no_address_of_a_server_is_refused(cli, painting, url, problem):
    line = one_line(cli("run", painting, "--server", url))
    assert line.startswith("error: --server: ") and problem in line


@pytest.mark.parametrize("token", ["a\nb", "\u00fc", "\x00"])
def test_what_is_no_token_is_refused(cli, painting, token):
    line = one_line(cli("run", painting, "--server", "http://127.0.0.1:9", "--token", token))
    assert "no token has" in line


@pytest.mark.parametrize("name", ["", "x" * 201, "a\nb", "\x1b[1m", "\udcff"])
def test_what_is_no_name_of_a_token_or_user_is_refused(cli, home, name):
    token = cli("token", "create", "--data", home, "--", name)
    user = cli("token", "create", "t", "--data", home, "--user", name)
    assert "the name of a token has 1 to 200" in token.stderr
    assert "the name of a user has 1 to 200" in user.stderr
    assert cli("token", "list", "--data", home).stdout == ""


@pytest.mark.parametrize("command", [["token", "list"], ["token", "create", "x"], ["serve"]])
def test_a_data_folder_that_is_a_file_is_refused(cli, painting, command):
    assert "w.json is not a folder" in one_line(cli(*command, "--data", painting))


@pytest.mark.parametrize(
    ("options", "start"),
    [
        (["--time-limit", "-1"], "error: --time-limit: "),
        (["--trusted-proxy", "x"], "error: --trusted-proxy: "),
        (["--host", ""], "error: --host: "),
        (["--tls-cert", "x"], "error: a certificate and its private key go together"),
    ],
)
def test_a_setting_of_the_server_is_named_as_its_option(cli, options, start):
    assert one_line(cli("serve", *options)).startswith(start)


@pytest.mark.parametrize(
    ("option", "problem"),
    [
        ("--out", "--out w.json is not a folder"),
        ("--cache-dir", "the cache folder w.json is not a folder"),
        ("--models", "w.json is not a folder, nor a YAML file"),
        ("--input-dir", "w.json is not a folder"),
        ("--device", "--device: 'w.json' is not available here"),
    ],
)
def test_a_server_does_not_start_where_no_job_could(cli, painting, option, problem):
    assert problem in one_line(cli("serve", "--port", "0", option, painting.name))


NOTE = """

@node(category="toy", terminal=True)
def Note(ctx: NodeContext, value: int) -> OutputFile:
    '''Save a number as text.'''
    return ctx.save(b"%d" % value, prefix="note", suffix=".txt", media_type="text/plain")
"""


def test_a_sweep_without_pictures_is_told_with_what_it_made(cli, save):
    file = save(number=("Number", {}, {}), text=("Note", {}, {"value": ["number", "int"]}))
    plugin = file.parent / "home" / "plugins" / "toy.py"
    plugin.write_text(plugin.read_text() + NOTE)
    result = cli("run", file, "--grid", "--set", "number.value=1,2")
    assert result.exit_code == 2
    assert sum(line.endswith(".txt") for line in result.stdout.splitlines()) == 2
    assert result.stderr.splitlines()[-1].startswith("error: --grid has no picture to show")
