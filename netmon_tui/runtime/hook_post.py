"""Posts one JSON document to a URL: a program of its own, so that a server that never ends its answer is killed.

Standard library only; started as ``python -I -S hook_post.py``, it reads ``{"url": ..., "document": ...,
"timeout": ...}`` from stdin, and says in one line, without the URL, why it failed. Redirects are failures: they
may lead anywhere.
"""

from __future__ import annotations

import base64
import http.client
import json
import ssl
import sys
import urllib.error
import urllib.request
from urllib.parse import unquote, urlsplit, urlunsplit

_MOST_TIMEOUT = 300.0


def post(url: str, document: bytes, timeout: float) -> int:
    """Post a document; return the status of the answer.

    Raises:
        OSError: It did not arrive, or the answer is not one of success.
        http.client.HTTPException: The answer is none.
    """
    parts = urlsplit(url)
    headers = {"Content-Type": "application/json", "User-Agent": "netmon-tui"}
    if parts.username is not None:
        pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        headers["Authorization"] = "Basic " + base64.b64encode(pair.encode()).decode("ascii")
        parts = parts._replace(netloc=parts.netloc.rpartition("@")[2])
    request = urllib.request.Request(  # noqa: S310 - the opener below knows http and https alone
        urlunsplit(parts), document, headers, method="POST"
    )
    with _opener().open(request, timeout=timeout) as answer:
        return int(answer.status)


def _opener() -> urllib.request.OpenerDirector:
    """Return one that knows http and https alone, with the system's proxies, and follows nothing."""
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(context=ssl.create_default_context()),
        urllib.request.HTTPErrorProcessor(),
        urllib.request.HTTPDefaultErrorHandler(),
    ):
        opener.add_handler(handler)
    return opener


def why(error: Exception) -> str:
    """Return what went wrong, in words that hold no part of the URL."""
    if isinstance(error, urllib.error.HTTPError):
        return f"the server answered {error.code}"
    reason = error.reason if isinstance(error, urllib.error.URLError) else error
    if isinstance(reason, ssl.SSLCertVerificationError):
        return f"the server's certificate is not to be trusted: {reason.verify_message}"
    if isinstance(reason, OSError) and reason.strerror:
        return reason.strerror
    return type(reason).__name__


def main() -> int:
    """Read what is to be posted, post it, and return the exit status."""
    wanted = json.load(sys.stdin)
    body = json.dumps(wanted["document"]).encode("ascii")
    try:
        status = post(wanted["url"], body, min(float(wanted["timeout"]), _MOST_TIMEOUT))
    except (OSError, http.client.HTTPException, ValueError) as error:
        sys.stdout.write(f"{why(error)}\n")
        return 1
    sys.stdout.write(f"the server answered {status}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
