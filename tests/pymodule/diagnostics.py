#!/usr/bin/env python3
"""snapdiff.diagnostics(): who is answered, what is told, how often; as WSGI and as ASGI; the signal.

usage: diagnostics.py (under the environment that run_diagnostics() of run.py gives)
"""
import asyncio
import http.client
import json
import os
import pathlib
import signal
import sys
import tempfile
import threading
import time
import unittest
import wsgiref.simple_server

import snapdiff

TOKEN = "0123456789abcdef-secret"
SECRET = "hunter2-in-the-environment"
kept = []


class Quiet(wsgiref.simple_server.WSGIRequestHandler):
    def log_message(self, *_):
        pass


def environ(method="GET", path="/", peer="127.0.0.1", **headers):
    return {"REQUEST_METHOD": method, "PATH_INFO": path, "REMOTE_ADDR": peer, "QUERY_STRING": "",
            **{"HTTP_" + name.upper(): value for name, value in headers.items()}}


def ask(application, *arguments, **headers):
    said = {}

    def start_response(status, fields):
        said.update(status=int(status.split()[0]), headers=dict(fields))

    body = b"".join(application.wsgi(environ(*arguments, **headers), start_response))
    return said["status"], json.loads(body), said["headers"]


def ask_asgi(application, method="GET", path="/", client=("127.0.0.1", 5), headers=(), root="", kind="http"):
    sent = []

    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message):
        sent.append(message)

    scope = {"type": kind, "method": method, "path": path, "client": client, "headers": list(headers),
             "root_path": root, "query_string": b""}
    asyncio.run(application.asgi(scope, receive, send))
    return sent


class BeforeTheFirstSnapshot(unittest.TestCase):
    """Its directory is not there yet."""

    def test_there_is_no_snapshot(self):
        directory = snapdiff._directory
        snapdiff._directory = pathlib.Path(tempfile.gettempdir()) / "is" / "not" / "there"
        self.addCleanup(setattr, snapdiff, "_directory", directory)
        application = snapdiff.diagnostics(per_minute=1000)
        status, said, _ = ask(application, "GET", "/")
        self.assertEqual((status, said.get("snapshots")), (200, 0))
        self.assertEqual([ask(application, "GET", path)[0] for path in ("/top", "/growth")], [409, 409])


class WhoMayAsk(unittest.TestCase):
    def status(self, token=None, peer="127.0.0.1", **headers):
        return ask(snapdiff.diagnostics(token, per_minute=1000), "GET", "/", peer, **headers)[0]

    def test_without_a_token_only_direct_peers_on_loopback(self):
        for peer in ("127.0.0.1", "127.8.9.1", "::1", "::ffff:127.0.0.1"):
            self.assertEqual(self.status(peer=peer), 200, peer)
        for peer in ("10.0.0.1", "192.168.1.4", "::2", "::ffff:10.0.0.1", "", None, "localhost", "unix:"):
            self.assertEqual(self.status(peer=peer), 403, peer)

    def test_a_proxy_or_a_page_of_another_site_is_refused(self):
        for name, value in (("x_forwarded_for", "127.0.0.1"), ("forwarded", "for=127.0.0.1"), ("x_real_ip", "127.0.0.1"),
                            ("via", "1.1 proxy"), ("origin", "http://evil.example"), ("host", "evil.example:8000")):
            self.assertEqual(self.status(**{name: value}), 403, name)
        for host in ("localhost:8000", "127.0.0.1", "[::1]:8000"):
            self.assertEqual(self.status(host=host), 200, host)

    def test_a_token_is_needed_where_there_is_one(self):
        self.assertEqual(self.status(TOKEN, "10.0.0.1", authorization="Bearer " + TOKEN), 200)
        self.assertEqual(self.status(TOKEN, "10.0.0.1", authorization="bearer " + TOKEN), 200)
        for wrong in ("Bearer " + TOKEN[:-1], "Bearer", "Basic " + TOKEN, TOKEN, "Bearer \udcff", "Bearer é"):
            self.assertEqual(self.status(TOKEN, authorization=wrong), 403, wrong)
        self.assertEqual(self.status(TOKEN), 403)

    def test_the_token_is_compared_in_constant_time(self):
        import snapdiff._diagnostics as module
        compared = []
        real = module.hmac.compare_digest
        module.hmac.compare_digest = lambda given, token: compared.append((given, token)) or real(given, token)
        try:
            self.status(TOKEN, authorization="Basic wrong")
        finally:
            module.hmac.compare_digest = real
        self.assertEqual(compared, [(b"wrong", TOKEN.encode())])

    def test_short_tokens_are_refused(self):
        for token in ("", "short"):
            self.assertRaises(ValueError, snapdiff.diagnostics, token)

    def test_the_rate_is_limited_and_refusals_do_not_count(self):
        application = snapdiff.diagnostics(TOKEN, per_minute=3)
        for _ in range(20):
            self.assertEqual(ask(application)[0], 403)
        given = {"authorization": "Bearer " + TOKEN}
        self.assertEqual([ask(application, **given)[0] for _ in range(4)], [200, 200, 200, 429])
        status, _, headers = ask(application, **given)
        self.assertEqual(status, 429)
        self.assertLessEqual(int(headers["Retry-After"]), 20)


class WhatIsTold(unittest.TestCase):
    def setUp(self):
        self.application = snapdiff.diagnostics(per_minute=10000)

    def test_paths_and_methods(self):
        for method, path, status in (("GET", "", 200), ("GET", "/", 200), ("GET", "/no", 404), ("GET", "/snapshot", 405),
                                     ("POST", "/", 405), ("DELETE", "/top", 405), ("GET", "/../top", 404)):
            self.assertEqual(ask(self.application, method, path)[0], status, (method, path))

    def test_one_request_at_a_time(self):
        self.application._busy.acquire()
        self.assertEqual(ask(self.application)[0], 503)
        self.application._busy.release()
        self.assertEqual(ask(self.application)[0], 200)

    def test_a_leak_over_http(self):
        server = wsgiref.simple_server.make_server("127.0.0.1", 0, self.application.wsgi, handler_class=Quiet)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        self.addCleanup(server.server_close)
        self.addCleanup(thread.join)
        self.addCleanup(server.shutdown)

        def request(method, path):
            connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=300)
            connection.request(method, path)
            answer = connection.getresponse()
            body = answer.read().decode()
            connection.close()
            self.assertEqual(answer.getheader("Cache-Control"), "no-store")
            self.assertNotIn(SECRET, body)
            self.assertNotIn("--password", body)
            return answer.status, json.loads(body)

        if not snapdiff.is_recording():
            self.assertEqual(request("POST", "/snapshot")[0], 409)
            snapdiff.start()  # all allocations: the line is to be exact here
        for _ in range(9):
            kept.append(bytearray(50_000))  # this line leaks
            self.assertEqual(request("POST", "/snapshot")[0], 200)
        status, said = request("GET", "/growth")
        leaking = next(number for number, line in enumerate(pathlib.Path(__file__).read_text().splitlines(), 1)
                       if line.endswith("# this line leaks"))
        self.assertEqual((status, said["rows"][0]["line"], said["rows"][0]["verdict"]), (200, leaking, "leak"))
        self.assertGreaterEqual(said["findings"], 1)
        status, said = request("GET", "/top?rows=3")
        self.assertEqual((status, len(said["rows"])), (200, 3))
        self.assertGreater(said["rows_in_all"], 3)
        self.assertEqual(request("GET", "/top?rows=x")[0], 400)
        self.assertEqual(request("GET", "/top?rows=" + 5000 * "9")[0], 400)

    def test_no_more_snapshots_than_allowed(self):
        if not snapdiff.is_recording():
            snapdiff.start()
        application = snapdiff.diagnostics(per_minute=1000, most_snapshots=len(snapdiff._mine()) + 1)
        self.assertEqual([ask(application, "POST", "/snapshot")[0] for _ in range(2)], [200, 409])

    def test_asgi(self):
        start, body = ask_asgi(self.application)
        self.assertEqual(start["status"], 200)
        self.assertEqual(json.loads(body["body"])["pid"], os.getpid())
        self.assertEqual(dict(start["headers"])[b"content-length"], str(len(body["body"])).encode())
        self.assertEqual(ask_asgi(self.application, path="/debug", root="/debug")[0]["status"], 200)
        self.assertEqual(ask_asgi(self.application, client=("10.0.0.1", 5))[0]["status"], 403)
        self.assertEqual(ask_asgi(self.application, client=None)[0]["status"], 403)
        self.assertEqual(ask_asgi(self.application, headers=[(b"X-Forwarded-For", b"1.2.3.4")])[0]["status"], 403)
        self.assertEqual(ask_asgi(self.application, kind="websocket"), [{"type": "websocket.close", "code": 1003}])


class Signal(unittest.TestCase):
    def test_a_signal_takes_a_snapshot(self):
        if os.environ.get("LD_PRELOAD"):
            self.skipTest("under run, --on-signal sets it")
        if snapdiff.is_recording():
            snapdiff.stop()
        snapdiff.start(on_signal=signal.SIGUSR2)
        before = len(snapdiff._mine())
        os.kill(os.getpid(), signal.SIGUSR2)
        end = time.monotonic() + 120
        while len(snapdiff._mine()) == before and time.monotonic() < end:
            bytearray(5000)
            time.sleep(0.01)
        self.assertEqual(len(snapdiff._mine()), before + 1)


if __name__ == "__main__":
    os.environ["APP_PASSWORD"] = SECRET
    with tempfile.TemporaryDirectory() as scratch:
        if not snapdiff.is_recording():
            snapdiff._directory = pathlib.Path(scratch)
        unittest.main(argv=sys.argv[:1])
