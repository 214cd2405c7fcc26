"""What the panel's port answers to HTTP: the tree, as OSCQuery asks for it, and the panel; nothing to strangers."""

from __future__ import annotations

import contextlib
import ipaddress
import json
import socket
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from websockets.datastructures import Headers
from websockets.http11 import Request, Response

from perform.control.osc.describe import ATTRIBUTES, EXTENSIONS, node
from perform.params import Params

PANEL = Path(__file__).with_name("panel.html")


def stranger(headers: Headers) -> str:
    """Why a browser may not play, "" if it may: any page that somebody opens on this machine could else.

    Programs say no Origin. Raises ValueError for a Host that is none.
    """
    host = ",".join(headers.get_all("Host"))
    if not _near((urlsplit(f"//{host}").hostname or "").rstrip(".")):
        return "This is reached by its IP address, or by its name in the local network."
    if any(origin.partition("://")[2].lower() != host.lower() for origin in headers.get_all("Origin")):
        return "Another site's page may not play this show."
    return ""


def wants(request: Request, header: str, word: str) -> bool:
    """Whether a header has this word."""
    return word in ",".join(request.headers.get_all(header)).lower()


def _near(name: str) -> bool:
    """Whether this is an address or a local name: one that a site on the internet could have given itself is not."""
    if "." not in name or name.endswith((".local", ".localhost", ".lan", ".internal", ".home.arpa")):
        return True
    with contextlib.suppress(ValueError):
        ipaddress.ip_address(name)
        return True
    return False


def page(params: Params, request: Request, ports: tuple[int, int]) -> Response:
    """The answer to a GET of "/master/opacity?VALUE", say. `ports` are OSC's and the WebSocket's, 0 for none."""
    path, _, query = request.path.partition("#")[0].partition("?")
    asked = unquote(query).partition("=")[0].partition("&")[0].upper()
    if getattr(request, "method", "GET") != "GET":
        return response(HTTPStatus.METHOD_NOT_ALLOWED, "This is asked with GET.")
    if asked == "HTML" or (request.path == "/" and wants(request, "Accept", "text/html")):
        return response(HTTPStatus.OK, PANEL.read_text("utf-8"))
    if asked == "HOST_INFO":
        return response(HTTPStatus.OK, _host_info(*ports))
    found = node(params, unquote(path))
    if found is None:
        return response(HTTPStatus.NOT_FOUND, "There is no such address.")
    if not asked:
        return response(HTTPStatus.OK, found)
    if asked not in ATTRIBUTES:
        return response(HTTPStatus.BAD_REQUEST, f"There is no attribute {asked[:40]}.")
    if asked == "VALUE" and "VALUE" not in found:  # a branch has none, nor has a trigger
        return response(HTTPStatus.NO_CONTENT, "")
    return response(HTTPStatus.OK, {asked: found[asked]} if asked in found else {})


def _host_info(osc: int, web: int) -> dict[str, Any]:
    """Who this is, and what of the proposal is understood."""
    return {
        "NAME": f"perform on {socket.gethostname()}",
        "EXTENSIONS": dict.fromkeys((*EXTENSIONS, "HTML", "LISTEN", "PATH_CHANGED"), True),
        "OSC_TRANSPORT": "UDP",
        "WS_PORT": web,
    } | ({"OSC_PORT": osc} if osc else {})


def response(status: HTTPStatus, said: object) -> Response:
    """What is sent as JSON, or a text as it is."""
    text = said if isinstance(said, str) else json.dumps(said, ensure_ascii=False)
    body = text.encode("utf-8", "replace")
    kind = "application/json" if not isinstance(said, str) else "text/html" if said[:1] == "<" else "text/plain"
    headers = {
        "Content-Type": f"{kind}; charset=utf-8",
        "Cache-Control": "no-store",
        "Connection": "close",
        "Content-Security-Policy": "frame-ancestors 'none'",  # no page puts the panel under its own buttons
    }
    if status != HTTPStatus.NO_CONTENT:
        headers["Content-Length"] = str(len(body))
    return Response(status, status.phrase, Headers(headers), body)
