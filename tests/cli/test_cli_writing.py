"""Where workflows are read from and written to: files, links, pipes, and what is none of these."""

import json
import os
import socket
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

COMMANDS = ["import", "export"]


def nodegraph(*args, stdout=subprocess.PIPE):
    """Run the command line in a process of its own."""
    command = [sys.executable, "-m", "nodegraph", *map(str, args)]
    return subprocess.run(command, stdout=stdout, stderr=subprocess.PIPE, text=True, check=False, timeout=120)


def read_in_background(path):
    """Start to read a pipe; the returned function waits for the end of what is written to it."""
    found = []
    reader = threading.Thread(target=lambda: found.append(path.read_text()), daemon=True)
    reader.start()

    def finish():
        reader.join(60)
        return found[0]

    return finish


@pytest.mark.parametrize("command", COMMANDS)
def test_a_pipe_is_written_to_and_stays_a_pipe(cli, painting, home, command):
    pipe = home / "pipe"
    os.mkfifo(pipe)
    written = read_in_background(pipe)
    done = nodegraph(command, painting, "-o", pipe)
    assert done.returncode == 0, done.stderr
    assert written() == cli(command, painting).stdout
    assert stat.S_ISFIFO(pipe.stat().st_mode)


def test_a_link_to_a_pipe_is_written_through(cli, painting, home):
    os.mkfifo(home / "pipe")
    (home / "link").symlink_to("pipe")
    written = read_in_background(home / "pipe")
    assert cli("export", painting, "-o", "link").exit_code == 0
    assert written() == cli("export", painting).stdout
    assert (home / "link").is_symlink()


def test_standard_output_may_be_named_and_gets_the_document_alone(cli, painting):
    named = nodegraph("export", painting, "-o", "/dev/stdout")
    assert (named.returncode, named.stdout) == (0, cli("export", painting).stdout)
    assert json.loads(named.stdout)


def test_standard_output_that_is_a_file_keeps_what_was_in_it(cli, painting, home):
    log = home / "log"
    log.write_text("before\n")
    with log.open("a") as stream:
        nodegraph("export", painting, "-o", "/dev/stdout", stdout=stream)
    assert log.read_text() == "before\n" + cli("export", painting).stdout


def test_a_link_to_a_file_stays_and_its_file_is_replaced(cli, painting, home):
    (home / "real.json").write_text("before")
    (home / "link.json").symlink_to("real.json")
    assert cli("export", painting, "-o", "link.json").exit_code == 0
    assert (home / "link.json").is_symlink()
    assert json.loads((home / "real.json").read_text())["number"]["class_type"] == "toy.Number"


def test_a_link_that_leads_to_nothing_yet_makes_its_file(cli, painting, home):
    (home / "link.json").symlink_to("real.json")
    assert cli("export", painting, "-o", "link.json").exit_code == 0
    assert (home / "link.json").is_symlink()
    assert (home / "real.json").is_file()


def make_socket(path):
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda path: path.mkdir(), "cannot be written: it is a folder"),
        (make_socket, "cannot be written: it is neither a file nor a pipe"),
        (lambda path: path.symlink_to(path), "cannot be written: Too many levels of symbolic links"),
    ],
    ids=["folder", "socket", "loop"],
)
def test_what_cannot_be_written_is_an_error_and_stays(cli, painting, home, make, says):
    target = home / "t"
    make(target)
    before = target.lstat().st_mode
    result = cli("export", painting, "-o", "t")
    assert result.exit_code == 2
    assert f"t: {says}" in result.stderr
    assert target.lstat().st_mode == before
    assert not list(home.glob("*.tmp")) + list(home.glob(".*.tmp"))


@pytest.mark.parametrize("name", ["file", "pipe"])
def test_out_that_is_no_folder_is_an_error_and_stays(cli, painting, home, name):
    (home / "file").touch()
    os.mkfifo(home / "pipe")
    before = (home / name).stat().st_mode
    result = cli("run", painting, "--out", name)
    assert result.exit_code == 2
    assert f"--out {name} is not a folder" in result.stderr
    assert (home / name).stat().st_mode == before


def write_in_background(path, data):
    """Start to write to a pipe, as another program would."""
    threading.Thread(target=lambda: path.write_bytes(data), daemon=True).start()


def test_a_workflow_may_come_out_of_a_pipe(cli, painting, home):
    os.mkfifo(home / "pipe")
    for data in (painting.read_bytes(), cli("export", painting).stdout_bytes, picture_of(cli, painting)):
        write_in_background(home / "pipe", data)
        result = cli("run", "pipe", "--set", "number.value=9")
        assert result.exit_code == 0, result.stderr


def picture_of(cli, file):
    """The bytes of the picture that a workflow makes."""
    return Path(cli("run", file, "--quiet").stdout.strip()).read_bytes()


def test_a_sweep_of_a_workflow_out_of_a_pipe_reads_it_once(cli, painting, home):
    os.mkfifo(home / "pipe")
    write_in_background(home / "pipe", painting.read_bytes())
    result = cli("run", "pipe", "--grid")
    assert result.exit_code == 2
    assert "--grid needs a --set" in result.stderr


def test_a_workflow_may_come_from_standard_input(painting):
    command = [sys.executable, "-m", "nodegraph", "validate", "/dev/stdin"]
    done = subprocess.run(command, input=painting.read_bytes(), capture_output=True, check=False, timeout=120)
    assert (done.returncode, done.stdout) == (0, b"/dev/stdin: valid, 2 nodes\n")
