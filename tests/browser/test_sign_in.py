"""A server that asks for a token: the page asks for it, says when it is wrong, and is let in from then on."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from editing import Opens, workflow
from served import Served


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
        return port


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[tuple[str, str]]:
    """The address of a server that others are to reach, and the token that it printed."""
    port = free_port()
    address = f"http://localhost:{port}"
    served = Served(tmp_path, "--port", str(port), "--public-url", address).start()
    yield address, served.first_token()
    served.end()


def test_a_token_lets_in_and_a_wrong_one_does_not(chromium: Any, guarded: tuple[str, str]) -> None:
    url, token = guarded
    context = chromium.new_context()
    page = context.new_page()
    page.goto(url)
    field, button = page.get_by_label("Token"), page.get_by_role("button", name="Sign in")
    field.fill("ngt_wrong")
    button.click()
    page.get_by_role("alert").get_by_text("The server does not know this token").wait_for()
    assert page.get_by_role("region", name="Canvas").count() == 0
    field.fill(token)
    button.click()
    page.get_by_role("region", name="Canvas").wait_for()
    assert token not in page.evaluate(
        "JSON.stringify({ ...localStorage, ...sessionStorage }) + document.cookie"
    )
    page.reload()
    page.get_by_role("region", name="Canvas").wait_for()
    assert field.count() == 0
    context.close()


def test_a_token_that_is_made_meanwhile_is_asked_for_and_what_was_asked_is_done(
    tmp_path: Path, opens: Opens
) -> None:
    served = Served(tmp_path).start()
    editor = opens(served.url)
    editor.open(workflow({"size": {"type": "EmptyImage", "inputs": {"width": 16, "height": 16}}}))
    create = [sys.executable, "-m", "nodegraph", "token", "create", "me"]
    made = subprocess.run(create, env=served.environment, capture_output=True, text=True, check=True)
    token = re.search(r"ngt_\S+", made.stdout + made.stderr)
    assert token
    editor.field("size", "width").fill("24")
    editor.canvas.focus()
    editor.press("Control+s")
    sign_in = editor.page.get_by_role("dialog", name="Sign in to nodegraph")
    sign_in.wait_for()  # an edit asks the server, too
    sign_in.get_by_label("Token").fill(token[0])
    sign_in.get_by_role("button", name="Sign in").click()
    sign_in.wait_for(state="detached")
    name = editor.page.get_by_role("dialog", name="Save on the server as")
    name.get_by_role("button", name="Save").click()
    editor.said("Test saved")
    assert editor.field("size", "width").input_value() == "24"
    served.end()
