"""A request as WSGI sees it."""

from __future__ import annotations

import sys
from io import BytesIO
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_to_bytes

if TYPE_CHECKING:
    from mindfulqalb.serving.bodies import Body

# Where `mindfulqalb.api.middleware` reads whether the body has come: the value of a `BodyState`.
BODY_STATE = "mindfulqalb.body_state"
# WSGI has these without a prefix, and joins what came twice with commas; a browser divides cookies by semicolons.
_UNPREFIXED = frozenset({"CONTENT_LENGTH", "CONTENT_TYPE"})
_DIVIDERS = {"HTTP_COOKIE": "; "}


def wsgi_environ(scope: dict[str, Any], body: Body) -> dict[str, Any]:
    """Translate an ASGI scope, as PEP 3333 wants it: https://asgi.readthedocs.io/en/latest/specs/www.html.

    Its CONTENT_LENGTH is that of what has come; of a body that was not taken, what was announced. A header whose name
    has an underscore is dropped: WSGI could not tell `X_Forwarded_For` from the one that our proxy wrote.
    """
    server, client = scope.get("server") or ("localhost", 80), scope.get("client") or ("", 0)
    return {
        **_headers(scope["headers"]),
        "CONTENT_LENGTH": str(body.length),
        BODY_STATE: body.state,
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(scope.get("raw_path") or scope["path"]).decode("latin-1"),
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "SERVER_NAME": server[0],
        "SERVER_PORT": str(server[1]),
        "REMOTE_ADDR": client[0],
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope.get("scheme", "http"),
        "wsgi.input": BytesIO(body.content),
        "wsgi.input_terminated": True,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }


def _headers(pairs: list[tuple[bytes, bytes]]) -> dict[str, str]:
    headers: dict[str, str] = {}
    for name, value in pairs:
        if b"_" in name:
            continue
        plain = name.decode("latin-1").upper().replace("-", "_")
        key = plain if plain in _UNPREFIXED else f"HTTP_{plain}"
        text = value.decode("latin-1")
        headers[key] = headers[key] + _DIVIDERS.get(key, ",") + text if key in headers else text
    return headers
