#!/usr/bin/env python3
"""The workflow files of docs/ci.md for GitHub and GitLab, and its examples for ctest and Meson, run for real.

usage: workflows.py SOURCE_DIR BUILD_DIR

A small project in a directory whose name has spaces goes through the workflows as its main branch, as a pull request that
changes nothing, and as pull requests that leak or hold more.  The scripts are run word by word.  What stands in for something else:
actions (checkout, cache, upload) are functions below; apt-get only says whether the packages are installed here.
"""
import glob
import json
import os
import pathlib
import re
import shutil
import stat
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree as ElementTree

try:
    import yaml
except ImportError:
    print("skipped: python3-yaml is not installed")
    sys.exit(77)

SOURCE, BUILD = (pathlib.Path(path).resolve() for path in sys.argv[1:3])
PAGE = (SOURCE / "docs" / "ci.md").read_text()

SOAK = """#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *table;

static char *parse(const char *line)
{
	char *copy = malloc(100);

	return strcpy(copy, line);
}

static void serve(int number)
{
	char *line = parse("hello");

	if (!LEAKS || number % 3)
		free(line);
}

int main(void)
{
	table = malloc(TABLE);
	for (int i = 0; i < 300; i++)
		serve(i);
	printf("served %d, %p\\n", 300, (void *)table);
	return 0;
}
"""
CMAKE = """cmake_minimum_required(VERSION 3.18)
project(app C)
add_executable(soak soak.c)
"""
LEAK_LINE = SOAK.splitlines().index("	char *copy = malloc(100);") + 1
TABLE_LINE = SOAK.splitlines().index("	table = malloc(TABLE);") + 1

APT = """#!/bin/sh
# Stands in for apt-get: nothing is changed, but what is asked for must be a package that is installed.
[ "$1" = install ] || exit 0
shift
for package; do
	case $package in
	-*) continue ;;
	esac
	dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q '^install ok installed' || {
		echo "not installed here: $package" >&2
		echo "$package" >>"$MISSING"
	}
done
"""


def block(title):
    """The block of docs/ci.md whose first line is a comment with this name."""
    found = re.search(rf"^```\w+\n(# {re.escape(title)}\n.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    if not found:
        raise AssertionError(f"docs/ci.md has no block that begins with '# {title}'")
    return found.group(1)


def run(*argv, **more):
    return subprocess.run(argv, capture_output=True, text=True, check=False, timeout=1200, **more)


class Project:
    """A checkout of the project, with what the workflow's machine has."""

    def __init__(self, case, leaks=0, table=4000, name="my app"):
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="snapdiff-gate-"))
        case.addCleanup(shutil.rmtree, self.home)
        self.directory = self.home / name
        self.directory.mkdir()
        self.write("CMakeLists.txt", CMAKE)
        self.write("soak.c", SOAK.replace("LEAKS", str(leaks)).replace("TABLE", str(table)))
        commands = self.home / "commands"
        commands.mkdir()
        (commands / "apt-get").write_text(APT)
        (commands / "apt-get").chmod(stat.S_IRWXU)
        self.env = {name: value for name, value in os.environ.items()
                    if not name.startswith(("SNAP_", "GITHUB_", "CI_", "GITLAB"))}
        self.env.update(PATH=f"{commands}:{os.environ['PATH']}", MISSING=str(self.home / "missing"),
                        SNAPDIFF_URL="file://" + Gate.tarball)

    def write(self, name, text):
        (self.directory / name).write_text(text)

    def missing(self):
        """Packages that the workflow installs and this machine has not got."""
        path = pathlib.Path(self.env["MISSING"])
        return path.read_text().split() if path.exists() else []


class GitHub(Project):
    """Runs the steps of a job as GitHub's runner does, as far as the workflow uses it."""

    def __init__(self, case, event, cache, **program):
        super().__init__(case, **program)
        del self.env["SNAPDIFF_URL"]  # the step has it from a variable of the repository
        self.event, self.cache, self.failed, self.uploaded, self.log = event, cache, False, None, ""
        for name in ("temp", "path", "summary"):
            (self.home / name).touch() if name != "temp" else (self.home / name).mkdir()
        self.env.update(GITHUB_ACTIONS="true", GITHUB_EVENT_NAME=event, RUNNER_TEMP=str(self.home / "temp"),
                        GITHUB_PATH=str(self.home / "path"), GITHUB_STEP_SUMMARY=str(self.home / "summary"),
                        GITHUB_WORKSPACE=str(self.directory),
                        GITHUB_WORKFLOW_REF="us/app/.github/workflows/memory.yml@refs/heads/main")

    def expand(self, text):
        values = {"vars.SNAPDIFF_URL": "file://" + Gate.tarball, "github.sha": "c0ffee",
                  "github.event.pull_request.base.sha": "c0ffee"}
        return re.sub(r"\$\{\{ ([\w.]+) \}\}", lambda match: values[match.group(1)], text)

    def is_on(self, condition):
        met = {None: not self.failed, "always()": True,
               "github.event_name == 'push'": not self.failed and self.event == "push",
               "github.event_name == 'pull_request'": not self.failed and self.event == "pull_request"}
        return met[condition]

    def use(self, action, options):
        cached = self.cache / self.expand(options.get("key", ""))
        if action == "actions/cache/restore" and cached.exists():
            shutil.copytree(cached, self.directory / options["path"])
        elif action == "actions/cache/save":
            shutil.copytree(self.directory / options["path"], cached)
        elif action == "github/codeql-action/upload-sarif":
            self.uploaded = json.loads((self.directory / options["sarif_file"]).read_text())
        else:
            assert action in ("actions/checkout", "actions/cache/restore"), action

    def script(self, step):
        done = run("bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"], cwd=self.directory,
                   env={**self.env, **{name: self.expand(value) for name, value in step.get("env", {}).items()}})
        self.log += done.stdout + done.stderr
        self.failed |= done.returncode != 0
        added = (self.home / "path").read_text().split("\n")
        self.env["PATH"] = ":".join([line for line in added if line] + [self.env["PATH"]])
        (self.home / "path").write_text("")
        return done

    def go(self):
        workflow = yaml.safe_load(block(".github/workflows/memory.yml"))
        assert workflow["defaults"]["run"]["shell"] == "bash" and self.event in workflow[True]
        gate = None
        (job,) = workflow["jobs"].values()
        for step in job["steps"]:
            if not self.is_on(step.get("if")):
                continue
            if "uses" in step:
                self.use(step["uses"].split("@")[0], step.get("with", {}))
            elif step["name"] == "gate":
                gate = self.script(step)
            else:
                self.script(step)
        return gate


@unittest.skipUnless(shutil.which("curl") and shutil.which("cmake"), "curl or cmake is not installed")
class Gate(unittest.TestCase):
    tarball = ""

    @classmethod
    def setUpClass(cls):
        directory = tempfile.mkdtemp(prefix="snapdiff-gate-")
        cls.addClassCleanup(shutil.rmtree, directory)
        done = run("cpack", "--config", BUILD / "CPackConfig.cmake", "-G", "TGZ", "-B", directory)
        (cls.tarball,) = glob.glob(os.path.join(directory, "*.tar.gz"))
        if done.returncode:
            raise RuntimeError(done.stdout + done.stderr)

    def finish(self, project, gate):
        """The gate's exit status; a machine that lacks one of the packages cannot say anything."""
        if project.missing():
            self.skipTest("the workflow installs what is not installed here: " + " ".join(project.missing()))
        self.assertIsNotNone(gate, getattr(project, "log", ""))
        return gate.returncode

    def github(self, event, cache, **program):
        project = GitHub(self, event, cache, **program)
        gate = project.go()
        return project, gate, self.finish(project, gate)

    def test_github(self):
        cache = pathlib.Path(tempfile.mkdtemp(prefix="snapdiff-cache-"))
        self.addCleanup(shutil.rmtree, cache)
        main, gate, status = self.github("push", cache)
        self.assertEqual((status, main.failed), (0, False), main.log)
        self.assertEqual(len(list((cache / "memory-c0ffee").glob("*.snap"))), 5)

        same, gate, status = self.github("pull_request", cache)
        self.assertEqual((status, same.failed), (0, False), same.log)
        self.assertNotIn("::error", gate.stdout)
        self.assertEqual(same.uploaded["runs"][0]["results"], [])
        self.assertIn("check passed: 2 rules", (same.home / "summary").read_text())

        leaking, gate, status = self.github("pull_request", cache, leaks=1)
        self.assertEqual((status, leaking.failed), (1, True), leaking.log)
        self.assertIn(f"::error file=soak.c,line={LEAK_LINE},", gate.stdout)
        self.assertIn("parse", (leaking.home / "summary").read_text())
        (result,) = leaking.uploaded["runs"][0]["results"]
        place = result["locations"][0]["physicalLocation"]
        self.assertEqual((place["artifactLocation"]["uri"], place["region"]["startLine"]), ("soak.c", LEAK_LINE))

        larger, gate, status = self.github("pull_request", cache, table=200000)
        self.assertEqual(status, 1, larger.log)
        self.assertIn(f"::error file=soak.c,line={TABLE_LINE},title=max-site::", gate.stdout)

        alone, gate, status = self.github("pull_request", cache / "empty")
        self.assertEqual((status, alone.failed), (0, False), alone.log)

    def gitlab(self, baseline, **program):
        project = Project(self, **program)
        project.env.update(GITLAB_CI="true", CI_PROJECT_DIR=str(project.directory), CI_CONFIG_PATH=".gitlab-ci.yml")
        if baseline:
            project.write("memory.txt", baseline)
        (job,) = yaml.safe_load(block(".gitlab-ci.yml")).values()
        done = run("bash", "-e", "-c", "\n".join(job["script"]), cwd=project.directory, env=project.env)
        for name in job["artifacts"]["reports"].values():
            self.assertTrue((project.directory / name).exists(), (name, done.stdout, done.stderr))
        return project, done, self.finish(project, done)

    def baseline(self):
        """What the command in the sentence of docs/ci.md writes, in a project of its own."""
        project = Project(self)
        command = re.search(r"`(snapdiff check --run 5 --write-baseline memory.txt -- build/soak)`", PAGE).group(1)
        done = run("bash", "-ec", f"cmake -B build -DCMAKE_BUILD_TYPE=RelWithDebInfo && cmake --build build && {command}",
                   cwd=project.directory, env={**project.env, "PATH": f"{BUILD}/bin:{project.env['PATH']}"})
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return (project.directory / "memory.txt").read_text()

    def test_gitlab(self):
        baseline = self.baseline()
        self.assertNotIn("0x", baseline)
        clean, done, status = self.gitlab(baseline)
        self.assertEqual(status, 0, done.stdout + done.stderr)
        self.assertEqual(json.loads((clean.directory / "gl-code-quality-report.json").read_text()), [])
        leaking, done, status = self.gitlab(baseline, leaks=1)
        self.assertEqual(status, 1, done.stdout + done.stderr)
        (finding,) = json.loads((leaking.directory / "gl-code-quality-report.json").read_text())
        self.assertEqual(finding["location"], {"path": "soak.c", "lines": {"begin": LEAK_LINE}})
        self.assertIn("parse", finding["description"])
        cases = ElementTree.parse(leaking.directory / "memory.xml").getroot().iter("testcase")
        self.assertEqual({case.get("name"): case.find("failure") is not None for case in cases},
                         {"max-site": False, "fail-on": True})

    def run_under(self, file, commands, leaks):
        project = Project(self, leaks=leaks)
        project.write(file, block(file))
        return run("bash", "-ec", commands, cwd=project.directory,
                   env={**project.env, "PATH": f"{BUILD}/bin:{project.env['PATH']}"})

    def test_ctest(self):
        commands = "cmake -B build -DCMAKE_BUILD_TYPE=RelWithDebInfo && cmake --build build && " \
                   "ctest --test-dir build --output-on-failure"
        clean = self.run_under("CMakeLists.txt", commands, leaks=0)
        # One block that every run leaves is no leak for sure: nothing else may be open.
        self.assertEqual(clean.returncode, 0, clean.stdout + clean.stderr)
        self.assertIn("100% tests passed, 0 tests failed out of 1", clean.stdout)
        self.assertNotIn("Skipped", clean.stdout)
        leaking = self.run_under("CMakeLists.txt", commands, leaks=1)
        self.assertNotEqual(leaking.returncode, 0)
        self.assertIn("check FAILED: 1 finding", leaking.stdout)

    @unittest.skipUnless(shutil.which("meson") and shutil.which("ninja"), "meson is not installed")
    def test_meson(self):
        commands = "meson setup build && meson test -C build --print-errorlogs"
        clean = self.run_under("meson.build", commands, leaks=0)
        self.assertEqual(clean.returncode, 0, clean.stdout + clean.stderr)
        leaking = self.run_under("meson.build", commands, leaks=1)
        self.assertNotEqual(leaking.returncode, 0)
        self.assertIn("check FAILED: 1 finding", leaking.stdout)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
