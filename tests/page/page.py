#!/usr/bin/env python3
"""The HTML page in a real browser: headless Chromium, driven by WebDriver.

  - numbers in the page equal the JSON report;
  - zoom, search and inversion do what they say, checked on the boxes that are drawn;
  - charts have the right axes, marks and survivors by birth;
  - a page of hostile names runs nothing, and changes nothing outside of its text;
  - no errors on the console; the data can be read without DecompressionStream;
  - the page without scripts shows the summary and rows, also in viewers of CI artifacts that forbid scripts and styles;
  - what is drawn stands out: text by 4.5 to 1, lines of charts by 3 to 1.

Screenshots at three widths stay in the output directory.

usage: page.py SNAPDIFF TESTDATA OUTPUT_DIR [--times]
  --times   print how long building, searching and laying out take at 1,000, 10,000 and 100,000 stacks
"""

import base64
import http.server
import json
import pathlib
import random
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

SKIPPED = 77


class Browser:
    """A session of chromedriver."""

    def __init__(self, scratch):
        self.driver = subprocess.Popen(["chromedriver", "--port=0"], stdout=subprocess.PIPE,
                                       stderr=subprocess.DEVNULL, text=True)
        port = None
        for line in self.driver.stdout:
            if "started successfully on port" in line and line.rstrip(".\n").split()[-1].isdigit():
                port = line.rstrip(".\n").split()[-1]
                break
        assert port, "chromedriver did not start"
        self.base = f"http://127.0.0.1:{port}"
        arguments = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
                     "--disable-background-networking", "--disable-component-update", "--disable-sync",
                     f"--user-data-dir={scratch}/profile"]
        capabilities = {"alwaysMatch": {
            "goog:loggingPrefs": {"browser": "ALL"},
            "goog:chromeOptions": {"args": arguments}}}
        self.session = self.call("POST", "/session", {"capabilities": capabilities})["sessionId"]

    def call(self, method, path, body=None):
        request = urllib.request.Request(
            self.base + path, method=method, data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json"})
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=300) as answer:
            return json.load(answer)["value"]

    def do(self, method, path, body=None):
        return self.call(method, f"/session/{self.session}{path}", body)

    def open(self, path, fragment=""):
        self.do("POST", "/url", {"url": "about:blank"})
        self.do("POST", "/url", {"url": f"file://{path}{fragment}"})
        while not self.run("return document.documentElement.dataset.ready === 'true' || "
                           "!document.getElementById('problem').hidden"):
            time.sleep(0.05)

    def run(self, script, *arguments):
        return self.do("POST", "/execute/sync", {"script": script, "args": list(arguments)})

    def resize(self, width, height):
        self.do("POST", "/window/rect", {"width": width, "height": height})

    def screenshot(self, path):
        path.write_bytes(base64.b64decode(self.do("GET", "/screenshot")))

    def errors(self):
        return [entry["message"] for entry in self.do("POST", "/se/log", {"type": "browser"})
                if entry["level"] in ("SEVERE", "ERROR")]

    def close(self):
        try:
            self.do("DELETE", "")
        finally:
            self.driver.kill()
            self.driver.wait()


def snapdiff_json(snapdiff, *arguments):
    result = subprocess.run([snapdiff, *arguments, "-f", "json", "--all"], capture_output=True, check=True)
    return json.loads(result.stdout)


def make_page(snapdiff, output, *names):
    subprocess.run([snapdiff, "report", "-q", "-o", output, *names], check=True)
    return output


def check(condition, what):
    if not condition:
        raise AssertionError(what)


def total(boxes, view_total, side):
    return sum(view_total[side][box["node"]] for box in boxes)


# What is drawn, without the arrays that are large.
STATE = """
const view = snapdiff.view(), boxes = snapdiff.boxes();
return {boxes, total: view.total.map((side) => Array.from(side)), weight: Array.from(view.weight),
        parent: Array.from(view.parent.subarray(0, view.count)), names: boxes.map((b) => b.node ? snapdiff.data().stacks.strings[
            snapdiff.data().stacks.frames[view.frame[b.node]][0]] : "all")};
"""


def check_figures(browser, snapdiff, page, command, names):
    """Rows and totals of the page are those of the JSON report."""
    match = [] if command == "top" else ["--match", "fuzzy"]
    report = snapdiff_json(snapdiff, command, *match, *names)
    browser.open(page)
    rows = browser.run("return snapdiff.data().rows")
    check(len(rows) == len(report["rows"]), f"{command}: {len(rows)} rows, JSON has {len(report['rows'])}")
    for ours, theirs in zip(rows, report["rows"]):
        for name, value in ours.items():
            if name not in ("next", "stack"):
                check(theirs.get(name) == value, f"{command}: {name} of {ours['key']}")
    root = browser.run("const t = snapdiff.view().total; return [t[0][0], t[1][0]]")
    if command == "compare":
        expected = [report["totals"]["old"]["live_bytes"], report["totals"]["new"]["live_bytes"]]
    elif command == "growth":
        expected = [report["totals"]["first_bytes"], report["totals"]["last_bytes"]]
    else:
        expected = [report["totals"]["live_bytes"]] * 2
    if command == "top":  # what is held is no increase
        figures = browser.run("return [...document.querySelectorAll('.card > p:first-of-type')].map((p) => p.textContent)")
        check(figures and not any(figure.startswith("+") for figure in figures), f"cards of one snapshot: {figures}")
    check(root == expected, f"{command}: the flame graph sums to {root}, the report to {expected}")
    check(not browser.errors(), f"{command}: errors on the console")


def check_geometry(browser):
    """Boxes lie inside their parents, side by side, as wide as their share."""
    state = browser.run(STATE)
    place = {box["node"]: box for box in state["boxes"]}
    width = place[0]["width"]
    for box in state["boxes"]:
        if box["node"] == 0:
            continue
        parent = place[state["parent"][box["node"]]]
        check(box["level"] == parent["level"] + 1, "a box is one level below its parent")
        check(box["x"] >= parent["x"] - 0.01 and
              box["x"] + box["width"] <= parent["x"] + parent["width"] + 0.01, "a box lies in its parent")
        share = state["weight"][box["node"]] / state["weight"][0]
        check(abs(box["width"] - share * width) < 0.01, "a box is as wide as its share")
    return state


def check_views(browser, page):
    """Zoom, search, inversion, only what changed."""
    browser.open(page)
    check_geometry(browser)
    # Zoomed, a node fills the width, and so do those around it.
    node = browser.run("return snapdiff.boxes().filter((b) => b.level === 3)[0].node")
    browser.run("snapdiff.zoomTo(arguments[0])", node)
    state = browser.run(STATE)
    wide = {box["node"]: box["width"] for box in state["boxes"]}
    check(wide[node] == wide[0], "the zoomed box is as wide as the page")
    browser.run("snapdiff.zoomTo(0)")
    # The matched share is that of the stacks with such a frame, worked out here from the data.
    found = browser.run("""
        snapdiff.state.query = arguments[0]; snapdiff.runSearch();
        const view = snapdiff.view(), s = snapdiff.data().stacks, place = [];
        let matched = 0, whole = 0;
        const test = (frame) => new RegExp(arguments[0]).test(s.strings[s.frames[frame][0]]);
        const under = [];
        s.depth.forEach((d, i) => under[i] = test(s.frame[i]) || d > 0 && under[s.parents[i]]);
        s.leaf.forEach((node, i) => {
            const w = Math.max(s.values.live_bytes[0][i], s.values.live_bytes[1][i]);
            whole += w;
            if (under[node]) matched += w;
        });
        return [document.getElementById("matched").textContent, matched / whole * 100];
    """, "session_open|build_rows")
    check(found[0].startswith(f"{found[1]:.1f} %"), f"the matched share: {found}")
    # Inverted, the outermost boxes are where stacks end, and the sum is the same.
    before = browser.run("return snapdiff.view().total[1][0]")
    ends = browser.run("""
        const s = snapdiff.data().stacks, ends = {};
        s.leaf.forEach((node, i) => {
            const name = s.strings[s.frames[s.frame[node]][0]];
            ends[name] = (ends[name] || 0) + s.values.live_bytes[1][i];
        });
        snapdiff.state.inverted = true; snapdiff.rebuild();
        return ends;
    """)
    state = browser.run(STATE)
    check(state["total"][1][0] == before, "inversion keeps the sum")
    for box, name in zip(state["boxes"], state["names"]):
        if box["level"] == 1:
            check(state["total"][1][box["node"]] <= ends[name], f"inverted: {name}")
    browser.run("snapdiff.state.inverted = false; snapdiff.state.show = 'changed'; snapdiff.rebuild()")
    changed = browser.run("""
        const s = snapdiff.data().stacks.values.live_bytes;
        return [snapdiff.view().weight[0], s[0].reduce((sum, a, i) => sum + Math.abs(s[1][i] - a), 0)];
    """)
    check(changed[0] == changed[1], f"only what changed: {changed}")
    check(not browser.errors(), "errors on the console")


def check_slopes_and_verdicts(browser, snapdiff, page, names):
    """By slope the whole is as wide as what grows, by verdict a box has the worst of what is under it."""
    report = snapdiff_json(snapdiff, "growth", "--match", "fuzzy", *names)
    browser.open(page)
    browser.run("snapdiff.state.show = 'slope'; snapdiff.rebuild()")
    whole = browser.run("return snapdiff.view().weight[0]")
    rising = sum(max(row["growth_bytes"] or 0, 0) for row in report["rows"])
    check(abs(whole - rising) < 1, f"by slope: {whole}, of the report {rising}")
    check_geometry(browser)
    browser.run("snapdiff.state.show = 'verdict'; snapdiff.rebuild()")
    order = ["", "stable", "shrinking", "sawtooth", "one-off", "warm-up", "too-few", "inconclusive", "container-growth", "leak"]
    worst = browser.run("const v = snapdiff.view(); return [v.verdict[0], [...document.querySelectorAll('#verdicts span')].map((s) => s.textContent)]")
    verdicts = {row["verdict"] for row in report["rows"]}
    check(worst[0] == max(order.index(verdict) for verdict in verdicts), f"the worst of all: {worst}")
    check(set(worst[1]) == verdicts, f"the legend: {worst[1]}, of the report {verdicts}")
    for row in report["rows"]:
        found = browser.run("""
            const v = snapdiff.view(), s = snapdiff.data().stacks;
            let most = -1;
            for (let n = 1; n < v.count; n++)
                if (s.strings[s.frames[v.frame[n]][0]] === arguments[0]) most = Math.max(most, v.verdict[n]);
            return most;
        """, row["function"])
        check(found >= order.index(row["verdict"]), f"{row['key']}: {found}, {row['verdict']}")
    browser.open(page, "#flame?show=slope")
    check(browser.run("return document.getElementById('choose-show').value") == "slope", "the address brings the switch back")
    check(not browser.errors(), "errors on the console")


def check_boxes_contrast(browser):
    """The ink of every box stands out by 4.5 to 1, whatever its colour."""
    paints = browser.run("return [snapdiff.paints.grew, snapdiff.paints.shrank, snapdiff.paints.own, snapdiff.paints.verdict, [snapdiff.paints.library]].flat()")
    check(len(paints) > 50, "there are colours")
    for paint in paints:
        a, b = sorted((luminance(paint["fill"]), luminance(paint["ink"])))
        check((b + 0.05) / (a + 0.05) >= 4.5, f"{paint} has a contrast of {(b + 0.05) / (a + 0.05):.2f}")


def write_in_step(scratch):
    """Two sites that grow by the same blocks at the same time, called from one function, and one of its own."""
    files = []
    for seq in range(1, 11):
        files.append(scratch / f"step-{seq}.txt")
        a = 10 * seq + (seq * seq) % 7
        files[-1].write_text(
            f"#snaptext 1\n@ seq\t{seq}\n@ time_ns\t{10**18 + seq * 10**10}\n@ pid\t7\n@ start_ns\t1\n@ program\tstep\n"
            "live_bytes\tlive_blocks\tallocated_bytes\tallocated_blocks\tdomain\tcohorts\tframes...\n"
            f"{100 * a}\t{a}\t{100 * a}\t{a}\tmalloc\t-\tmake_key|k.c|1|step\tinsert|i.c|1|step\tmain|m.c|1|step\n"
            f"{300 * a}\t{a}\t{300 * a}\t{a}\tmalloc\t-\tmake_value|k.c|9|step\tinsert|i.c|2|step\tmain|m.c|1|step\n"
            f"{50 * seq}\t{seq}\t{50 * seq}\t{seq}\tmalloc\t-\tother|o.c|9|step\tmain|m.c|3|step\n")
    return files


def check_findings(browser, snapdiff, scratch):
    """Sites that grow in step are one card."""
    files = write_in_step(scratch)
    report = snapdiff_json(snapdiff, "growth", "--match", "fuzzy", *files)
    page = make_page(snapdiff, scratch / "step.html", *files)
    browser.open(page)
    cards = browser.run("""return [...document.querySelectorAll('.card')].map((card) =>
        [card.querySelector('h3').textContent, ...[...card.querySelectorAll('li')].map((li) => li.textContent)])""")
    groups = {}
    for row in report["rows"]:
        groups.setdefault(row["finding"], []).append(row["key"])
    check(len(cards) == report["findings"] and len(groups) == 2, f"cards {cards}, findings {groups}")
    check(sorted(map(sorted, cards)) == sorted(map(sorted, groups.values())), f"cards {cards}, findings {groups}")
    browser.run("document.querySelector('.card details').open = true; document.querySelector('.card li').click()")
    check(browser.run("return snapdiff.data().rows[snapdiff.state.row].key") == [card for card in cards if len(card) > 1][0][1],
          "a click on a site in a card selects it")


def check_holders(browser, snapdiff, testdata, scratch):
    """Who holds the selected row, as `holders` tells it; all of it without scripts."""
    held = testdata / "held.txt"
    page = make_page(snapdiff, scratch / "held.html", held)
    browser.open(page)
    rows = browser.run("return snapdiff.data().rows.map((row) => [row.key, row.function])")
    told = snapdiff_json(snapdiff, "holders", "--all", ".", held)
    shown = 0
    for index, (key, _) in enumerate(rows):
        browser.run("snapdiff.selectRow(arguments[0])", index)
        visible = browser.run("""return [...document.querySelectorAll('.held')].filter((a) => !a.hidden).map((a) =>
            [a.querySelector('h3').textContent, [...a.querySelectorAll('tbody tr')].map((tr) => tr.querySelector('td').textContent)])""")
        if not visible:
            check(browser.run("return !document.getElementById('not-held').hidden"), f"{key}: nothing is said")
            continue
        expected = [row["key"] for row in told["rows"] if row["of"] == key]
        check(visible == [[key, expected]], f"{key}: {visible}, holders says {expected}")
        shown += 1
    check(shown > 0, "no row has holders")
    check(not browser.errors(), "errors on the console")


def check_link(browser, page):
    """An address brings back what was shown."""
    browser.open(page, "#flame?q=cache&row=1&inv=1")
    check(browser.run("return [snapdiff.state.query, snapdiff.state.row, snapdiff.state.inverted]") ==
          ["cache", 1, True], "the address is remembered")
    check(browser.run("return document.querySelector('tr.selected').dataset.row") == "1", "the row is selected")


def check_hostile(browser, snapdiff, scratch):
    """Names that would be scripts, markup, or would turn text around, stay text."""
    names = ["<script>window.pwned=1</script>", "\"><img src=x onerror=window.pwned=1>", "</script><script>window.pwned=1//",
             "'+alert(1)+'", "a\u202eb\u2066c", "x" * 100_000, "<!--", "]]>", "&lt;b&gt;", "a`b${1}"]
    rows = "".join(f"{1000 + i}\t1\t1000\t1\tmalloc\t-\t{name}|{name[:200]}.c|{i + 1}|m\tmain|main.c|1|m\n"
                   for i, name in enumerate(names))
    text = scratch / "hostile.txt"
    text.write_text("#snaptext 1\n@ label\t<script>window.pwned=1</script>\n"
                    "live_bytes\tlive_blocks\tallocated_bytes\tallocated_blocks\tdomain\tcohorts\tframes...\n" + rows)
    page = make_page(snapdiff, scratch / "hostile.html", text)
    browser.open(page)
    for row in range(len(names)):
        browser.run("snapdiff.selectRow(arguments[0])", row)
    check(browser.run("return window.pwned === undefined"), "a hostile name ran")
    check(browser.run("return document.querySelectorAll('img, iframe, object, embed, link, form').length") == 0,
          "a hostile name became an element")
    check(browser.run("return document.scripts.length") == 7, "there is a script that is not ours")
    check("\u202e" not in page.read_text(), "a name turns the direction of the text")
    check(not browser.errors(), f"errors on the console: {browser.errors()}")


def write_ages(scratch):
    """Six snapshots, 10 s apart: a site that keeps two blocks of 100 bytes of each interval, and one that keeps none of
    the interval before.  Snapshot 1 has a name, a label changes at snapshot 4, and snapshot 6 has another trigger."""
    files = []
    for seq in range(1, 7):
        kept = ",".join(f"{birth}:2:200" for birth in range(seq))
        text = (f"#snaptext 1\n@ seq\t{seq}\n@ time_ns\t{10**18 + seq * 10**10}\n@ pid\t7\n@ start_ns\t1\n@ program\tages\n"
                f"@ trigger\t{'growth' if seq == 6 else 'timer'}\n@ labels.phase\t{'load<b>' if seq > 3 else 'idle'}\n"
                f"@ labels.step\t{seq}\n")
        if seq == 1:
            text += "@ label\tfirst <i>one</i>\n"
        text += ("live_bytes\tlive_blocks\tallocated_bytes\tallocated_blocks\tdomain\tcohorts\tframes...\n"
                 f"{200 * seq}\t{2 * seq}\t{200 * seq}\t{2 * seq}\tmalloc\t{kept}\tkeep|k.c|1|ages\tmain|m.c|1|ages\n"
                 f"{50 * seq}\t1\t{50 * seq}\t{seq}\tmalloc\t{seq - 1}:1:{50 * seq}\tswap|k.c|9|ages\tmain|m.c|1|ages\n")
        files.append(scratch / f"ages-{seq}.txt")
        files[-1].write_text(text)
    return files


def check_charts(browser, snapdiff, scratch):
    """Survivors by birth, the axis, and the marks."""
    browser.open(make_page(snapdiff, scratch / "ages.html", *write_ages(scratch)))
    cohorts = browser.run("return snapdiff.data().rows.find((row) => row.function === 'keep').series.cohorts")
    check([(band["first"], band["last"]) for band in cohorts] == [(i, i) for i in range(1, 7)], f"the bands: {cohorts}")
    for born, band in enumerate(cohorts):
        check(band["bytes"] == [200 if at >= born else 0 for at in range(6)], f"survivors of band {born}: {band}")
    axis = browser.run("return snapdiff.data().parts[0].axis")
    check(axis == {"x": [0, 10, 20, 30, 40, 50], "unit": "seconds"}, f"the axis: {axis}")
    browser.run("snapdiff.selectRow(snapdiff.data().rows.findIndex((row) => row.function === 'keep'))")
    marks = ["snapshot 1: first <i>one</i>, phase = idle", "snapshot 4: phase = load<b>", "snapshot 6: taken by growth"]
    for place in ("process-marks", "site-marks"):
        listed = browser.run("return [...document.querySelectorAll('#' + arguments[0] + ' li')].map((li) => li.textContent)", place)
        check(listed == marks, f"{place}: {listed}")
    lines = browser.run("return [...document.querySelectorAll('#site-legend span')].map((span) => span.textContent)")
    check(lines == [f"before {i}" for i in range(6, 0, -1)], f"the key of the site's chart: {lines}")
    check(not browser.errors(), "errors on the console")


def check_processes(browser, snapdiff, scratch):
    """Of several processes, stacks and charts are of the one that holds most, and rows keep to their own times."""
    files = []
    for pid, step in ((11, 10), (12, 60)):
        for seq in range(1, 5):
            files.append(scratch / f"p{pid}-{seq}.txt")
            files[-1].write_text(
                f"#snaptext 1\n@ seq\t{seq}\n@ time_ns\t{10**18 + pid * 10**12 + seq * step * 10**9}\n@ pid\t{pid}\n"
                f"@ start_ns\t{pid * 10**12}\n@ program\tp{pid}\n"
                "live_bytes\tlive_blocks\tallocated_bytes\tallocated_blocks\tdomain\tcohorts\tframes...\n"
                f"{pid * 1000 * seq}\t{seq}\t1\t1\tmalloc\t-\tgrow{pid}|g.c|1|p{pid}\n")
    browser.open(make_page(snapdiff, scratch / "processes.html", *files))
    root = browser.run("const t = snapdiff.view().total; return [t[0][0], t[1][0]]")
    check(root == [12000, 48000], f"the stacks are of process 12: {root}")
    axes = browser.run("return snapdiff.data().parts.map((part) => part.axis)")
    check([axis["x"] for axis in axes] == [[0, 10, 20, 30], [0, 1, 2, 3]], f"each process has its times: {axes}")
    check([axis["unit"] for axis in axes] == ["seconds", "minutes"], f"units: {axes}")


def check_fallback(browser, page, scratch):
    """Browsers without DecompressionStream read the same data."""
    browser.open(page)
    expected = browser.run("return JSON.stringify(snapdiff.data().rows)")
    old = scratch / "old.html"
    old.write_text(page.read_text().replace('typeof DecompressionStream === "function"', "false"))
    browser.open(old)
    check(browser.run("return JSON.stringify(snapdiff.data().rows)") == expected, "our own inflate gives other data")


def check_plain(page):
    """What stands in the file itself, for readers without scripts."""
    text = page.read_text()
    check("<h1>" in text and text.count("<tr data-row=") > 0, "there is no plain table")
    for word in ("http://", "https://"):
        outside = text[:text.index('<script type="application/octet-stream"')]
        check(word not in outside, "the page names a place in the network")


def luminance(colour):
    colour = colour.lstrip("#")
    if len(colour) == 3:
        colour = "".join(digit * 2 for digit in colour)
    parts = [int(colour[i:i + 2], 16) / 255 for i in (0, 2, 4)]
    parts = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


def check_contrast(page):
    """Text stands out by 4.5 to 1 (WCAG AA), light and dark."""
    blocks = re.findall(r":root\{([^}]*)\}", page.read_text())
    check(len(blocks) >= 2, "there is a light and a dark look")
    light = dict(re.findall(r"--(\w+):(#[0-9a-f]+)", blocks[0]))
    dark = {**light, **dict(re.findall(r"--(\w+):(#[0-9a-f]+)", blocks[1]))}
    for name, look in (("light", light), ("dark", dark)):
        for front in ("fg", "soft", "link", "leak", "ok", "warn"):
            for back in ("bg", "panel"):
                a, b = sorted((luminance(look[front]), luminance(look[back])))
                check((b + 0.05) / (a + 0.05) >= 4.5, f"{name}: {front} on {back} has a contrast of {(b + 0.05) / (a + 0.05):.2f}")


# Text whose colour does not stand out by 4.5 to 1 from what is behind it, and how many texts were looked at.
DIM_TEXT = """
const part = (p) => p / 255 <= 0.03928 ? p / 255 / 12.92 : ((p / 255 + 0.055) / 1.055) ** 2.4;
const light = (c) => 0.2126 * part(c[0]) + 0.7152 * part(c[1]) + 0.0722 * part(c[2]);
const numbers = (text) => { const all = text.match(/[\\d.]+/g).map(Number); return all.length < 4 ? [...all, 1] : all; };
const behind = (e) => {
    for (; e; e = e.parentElement) {
        const colour = numbers(getComputedStyle(e).backgroundColor);
        if (colour[3] > 0) return colour;
    }
    return [255, 255, 255, 1];
};
const dim = [];
let looked = 0;
document.querySelectorAll("details").forEach((part) => part.open = true);
for (const e of document.querySelectorAll("body *")) {
    const speaks = [...e.childNodes].some((child) => child.nodeType === 3 && child.data.trim()) || e.placeholder;
    if (!speaks || !e.getClientRects().length || /SCRIPT|STYLE|CANVAS/.test(e.tagName)) continue;
    looked++;
    const ink = numbers(getComputedStyle(e).color), a = light(ink), b = light(behind(e));
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5 || ink[3] < 1) dim.push([e.tagName, e.className, e.textContent.slice(0, 40), ratio]);
}
return [looked, dim];
"""


# Lines and edges of charts, and their keys, with the contrast to what is behind them.
LINES = """
const part = (p) => p / 255 <= 0.03928 ? p / 255 / 12.92 : ((p / 255 + 0.055) / 1.055) ** 2.4;
const light = (c) => 0.2126 * part(c[0]) + 0.7152 * part(c[1]) + 0.0722 * part(c[2]);
const numbers = (text) => text.match(/[\\d.]+/g).map(Number);
const ratio = (a, b) => (Math.max(light(a), light(b)) + 0.05) / (Math.min(light(a), light(b)) + 0.05);
const behind = numbers(getComputedStyle(document.body).backgroundColor);
const keys = [...document.querySelectorAll(".key i")].map((swatch) => {
    const style = getComputedStyle(swatch);
    return [style.backgroundColor, Math.max(ratio(numbers(style.backgroundColor), behind), ratio(numbers(style.borderTopColor), behind))];
});
/* Of each column of pixels, the colour that stands out most: every part of the chart has an edge to see. */
const columns = [...document.querySelectorAll("#site-chart canvas")].slice(0, 1).flatMap((canvas) => {
    const context = canvas.getContext("2d"), found = [];
    for (let x = Math.round(canvas.width * 0.3); x < canvas.width * 0.9; x += 7) {
        const pixels = context.getImageData(x, 0, 1, canvas.height).data;
        let most = 0;
        for (let i = 0; i < pixels.length; i += 4)
            most = Math.max(most, ratio([0, 1, 2].map((c) => behind[c] + (pixels[i + c] - behind[c]) * pixels[i + 3] / 255), behind));
        found.push(most);
    }
    return found;
});
/* Bands are stacked: along one column of pixels each has a grey edge at its top. */
const canvas = document.querySelector("#site-chart canvas"), x = Math.round(canvas.width * 0.9);
const pixels = canvas.getContext("2d").getImageData(x, 0, 1, canvas.height).data;
let edges = 0, inside = false;
for (let i = 0; i < pixels.length; i += 4) {
    const rgb = [pixels[i], pixels[i + 1], pixels[i + 2]];
    const grey = pixels[i + 3] > 200 && Math.max(...rgb) - Math.min(...rgb) < 40 && ratio(rgb, behind) >= 3;
    edges += grey && !inside;
    inside = grey;
}
return {keys, columns, edges};
"""


def check_chart_lines(browser, page, bands):
    """Lines of charts, edges of bands and their keys stand out by 3 to 1 (WCAG 1.4.11), light and dark."""
    for scheme in ("light", "dark"):
        look_like(browser, "screen", scheme)
        browser.open(page)
        browser.run("snapdiff.selectRow(0)")
        seen = browser.run(LINES)
        check(len(seen["keys"]) >= 2 and len(seen["columns"]) > 10, f"{scheme}: few lines were looked at: {seen}")
        for colour, ratio in seen["keys"]:
            check(ratio >= 3, f"{scheme}: the key of {colour} has a contrast of {ratio:.2f}")
        for ratio in seen["columns"]:
            check(ratio >= 3, f"{scheme}: a part of the chart has a contrast of {ratio:.2f}")
        check(seen["edges"] >= bands, f"{scheme}: {bands} bands have {seen['edges']} edges")
    look_like(browser, "", "")


def command(browser, name, **parameters):
    return browser.do("POST", "/goog/cdp/execute", {"cmd": name, "params": parameters})


def look_like(browser, media, scheme):
    command(browser, "Emulation.setEmulatedMedia", media=media,
            features=[{"name": "prefers-color-scheme", "value": scheme}] if scheme else [])


def check_readable(browser, page):
    """All text that is shown stands out by 4.5 to 1 (WCAG AA): light, dark, and on paper, where dark is light."""
    for media, scheme, back in (("screen", "light", "rgb(255, 255, 255)"), ("screen", "dark", "rgb(13, 17, 23)"),
                                ("print", "dark", "rgb(255, 255, 255)")):
        look_like(browser, media, scheme)
        browser.open(page)
        check(browser.run("return getComputedStyle(document.body).backgroundColor") == back, f"{media}, {scheme}: not {back}")
        looked, dim = browser.run(DIM_TEXT)
        check(looked > 50 and not dim, f"{page.name}, {media}, {scheme}: {looked} texts, of these too dim: {dim[:5]}")
    look_like(browser, "", "")


def check_keyboard(browser, page):
    """Tab reaches everything that can be used, in the order of the page, and shows where it is."""
    browser.open(page)
    wanted = browser.run("""
        window.usable = [...document.querySelectorAll("a[href], button, input, select, summary, canvas[tabindex], tr[tabindex]")]
            .filter((e) => e.getClientRects().length && e.tabIndex >= 0 && !e.disabled);
        document.activeElement.blur();
        return window.usable.length;
    """)
    check(wanted > 10, f"{page.name}: there are {wanted} things to use")
    for at in range(wanted):
        browser.do("POST", "/actions", {"actions": [{"type": "key", "id": "keys", "actions": [
            {"type": "keyDown", "value": "\ue004"}, {"type": "keyUp", "value": "\ue004"}]}]})
        reached, outline, what = browser.run("""
            const e = document.activeElement;
            return [window.usable.indexOf(e), getComputedStyle(e).outlineStyle, e.outerHTML.slice(0, 80)];
        """)
        check(reached == at, f"{page.name}: Tab {at + 1} reaches {reached}: {what}")
        check(outline != "none", f"{page.name}: it is not seen where the keyboard is: {what}")


def check_names(browser, page):
    """What can be used, and every picture, has a name for who cannot see it; headings leave out no level."""
    browser.open(page)
    nameless, levels = browser.run("""
        const name = (e) => (e.getAttribute("aria-label") || e.labels?.[0]?.textContent || e.textContent || "").trim();
        const shown = (e) => e.getClientRects().length > 0;
        return [[...document.querySelectorAll("button, input, select, a[href], canvas, .chart, .spark")]
                .filter((e) => shown(e) && !name(e) && !e.parentElement.closest("[role=img][aria-label]"))
                .map((e) => e.outerHTML.slice(0, 80)),
            [...document.querySelectorAll("h1, h2, h3, h4")].filter(shown).map((h) => Number(h.tagName[1]))];
    """)
    check(not nameless, f"{page.name}: without a name: {nameless}")
    check(levels[0] == 1 and all(b <= a + 1 for a, b in zip(levels, levels[1:])), f"{page.name}: headings {levels}")


def check_without_scripts(browser, page):
    """Summary and rows are there, what needs scripts is not; in print the tools go."""
    command(browser, "Emulation.setScriptExecutionDisabled", value=True)
    browser.do("POST", "/url", {"url": f"file://{page}"})
    command(browser, "Emulation.setScriptExecutionDisabled", value=False)
    seen = browser.run("""
        const shown = (id) => document.getElementById(id).getClientRects().length > 0;
        return [shown("summary"), shown("table"), document.querySelectorAll("#rows tr").length > 0, shown("flame"), shown("charts")];
    """)
    check(seen == [True, True, True, False, False], f"without scripts: {seen}")
    browser.open(page)
    look_like(browser, "print", "")
    hidden = browser.run("return ['nav', '.tools'].map((s) => getComputedStyle(document.querySelector(s)).display)")
    check(hidden == ["none", "none"], f"in print: {hidden}")
    look_like(browser, "", "")


class Viewer:
    """Serves a page with the policy that a viewer of CI artifacts sends."""

    def __init__(self, page, policy):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200 if self.path == "/page" else 404)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                self.send_header("Content-Security-Policy", policy)
                self.end_headers()
                self.wfile.write(page.read_bytes() if self.path == "/page" else b"")

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/page"

    def close(self):
        self.server.shutdown()
        self.server.server_close()


# What is shown: the texts of which there is a box on the screen.
SHOWN = """
const texts = [...document.querySelectorAll("h1, h2, p, li, td, figcaption")].filter((e) => e.getClientRects().length);
return {headings: texts.filter((e) => e.tagName === "H2").map((e) => e.textContent), text: texts.map((e) => e.textContent).join("\\n"),
        rows: document.querySelectorAll("#rows tr").length, canvas: document.querySelectorAll("canvas").length,
        all: document.body.innerText};
"""


def check_in_viewers(browser, page):
    """Viewers that forbid scripts show a page to read, with or without its styles; one that allows them shows all of it."""
    strict = ("default-src 'none'; style-src 'unsafe-inline'; sandbox",
              "sandbox; default-src 'none'; img-src 'self'; style-src 'self';",
              "default-src 'none'; style-src 'unsafe-inline'; script-src 'none'")
    for policy in strict:
        viewer = Viewer(page, policy)
        try:
            browser.do("POST", "/url", {"url": viewer.url})
            shown = browser.run(SHOWN)
        finally:
            viewer.close()
        check("Call stacks" not in shown["headings"] and "Growth over time" not in shown["headings"], f"{policy}: {shown['headings']}")
        check({"Summary", "Table", "Snapshots"} <= set(shown["headings"]), f"{policy}: {shown['headings']}")
        check("save the file and open it from a disk" in shown["text"], f"{policy}: nothing says that scripts do not run")
        check(shown["rows"] > 0 and "exactly 10 blocks" in shown["text"], f"{policy}: the finding and the rows are not there")
        check("function" not in shown["all"].split() and "base64" not in shown["all"], f"{policy}: code is shown as text")
    for policy in ("script-src 'unsafe-inline'", "script-src 'self' 'unsafe-inline' 'unsafe-eval'; object-src 'none'", "sandbox allow-scripts"):
        viewer = Viewer(page, policy)
        try:
            browser.errors()
            browser.do("POST", "/url", {"url": viewer.url})
            for _ in range(600):
                if browser.run("return document.documentElement.dataset.ready === 'true'"):
                    break
                time.sleep(0.1)
            shown = browser.run(SHOWN)
        finally:
            viewer.close()
        check("Call stacks" in shown["headings"] and shown["canvas"] > 0, f"{policy}: {shown['headings']}")
        check("save the file" not in shown["text"], f"{policy}: says that scripts do not run")


def synthetic(path, stacks, seed):
    """So many stacks of about 20 frames, from 4,000 functions."""
    draw = random.Random(seed)
    with path.open("w") as out:
        out.write("#snaptext 1\nlive_bytes\tlive_blocks\tallocated_bytes\tallocated_blocks\tdomain\tcohorts\tframes...\n")
        stack = [0] * 20
        for i in range(stacks):
            keep = draw.randrange(4, 18)
            stack = stack[:keep] + [draw.randrange(4000) for _ in range(draw.randrange(2, 22 - keep))]
            frames = "\t".join(f"function_{f}|file_{f % 300}.c|{f % 900 + 1}|app" for f in reversed(stack))
            out.write(f"{draw.randrange(16, 100000)}\t{draw.randrange(1, 100)}\t-\t-\tmalloc\t-\t{frames}\n")
    return path


def processor_ms(browser, script, times):
    """Processor time of the page's thread for one of so many runs of `script`: what other processes do does not count."""
    def spent():
        return {m["name"]: m["value"] for m in command(browser, "Performance.getMetrics")["metrics"]}["TaskDuration"]

    before = spent()
    browser.run(f"for (let i = 0; i < {times}; i++) {{ {script} }}")
    return (spent() - before) * 1000 / times


def print_times(browser, snapdiff, scratch):
    """Milliseconds by the browser's own clock, the medians of five; and of the processor's, for 20 zooms in and out."""
    command(browser, "Performance.enable", timeDomain="threadTicks")
    for stacks in (1000, 10_000, 100_000):
        names = [synthetic(scratch / f"{stacks}-{seed}.txt", stacks, seed) for seed in (1, 1)]
        page = make_page(snapdiff, scratch / f"{stacks}.html", *names[:1])
        browser.open(page)
        times = browser.run("""
            const t = {build: [], layout: [], search: []};
            for (let i = 0; i < 5; i++) {
                snapdiff.state.query = "function_1" + i;
                snapdiff.rebuild();
                const boxes = snapdiff.boxes();
                snapdiff.zoomTo(boxes[Math.min(boxes.length - 1, 10 + i)].node);
                for (const name in t) t[name].push(snapdiffTimes[name]);
            }
            return Object.fromEntries(Object.entries(t).map(([n, v]) => [n, v.sort((a, b) => a - b)[2]]));
        """)
        browser.run("snapdiff.zoomTo(0); window.nodes = snapdiff.boxes().slice(3, 23).map((box) => box.node)")
        times["zoom in, processor"] = processor_ms(browser, "snapdiff.zoomTo(window.nodes[i])", 20)
        times["zoom out, processor"] = processor_ms(browser, "snapdiff.zoomTo(0)", 20)
        print(f"{stacks} stacks: file {page.stat().st_size / 1e6:.2f} MB; " +
              ", ".join(f"{name} {value:.1f} ms" for name, value in times.items()), flush=True)


def main():
    snapdiff, testdata, output = sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])
    if not shutil.which("chromedriver") or not shutil.which("chromium"):
        print("skipped: there is no chromium with chromedriver here (Debian: chromium chromium-driver)")
        return SKIPPED
    output.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch_name:
        scratch = pathlib.Path(scratch_name)
        series = [testdata / f"series-{i}.txt" for i in range(1, 9)]
        pair = [testdata / "before.txt", testdata / "after.txt"]
        pages = {
            "top": (make_page(snapdiff, output / "top.html", pair[1]), pair[1:]),
            "compare": (make_page(snapdiff, output / "compare.html", *pair), pair),
            "growth": (make_page(snapdiff, output / "growth.html", *series), series),
        }
        browser = Browser(scratch)
        try:
            browser.resize(1280, 900)
            for command, (page, names) in pages.items():
                check_figures(browser, snapdiff, page, command, names)
                check_plain(page)
                check_contrast(page)
            check_views(browser, pages["growth"][0])
            check_slopes_and_verdicts(browser, snapdiff, *pages["growth"])
            check_boxes_contrast(browser)
            check_findings(browser, snapdiff, scratch)
            check_holders(browser, snapdiff, testdata, scratch)
            check_link(browser, pages["growth"][0])
            check_charts(browser, snapdiff, scratch)
            check_chart_lines(browser, scratch / "ages.html", 6)
            check_chart_lines(browser, pages["growth"][0], 0)
            check_processes(browser, snapdiff, scratch)
            check_fallback(browser, pages["growth"][0], scratch)
            check_without_scripts(browser, pages["growth"][0])
            check_in_viewers(browser, pages["growth"][0])
            for page in (*(page for page, _ in pages.values()), scratch / "held.html"):
                check_readable(browser, page)
                check_keyboard(browser, page)
                check_names(browser, page)
            check_hostile(browser, snapdiff, scratch)
            for width in (360, 1280, 1920):
                browser.resize(width, 1000)
                browser.open(pages["growth"][0])
                browser.screenshot(output / f"growth-{width}.png")
            browser.resize(360, 800)
            for page in (*(page for page, _ in pages.values()), scratch / "held.html", scratch / "step.html", scratch / "hostile.html"):
                browser.open(page)
                check(browser.run("return document.documentElement.scrollWidth <= innerWidth"),
                      f"{page.name} scrolls sideways on a narrow screen")
            if "--times" in sys.argv:
                browser.resize(1280, 900)
                print_times(browser, snapdiff, scratch)
        finally:
            browser.close()
    print("the pages hold")
    return 0


if __name__ == "__main__":
    sys.exit(main())
