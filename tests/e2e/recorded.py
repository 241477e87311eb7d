"""Programs that are built and recorded for one test, and what snapdiff says of them."""
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest


class Answer:
    def __init__(self, done):
        self.out, self.err, self.code = done.stdout, done.stderr, done.returncode


class RecordedTest(unittest.TestCase):
    snapdiff_path = None  # of the snapdiff to test
    compiled = {}  # programs: a test that wants the same one gets a copy

    def setUp(self):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="snap-e2e-"))
        self.addCleanup(shutil.rmtree, self.dir)
        (self.dir / "home").mkdir()

    def snapdiff(self, *arguments):
        env = {"PATH": os.environ.get("PATH", ""), "HOME": str(self.dir / "home"), "LC_ALL": "C.UTF-8",
               "TERM": "dumb", "COLUMNS": "160"}
        return Answer(subprocess.run([self.snapdiff_path, *map(str, arguments)], cwd=self.dir, env=env, text=True,
                                     capture_output=True, timeout=1200, check=False))

    def compile(self, name, source, options=("-g", "-O1"), language="c"):
        path, file = self.dir / name, "source." + language
        path.parent.mkdir(exist_ok=True)
        (self.dir / file).write_text(source)
        key = source, options, language
        if key in self.compiled:
            path.write_bytes(self.compiled[key])
            path.chmod(0o755)
            return path
        subprocess.run(["cc" if language == "c" else "c++", *options, "-fno-optimize-sibling-calls",
                        "-Wl,--build-id", file, "-o", path], cwd=self.dir, check=True)
        self.compiled[key] = path.read_bytes()
        return path

    def record(self, name, path, count, *options):
        """The newest snapshot of a run."""
        done = self.snapdiff("run", "-q", "-o", name, *options, "--", path, count)
        self.assertEqual(done.code, 0, done.err)
        return sorted((self.dir / name).glob("*.snap"))[-1].relative_to(self.dir)

    def compare(self, *arguments, code=0):
        answer = self.snapdiff("compare", *arguments)
        self.assertEqual(answer.code, code, answer.err)
        return answer
