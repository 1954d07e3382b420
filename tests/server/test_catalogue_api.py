"""What an editor learns of nodes, and how it is told of curves and tables, over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, get_args

import pytest
from security_support import WholeServer, serving_all, settings_in

from nodes.sampling.schedules import SchedulerName


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WholeServer]:
    with serving_all(settings_in(tmp_path_factory.mktemp("catalogue"))) as server:
        yield server


@pytest.fixture(scope="module")
def catalogue(server: WholeServer) -> Any:
    return server.ask("GET", "/api/v1/nodes").json


def test_widgets_say_what_they_need(catalogue) -> None:
    sampler = catalogue["nodes"]["KSampler"]["inputs"]
    assert sampler["steps"]["widget"] == {"kind": "number", "min": 1, "max": 10000, "step": 1, "whole": True}
    assert sampler["cfg"]["widget"] == {"kind": "number", "min": 0.0, "max": 100.0}
    assert sampler["seed"]["widget"]["kind"] == "seed"
    assert sampler["scheduler"]["widget"] == {"kind": "menu", "choices": list(get_args(SchedulerName))}
    assert sampler["model"]["widget"] is None
    nodes = catalogue["nodes"]
    assert nodes["LoadImage"]["inputs"]["image"]["widget"] == {"kind": "file", "folder": "inputs"}
    assert nodes["Boolean"]["inputs"]["value"]["widget"] == {"kind": "switch"}
    assert nodes["Repeat"]["inputs"]["body"]["widget"] == {"kind": "body"}
    assert nodes["Text"]["inputs"]["text"]["widget"]["multiline"] is True


def test_every_constant_has_a_widget_and_nothing_else_has(catalogue) -> None:
    for node in catalogue["nodes"].values():
        for input in node["inputs"].values():
            assert (input["widget"] is None) == input["socket_only"]


def test_templates_are_examples_of_their_nodes(server, catalogue) -> None:
    assert "text_to_image" in catalogue["nodes"]["KSampler"]["examples"]
    assert server.ask("GET", "/api/v1/nodes/Repeat").json["examples"] == ["refine_loop"]


def test_curves_and_tables_come_with_results_and_events(server: WholeServer) -> None:
    nodes = {
        "image": {"type": "EmptyImage", "inputs": {"width": 4, "height": 4, "color": "#ff0000"}},
        "bars": {"type": "ImageHistogram", "inputs": {"bins": 2}, "links": {"image": ["image", "image"]}},
        "chart": {"type": "PreviewSeries", "links": {"series": ["bars", "results"]}},
        "facts": {"type": "ImageStatistics", "links": {"image": ["image", "image"]}},
        "table": {"type": "PreviewTable", "links": {"table": ["facts", "table"]}},
    }
    job = server.submit(nodes).json
    assert job["state"] == "done", job["result"]
    [red, green, _] = job["result"]["outputs"]["chart"]["results"]
    assert (red["kind"], red["value"]["y"], green["value"]["y"]) == ("series", [0, 16], [16, 0])
    [table] = job["result"]["outputs"]["table"]["table"]
    assert table["kind"] == "table"
    assert table["value"]["rows"][0] == [0, "red", 1, 1, 1, 0, 0]
