"""Diagnostics of a service in production: a WSGI and an ASGI application that report on its memory.

With a token, whoever sends it gets an answer; without one, only a peer that connects directly from the
loopback address.  Answers have sizes, lines of code and verdicts, and never the command line,
environment, labels, host or contents of memory.
"""

from __future__ import annotations

import asyncio
import dataclasses
import hmac
import ipaddress
import json
import logging
import os
import threading
import time
from typing import Any, Callable, Iterable, Mapping, Sequence
from urllib.parse import parse_qs

import snapdiff

_log = logging.getLogger("snapdiff")
_TOKEN_LEAST = 16
_FORWARDED = ("x-forwarded-for", "forwarded", "x-real-ip", "via")
_LOCAL_NAMES = ("localhost", "127.0.0.1", "::1")
_REASONS = {200: "OK", 400: "Bad Request", 403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed",
            409: "Conflict", 429: "Too Many Requests", 500: "Internal Server Error", 503: "Service Unavailable"}
_ROW = ("key", "file", "line", "verdict", "confidence", "first_bytes", "last_bytes", "live_bytes", "live_blocks",
        "first_blocks", "last_blocks", "bytes_per_snapshot", "reasons", "held_by")


class _Refused(Exception):
    """A request that is answered with an error."""

    def __init__(self, status: int, why: str, retry_after: int = 0) -> None:
        super().__init__(why)
        self.status, self.why, self.retry_after = status, why, retry_after


@dataclasses.dataclass(frozen=True)
class _Request:
    method: str
    path: str
    query: str
    peer: str | None
    headers: Mapping[str, str]  # names in lower case


class _Rate:
    """Lets through `per_minute` calls a minute; that many may come at once after a quiet minute."""

    def __init__(self, per_minute: float) -> None:
        self.per_second, self.most = per_minute / 60, max(1.0, per_minute)
        self.left, self.then = self.most, time.monotonic()
        self.lock = threading.Lock()

    def wait(self) -> float:
        """0: go on; otherwise seconds until the next call."""
        with self.lock:
            now = time.monotonic()
            self.left = min(self.most, self.left + (now - self.then) * self.per_second)
            self.then = now
            if self.left < 1:
                return (1 - self.left) / self.per_second
            self.left -= 1
            return 0


def _is_loopback(peer: str | None) -> bool:
    try:
        address = ipaddress.ip_address(peer or "")
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback


def _host_name(header: str) -> str:
    """The name of a Host header, without its port."""
    if header.startswith("["):
        return header[1:].partition("]")[0]
    return header.partition(":")[0].lower()


class Diagnostics:
    """`.wsgi` and `.asgi` are the applications.  Made by snapdiff.diagnostics()."""

    def __init__(self, token: str | None, per_minute: float, sample: int | str, most_snapshots: int) -> None:
        if token is not None and len(token) < _TOKEN_LEAST:
            raise ValueError(f"a token needs {_TOKEN_LEAST} characters at least")
        if per_minute <= 0:
            raise ValueError("per_minute must be above 0")
        self._token = token.encode() if token is not None else None
        self._rate = _Rate(per_minute)
        self._sample, self._most = snapdiff.size(sample), most_snapshots
        self._busy = threading.Lock()
        self._actions: dict[tuple[str, str], Callable[[Mapping[str, str]], Any]] = {
            ("GET", ""): self._status, ("GET", "top"): self._top, ("GET", "growth"): self._growth,
            ("POST", "snapshot"): self._snapshot, ("POST", "start"): self._start, ("POST", "stop"): self._stop}

    # ---- who may ask -------------------------------------------------------------------------------

    def _check_token(self, request: _Request, token: bytes) -> None:
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        is_right = hmac.compare_digest(given.strip().encode("utf-8", "surrogateescape"), token)
        if scheme.lower() != "bearer" or not is_right:
            raise _Refused(403, "the token is missing or wrong")

    @staticmethod
    def _check_local(request: _Request) -> None:
        """A proxy on this machine has the loopback address, too, and so has a browser that a foreign page
        directs here.  Neither may ask."""
        if not _is_loopback(request.peer):
            raise _Refused(403, "only from the loopback address, or with a token")
        if any(name in request.headers for name in _FORWARDED):
            raise _Refused(403, "a proxy forwards this request: a token is needed")
        if "origin" in request.headers or _host_name(request.headers.get("host", "localhost")) not in _LOCAL_NAMES:
            raise _Refused(403, "not for pages of other sites: a token is needed")

    def _admit(self, request: _Request) -> None:
        if self._token is not None:
            self._check_token(request, self._token)
        else:
            self._check_local(request)
        wait = self._rate.wait()
        if wait:
            raise _Refused(429, "too many requests", int(wait) + 1)

    # ---- the answers -------------------------------------------------------------------------------

    def _status(self, _: Mapping[str, str]) -> Any:
        return {"pid": os.getpid(), "recording": snapdiff.is_recording(), "snapshots": len(snapdiff._mine())}

    @staticmethod
    def _rows(report: Any, query: Mapping[str, str]) -> Any:
        rows = [{name: row.data[name] for name in _ROW if row.data.get(name) is not None}
                for row in report.rows[:min(100, int(query.get("rows", "20")))]]
        return {"rows": rows, "rows_in_all": len(report.rows)}

    def _top(self, query: Mapping[str, str]) -> Any:
        paths = snapdiff._mine()
        if not paths:
            raise _Refused(409, "there is no snapshot: POST snapshot takes one")
        return self._rows(snapdiff.top(paths[-1], group="line", all=True), query)

    def _growth(self, query: Mapping[str, str]) -> Any:
        paths = snapdiff._mine()
        if len(paths) < 3:
            raise _Refused(409, f"{len(paths)} snapshots are there; three are the least that can be judged")
        report = snapdiff.growth(*paths)
        return {**self._rows(report, query), "snapshots": len(paths), "findings": len(report.findings)}

    def _snapshot(self, _: Mapping[str, str]) -> Any:
        if not snapdiff.is_recording():
            raise _Refused(409, "recording is off: POST start begins it")
        if len(snapdiff._mine()) >= self._most:
            raise _Refused(409, f"{self._most} snapshots of this process are there: remove some")
        return {"snapshot": snapdiff.take("diagnostics").name}

    def _start(self, _: Mapping[str, str]) -> Any:
        snapdiff.start(sample=self._sample)
        return self._status({})

    def _stop(self, _: Mapping[str, str]) -> Any:
        if not snapdiff.is_recording():
            raise _Refused(409, "recording is off")
        snapdiff.stop()
        return self._status({})

    def _act(self, request: _Request) -> Any:
        name = request.path.strip("/")
        action = self._actions.get((request.method, name))
        if not action:
            known = any(path == name for _, path in self._actions)
            raise _Refused(405 if known else 404, "no such request")
        query = {key: values[-1] for key, values in parse_qs(request.query).items()}
        rows = query.get("rows", "1")
        if not rows.isdecimal() or len(rows) > 9:
            raise _Refused(400, "rows is a number")
        if not self._busy.acquire(blocking=False):
            raise _Refused(503, "another request is under way", 1)
        try:
            return action(query)
        finally:
            self._busy.release()

    def answer(self, request: _Request) -> tuple[int, list[tuple[str, str]], bytes]:
        """Status, headers and body."""
        headers = [("Content-Type", "application/json"), ("Cache-Control", "no-store"),
                   ("X-Content-Type-Options", "nosniff")]
        try:
            self._admit(request)
            status, said = 200, self._act(request)
        except _Refused as refused:
            status, said = refused.status, {"error": refused.why}
            if refused.retry_after:
                headers.append(("Retry-After", str(refused.retry_after)))
        except (snapdiff.Error, OSError):
            _log.exception("a diagnostic request failed")  # its text may name paths: for the log only
            status, said = 500, {"error": "it failed; the log says why"}
        body = json.dumps(said).encode()
        return status, [*headers, ("Content-Length", str(len(body)))], body

    # ---- as applications ---------------------------------------------------------------------------

    def wsgi(self, environ: Mapping[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """The WSGI application."""
        headers = {name[5:].replace("_", "-").lower(): str(value)
                   for name, value in environ.items() if name.startswith("HTTP_")}
        status, fields, body = self.answer(_Request(
            environ.get("REQUEST_METHOD", "GET"), environ.get("PATH_INFO", ""), environ.get("QUERY_STRING", ""),
            environ.get("REMOTE_ADDR"), headers))
        start_response(f"{status} {_REASONS[status]}", fields)
        return [body]

    async def asgi(self, scope: Mapping[str, Any], receive: Callable[..., Any], send: Callable[..., Any]) -> None:
        """The ASGI application; reports are made in another thread."""
        if scope["type"] == "lifespan":
            while (await receive())["type"] != "lifespan.shutdown":
                await send({"type": "lifespan.startup.complete"})
            await send({"type": "lifespan.shutdown.complete"})
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1003})
            return
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        root, path = scope.get("root_path", ""), scope["path"]
        request = _Request(scope["method"], path[len(root):] if path.startswith(root) else path,
                           scope.get("query_string", b"").decode("latin-1"),
                           (scope.get("client") or [None])[0], headers)
        status, fields, body = await asyncio.get_running_loop().run_in_executor(None, self.answer, request)
        await send({"type": "http.response.start", "status": status,
                    "headers": [(name.lower().encode(), value.encode()) for name, value in fields]})
        await send({"type": "http.response.body", "body": body})


def diagnostics(token: str | None = None, *, per_minute: float = 6, sample: int | str = "512KiB",
                most_snapshots: int = 200) -> Diagnostics:
    """The applications `.wsgi` and `.asgi`, which report on the memory of this process.

    token: whoever sends `Authorization: Bearer TOKEN` may ask, from anywhere; without one only a direct
    peer on the loopback address.  per_minute: requests that are answered in a minute.  sample: how
    POST start records, one allocation per so many bytes on average.  most_snapshots: when the process
    has that many, POST /snapshot is refused.

    GET /           whether recording is on, and how many snapshots there are
    GET /top        what holds the most memory in the newest snapshot (?rows=N)
    GET /growth     what keeps growing over all snapshots of this process
    POST /snapshot  take one
    POST /start, POST /stop
    """
    return Diagnostics(token, per_minute, sample, most_snapshots)
