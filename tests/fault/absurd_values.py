#!/usr/bin/env python3
"""Snapshots whose checksums are right and whose rows are absurd: one to three numbers of any section become limits of
their width, or nothing.  Each command ends by itself, soon, with 0 or 3 and lines of its own; what it prints as JSON is
JSON; what dump prints, build reads.

usage: absurd_values.py SNAPDIFF FILES [SEED]
"""
import json
import pathlib
import random
import resource
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(ROOT / "testdata/bad"), str(ROOT / "tests/cli")]
import make  # noqa: E402  (its chunks are built from the specification)
import run as cli  # noqa: E402
from snapread import chunks, raw_bytes  # noqa: E402

VALUES = [0, 1, 2, 127, 128, 4096, 4097, 65535, 65536, 262145, 2**20, 2**31 - 1, 2**31, 2**32 - 2, 2**32 - 1, 2**32,
          2**52, 2**62, 2**63 - 1, 2**63, 2**63 + 1, 2**64 - 2, 2**64 - 1]
COMMANDS = [["top", "-f", "json"], ["top", "-g", "stack"], ["top", "-g", "type"], ["holders", "."], ["holders", "-f", "json", "."],
            ["leaks", "-f", "json"], ["leaks"], ["info", "-f", "json"], ["report", "-o", "/dev/null"],
            ["compare", "-f", "json", "SOUND"], ["growth", "-f", "json", "SOUND"], ["check", "--max-total", "1GiB"],
            ["load", "--db", "x.db"], ["peek", "."], ["top", "-f", "folded"], ["ls", "-f", "json"],
            ["query", "-f", "json", "select * from sites"]]
CPU_SECONDS = 20


def limits():
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))


def mutated(rng, raw):
    """The bytes with another number in one place: where a byte without a continuation bit comes before."""
    places = [i for i in range(len(raw)) if i == 0 or raw[i - 1] < 0x80]
    at = rng.choice(places)
    end = at
    while end < len(raw) - 1 and raw[end] >= 0x80:
        end += 1
    return raw[:at] + make.varint(rng.choice(VALUES)) + raw[end + 1:]


def absurd(rng, sound):
    """The chunks of a sound file, one to three numbers of them changed, as a file."""
    parts = list(sound)
    for _ in range(rng.choice((1, 1, 2, 3))):
        i = rng.randrange(len(parts))
        section, raw, rows, items, flags = parts[i]
        parts[i] = (section, mutated(rng, raw), rows, items, flags)
    return make.build([make.chunk(section, raw, rows, items, flags=flags | make.STORED)
                       for section, raw, rows, items, flags in parts])


def parts_of(path):
    data = path.read_bytes()
    return [(chunk.section, raw_bytes(data, chunk, at), chunk.rows, chunk.items, chunk.flags) for at, chunk in chunks(data)]


def run(snapdiff, command, home, env):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    result = subprocess.run([snapdiff, *command], cwd=home, env=env, stdin=subprocess.DEVNULL, capture_output=True,
                            timeout=1200, check=False, preexec_fn=limits)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return result, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def fault_of(command, result):
    """What is wrong with how the command ended, or None."""
    said = result.stderr.decode(errors="replace")
    if result.returncode == 2 and ('no series here' in said or 'no site, type or root' in said or 'no census' in said or 'does not say who holds what' in said):
        return None  # a good question about another file
    if result.returncode not in (0, 3) and not (command[0] == "check" and result.returncode == 1):
        return f"exit status {result.returncode}: {said[-300:]}"
    if not all(line.startswith("snapdiff ") or ".db: " in line for line in said.splitlines()):
        return f"lines that are not ours: {said[-300:]}"
    if result.returncode == 3 and not said:
        return "refused without a word"
    if "json" in command and result.returncode == 0:
        try:
            json.loads(result.stdout)
        except ValueError as error:
            return f"no JSON: {error}"
    return None


def round_trip(snapdiff, home, env):
    """What dump prints, build reads, and it is the same again."""
    dump, _ = run(snapdiff, ["dump", "x.snap"], home, env)
    if dump.returncode:
        return None if dump.returncode == 3 and dump.stderr else f"dump: {dump.returncode}, {dump.stderr[-300:]}"
    (home / "y.txt").write_bytes(dump.stdout)
    build, _ = run(snapdiff, ["build", "y.txt", "-o", "y.snap"], home, env)
    if build.returncode:
        return f"dump printed what build refuses: {build.stderr[-300:]}"
    again, _ = run(snapdiff, ["dump", "y.snap"], home, env)
    return None if again.stdout == dump.stdout else "dump, build and dump give another text"


def main():
    snapdiff, files = pathlib.Path(sys.argv[1]).resolve(), int(sys.argv[2])
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else random.SystemRandom().randrange(2**32)
    print("seed", seed)
    rng = random.Random(seed)
    faults = runs = refused = 0
    slowest = (0, "")
    with tempfile.TemporaryDirectory() as scratch:
        home = pathlib.Path(scratch)
        env = cli.environment(snapdiff, home)
        cli.build_snapshots(snapdiff, home / "s")
        (home / "SOUND").write_bytes((home / "s/held.snap").read_bytes())
        sound = [parts_of(home / f"s/{name}.snap") for name in ("held", "held", "held-later", "before")]
        sound += [parts_of(ROOT / f"testdata/golden/{name}.snap") for name in ("python", "sampled", "chunks", "tiny")]
        for number in range(files):
            (home / "x.snap").write_bytes(absurd(rng, rng.choice(sound)))
            problems = [("dump", round_trip(snapdiff, home, env))]
            for command in rng.sample(COMMANDS, 2):
                command = [*command, "x.snap"]
                (home / "x.db").unlink(missing_ok=True)
                result, seconds = run(snapdiff, command, home, env)
                slowest = max(slowest, (seconds, " ".join(command)))
                refused += result.returncode == 3
                problems.append((" ".join(command), fault_of(command, result)))
            runs += 5
            for what, problem in problems:
                if problem:
                    faults += 1
                    kept = pathlib.Path(tempfile.gettempdir()) / f"absurd-{seed}-{number}.snap"
                    kept.write_bytes((home / "x.snap").read_bytes())
                    print(f"FAULT {what}: {problem} ({kept})", flush=True)
    print(f"{files} files, {runs} runs, {refused} refused, {faults} faults; slowest {slowest[0]:.1f} s of CPU: {slowest[1]}")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
