#!/usr/bin/env python3
"""The table "to add, change" of docs/CONTRIBUTING.md names files that are there, and the only ones for lists of names.

usage: test_guide.py
"""

import pathlib
import re
import unittest

SOURCE = pathlib.Path(__file__).resolve().parents[2]


def rows():
    """What is added -> the paths that are named for it."""
    section = (SOURCE / "docs/CONTRIBUTING.md").read_text().split("| to add | change |")[1].split("\n\n")[0]
    for line in section.splitlines()[2:]:
        added, change = line.strip("| ").split(" | ", 1)
        yield added, re.findall(r"`((?:cmd|libsnap|tests)/[^`]*)`", change)


class Guide(unittest.TestCase):
    def test_every_path_is_there(self):
        table = dict(rows())
        self.assertGreaterEqual(len(table), 12)
        for added, paths in table.items():
            self.assertTrue(paths, added)
            for path in paths:
                found = list(SOURCE.glob(path.replace("NAME", "*").rstrip("/")))
                self.assertTrue(found, f"{added}: there is no {path}")

    def only_in(self, pattern, allowed):
        """Files of the analyst in which the pattern occurs."""
        found = {path.relative_to(SOURCE).as_posix() for top in ("cmd", "libsnap")
                 for path in (SOURCE / top).rglob("*.[chj]*") if path.suffix in (".c", ".h", ".js") and re.search(pattern, path.read_text(errors="replace"))}
        self.assertTrue(found <= allowed, f"{pattern}: {sorted(found - allowed)}")

    def test_lists_are_typed_out_once(self):
        self.only_in(r'"warm-up"', set())
        self.only_in(r'"container-growth"', set())
        self.only_in(r'"tsv"|, tsv', {"cmd/render/tsv.c"})
        self.only_in(r'"(fuzzy|domain", *"type)"', {"cmd/base/choices.c"})
        self.only_in(r"format_(snap|tracemalloc)\b", {"cmd/input/snap.c", "cmd/input/tracemalloc.c"})
        self.only_in(r'"allocated", *"allocations"', set())
        self.only_in(r'"safety"\)', {"cmd/report/growth_exits.c"})
        self.only_in(r"defined\(__(x86_64|aarch64)__\)", {f"libsnap/{path}.{kind}" for path, kind in (
            ("arch/arch", "h"), ("arch/code_x86_64", "c"), ("arch/code_aarch64", "c"), ("preload/syscall_x86_64", "c"),
            ("preload/syscall_aarch64", "c"), ("runtime/unwind/frames_aarch64", "c"))})


if __name__ == "__main__":
    unittest.main()
