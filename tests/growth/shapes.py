"""The gate on programs whose leak, or lack of one, is known by construction: see shapes.cpp.

usage: shapes.py SNAPDIFF [SHAPE...]
"""
import json
import os
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
# The function that leaks and must be found, or None.
SHAPES = {
    "error_path": "describe_error", "listener_table": "add_listener", "owner_cycle": "link_nodes",
    "thread_buffers": "make_thread_buffer", "under_a_sawtooth": "keep_header",
    "lost_before_a_computation": "forget_ticket", "before_a_computation": None,
    "lru_cache": None, "lazy_kinds": None, "generations": None, "random_lifetimes": None, "lagging_queue": None,
    "full_cache": None, "read_then_compute": None, "read_all_then_compute": None,
}
# Nothing in a series tells a leak from data that are read before a computation.  So the gate passes, and says that it
# could not judge; with --strict it does not pass.
UNDECIDED = {"before_a_computation", "read_then_compute", "read_all_then_compute"}


def is_right(shape, gate, strict):
    """Are these the exit codes of the gate, and of the gate with --strict?  What does not leak may have no verdict."""
    if SHAPES[shape]:
        return gate == strict == 1
    return gate == 0 and strict in ((5,) if shape in UNDECIDED else (0, 5))


def judge(snapdiff, program, where, shape):
    """What is wrong with the gate's answer; None: nothing."""
    snaps = os.path.join(where, shape)
    subprocess.run([snapdiff, "run", "-q", "-o", snaps, "--", program, shape], check=True, timeout=600)
    gate, strict = [subprocess.run([snapdiff, "check", "-f", "json", *options, snaps], capture_output=True, text=True,
                                   timeout=600, check=False) for options in ([], ["--strict"])]
    findings = json.loads(gate.stdout)["rows"]
    guilty = SHAPES[shape]
    if not is_right(shape, gate.returncode, strict.returncode):
        growth = subprocess.run([snapdiff, "growth", "--all", "-v", snaps], capture_output=True, text=True, check=False)
        return (f"check exits with {gate.returncode}, with --strict {strict.returncode}\n{gate.stdout}\n"
                f"{growth.stdout}{growth.stderr}")
    if guilty and not findings[0]["key"].startswith(guilty):
        return f"the first finding is {findings[0]['key']}, not {guilty}"
    return None


def main():
    snapdiff, wanted = os.path.abspath(sys.argv[1]), sys.argv[2:] or list(SHAPES)
    if not shutil.which("g++"):
        sys.exit(77)
    failed = 0
    with tempfile.TemporaryDirectory() as where:
        program = os.path.join(where, "shapes")
        subprocess.run(["g++", "-g", "-O1", "-pthread", os.path.join(HERE, "shapes.cpp"), "-o", program], check=True)
        for shape in wanted:
            problem = judge(snapdiff, program, where, shape)
            print(f"{shape}: {problem or 'right'}", flush=True)
            failed += problem is not None
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
