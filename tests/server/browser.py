"""A real browser without a window, told what to do over its DevTools protocol."""

from __future__ import annotations

import asyncio
import itertools
import json
import re
import subprocess
from pathlib import Path
from typing import Any

import aiohttp

PATIENCE = 60


class Browser:
    """One page of Chromium."""

    def __init__(self, program: str, folder: Path) -> None:
        options = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"]
        options += ["--remote-debugging-port=0", f"--user-data-dir={folder}", "about:blank"]
        self._log = (folder / "log").open("w+")
        self._process = subprocess.Popen([program, *options], stdout=self._log, stderr=self._log)
        self._loop = asyncio.new_event_loop()
        self._numbers = itertools.count()
        self._run(self._connect(folder))

    def _run(self, coroutine: Any) -> Any:
        return self._loop.run_until_complete(asyncio.wait_for(coroutine, PATIENCE))

    async def _connect(self, folder: Path) -> None:
        while not (found := re.search(r"DevTools listening on ws://(\S+?)/", (folder / "log").read_text())):
            assert self._process.poll() is None, (folder / "log").read_text()
            await asyncio.sleep(0.05)
        self._session = aiohttp.ClientSession()
        pages: list[dict[str, Any]] = []
        while not pages:
            async with self._session.get(f"http://{found[1]}/json/list") as reply:
                pages = [page for page in await reply.json() if page["type"] == "page"]
        self._socket = await self._session.ws_connect(pages[0]["webSocketDebuggerUrl"], max_msg_size=0)
        await self._ask("Page.enable")
        # so that a page of the server, none of which runs scripts, can stand for one that does
        await self._ask("Page.setBypassCSP", enabled=True)

    async def _ask(self, method: str, **given: Any) -> Any:
        number = next(self._numbers)
        await self._socket.send_json({"id": number, "method": method, "params": given})
        while (said := await self._said()).get("id") != number:
            pass
        assert "error" not in said, said
        return said["result"]

    async def _said(self) -> dict[str, Any]:
        message = await self._socket.receive()
        assert message.type is aiohttp.WSMsgType.TEXT, message
        found: dict[str, Any] = json.loads(message.data)
        return found

    def open(self, url: str) -> None:
        """Go to a page, and wait until it is there."""

        async def go() -> None:
            await self._ask("Page.navigate", url=url)
            while (await self._said()).get("method") != "Page.loadEventFired":
                pass

        self._run(go())

    def does(self, script: str) -> Any:
        """What the body of an asynchronous function returns on the page."""
        code = f"(async () => {{ {script} }})()"
        asked = self._ask("Runtime.evaluate", expression=code, awaitPromise=True, returnByValue=True)
        told = self._run(asked)
        assert "exceptionDetails" not in told, told
        return told["result"].get("value")

    def close(self) -> None:
        """End it."""
        self._run(self._session.close())
        self._loop.close()
        self._process.terminate()
        self._process.wait(PATIENCE)
        self._log.close()
