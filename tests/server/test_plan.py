"""What a job would do, told before it is queued."""

from __future__ import annotations

import json
import os
import shutil
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from security_support import WholeServer, serving_all, settings_in

from nodegraph.client import Client, ServerError
from nodegraph.server import keys

PACK = Path(__file__).with_name("nasty_pack.py")
TEXT_TO_IMAGE = Path(__file__).parents[2] / "workflows" / "text_to_image.json"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WholeServer]:
    folder = tmp_path_factory.mktemp("plan")
    (folder / "plugins").mkdir()
    shutil.copy(PACK, folder / "plugins" / "nasty.py")
    with serving_all(settings_in(folder, max_nodes=100)) as server:
        yield server


@pytest.fixture
def client(server: WholeServer) -> Iterator[Client]:
    with Client(server.own) as client:
        client.system()  # the worker has answered: it is there
        yield client


ROOT = Path(__file__).parents[2]


def workflow(nodes: dict[str, Any]) -> dict[str, Any]:
    return {"format": "nodegraph", "version": 1, "nodes": nodes}


def picture(width: int) -> dict[str, Any]:
    scale = {"image": ["image", "image"]}
    return workflow(
        {
            "image": {"type": "EmptyImage", "inputs": {"width": width, "height": 8}},
            "larger": {"type": "ImageScaleBy", "inputs": {"scale_by": 2.0}, "links": scale},
            "save": {"type": "SaveImage", "links": {"images": ["larger", "image"]}},
            "beside": {"type": "EmptyImage", "inputs": {"width": 4, "height": 4}},
        }
    )


def test_what_a_loop_may_ask_for_may_run(client: Client) -> None:
    plan = client.plan(json.loads((ROOT / "workflows/refine_loop.json").read_text()))
    may = {id for id, node in plan.nodes.items() if node.origin == "maybe"}
    assert {"positive", "negative", "latent", "sampler"} <= may and plan.maybe == len(may)
    assert not [id for id, node in plan.nodes.items() if node.origin == "unneeded"]


def test_a_plan_tells_what_would_run_and_what_is_cached(client: Client) -> None:
    plan = client.plan(picture(16))
    assert (plan.valid, plan.targets, plan.run, plan.issues) == (True, ["save"], 3, [])
    origins = {id: node.origin for id, node in plan.nodes.items()}
    assert origins == {"image": "run", "larger": "run", "save": "run", "beside": "unneeded"}
    assert list(client.jobs()) == []  # nothing is queued by asking
    assert client.wait(client.submit(picture(16)).id).state == "done"
    plan = client.plan(picture(16))
    assert plan.run == 0 and plan.nodes["beside"].origin == "unneeded"
    assert {plan.nodes[id].origin for id in ("image", "larger", "save")} <= {"memory", "disk"}
    assert client.plan(picture(24)).run == 3
    plan = client.plan(picture(16), targets=["beside"])
    assert (plan.targets, plan.nodes["beside"].origin) == (["beside"], "run")


def test_a_plan_tells_the_types_and_facts_of_outputs(client: Client) -> None:
    output = client.plan(picture(16)).nodes["larger"].outputs["image"]
    assert output.type == "Image" and (output.facts["width"], output.facts["height"]) == (32, 16)
    plan = client.plan(TEXT_TO_IMAGE)
    facts = [output.facts for node in plan.nodes.values() for output in node.outputs.values()]
    assert plan.valid and any("family" in known for known in facts)


def test_a_workflow_that_must_not_run_is_told_with_its_issues_and_facts(client: Client) -> None:
    wrong = picture(16)
    wrong["nodes"]["save"]["links"]["images"] = ["nobody", "image"]
    wrong["nodes"]["odd"] = {"type": "Nothing"}
    plan = client.plan(wrong)
    assert (plan.valid, plan.run, plan.targets) == (False, 0, [])
    assert {node.origin for node in plan.nodes.values()} == {None}
    assert {"save", "odd"} <= {issue.node for issue in plan.issues}
    assert plan.nodes["larger"].outputs["image"].facts["width"] == 32
    assert plan.nodes["odd"].outputs == {}


def test_what_needs_no_node_at_fault_can_run_as_targets(client: Client) -> None:
    wrong = picture(16)
    wrong["nodes"]["alone"] = {"type": "ImageBlur"}
    plan = client.plan(wrong)
    assert (plan.valid, plan.runnable) == (False, ["save"])
    assert client.plan(wrong, targets=plan.runnable).valid
    assert client.wait(client.submit(wrong, targets=plan.runnable).id).state == "done"
    with pytest.raises(ServerError, match="image"):
        client.submit(wrong)


def test_a_doubt_is_a_warning_with_a_remedy(client: Client) -> None:
    large = json.loads(TEXT_TO_IMAGE.read_text())
    [latent] = [id for id, node in large["nodes"].items() if node["type"] == "EmptyLatentImage"]
    large["nodes"][latent]["inputs"] |= {"width": 512, "height": 512}
    plan = client.plan(large)
    [doubt] = plan.issues
    assert plan.valid and (doubt.code, doubt.severity, doubt.related) == ("unusual_size", "warning", [latent])
    assert doubt.remedy == {f"{latent}.width": 128, f"{latent}.height": 128}
    for place, value in doubt.remedy.items():
        node, name = place.split(".")
        large["nodes"][node]["inputs"][name] = value
    assert client.plan(large).issues == []


def test_a_target_that_is_not_there_is_an_issue(client: Client) -> None:
    plan = client.plan(picture(16), targets=["nobody"])
    assert not plan.valid and "nobody" in plan.issues[0].message


def test_a_workflow_that_is_too_large_is_not_planned(client: Client) -> None:
    plan = client.plan(workflow({str(n): {"type": "EmptyImage"} for n in range(101)}))
    assert (plan.valid, plan.nodes, [issue.code for issue in plan.issues]) == (False, {}, ["too_large"])


def test_what_is_no_workflow_is_refused(client: Client) -> None:
    with pytest.raises(ServerError) as caught:
        client.plan({"format": "nodegraph", "version": 1, "nodes": []})
    assert (caught.value.status, caught.value.code) == (422, "unreadable_workflow")


def test_a_node_that_fails_while_it_is_planned_is_named(client: Client) -> None:
    with pytest.raises(ServerError, match="no finger") as caught:
        client.plan(workflow({"a": {"type": "nasty.Unfingerprinted"}}))
    assert caught.value.status == 422 and "node a (nasty.Unfingerprinted)" in str(caught.value)


def test_plans_are_made_while_a_job_runs(client: Client, server: WholeServer, tmp_path: Path) -> None:
    slow = {"type": "nasty.Slow", "inputs": {"log": str(tmp_path / "log"), "seconds": 2.0}}
    job = client.submit(workflow({"a": slow}))
    while client.job(job.id).state == "queued":
        time.sleep(0.05)

    def run(width: int) -> int:
        with Client(server.own) as other:
            return other.plan(picture(width)).run

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(run, range(100, 132))) == [3] * 32
    assert client.job(job.id).state == "running"
    assert client.wait(job.id).state == "done"


def test_a_worker_that_was_lost_is_started_anew_to_plan(client: Client) -> None:
    job = client.submit(workflow({"a": {"type": "nasty.Abort"}}))
    assert client.wait(job.id).state == "failed"
    assert client.plan(picture(33)).run == 3


def test_a_worker_that_does_not_answer_is_told(
    client: Client, server: WholeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert client.plan(picture(34)).valid
    monkeypatch.setattr("nodegraph.worker.supervisor.ANSWER_SECONDS", 0.5)
    [worker] = [worker.pid for worker in server.app[keys.RUNNER]._workers]
    os.kill(worker, signal.SIGSTOP)
    try:
        reply = server.ask("POST", "/api/v1/plan", body={"workflow": picture(34)})
        assert client.health().status == "ok"
    finally:
        os.kill(worker, signal.SIGCONT)
    assert (reply.status, reply.json["code"], reply.headers["Retry-After"]) == (503, "unavailable", "2")
    assert "did not answer" in reply.json["detail"]
    assert client.plan(picture(34)).valid
