"""One message to a webhook, in bounded time; its address is a secret and stands in no error."""

from __future__ import annotations

import json
import threading
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any

TIMEOUT_SECONDS = 5.0


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Another address than the configured one is not told."""

    def redirect_request(self, *_: Any) -> None:
        """Never another request."""
        return


def post(address: str, message: Mapping[str, Any]) -> str | None:
    """None once the message was taken; else in a few words why not."""
    why: list[str | None] = []
    thread = threading.Thread(target=lambda: why.append(_posted(address, message)), daemon=True)
    thread.start()
    # The socket's own limit counts from byte to byte, and not at all while a name is looked up.
    thread.join(TIMEOUT_SECONDS)
    return why[0] if why else f"it did not answer within {TIMEOUT_SECONDS:g} s"


def _posted(address: str, message: Mapping[str, Any]) -> str | None:
    body = json.dumps(message, ensure_ascii=False).encode()
    opener = urllib.request.build_opener(_NoRedirect)
    try:
        request = urllib.request.Request(address, body, {"Content-Type": "application/json; charset=utf-8"})
        with opener.open(request, timeout=TIMEOUT_SECONDS) as answer:
            return None if 200 <= answer.status < 300 else f"it answered {answer.status}"
    except urllib.error.HTTPError as error:
        error.close()
        return f"it answered {error.code}"
    except TimeoutError:
        return f"it did not answer within {TIMEOUT_SECONDS:g} s"
    except Exception as error:
        # Their own words may repeat the address.
        reason = getattr(error, "reason", error)
        return f"it cannot be reached ({type(reason).__name__})"
