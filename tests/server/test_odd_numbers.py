"""What is no number is told as such: in JSON that every client reads, and never as a black picture."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from security_support import WholeServer, serving_all, settings_in

PACK = Path(__file__).with_name("odd_numbers_pack.py")
ENDS = ("OddNumber", "OddNumbers", "OddCurve", "OddTable")
LOOKED_AT = {"image": ("OddImage", "image"), "mask": ("OddMask", "mask"), "latent": ("OddLatent", "latent")}
NODES: dict[str, Any] = {
    **{name: {"type": f"odd.{name}"} for name in ENDS},
    **{id: {"type": f"odd.{type}"} for id, (type, _) in LOOKED_AT.items()},
    "bars": {"type": "ImageHistogram", "inputs": {"bins": 2}, "links": {"image": ["image", "image"]}},
    "chart": {"type": "PreviewSeries", "links": {"series": ["bars", "results"]}},
    "facts": {"type": "ImageStatistics", "links": {"image": ["image", "image"]}},
    "table": {"type": "PreviewTable", "links": {"table": ["facts", "table"]}},
    "saved": {"type": "SaveImage", "links": {"images": ["image", "image"]}},
    "shown": {"type": "PreviewImage", "links": {"images": ["masked", "image"]}},
    "masked": {"type": "MaskToImage", "links": {"mask": ["mask", "mask"]}},
    "latents": {"type": "LatentUpscaleBy", "links": {"samples": ["latent", "latent"]}},
}


class Ran(NamedTuple):
    """A server, and a job of odd numbers that came to its end there."""

    server: WholeServer
    job: dict[str, Any]

    @property
    def id(self) -> str:
        return str(self.job["id"])

    def told(self, node: str) -> list[dict[str, Any]]:
        (values,) = self.job["result"]["outputs"][node].values()
        assert isinstance(values, list)
        return values


def strictly(body: bytes) -> Any:
    """JSON as a browser reads it, which has no word for NaN."""

    def refuse(word: str) -> None:
        raise AssertionError(f"{word} is no JSON")

    return json.loads(body, parse_constant=refuse)


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ran]:
    folder = tmp_path_factory.mktemp("odd")
    settings = settings_in(folder)
    settings.plugins.mkdir()
    shutil.copy(PACK, settings.plugins / "odd.py")
    with serving_all(settings) as server:
        job = strictly(
            server.submit(NODES, targets=[*ENDS, "chart", "table", "saved", "shown", "latents"]).body
        )
        yield Ran(server, job)


def test_pictures_that_are_no_numbers_are_errors_that_say_so(ran: Ran) -> None:
    assert ran.job["state"] == "failed"
    errors = {error["node"]: error["message"] for error in ran.job["result"]["errors"]}
    assert set(errors) == {"saved", "shown"}
    assert all("images: some pixels are not numbers" in message for message in errors.values())


def test_everything_else_comes_to_its_end_and_is_told(ran: Ran) -> None:
    assert ran.told("OddNumber") == [{"note": "nan, which JSON cannot say"}]
    assert ran.told("OddNumbers") == [{"note": "a list with inf, which JSON cannot say"}]
    (curve,), (table,) = ran.told("OddCurve"), ran.told("OddTable")
    assert (curve["value"]["y"], curve["value"]["x"]) == ([None, None, None, 0.5], [None, 1, 2, None])
    assert table["value"]["rows"] == [[None, "a"], [0.5, "b"]]
    assert ran.told("chart")[0]["value"]["name"] == "red without 3 outside 0..1"
    assert ran.told("table")[0]["value"]["rows"][0] == [0, "red", 0.5, 0.5, 0.5, 0, 3]


@pytest.mark.parametrize("node", LOOKED_AT)
def test_looking_at_them_tells_how_many_are_none(ran: Ran, node: str) -> None:
    path = f"/api/v1/jobs/{ran.id}/tensor?node={node}&output={LOOKED_AT[node][1]}"
    looked = strictly(ran.server.ask("GET", path).body)
    assert looked["not_finite"] * 4 == math.prod(looked["shape"]) * 3
    assert (looked["min"], looked["mean"], looked["max"], looked["std"]) == (0.5, 0.5, 0.5, 0)


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/jobs/{id}",
        "/api/v1/jobs",
        "/history/{id}",
        "/history",
        "/api/jobs",
        "/api/jobs/{id}",
        "/queue",
    ],
)
def test_every_list_and_history_is_json(ran: Ran, path: str) -> None:
    reply = ran.server.ask("GET", path.format(id=ran.id))
    assert reply.status == 200 and strictly(reply.body) is not None


def test_events_are_json(ran: Ran) -> None:
    again = strictly(ran.server.submit(NODES, targets=["OddNumber", "OddCurve"]).body)
    path = f"/api/v1/jobs/{again['id']}/events"
    reply = ran.server.ask("GET", path, {"Accept": "text/event-stream"})
    lines = [line for line in reply.body.splitlines() if line.startswith(b"data:")]
    assert lines and all(strictly(line.removeprefix(b"data:")) for line in lines)
