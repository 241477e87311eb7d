"""An installation below awkward names: it records, programs link with it and start, and it goes without a trace.

usage: test_install.py BUILD_DIR
"""
import glob
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

BUILD = ""

PROGRAM = """#include <snap/snap.h>
#include <stdio.h>
#include <stdlib.h>
static void *volatile kept;
int main(void)
{
	enum snap_status st = snap_start(NULL);
	kept = malloc(12345);
	if (st == SNAP_OK)
		st = snap_take("here");
	puts(snap_status_name(st));
	return st != SNAP_OK;
}
"""


def run(*argv, **more):
    return subprocess.run(argv, capture_output=True, text=True, check=False, timeout=1200, **more)


def links_of(library):
    """Links that `run` made because LD_PRELOAD cannot hold the path of this library."""
    return [link for link in glob.glob("/tmp/snapdiff-*/libsnap.so") if leads_to(link).startswith(library)]


def leads_to(link):
    try:
        return os.readlink(link)
    except OSError:  # it was another program's, and is gone
        return ""


class Installed(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.root = temporary.name
        self.out = os.path.join(self.root, "snaps")

    def install(self, name):
        prefix = os.path.join(self.root, name)
        done = run("cmake", "--install", BUILD, "--prefix", prefix)
        self.assertEqual(done.returncode, 0, done.stderr)
        return prefix

    def forget_links(self, prefix):
        for link in links_of(prefix):
            shutil.rmtree(os.path.dirname(link))

    def records(self, prefix, out):
        snapdiff = os.path.join(prefix, "bin", "snapdiff")
        done = run(snapdiff, "run", "-q", "-o", out, "--", "/bin/sh", "-c", "exit 3")
        self.assertEqual((done.returncode, done.stderr), (3, ""), prefix)
        self.assertEqual(len(os.listdir(out)), 1, prefix)

    def test_programs_are_recorded_from_any_prefix_into_any_directory(self):
        for name in ("plain", "with blank", "with:colon", "with$ORIGIN", "größer ü", "tab\there"):
            prefix = self.install(name)
            self.addCleanup(self.forget_links, prefix)
            self.records(prefix, os.path.join(self.root, "out of " + name))

    def test_the_link_is_made_once_and_not_in_a_directory_that_others_can_write(self):
        prefix = self.install("with blank")
        self.addCleanup(self.forget_links, prefix)
        self.records(prefix, self.out)
        links = links_of(prefix)
        self.assertEqual(len(links), 1)
        self.assertEqual(os.stat(os.path.dirname(links[0])).st_mode & 0o022, 0)
        self.records(prefix, self.out + "2")
        self.assertEqual(links_of(prefix), links)
        os.chmod(os.path.dirname(links[0]), 0o777)
        self.records(prefix, self.out + "3")
        elsewhere = glob.glob("/var/tmp/" + os.path.basename(os.path.dirname(links[0])))
        self.assertEqual(len(elsewhere), 1, "a directory that others can write was used")
        shutil.rmtree(elsewhere[0])

    def test_a_library_that_is_not_there_is_said_with_the_places(self):
        prefix = self.install("plain")
        for file in glob.glob(os.path.join(prefix, "lib*", "**", "libsnap.so*"), recursive=True):
            os.unlink(file)
        done = run(os.path.join(prefix, "bin", "snapdiff"), "run", "-o", self.out, "--", "true")
        self.assertEqual(done.returncode, 125)
        self.assertIn("libsnap.so is not beside", done.stderr)
        places = done.stderr.split("(looked in ")[1].split(")")[0].split(" and ")
        self.assertEqual(len(set(places)), len(places), done.stderr)

    def test_a_program_linked_by_way_of_pkg_config_starts(self):
        if not shutil.which("pkg-config") or not shutil.which("cc"):
            self.skipTest("no pkg-config or no compiler")
        prefix = self.install("with blank")
        packages = os.path.dirname(glob.glob(os.path.join(prefix, "**", "libsnap.pc"), recursive=True)[0])
        source, program = os.path.join(self.root, "own.c"), os.path.join(self.root, "own")
        with open(source, "w", encoding="utf-8") as file:
            file.write(PROGRAM)
        done = run("sh", "-c", f"eval cc -o '{program}' '{source}' $(pkg-config --cflags --libs libsnap)",
                   env=dict(os.environ, PKG_CONFIG_PATH=packages))
        self.assertEqual(done.returncode, 0, done.stderr)
        env = {k: v for k, v in os.environ.items() if k != "LD_LIBRARY_PATH"}
        done = run(program, env=dict(env, SNAP_OUT=self.out))
        self.assertEqual((done.returncode, done.stdout), (0, "ok\n"), done.stderr)
        self.assertTrue(glob.glob(self.out + "/own.*.snap"))

    def test_the_licence_the_manual_and_completion_are_there(self):
        prefix = self.install("plain")
        for place in ("share/doc/snapdiff/LICENSE", "share/man/man1/snapdiff-run.1",
                      "share/bash-completion/completions/snapdiff"):
            self.assertTrue(os.path.getsize(os.path.join(prefix, place)) > 0, place)
        script = os.path.join(prefix, "share/bash-completion/completions/snapdiff")
        # Bash makes a word of its own of each `=`; zsh, whose words end at blanks, does not.
        for words, completed in (("snapdiff gro", "growth"), ("snapdiff check --also jun", "junit="), ("snapdiff check --also = jun", "junit="),
                                 ("snapdiff check --also junit = lib", ""), ("snapdiff check --also=jun", "--also=junit="),
                                 ("snapdiff check --also junit=lib", "junit=lib"), ("snapdiff check --also=junit=lib", "--also=junit=lib"),
                                 ("snapdiff top -f js", "json jsonl")):
            done = run("bash", "-c", 'source "$0" && cd "$1" && COMP_WORDS=($2) && COMP_CWORD=$((${#COMP_WORDS[@]} - 1)) && _snapdiff; '
                       'echo "${COMPREPLY[@]}"', script, prefix, words)
            self.assertEqual(done.stdout, completed + "\n", (words, done.stderr))

    def test_uninstalling_leaves_nothing_of_ours(self):
        prefix = self.install("größer with:blank ü")
        foreign = os.path.join(prefix, "lib", "foreign.so")
        os.makedirs(os.path.dirname(foreign), exist_ok=True)
        with open(foreign, "w", encoding="ascii"):
            pass
        done = run("cmake", "--build", BUILD, "--target", "uninstall")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        left = [os.path.join(where, name) for where, _, names in os.walk(prefix) for name in names]
        self.assertEqual(left, [foreign])
        self.assertFalse(os.path.exists(os.path.join(prefix, "include", "snap")))


if __name__ == "__main__":
    BUILD = os.path.abspath(sys.argv.pop(1))
    unittest.main()
