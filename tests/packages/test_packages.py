"""The packages of a build: what is in them, what they need, and that the tarball works wherever it is unpacked.

usage: test_packages.py BUILD_DIR
"""
import glob
import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

BUILD = ""


def run(*argv, **more):
    return subprocess.run(argv, capture_output=True, text=True, check=False, timeout=1200, **more)


def make(directory, generator):
    done = run("cpack", "--config", os.path.join(BUILD, "CPackConfig.cmake"), "-G", generator, "-B", directory)
    if done.returncode:
        raise RuntimeError(done.stdout + done.stderr)


class Packages(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.directory = tempfile.mkdtemp(prefix="snapdiff-packages-")
        cls.addClassCleanup(shutil.rmtree, cls.directory)

    def package(self, name):
        found = glob.glob(os.path.join(self.directory, name + "_*.deb"))
        self.assertEqual(len(found), 1, os.listdir(self.directory))
        return found[0]

    def field(self, name, field):
        return run("dpkg-deb", "-f", self.package(name), field).stdout.strip()

    def files(self, name):
        lines = run("dpkg-deb", "-c", self.package(name)).stdout.splitlines()
        return {line.split()[5].lstrip(".") for line in lines if not line.startswith("d")}

    @unittest.skipUnless(shutil.which("dpkg-shlibdeps"), "dpkg-dev is not installed")
    def test_debian_packages_share_the_files_among_them_and_name_what_they_need(self):
        make(self.directory, "DEB")
        names = ("snapdiff", "libsnap0", "libsnap-dev", "python3-snapdiff")
        prefix = os.path.join(self.directory, "prefix")
        self.assertEqual(run("cmake", "--install", BUILD, "--prefix", prefix).returncode, 0)
        installed = {os.path.join(at, file).replace(prefix, "/usr", 1)
                     for at, _, files in os.walk(prefix) for file in files}
        packaged = [self.files(name) for name in names]
        self.assertEqual(sorted(file for files in packaged for file in files), sorted(installed))
        self.assertIn("/usr/bin/snapdiff", packaged[0])
        self.assertTrue(all(".so.0" in file for file in packaged[1]), packaged[1])
        self.assertIn("/usr/include/snap/snap.h", packaged[2])
        self.assertIn("/usr/lib/python3/dist-packages/snapdiff/py.typed", packaged[3])
        version = self.field("snapdiff", "Version")
        self.assertIn(f"libsnap0 (= {version})", self.field("snapdiff", "Depends"))
        self.assertIn("libsqlite3-0", self.field("snapdiff", "Depends"))
        self.assertIn("libc6 (>= ", self.field("libsnap0", "Depends"))
        self.assertEqual(self.field("libsnap-dev", "Depends"), f"libsnap0 (= {version})")
        self.assertEqual(self.field("python3-snapdiff", "Architecture"), "all")

    def test_the_tarball_works_wherever_it_is_unpacked(self):
        make(self.directory, "TGZ")
        (tarball,) = glob.glob(os.path.join(self.directory, "*.tar.gz"))
        place = os.path.join(self.directory, "a place")
        os.mkdir(place)
        self.assertEqual(run("tar", "xzf", tarball, "-C", place).returncode, 0)
        (top,) = os.listdir(place)
        self.assertEqual(top, os.path.basename(tarball)[:-len(".tar.gz")])
        snapdiff = os.path.join(place, top, "bin", "snapdiff")
        snaps = os.path.join(self.directory, "snaps")
        done = run(snapdiff, "run", "-q", "-o", snaps, "--", "/bin/sh", "-c", "exit 3")
        self.assertEqual((done.returncode, done.stderr), (3, ""))
        report = json.loads(run(snapdiff, "top", "-f", "json", snaps).stdout)
        self.assertGreater(report["totals"]["live_blocks"], 0)


if __name__ == "__main__":
    BUILD = os.path.abspath(sys.argv.pop(1))
    unittest.main()
