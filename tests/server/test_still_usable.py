"""What the guards must not get in the way of: browsers, curl, proxies with TLS, and clients with tokens."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import aiohttp
import pytest
from aiohttp import web
from browser import Browser
from comfy_support import Comfy
from security_support import WholeServer, running, serving_all, settings_in

from nodegraph.client import Client

PATIENCE = 60
NODES = {
    "image": {"type": "EmptyImage", "inputs": {"width": 16, "height": 16}},
    "save": {"type": "SaveImage", "links": {"images": ["image", "image"]}},
}
WORKFLOW = {"format": "nodegraph", "version": 1, "nodes": NODES}
PROMPT = {
    "1": {"class_type": "EmptyImage", "inputs": {"width": 16, "height": 16, "batch_size": 1, "color": 0}},
    "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "x"}},
}
PROXY = """
daemon off; pid {folder}/pid; error_log {folder}/error.log;
events {{}}
http {{
    access_log off; client_max_body_size 20m;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
    map $http_upgrade $connection_upgrade {{ default upgrade; '' close; }}
    server {{
        listen 127.0.0.1:{port} ssl;
        ssl_certificate {folder}/cert.pem; ssl_certificate_key {folder}/key.pem;
        location / {{
            proxy_pass http://127.0.0.1:{behind};
            proxy_http_version 1.1;
            proxy_set_header Host $http_host;
            proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
            proxy_set_header X-Forwarded-Proto $scheme;
            proxy_set_header Upgrade $http_upgrade;
            proxy_set_header Connection $connection_upgrade;
            proxy_buffering off;
        }}
    }}
}}
"""
IN_A_PAGE = """
const ask = (path, body) => fetch(path, {method: 'POST', body: JSON.stringify(body),
    headers: {'Content-Type': 'application/json'}});
const steps = [];
steps.push((await fetch('/api/v1/jobs')).status);
steps.push((await ask('/api/v1/session', {token: TOKEN})).status);
const socket = new WebSocket(location.origin.replace('http', 'ws') + '/api/v1/events');
await new Promise((done, failed) => { socket.onopen = done; socket.onerror = failed; });
const ended = new Promise(done => {
    socket.onmessage = ({data}) => {
        const event = JSON.parse(data);
        if (event.type === 'job_finished') done(event.state);
    };
});
const job = await ask('/api/v1/jobs', {workflow: WORKFLOW});
steps.push(job.status, await ended);
const told = await (await fetch(job.headers.get('Location'))).json();
const file = Object.values(told.result.outputs.save)[0][0].file;
const image = new Image(); image.src = file.url; await image.decode();
steps.push(image.naturalWidth);
const form = new FormData();
form.append('file', await (await fetch(file.url)).blob(), 'again.png');
steps.push((await fetch('/api/v1/uploads', {method: 'POST', body: form})).status);
return steps;
"""
FROM_ELSEWHERE = """
const tried = [];
const told = async what => { try { tried.push((await what()).type); } catch { tried.push('refused'); } };
const body = JSON.stringify({workflow: WORKFLOW}), prompt = JSON.stringify({prompt: PROMPT});
const headers = {'Content-Type': 'application/json'};
await told(() => fetch(SERVER + '/api/v1/jobs', {method: 'POST', body, headers}));
await told(() => fetch(SERVER + '/api/v1/jobs', {method: 'POST', body, mode: 'no-cors'}));
await told(() => fetch(SERVER + '/prompt', {method: 'POST', body: prompt, mode: 'no-cors'}));
await told(() => fetch(SERVER + '/api/v1/jobs'));
await told(() => new Promise((done, failed) => {
    const socket = new WebSocket(SERVER.replace('http', 'ws') + '/ws');
    socket.onopen = () => done({type: 'open'}); socket.onerror = failed;
}));
return tried;
"""


def program(name: str) -> str:
    """Where a program is; what needs it is skipped where it is not installed."""
    found = shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin")
    if found is None:
        pytest.skip(f"{name} is not installed (.ci/run installs it where apt-get can)")
    return found


def curl(*arguments: str) -> tuple[int, str]:
    """The status and the body of an answer."""
    command = [program("curl"), "--silent", "--show-error", "--write-out", "\n%{http_code}", *arguments]
    told = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=True).stdout
    body, _, status = told.rpartition("\n")
    return int(status), body


def scripted(code: str, **values: Any) -> str:
    return "".join(f"const {name} = {json.dumps(value)};" for name, value in values.items()) + code


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tls")
    command = [program("openssl"), "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    command += ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    command += ["-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem")]
    subprocess.run(command, capture_output=True, timeout=PATIENCE, check=True)
    return folder


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WholeServer]:
    with serving_all(settings_in(tmp_path_factory.mktemp("direct"))) as server:
        yield server


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    browser = Browser(program("chromium"), tmp_path_factory.mktemp("browser"))
    yield browser
    browser.close()


class Proxied(NamedTuple):
    url: str
    ca: Path
    token: str


@pytest.fixture(scope="module")
def proxied(certificate: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxied]:
    nginx = program("nginx")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    url = f"https://localhost:{port}"
    with serving_all(settings_in(tmp_path_factory.mktemp("behind"), public_url=url)) as server:
        config = certificate / "nginx.conf"
        config.write_text(PROXY.format(folder=certificate, port=port, behind=server.port))
        process = subprocess.Popen([nginx, "-e", str(certificate / "error.log"), "-c", str(config)])
        try:
            _wait_for(port, process)
            token = server.user("ann")["Authorization"].removeprefix("Bearer ")
            yield Proxied(url, certificate / "cert.pem", token)
        finally:
            process.terminate()
            process.wait(PATIENCE)


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    while process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError("nginx ended")


# --- without anything between ----------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost"])
def test_curl_needs_nothing_but_json(server: WholeServer, name: str) -> None:
    url, body = f"http://{name}:{server.port}", json.dumps({"workflow": WORKFLOW})
    status, told = curl("-H", "Content-Type: application/json", "-d", body, f"{url}/api/v1/jobs?wait=60")
    assert (status, json.loads(told)["state"]) == (201, "done")
    assert curl(f"{url}/api/v1/health") == (200, '{"status":"ok"}')
    status, _ = curl("-d", json.dumps({"prompt": PROMPT}), f"{url}/prompt")  # as ComfyUI's examples have it
    assert status == 200


def test_a_comfyui_client_needs_nothing(server: WholeServer) -> None:
    client = Comfy(server.own)
    socket = client.socket("me")
    id = client.post("/prompt", {"prompt": PROMPT, "client_id": "me"}).json["prompt_id"]
    assert socket.until_done(id)
    [picture] = client.get(f"/history/{id}").json[id]["outputs"]["2"]["images"]
    assert client.get("/view", **picture).body.startswith(b"\x89PNG")
    socket.close()
    client.close()


def test_a_page_of_another_site_gets_nothing_done_in_a_browser(server: WholeServer, browser: Browser) -> None:
    async def page(request: web.Request) -> web.Response:
        return web.Response(text="<!doctype html><p>elsewhere", content_type="text/html")

    app = web.Application()
    app.router.add_get("/", page)
    before = [server.ask("GET", path).json for path in ("/api/v1/jobs", "/history")]
    with running(app) as port:
        browser.open(f"http://127.0.0.1:{port}/")
        code = scripted(FROM_ELSEWHERE, SERVER=server.own, WORKFLOW=WORKFLOW, PROMPT=PROMPT)
        tried = browser.does(code)
    assert tried == ["refused"] * 5
    assert [server.ask("GET", path).json for path in ("/api/v1/jobs", "/history")] == before


def test_a_page_that_is_allowed_is_served_in_a_browser(browser: Browser, tmp_path: Path) -> None:
    async def page(request: web.Request) -> web.Response:
        return web.Response(text="<!doctype html><p>a friend", content_type="text/html")

    app = web.Application()
    app.router.add_get("/", page)
    with (
        running(app) as port,
        serving_all(settings_in(tmp_path, allow_origins=(f"http://127.0.0.1:{port}",))) as server,
    ):
        browser.open(f"http://127.0.0.1:{port}/")
        code = scripted(FROM_ELSEWHERE, SERVER=server.own, WORKFLOW=WORKFLOW, PROMPT=PROMPT)
        assert browser.does(code) == ["cors", "opaque", "opaque", "cors", "open"]
        assert len(server.ask("GET", "/api/v1/jobs").json["jobs"]) >= 1


def test_a_page_of_the_server_logs_in_and_works_in_a_browser(browser: Browser, tmp_path: Path) -> None:
    with serving_all(settings_in(tmp_path)) as server:
        token = server.user("ann")["Authorization"].removeprefix("Bearer ")
        browser.open(f"{server.own}/api/v1/docs")
        assert browser.does("return document.title") == "nodegraph API"
        steps = browser.does(scripted(IN_A_PAGE, TOKEN=token, WORKFLOW=WORKFLOW))
    assert steps == [401, 200, 201, "done", 16, 201]


# --- TLS -------------------------------------------------------------------------------------------------


def test_a_client_with_a_token_works_over_tls_of_the_server(certificate: Path, tmp_path: Path) -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate / "cert.pem", certificate / "key.pem")
    with serving_all(settings_in(tmp_path), context) as server:
        token = server.user("ann")["Authorization"].removeprefix("Bearer ")
        with Client(f"https://localhost:{server.port}", token, ca_file=certificate / "cert.pem") as client:
            assert client.wait(client.submit(WORKFLOW).id).state == "done"
            assert client.system().user == "ann"


def test_a_client_with_a_token_works_through_a_proxy(proxied: Proxied, tmp_path: Path) -> None:
    with Client(proxied.url, proxied.token, ca_file=proxied.ca) as client:
        job = client.submit(WORKFLOW)
        assert [event["type"] for event in client.events(job.id, after=0)][-1] == "job_finished"
        [path] = client.download(client.wait(job.id), tmp_path)
        assert client.upload(path).endswith(".png")
        assert client.plan(WORKFLOW).run == 0


def test_curl_works_through_a_proxy_with_a_token_alone(proxied: Proxied) -> None:
    tls = ("--cacert", str(proxied.ca))
    assert curl(*tls, f"{proxied.url}/api/v1/jobs")[0] == 401
    assert curl(*tls, "-H", f"Authorization: Bearer {proxied.token}", f"{proxied.url}/api/v1/jobs")[0] == 200
    assert curl(*tls, f"{proxied.url}/api/v1/health")[0] == 200
    assert curl(*tls, "-H", "Host: evil.example", f"{proxied.url}/api/v1/health")[0] == 403


@pytest.mark.parametrize("path", ["/api/v1/events", "/ws"])
def test_websockets_go_through_a_proxy(proxied: Proxied, path: str) -> None:
    context = ssl.create_default_context(cafile=proxied.ca)
    named = {"Authorization": f"Bearer {proxied.token}"}

    async def listen(headers: dict[str, str]) -> int:
        async with aiohttp.ClientSession() as session:
            try:
                async with session.ws_connect(proxied.url + path, ssl=context, headers=headers):
                    return 101
            except aiohttp.WSServerHandshakeError as error:
                return error.status

    assert asyncio.run(listen(named)) == 101
    assert asyncio.run(listen({**named, "Origin": proxied.url})) == 101
    assert asyncio.run(listen({**named, "Origin": "https://evil.example"})) == 403
    assert asyncio.run(listen({})) == 401
