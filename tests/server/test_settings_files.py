"""Settings that the server keeps for a user outlive damage to their files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from security_support import WholeServer, serving_all, settings_in


@pytest.fixture
def server(tmp_path: Path) -> Iterator[WholeServer]:
    with serving_all(settings_in(tmp_path)) as server:
        yield server


@pytest.mark.parametrize("damage", [b"", b'{"theme": "da', b"[1]", b"\xff\xfe", b"[" * 100_000])
def test_a_damaged_file_is_set_aside(server: WholeServer, damage: bytes) -> None:
    own, comfy = {"settings": {"theme": "dark"}}, {"Comfy.Theme": "dark"}
    for _ in range(2):
        assert server.ask("PUT", "/api/v1/settings", body=own).status == 200
        assert server.ask("POST", "/settings", body=comfy).status == 200
        assert server.ask("GET", "/api/v1/settings").json["settings"] == own["settings"]
        assert server.ask("GET", "/settings").json.items() >= comfy.items()
        files = [
            *server.settings.data.glob("preferences/*.json"),
            *server.settings.data.rglob("settings.json"),
        ]
        assert len(files) == 2
        for file in files:
            file.write_bytes(damage)
        assert server.ask("GET", "/api/v1/settings").json["settings"] == {}
        assert server.ask("GET", "/settings").status == 200
        for file in files:
            assert file.with_name(f"{file.name}.damaged").read_bytes() == damage
