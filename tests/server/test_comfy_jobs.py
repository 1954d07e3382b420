"""``/api/jobs``: queue and history as one list."""

from __future__ import annotations

from itertools import pairwise

import pytest
from comfy_support import Comfy, picture, sampled


def test_an_ended_job_is_listed_and_told_in_full(comfy: Comfy):
    prompt = picture("#0a0b0c")
    extra = {"extra_pnginfo": {"workflow": {"id": "list-me"}}}
    id = comfy.result(prompt, extra_data=extra)["prompt"][1]
    listed = comfy.get("/api/jobs", workflow_id="list-me").json
    assert listed["pagination"] == {"offset": 0, "limit": 10000, "total": 1, "has_more": False}
    [job] = listed["jobs"]
    assert job["id"] == id and job["status"] == "completed" and job["outputs_count"] == 1
    assert job["preview_output"].items() >= {"nodeId": "2", "mediaType": "images", "type": "output"}.items()
    assert job["create_time"] <= job["execution_start_time"] <= job["execution_end_time"]
    full = comfy.get(f"/api/jobs/{id}").json
    assert full["outputs"].keys() == {"2"} and full["workflow"]["prompt"] == prompt
    assert full["execution_status"]["status_str"] == "success"
    assert comfy.get("/api/jobs/unheard-of").status == 404


def test_jobs_are_cancelled_whether_they_run_or_wait(comfy: Comfy):
    socket = comfy.socket("cancel")
    running = comfy.submit(sampled(21, 900), client_id="cancel")
    socket.until("progress", prompt_id=running)
    waiting = [comfy.submit(picture(color), client_id="cancel") for color in ("#0d0001", "#0d0002")]
    assert [job["id"] for job in comfy.get("/api/jobs", status="in_progress").json["jobs"]] == [running]
    pending = comfy.get("/api/jobs", status="pending", sort_order="asc").json["jobs"]
    assert [job["id"] for job in pending] == waiting
    assert comfy.post(f"/api/jobs/{waiting[0]}/cancel").json == {"cancelled": True}
    assert comfy.post("/api/jobs/cancel", {"job_ids": [waiting[1], "unheard-of"]}).status == 404
    assert comfy.get(f"/api/jobs/{waiting[1]}").json["status"] == "pending"
    assert comfy.post("/api/jobs/cancel", {"job_ids": [waiting[1], running]}).json == {"cancelled": True}
    socket.until_done(running)
    socket.close()
    assert comfy.get(f"/api/jobs/{running}").json["status"] == "cancelled"
    assert comfy.post(f"/api/jobs/{running}/cancel").json == {"cancelled": False}
    assert comfy.post("/api/jobs/unheard-of/cancel").json == {"cancelled": False}


def test_a_failed_job_tells_its_error(comfy: Comfy):
    id = comfy.result(sampled(22, 3000))["prompt"][1]
    [job] = [job for job in comfy.get("/api/jobs", status="failed").json["jobs"] if job["id"] == id]
    assert job["execution_error"]["node_id"] == "3" and job["execution_error"]["node_type"] == "KSampler"


def test_pages_and_orders(comfy: Comfy):
    for color in ("#0e0001", "#0e0002", "#0e0003"):
        comfy.result(picture(color))
    newest_first = [job["id"] for job in comfy.get("/api/jobs").json["jobs"]]
    page = comfy.get("/api/jobs", limit=2, offset=1).json
    assert [job["id"] for job in page["jobs"]] == newest_first[1:3]
    assert page["pagination"]["has_more"] is (len(newest_first) > 3)
    oldest_first = [job["id"] for job in comfy.get("/api/jobs", sort_order="asc").json["jobs"]]
    assert oldest_first == newest_first[::-1]
    slow = comfy.get("/api/jobs", sort_by="execution_duration", status="completed,failed").json["jobs"]
    spans = [job["execution_end_time"] - job["execution_start_time"] for job in slow]
    assert all(one >= other - 1 for one, other in pairwise(spans))


@pytest.mark.parametrize(
    "query",
    [{"status": "odd"}, {"limit": 0}, {"limit": "x"}, {"offset": -1}, {"sort_by": "x"}, {"sort_order": "x"}],
)
def test_a_filter_that_means_nothing_is_refused(comfy: Comfy, query):
    assert comfy.get("/api/jobs", **query).status == 400
