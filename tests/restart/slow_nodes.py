"""Nodes that take longer to compute than to store, for graphs that are killed on their way."""

import hashlib
import random
import time

from nodegraph import node

SECONDS = 0.025  # above the 0.02 from which a result is stored by default


@node()
def Mix(texts: list[str], salt: int = 0) -> str:
    time.sleep(SECONDS)
    return hashlib.sha256(f"{salt} {texts}".encode()).hexdigest()


@node()
def Stretch(text: str) -> bytes:
    """A result of 2 MB, so that writing it takes a while too."""
    time.sleep(SECONDS)
    return random.Random(text).randbytes(2_000_000)


@node(outputs=["digest"])
def Digest(data: bytes) -> str:
    time.sleep(SECONDS)
    return hashlib.sha256(data).hexdigest()


def twenty_nodes():
    """A workflow document of 20 nodes, each wired to one to three of those before it."""
    choices = random.Random(4)
    nodes, texts = {"n0": {"type": "Mix", "links": {}, "inputs": {"texts": []}}}, [["n0", "str"]]
    for number in range(1, 20):
        links = [texts[-1], *choices.sample(texts, min(len(texts), choices.randint(0, 2)))]
        kind = "Stretch" if number % 6 == 3 else "Mix"
        if nodes[f"n{number - 1}"]["type"] == "Stretch":
            entry = {"type": "Digest", "links": {"data": [f"n{number - 1}", "bytes"]}}
            texts.append([f"n{number}", "digest"])
        elif kind == "Stretch":
            entry = {"type": "Stretch", "links": {"text": texts[-1]}}
        else:
            entry = {"type": "Mix", "links": {"texts": links}, "inputs": {"salt": number}}
            texts.append([f"n{number}", "str"])
        nodes[f"n{number}"] = entry
    return {"format": "nodegraph", "version": 1, "nodes": nodes}
