"""What commands are given by mistake: refused with plain words and 2, and nothing is made by asking."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

PLACES = [
    ["run", "{}"],
    ["run", "w.json", "--out", "{}"],
    ["validate", "w.json", "--input-dir", "{}"],
    ["export", "w.json", "--out", "{}"],
    ["cache", "clear", "--cache-dir", "{}"],
    ["models", "list", "--models", "{}"],
    ["serve", "--data", "{}"],
    ["token", "create", "ann", "--data", "{}"],
]


@pytest.mark.parametrize("command", PLACES, ids=" ".join)
@pytest.mark.parametrize(
    ("given", "problem"), [("", "it is empty"), ("a\0b", "null character"), ("\ud800", "half a character")]
)
def test_what_is_no_path_is_refused(cli, home, painting, command, given, problem):
    """An empty one, as of a shell's variable that is not set, would be the folder one is in."""
    before = sorted(home.rglob("*"))
    result = cli(*(part.format(given) for part in command))
    assert result.exit_code == 2 and problem in result.stderr
    assert sorted(home.rglob("*")) == before


def test_looking_for_tokens_makes_no_folder(cli, tmp_path):
    new = tmp_path / "new"
    listed = cli("token", "list", "--data", new)
    assert (listed.exit_code, listed.stdout) == (0, "")
    assert listed.stderr == f"{new} holds no server's data yet, so there are no tokens\n"
    revoked = cli("token", "revoke", "ann", "--data", new)
    assert (revoked.exit_code, revoked.stderr) == (2, f"error: there is no token called 'ann' in {new}\n")
    secret = cli("token", "webhook-secret", "--data", new)
    assert (secret.exit_code, secret.stdout) == (2, "")
    assert f"--data {new} is not a folder" in secret.stderr
    assert not new.exists()
    new.mkdir()
    assert cli("token", "list", "--data", new).exit_code == 0
    assert list(new.iterdir()) == []


@pytest.mark.parametrize("name", ["", "ann\udcff", "x" * 100_000, "\x1b[31m", "nobody's"])
def test_a_token_that_is_not_there_is_told_in_a_line(cli, home, name):
    assert cli("token", "create", "ann", "--data", home).exit_code == 0
    revoked = cli("token", "revoke", "--data", home, "--", name)
    assert (revoked.exit_code, revoked.stdout) == (2, "")
    assert len(revoked.stderr) < 300 and revoked.stderr.startswith("error: there is no token called ")
    assert "\x1b" not in revoked.stderr
    assert cli("token", "list", "--data", home).stdout == "ann\tlocal\trun\n"


def test_what_a_first_token_changes_is_told_once_there_is_one(cli, home):
    refused = cli("token", "create", "a\nb", "--data", home)
    assert (refused.exit_code, "From now on" in refused.stderr) == (2, False)
    made = cli("token", "create", "ann", "--data", home)
    assert (made.exit_code, "From now on" in made.stderr) == (0, True)
    again = cli("token", "create", "ann", "--data", home)
    assert (again.exit_code, again.stdout) == (2, "")
    assert "revoke it, or choose another name" in again.stderr


def test_a_path_too_long_for_the_system_is_not_told_whole(cli):
    result = cli("token", "create", "ann", "--data", "x" * 100_000)
    assert result.exit_code == 1 and "File name too long" in result.stderr
    assert len(result.stderr) < 3000


def test_a_server_that_is_stopped_as_it_starts_ends_in_order(home):
    """Whoever waits for its address may stop it at once."""
    command = [sys.executable, "-m", "nodegraph", "serve", "--port", "0", "--device", "cpu"]
    for _ in range(3):
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ}
        ) as server:
            assert server.stdout is not None and "http://" in server.stdout.readline()
            server.send_signal(signal.SIGTERM)
            _, said = server.communicate(timeout=60)
        assert (server.returncode, said) == (0, "")
