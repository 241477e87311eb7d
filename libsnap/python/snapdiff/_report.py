"""Reports of the command line as objects."""

from __future__ import annotations

import dataclasses
import os
from typing import Any, Sequence

_PACKAGE = os.path.dirname(os.path.abspath(__file__)) + os.sep
# Rows of these files are the package's own allocations. The package's other files call the user's function.
_OURS = {"take", "start", "stop", "flush", "label", "_mine", "_number", "_take_with_census", "_call", "_metric", "_peaks", "check", "library"}


def human(bytes_: float) -> str:
    """1536 -> '1.5 KiB'"""
    units = ["B", "KiB", "MiB", "GiB", "TiB"]
    value, unit = float(bytes_), 0
    while abs(value) >= 1024 and unit < len(units) - 1:
        value, unit = value / 1024, unit + 1
    return f"{value:.0f} B" if unit == 0 else f"{value:.1f} {units[unit]}"


@dataclasses.dataclass(frozen=True)
class Row:
    """One site of a report. `data` is the whole row as JSON has it."""

    data: dict[str, Any]

    @property
    def key(self) -> str:
        """Function, file and line in one text."""
        return str(self.data["key"])

    @property
    def file(self) -> str | None:
        """The source file, None if it is not known."""
        return self.data.get("file")

    @property
    def line(self) -> int | None:
        """The line, None if it is not known."""
        return self.data.get("line")

    @property
    def stack(self) -> Sequence[dict[str, Any]]:
        """Frames of the heaviest stack, newest first."""
        return self.data.get("stack") or []

    @property
    def verdict(self) -> str | None:
        """Of growth: the verdict, such as leak, container-growth or warm-up."""
        return self.data.get("verdict")

    @property
    def confidence(self) -> str | None:
        """Of growth: how sure the verdict is: high, medium or low."""
        return self.data.get("confidence")

    @property
    def pattern(self) -> str | None:
        """Of growth: a known way to leak, such as unbounded-cache; None if it is none of them for sure."""
        return self.data.get("pattern")

    @property
    def held_by(self) -> str | None:
        """Of growth: what holds its objects, in words; None without a census."""
        return self.data.get("held_by")

    @property
    def held_type(self) -> str | None:
        """Of growth: the type of the objects that are held."""
        return self.data.get("held_type")

    @property
    def bytes(self) -> int:
        """How much it grew, from the first to the last snapshot, in bytes."""
        if "delta_bytes" in self.data:
            return int(self.data["delta_bytes"] or 0)
        return int(self.data.get("last_bytes") or 0) - int(self.data.get("first_bytes") or 0)

    @property
    def is_ours(self) -> bool:
        """True for what this package allocated itself."""
        return any((frame.get("file") or "").startswith(_PACKAGE) and frame.get("function") in _OURS
                   for frame in self.stack)

    @property
    def is_exact(self) -> bool:
        """True when the same number of blocks was added again and again."""
        return self.data.get("exact") is not None

    def __str__(self) -> str:
        lines = [f"{self.key}: {self.verdict or self.data.get('status')}, +{human(self.bytes)}"]
        lines += [f"    {reason}" for reason in self.data.get("reasons") or []]
        lines += [f"    at {frame.get('function') or '?'} {frame.get('file') or '?'}:{frame.get('line') or 0}"
                  for frame in self.stack[:6]]
        return "\n".join(lines)


@dataclasses.dataclass(frozen=True)
class _Report:
    data: dict[str, Any]

    @property
    def rows(self) -> list[Row]:
        """All rows that the report has, in its order."""
        return [Row(row) for row in self.data["rows"]]

    @property
    def warnings(self) -> list[str]:
        """The report's warnings, which say how far its figures can be trusted."""
        return list(self.data.get("warnings") or [])


class Growth(_Report):
    """What keeps growing."""

    @property
    def findings(self) -> list[Row]:
        """Leaks and growing containers that are at least of medium confidence."""
        return [row for row in self.rows if row.verdict in ("leak", "container-growth") and
                row.confidence in ("medium", "high") and not row.is_ours]

    def __str__(self) -> str:
        found = self.findings
        if not found:
            return "nothing keeps growing"
        return "\n".join([f"{len(found)} site{'s' if len(found) > 1 else ''} keep{'' if len(found) > 1 else 's'} growing:",
                          *map(str, found)])


class Top(_Report):
    """What holds the most memory."""


class Comparison(_Report):
    """What changed."""

    @property
    def grown(self) -> list[Row]:
        """Rows that are new or grew."""
        return [row for row in self.rows if row.data["status"] in ("new", "grew") and not row.is_ours]
