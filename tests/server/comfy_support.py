"""A ComfyUI client for tests, in the words of its interface."""

from __future__ import annotations

import asyncio
import json
from typing import Any, NamedTuple

import aiohttp
from yarl import URL

PATIENCE = 60.0
"""Seconds after which something that should happen counts as never happening."""


class Reply(NamedTuple):
    status: int
    body: bytes
    headers: Any

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Socket:
    """A connection to ``/ws``; messages are read one by one."""

    def __init__(self, comfy: Comfy, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._comfy, self._socket = comfy, socket

    def receive(self) -> tuple[str, Any]:
        """The next message: ``(type, data)``, or ``("binary", bytes)``."""
        message = self._comfy.run(self._socket.receive(PATIENCE))
        if message.type is aiohttp.WSMsgType.BINARY:
            return "binary", message.data
        assert message.type is aiohttp.WSMsgType.TEXT, message
        said = json.loads(message.data)
        return said["type"], said["data"]

    def until(self, type: str, **data: Any) -> list[tuple[str, Any]]:
        """The messages up to one of that type that says that, which is the last."""
        seen = []
        while True:
            seen.append(self.receive())
            said = seen[-1][1]
            if seen[-1][0] == type and all(said[key] == value for key, value in data.items()):
                return seen

    def until_done(self, prompt_id: str) -> list[tuple[str, Any]]:
        """The messages until a prompt is over."""
        return self.until("executing", node=None, prompt_id=prompt_id)

    def say(self, message: Any) -> None:
        self._comfy.run(self._socket.send_str(json.dumps(message)))

    def close(self) -> None:
        self._comfy.run(self._socket.close())


class Comfy:
    """Talks to one server. Synchronous, so that tests read from top to bottom."""

    def __init__(self, url: str, token: str = "") -> None:
        self.url = url
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._loop = asyncio.new_event_loop()
        self._session = self.run(self._open())

    async def _open(self) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(self.url, headers=self._headers, timeout=aiohttp.ClientTimeout(PATIENCE))

    def run(self, coroutine: Any) -> Any:
        return self._loop.run_until_complete(coroutine)

    def close(self) -> None:
        self.run(self._session.close())
        self._loop.close()

    def request(self, method: str, path: str, **options: Any) -> Reply:
        return self.run(self._request(method, path, options))

    async def _request(self, method: str, path: str, options: dict[str, Any]) -> Reply:
        place = URL(path, encoded=True)  # as written, so that tests decide what is encoded
        async with self._session.request(method, place, **options) as response:
            return Reply(response.status, await response.read(), response.headers)

    def get(self, path: str, /, **params: Any) -> Reply:
        return self.request("GET", path, params=params)

    def post(self, path: str, body: Any = None, **options: Any) -> Reply:
        return self.request("POST", path, **({"json": body} if body is not None else {}), **options)

    def upload(self, path: str, data: bytes, name: str, **fields: str) -> Reply:
        form = aiohttp.FormData()
        form.add_field("image", data, filename=name)
        for field, value in fields.items():
            form.add_field(field, value)
        return self.post(path, data=form)

    def socket(self, sid: str = "") -> Socket:
        query = f"?clientId={sid}" if sid else ""
        return Socket(self, self.run(self._session.ws_connect(f"/ws{query}")))

    def submit(self, prompt: Any, **more: Any) -> str:
        reply = self.post("/prompt", {"prompt": prompt, **more})
        assert reply.status == 200, reply.body
        return str(reply.json["prompt_id"])

    def result(self, prompt: Any, sid: str = "waits", **more: Any) -> dict[str, Any]:
        """The history entry of a prompt once it is over."""
        socket = self.socket(sid)
        try:
            id = self.submit(prompt, client_id=sid, **more)
            socket.until_done(id)
        finally:
            socket.close()
        entry: dict[str, Any] = self.get(f"/history/{id}").json[id]
        return entry


def node(class_type: str, **inputs: Any) -> dict[str, Any]:
    return {"class_type": class_type, "inputs": inputs, "_meta": {"title": class_type}}


def picture(color: str = "#204060", prefix: str = "tests/picture", **more: Any) -> dict[str, Any]:
    """A prompt that is done at once: a picture of one colour."""
    image = node("EmptyImage", width=24, height=16, batch_size=1, color=color)
    return {"1": image, "2": node("SaveImage", images=["1", 0], filename_prefix=prefix), **more}


def sampled(seed: int, steps: int = 4, **inputs: Any) -> dict[str, Any]:
    """A prompt on the bundled model; at 900 steps it takes long enough to be stopped."""
    return {
        "4": node("CheckpointLoaderSimple", ckpt_name="emoji-sd"),
        "6": node("CLIPTextEncode", text="a red apple on a blue background", clip=["4", 1]),
        "7": node("CLIPTextEncode", text="", clip=["4", 1]),
        "5": node("EmptyLatentImage", width=128, height=128, batch_size=1),
        "3": node(
            "KSampler",
            **{
                "seed": seed,
                "steps": steps,
                "cfg": 2.5,
                "sampler_name": "dpmpp_2m",
                "scheduler": "normal",
                "denoise": 1,
                "model": ["4", 0],
                "positive": ["6", 0],
                "negative": ["7", 0],
                "latent_image": ["5", 0],
                **inputs,
            },
        ),
        "8": node("VAEDecode", samples=["3", 0], vae=["4", 2]),
        "9": node("SaveImage", images=["8", 0], filename_prefix="tests/sampled"),
    }


def said(messages: list[tuple[str, Any]], type: str) -> list[Any]:
    """What the messages of one type say."""
    return [data for name, data in messages if name == type]
