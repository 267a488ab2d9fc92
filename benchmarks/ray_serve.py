"""The latency of the deployment of docs/guides/scoring.md, behind Ray Serve, under load.

    python benchmarks/ray_serve.py [--clients 1,4,16] [--seconds 10] [--port 8000]

starts Ray with the deployment, as the guide's snippet does, and has clients send one sentence after
another over HTTP, each as soon as it has the last one's answer. It prints requests a second and the
50th and 99th percentile of the time from a request to its answer, seen by the clients, which run on
the same processors. Needs `pip install "ray[serve]"`.
"""

from __future__ import annotations

import argparse
import http.client
import itertools
import json
import logging
import os
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")

import numpy as np
import ray
from ray import serve

from tests.snippets import DOCS, ROOT, snippets

SENTENCES = (ROOT / "examples" / "sentences.txt").read_text(encoding="utf-8").splitlines()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clients", default="1,4,16")
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--port", type=int, default=8000)
    options = parser.parse_args()
    deploy(options.port)
    print(f"{'clients':>7}{'requests/s':>12}{'p50':>11}{'p99':>11}")
    for clients in map(int, options.clients.split(",")):
        run(options.port, clients, 1)  # warms up
        times = run(options.port, clients, options.seconds)
        p50, p99 = np.percentile(times, [50, 99]) * 1e3
        rate = len(times) / options.seconds
        print(f"{clients:7}{rate:12.0f}{p50:8.1f} ms{p99:8.1f} ms", flush=True)
    serve.shutdown()
    ray.shutdown()


def deploy(port: int) -> None:
    # Its two replicas take a processor each, by Ray's count, even where there is one.
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
    logging.getLogger("ray.serve").setLevel(logging.ERROR)
    serve.start(http_options={"port": port})
    (code,) = (x for x in snippets(DOCS / "guides" / "scoring.md", "python") if "serve.run" in x)
    exec(compile(code, "scoring.md", "exec"), {})


def run(port: int, clients: int, seconds: float) -> list[float]:
    """The seconds that each request took."""
    times: list[float] = []
    end = time.perf_counter() + seconds

    def send(first: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port)
        for text in itertools.islice(itertools.cycle(SENTENCES), first, None):
            start = time.perf_counter()
            if start > end:
                return
            connection.request("POST", "/", json.dumps({"text": text}))
            response = connection.getresponse()
            content = response.read()
            if response.status != 200:
                raise RuntimeError(f"The answer was {response.status}: {content[:200]!r}")
            times.append(time.perf_counter() - start)

    threads = [threading.Thread(target=send, args=[i]) for i in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return times


if __name__ == "__main__":
    main()
