"""A shell that is recorded remembers which programs may load libsnap.  A program that changes under its name, in place or by
another file, must be looked at again.

usage: replaced.py SNAPDIFF
"""
import pathlib
import subprocess
import sys
import tempfile

SCRIPT = r"""
cd "$1"
cp dynamic p; ./p; ./p            # recorded
cat fixed > p; ./p                # the same file, changed
rm p; cp dynamic p; ./p; ./p      # recorded
mv fixed p; ./p                   # another file
"""


def main():
    snapdiff = sys.argv[1]
    with tempfile.TemporaryDirectory() as name:
        home = pathlib.Path(name)
        (home / "p.c").write_text("int main(void) { return 0; }\n")
        subprocess.run(["gcc", "-o", home / "dynamic", home / "p.c"], check=True)
        subprocess.run(["gcc", "-static", "-o", home / "fixed", home / "p.c"], check=True)
        done = subprocess.run([snapdiff, "run", "-v", "-o", home / "out", "--", "sh", "-c", SCRIPT, "sh", name],
                              capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done
        assert "snapdiff: not recorded: p (2 times, statically linked)" in done.stderr.splitlines(), done.stderr
        assert len(list((home / "out").glob("p.*.snap"))) == 4, list((home / "out").iterdir())
    print("replaced: passed")


main()
