#!/usr/bin/env python3
"""Programs that others wrote give the same output and exit status recorded as bare, time after time.

real_programs.py --snapdiff FILE [--repeat N] [--options WORDS] [--verify N] [--table] [NAME...]

Each file of real/ runs a program: twice bare, N times below `snapdiff run`, and once more below `run` with
SNAP_VERIFY, which has libunwind unwind each Nth stack again.  A program that is not installed is skipped, which is
said.  What differs between two bare runs is not compared, which is said too.  --table prints rows for PROGRAMS.md.

The first line of a file says what it needs: names of commands, or ls:PATTERN of a file.  NAME.prepare.sh makes what
NAME.sh starts: it runs once, bare, in the directory $PREPARED.
"""
import argparse
import collections
import glob
import os
import pathlib
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time

REAL = pathlib.Path(__file__).resolve().parent / "real"
HUNG = "none, it hung"
LIMIT = 240  # seconds for one run
READ_MOST = 40  # snapshots of the last repetition
MASKS = ((rb"0x[0-9a-f]+", b"ADDRESS"), (rb"[0-9]{4,}", b"NUMBER"))

Run = collections.namedtuple("Run", "status out err seconds")
failures = 0
options = None


def failed(sentence):
    global failures
    failures += 1
    print(f"FAILED: {sentence}", file=sys.stderr, flush=True)


def missing(script):
    """What the program needs and this machine lacks."""
    words = script.read_text(encoding="utf-8").splitlines()[0].removeprefix("# needs:").split()
    path = environment("", "")["PATH"]
    return [word for word in words
            if not (glob.glob(word[3:]) if word.startswith("ls:") else shutil.which(word, path=path))]


def environment(work, prepared):
    """Commands of the machine, not stand-ins that start other versions of them."""
    path = [folder for folder in os.environ["PATH"].split(":") if "shims" not in folder]
    kept = {name: os.environ[name] for name in ("CARGO_HOME", "RUSTUP_HOME") if name in os.environ}
    for name, folder in (("CARGO_HOME", ".cargo"), ("RUSTUP_HOME", ".rustup")):
        kept.setdefault(name, str(pathlib.Path.home() / folder))
    return {**kept, "PATH": ":".join([*path, "/usr/sbin"]), "HOME": str(work), "TMPDIR": str(work),
            "LC_ALL": "C.UTF-8", "REAL": str(REAL), "PREPARED": str(prepared)}


def default_signals():
    """A shell has background commands ignore these, and programs that are started inherit that."""
    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


def end_group(group, patience):
    """Some processes end later than the one that started them, and write their snapshots; what stays is killed."""
    until = time.monotonic() + patience
    try:
        while time.monotonic() < until:
            os.killpg(group, 0)
            time.sleep(.02)
        os.killpg(group, signal.SIGKILL)
    except ProcessLookupError:
        pass


def run(script, prepared, prefix=(), **variables):
    """One run in a directory of its own, whose name is masked in what the program prints."""
    with tempfile.TemporaryDirectory(prefix="snap-real-", ignore_cleanup_errors=True) as work, \
            tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        begin = time.monotonic()
        process = subprocess.Popen([*prefix, "/bin/sh", script], cwd=work, stdin=subprocess.DEVNULL, stdout=out,
                                   stderr=err, env={**environment(work, prepared), **variables},
                                   start_new_session=True, preexec_fn=default_signals)
        try:
            status = process.wait(LIMIT)
        except subprocess.TimeoutExpired:
            status = HUNG
        seconds = time.monotonic() - begin
        end_group(process.pid, 0 if status == HUNG else 20)
        process.wait()
        texts = []
        for file in (out, err):
            file.seek(0)
            text = file.read().replace(work.encode(), b"WORK")
            for pattern, word in MASKS:
                text = re.sub(pattern, word, text)
            texts.append(text)
        return Run(status, *texts, seconds)


def shown(text):
    return text[-300:].decode(errors="replace").strip().replace("\n", " / ")


def differences(bare, recorded, compared):
    """What differs, in words."""
    found = []
    if recorded.status != bare.status:
        found.append(f"status {recorded.status}, bare {bare.status}")
    for name in compared:
        if getattr(recorded, name) != getattr(bare, name):
            found.append(f"{name}: {shown(getattr(recorded, name))!r}, bare {shown(getattr(bare, name))!r}")
    return found


def files_of(place, name, read):
    """The snapshots in `place`; everything else that is left there is a fault, and what cannot be read if `read`."""
    entries = sorted(os.listdir(place))
    for entry in entries:
        if not entry.endswith(".snap") and not entry.startswith(".not-recorded."):
            failed(f"{name}: {entry} is left behind")
    snapshots = [os.path.join(place, entry) for entry in entries if entry.endswith(".snap")]
    if not snapshots:
        failed(f"{name}: no snapshot")
    for path in snapshots[:READ_MOST] if read else ():
        done = subprocess.run([options.snapdiff, "dump", "-q", "-o", "/dev/null", path], capture_output=True, text=True,
                              check=False)
        if done.returncode:
            failed(f"{name}: {done.stderr.strip()}")
    return snapshots


def place_for_everybody():
    """Some programs change their user."""
    place = tempfile.mkdtemp(prefix="snap-real-out-")
    os.chmod(place, 0o1777)
    return place


def verified(snapshots):
    """(stacks that are equal, stacks that differ), of the last snapshot of each process."""
    last = {}
    for path in snapshots:
        last[re.sub(r"\.[0-9]+\.snap$", "", path)] = path
    equal = different = 0
    for path in last.values():
        text = subprocess.run([options.snapdiff, "info", "-f", "tsv", path], capture_output=True, text=True,
                              check=False).stdout
        values = dict(line.rsplit("\t", 1) for line in text.splitlines() if "\t" in line)
        for key, value in values.items():
            if key.endswith("recorder.stacks_verified"):
                equal += int(value)
            elif key.endswith("verify_mismatches"):
                different += int(value)
    return equal, different


def verify(script, bare, prepared):
    """Once more, with stacks that are unwound twice.  Objects of Python have stacks that nobody else can unwind."""
    place = place_for_everybody()
    recorded = run(script, prepared, (options.snapdiff, "run", "-q", "-o", place, "--python", "off", "--"),
                   SNAP_VERIFY=str(options.verify))
    for difference in differences(bare, recorded, ()):
        failed(f"{script.stem}, verified: {difference}")
    equal, different = verified(glob.glob(place + "/*.snap"))
    if different:
        failed(f"{script.stem}: {different} stacks differ from libunwind's: {shown(recorded.err)}")
    shutil.rmtree(place)
    return equal


def one_program(script, prepared):
    name = script.stem
    bare, again = run(script, prepared), run(script, prepared)
    if bare.status != again.status or not isinstance(bare.status, int):
        return failed(f"{name}: bare, the status is {bare.status}, then {again.status}: {shown(bare.err)}")
    compared = [text for text in ("out", "err") if getattr(bare, text) == getattr(again, text)]
    varies = [text for text in ("out", "err") if text not in compared]
    same, seconds, snapshots = 0, 0, []
    for repetition in range(options.repeat):
        place = place_for_everybody()
        recorded = run(script, prepared, (options.snapdiff, "run", "-q", *shlex.split(options.options), "-o", place, "--"))
        found = differences(bare, recorded, compared)
        for difference in found:
            failed(f"{name}: {difference}")
        same += not found
        seconds += recorded.seconds
        snapshots = files_of(place, name, repetition == options.repeat - 1)
        shutil.rmtree(place)
    stacks = verify(script, bare, prepared) if options.verify else None
    report(name, same, len(snapshots), bare.seconds, seconds / options.repeat, stacks, varies)


def report(name, same, snapshots, bare, recorded, stacks, varies):
    if options.table:
        cells = (name, f"{same} of {options.repeat}", f"{snapshots:,}", f"{bare:.1f}", f"{recorded:.1f}",
                 "-" if stacks is None else f"{stacks:,}", ", ".join(varies) or "-")
        print("| " + " | ".join(cells) + " |", flush=True)
        return
    print(f"{name}: {same} of {options.repeat} the same, {snapshots} snapshots, {bare:.1f} s bare, {recorded:.1f} s recorded"
          + (f", {stacks} stacks verified" if stacks is not None else "")
          + (f"; not compared: {', '.join(varies)}" if varies else ""), flush=True)


def prepare(script, directory):
    """What the program starts, in a directory; None if it cannot be made."""
    source = script.with_suffix(".prepare.sh")
    place = directory / script.stem
    place.mkdir()
    if source.exists():
        done = subprocess.run(["/bin/sh", source], cwd=place, env=environment(place, place), stdin=subprocess.DEVNULL,
                              capture_output=True, check=False)
        if done.returncode:
            print(f"skipped: {script.stem}: {shown(done.stderr)}", flush=True)
            return None
    place.chmod(0o755)
    return place


def main():
    global options
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--snapdiff", required=True)
    parser.add_argument("--repeat", type=int, default=10)
    parser.add_argument("--options", default="--every 1s --at-peak 16MiB")
    parser.add_argument("--verify", type=int, default=0)
    parser.add_argument("--table", action="store_true")
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    options.snapdiff = os.path.abspath(options.snapdiff)
    scripts = {path.stem: path for path in sorted(REAL.glob("*.sh")) if not path.stem.endswith(".prepare")}
    for name in set(options.names) - set(scripts):
        parser.error(f"there is no {name}; there are {', '.join(scripts)}")
    with tempfile.TemporaryDirectory(prefix="snap-real-", ignore_cleanup_errors=True) as directory:
        os.chmod(directory, 0o755)
        for name in options.names or scripts:
            lacking = missing(scripts[name])
            if lacking:
                print(f"skipped: {name}: there is no {', '.join(lacking)}", flush=True)
                continue
            prepared = prepare(scripts[name], pathlib.Path(directory))
            if prepared:
                one_program(scripts[name], prepared)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
