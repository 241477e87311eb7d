#!/usr/bin/env python3
"""What `check` writes for other programs is what those programs read.

schemas.py SNAPDIFF DATA

The demands of SARIF 2.1.0 (sections 3.13, 3.14, 3.20, 3.27, 3.28, 3.58), of the JUnit schema that Jenkins publishes and of GitLab's
code quality report are written down below, as far as our documents use them.  GitLab publishes no schema as a file: the fields are those
that its manual ("Code Quality", section "Code Quality report format") requires of each object, and no other is read.  With SNAPDIFF_SCHEMAS=DIR the published
files themselves are used as well: DIR/sarif-schema-2.1.0.json (OASIS; needs Python's jsonschema) and
DIR/jenkins-junit.xsd (needs xmllint).
"""
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree as ElementTree

SNAPDIFF, DATA = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve()
POLICY = ("--max-site", "0", "--min-delta", "0", "--max-new-sites", "0", "--max-total", "+1%")
PUBLISHED = pathlib.Path(os.environ.get("SNAPDIFF_SCHEMAS", "/nonexistent"))


def check(new, form, **env):
    """What the gate prints for a snapshot that has findings.  In a GitLab job it also writes a file into the current directory."""
    bare = {name: value for name, value in os.environ.items() if not name.startswith(("GITHUB_", "CI_", "GITLAB"))}
    with tempfile.TemporaryDirectory() as directory:
        done = subprocess.run([SNAPDIFF, "check", DATA / new, "--baseline", DATA / "before.txt", *POLICY, "-f", form],
                              capture_output=True, text=True, check=False, env={**bare, **env}, cwd=directory)
        assert done.returncode == 1, done.stderr
        left = {path.name: path.read_text() for path in pathlib.Path(directory).iterdir()}
        assert left == ({"gl-code-quality-report.json": done.stdout} if form == "gitlab" and "GITLAB_CI" in env else {}), left.keys()
    return done.stdout


class Schemas(unittest.TestCase):
    inputs = ("after.txt", "hostile.txt", "many.txt")

    def test_sarif(self):
        for new in self.inputs:
            text = check(new, "sarif")
            log = json.loads(text)
            self.assertEqual(log["version"], "2.1.0")
            self.assertRegex(log["$schema"], r"sarif.*2\.1\.0.*\.json$")
            (run,) = log["runs"]
            driver = run["tool"]["driver"]
            rules = [rule["id"] for rule in driver["rules"]]
            self.assertEqual(len(rules), len(set(rules)))
            self.assertTrue(driver["name"] and run["results"])
            for result in run["results"]:
                self.assertIn(result["level"], ("none", "note", "warning", "error"))
                self.assertTrue(result["message"]["text"])
                self.assertIn(result["ruleId"], rules)
                if "ruleIndex" in result:
                    self.assertEqual(rules[result["ruleIndex"]], result["ruleId"])
                self.assertTrue(result["partialFingerprints"])
                self.assertTrue(all(isinstance(value, str) for value in result["partialFingerprints"].values()))
                self.assertTrue(result["locations"], "GitHub refuses a result that is nowhere")
                for location in result["locations"]:
                    physical = location.get("physicalLocation", {})
                    region = physical.get("region", {})
                    self.assertGreaterEqual(region.get("startLine", 1), 1)
                    uri = physical.get("artifactLocation", {}).get("uri", "a")
                    self.assertRegex(uri, r"^[!-~]+$", "a URI is printable ASCII")
            for invocation in run.get("invocations", []):
                self.assertIsInstance(invocation["executionSuccessful"], bool)
                for note in invocation["toolExecutionNotifications"]:
                    self.assertTrue(note["message"]["text"])
                    self.assertIn(note["level"], ("none", "note", "warning", "error"))
            self.validate_sarif(log)

    def validate_sarif(self, log):
        schema = PUBLISHED / "sarif-schema-2.1.0.json"
        if schema.exists():
            import jsonschema
            jsonschema.validate(log, json.loads(schema.read_text()))

    def test_junit(self):
        attributes = {"testsuite": {"name", "tests", "failures", "errors", "skipped", "time", "timestamp", "hostname"},
                      "testcase": {"name", "classname", "time", "status", "assertions"},
                      "failure": {"type", "message"}, "skipped": set(), "system-out": set(), "testsuites": set()}
        order = ["skipped", "error", "failure", "system-out", "system-err"]
        for new in self.inputs:
            text = check(new, "junit")
            root = ElementTree.fromstring(text)
            self.assertEqual(root.tag, "testsuites")
            for element in root.iter():
                self.assertLessEqual(set(element.attrib), attributes[element.tag], element.tag)
            for suite in root:
                cases = suite.findall("testcase")
                self.assertEqual(int(suite.get("tests")), len(cases))
                self.assertEqual(int(suite.get("failures")), len([case for case in cases if case.find("failure") is not None]))
            for case in root.iter("testcase"):
                places = [order.index(child.tag) for child in case]
                self.assertEqual(places, sorted(places), "children in the schema's order")
            schema = PUBLISHED / "jenkins-junit.xsd"
            if schema.exists() and shutil.which("xmllint"):
                done = subprocess.run(["xmllint", "--noout", "--schema", schema, "-"], input=text, text=True,
                                      capture_output=True, check=False)
                self.assertEqual(done.returncode, 0, done.stderr)

    def test_gitlab(self):
        for new in self.inputs:
            text = check(new, "gitlab")
            self.assertEqual(text[0], "[", "one array, and no byte order mark in front of it")
            findings = json.loads(text)
            self.assertTrue(findings)
            for finding in findings:
                self.assertEqual(set(finding), {"description", "check_name", "fingerprint", "severity", "location"})
                self.assertTrue(all(isinstance(finding[key], str) for key in finding if key != "location"))
                self.assertEqual((set(finding["location"]), set(finding["location"]["lines"])), ({"path", "lines"}, {"begin"}))
                self.assertIsInstance(finding["location"]["lines"]["begin"], int)
                self.assertIn(finding["severity"], ("info", "minor", "major", "critical", "blocker"))
                self.assertTrue(finding["description"] and finding["check_name"])
                self.assertRegex(finding["fingerprint"], r"^[0-9a-f]{16,}$")
                self.assertFalse(finding["location"]["path"].startswith(("./", "/")), "relative to the repository")
                self.assertGreaterEqual(finding["location"]["lines"]["begin"], 1)
            self.assertEqual(len({finding["fingerprint"] for finding in findings}), len(findings))

    def test_findings_without_a_file_stand_where_the_limit_does(self):
        (whole,) = [finding for finding in json.loads(check("after.txt", "gitlab", GITLAB_CI="true", CI_CONFIG_PATH="ci/gate.yml"))
                    if finding["check_name"] == "max-total"]
        self.assertEqual(whole["location"]["path"], "ci/gate.yml")
        log = json.loads(check("after.txt", "sarif", GITHUB_WORKFLOW_REF="us/app/.github/workflows/memory.yml@refs/heads/main"))
        (whole,) = [result for result in log["runs"][0]["results"] if result["ruleId"] == "max-total"]
        self.assertEqual(whole["locations"][0]["physicalLocation"]["artifactLocation"]["uri"], ".github/workflows/memory.yml")

    def test_github_annotations_keep_their_limits(self):
        for new in self.inputs:
            lines = [line for line in check(new, "github").splitlines() if line.startswith("::")]
            self.assertTrue(0 < len(lines) <= 10, "GitHub shows ten of a kind in a step")
            for line in lines:
                self.assertTrue(re.match(r"^::(error|warning|notice)( \w+=[^,:\n]*(,\w+=[^,:\n]*)*)?::.", line), line)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
