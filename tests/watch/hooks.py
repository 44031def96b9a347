"""Webhooks of tests: real servers on loopback, each of its own manner."""

from __future__ import annotations

import http.server
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from servers import free_port


@dataclass
class Hook:
    """A webhook's address, what it was told, and how it answers next: an HTTP status, or ``drip``, a byte now and then."""

    address: str = ""
    answer: int | str = 200
    told: list[dict[str, Any]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    ends: threading.Event = field(default_factory=threading.Event)


@contextmanager
def webhook() -> Iterator[Hook]:
    """A webhook that is served within this."""
    hook = Hook()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            hook.paths.append(self.path)
            if hook.answer == "drip":
                while not hook.ends.wait(0.2):
                    try:
                        self.wfile.write(b"H")
                    except OSError:
                        return
                return
            hook.told.append(body)
            self.send_response(int(hook.answer))
            if hook.answer == 302:
                self.send_header("Location", hook.address + "/elsewhere")
            self.end_headers()

        def do_GET(self) -> None:
            hook.paths.append("GET " + self.path)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            return

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    hook.address = f"http://127.0.0.1:{server.server_address[1]}/secret-canary"
    try:
        yield hook
    finally:
        hook.ends.set()
        time.sleep(0.3)
        server.shutdown()
        server.server_close()
        thread.join()


def nobody() -> str:
    """An address where nobody listens."""
    return f"http://127.0.0.1:{free_port()}/secret-canary"
