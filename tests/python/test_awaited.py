#!/usr/bin/env python3
"""Of a service of asyncio a census names the variables of main(), which waits while the loop runs, as those of a function that
runs: not the loop, which leads to everything."""
import json
import subprocess

import harness

LINES = (harness.PROGRAMS / "awaited.py").read_text().splitlines()


def line_of(text):
    return next(number for number, line in enumerate(LINES, 1) if text in line)


class Awaited(harness.PythonTest):
    def test_what_waits_for_tasks(self):
        def check(python):
            _, snapshots = self.record(python, "awaited.py", options=["--exit-snapshot", "none"])
            done = subprocess.run([self.snapdiff, "growth", "--expand", "-f", "json", snapshots[0].parent], capture_output=True,
                                  text=True, timeout=120, check=True)
            rows = {row["line"]: row for row in json.loads(done.stdout)["rows"] if str(row["file"]).endswith("awaited.py")}
            of_main = rf"of `main` \(awaited\.py:{line_of('async def main')}\)"
            basket, message = rows[line_of("self.basket =")], rows[line_of("message =")]
            self.assertRegex(basket["held_by"], rf"^local variable `service\.by_token` {of_main} -> dict of 1000 -> Session")
            self.assertEqual((basket["verdict"], basket["confidence"], basket["pattern"]), ("leak", "high", "local-container"))
            self.assertRegex(message["held_by"], rf"^local variable `service\.waiting` {of_main} -> set of 1000 -> _asyncio\.Task -> "
                             r"coroutine `(Service\.)?wait_for_item`")
            self.assertEqual((message["verdict"], message["confidence"], message["pattern"]), ("leak", "high", "tasks"))
            self.assertIn("tasks that never finish: 1000 of wait_for_item (awaited.py): waiting in ", "\n".join(message["reasons"])
                          .replace("Service.wait_for_item", "wait_for_item"))

        self.with_each_python(check)


if __name__ == "__main__":
    harness.main()
