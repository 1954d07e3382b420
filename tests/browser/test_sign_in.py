"""A server that asks for a token: the page asks for it, says when it is wrong, and is let in from then on."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
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
