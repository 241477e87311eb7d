#!/usr/bin/env python3
"""How fluid the page's flame graph is, next to d3-flame-graph and speedscope on the same stacks.

    bench_flames.py SNAPDIFF NODE_MODULES [STACKS...]

NODE_MODULES is where `npm install d3 d3-flame-graph speedscope` put them.  All three are opened in headless Chromium, one after the
other, with the same call stacks (of about 20 frames, from 4,000 functions).  Times are of the browser's own clock, medians of five:
`open` until the stacks are drawn, `zoom` into one of the widest frames below the root, `search` for a pattern.  What runs until the next
frame is drawn counts.  speedscope's zoom is driven by the wheel, as a user's; it is an animation of many frames, of which the longest counts.
Its search is not measured: the third figure is its longest frame at rest.
"""
import base64
import json
import pathlib
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "page"))

WAIT_S = 300

# Runs `step` and calls back with the milliseconds until what it changed has been painted.
PAINTED = """
const painted = (step) => new Promise((done) => requestAnimationFrame(() => {
    const start = performance.now();
    step();
    requestAnimationFrame(() => { const channel = new MessageChannel();
        channel.port1.onmessage = () => done(performance.now() - start); channel.port2.postMessage(0); });
}));
const median = (list) => list.sort((a, b) => a - b)[list.length >> 1];
"""


def folded(snapdiff, text):
    """[(frames, outermost first; bytes)]"""
    done = subprocess.run([snapdiff, "top", text, "--all", "-f", "folded"], capture_output=True, text=True, check=True)
    lines = [line.rpartition(" ") for line in done.stdout.splitlines()]
    return [(names.split(";"), int(value)) for names, _, value in lines if value.isdigit()]


def hierarchy(stacks):
    root = {"name": "all", "value": 0, "children": {}}
    for names, value in stacks:
        node = root
        node["value"] += value
        for name in names:
            node = node["children"].setdefault(name, {"name": name, "value": 0, "children": {}})
            node["value"] += value

    def plain(node):  # without recursion: stacks are deep
        out = {"name": node["name"], "value": node["value"], "children": []}
        work = [(node, out)]
        while work:
            source, target = work.pop()
            for child in source["children"].values():
                made = {"name": child["name"], "value": child["value"], "children": []}
                target["children"].append(made)
                work.append((child, made))
        return out
    return plain(root)


def speedscope_profile(stacks):
    frames, samples = {}, []
    for names, _ in stacks:
        samples.append([frames.setdefault(name, len(frames)) for name in names])
    weights = [value for _, value in stacks]
    return {"$schema": "https://www.speedscope.app/file-format-schema.json", "shared": {"frames": [{"name": name} for name in frames]},
            "profiles": [{"type": "sampled", "name": "live", "unit": "bytes", "startValue": 0, "endValue": sum(weights), "samples": samples,
                          "weights": weights}], "activeProfileIndex": 0}


def asynchronously(browser, script):
    """What `script` resolves to; None when it takes too long."""
    browser.run("window.outcome = undefined; (async () => {" + PAINTED + script + "})().then((v) => window.outcome = v, (e) => window.outcome = String(e))")
    for _ in range(WAIT_S * 4):
        try:
            outcome = browser.run("return window.outcome === undefined ? null : window.outcome")
        except Exception:  # the page computes, or its process died
            return None
        if outcome is not None:
            return outcome
        time.sleep(0.25)
    return None


def ours(browser, snapdiff, page, scratch, text, stacks):
    made = page.make_page(snapdiff, scratch / "ours.html", text)
    browser.open(made)
    return asynchronously(browser, """
        const build = await painted(() => snapdiff.rebuild());
        const zooms = [], searches = [];
        for (let i = 0; i < 5; i++) {
            const node = snapdiff.boxes()[Math.min(snapdiff.boxes().length - 1, 3 + i)].node;
            zooms.push(await painted(() => snapdiff.zoomTo(node)));
            await painted(() => snapdiff.zoomTo(0));
            snapdiff.state.query = "function_1" + i;
            searches.push(await painted(() => { snapdiff.runSearch(); snapdiff.zoomTo(0); }));
        }
        return [build, median(zooms), median(searches)];
    """)


def d3(browser, modules, scratch, stacks):
    html = scratch / "d3.html"
    scripts = "".join(f"<script>{(modules / name).read_text()}</script>" for name in ("d3/dist/d3.min.js", "d3-flame-graph/dist/d3-flamegraph.umd.min.js"))
    html.write_text(f"<!doctype html><meta charset=utf-8><div id=chart></div>{scripts}<script>const stacks = {json.dumps(hierarchy(stacks))};</script>")
    browser.do("POST", "/url", {"url": f"file://{html}"})
    return asynchronously(browser, """
        const make = typeof flamegraph === "function" ? flamegraph : flamegraph.flamegraph || flamegraph.default;
        const chart = make().width(1240).transitionDuration(0).minFrameSize(0.7);
        const build = await painted(() => d3.select("#chart").datum(stacks).call(chart));
        const nodes = [];
        d3.selectAll("#chart g.frame").each((d) => nodes.push(d));
        nodes.sort((a, b) => b.value - a.value);
        const zooms = [], searches = [];
        for (let i = 0; i < 5; i++) {
            zooms.push(await painted(() => chart.zoomTo(nodes[Math.min(nodes.length - 1, 2 + i)])));
            await painted(() => chart.resetZoom());
            searches.push(await painted(() => chart.search("function_1" + i)));
            await painted(() => chart.clear());
        }
        return [build, median(zooms), median(searches)];
    """)


def speedscope(browser, modules, scratch, stacks):
    html = scratch / "speedscope.html"
    release = modules / "speedscope/dist/release"
    packed = base64.b64encode(json.dumps(speedscope_profile(stacks)).encode()).decode()
    html.write_text((release / "index.html").read_text())
    for file in release.iterdir():
        target = scratch / file.name
        if file.name != "index.html" and not target.exists() and file.is_file():
            target.write_bytes(file.read_bytes())
    (scratch / "profile.js").write_text(f"window.began = performance.now(); speedscope.loadFileFromBase64('live.speedscope.json', '{packed}')")
    browser.do("POST", "/url", {"url": f"file://{html}#localProfilePath={scratch / 'profile.js'}"})
    return asynchronously(browser, """
        const frame = () => new Promise((done) => requestAnimationFrame(done));
        while (!window.began || !document.querySelector("canvas") || document.body.innerText.includes("Loading")) await frame();
        const key = (name, more) => window.dispatchEvent(new KeyboardEvent("keydown", Object.assign({key: name, bubbles: true}, more)));
        for (let i = 0; i < 5; i++) await frame();
        const build = performance.now() - window.began;
        key("2"); for (let i = 0; i < 20; i++) await frame();  /* left heavy: equal stacks are one box */
        const longest = async (step) => {
            let most = 0, last = performance.now();
            step();
            for (let i = 0; i < 40; i++) { await frame(); const now = performance.now(); most = Math.max(most, now - last); last = now; }
            return most;
        };
        const idle = await longest(() => {});
        const canvas = [...document.querySelectorAll("canvas")].pop(), area = canvas.parentElement.getBoundingClientRect();
        const target = canvas.parentElement, zooms = [];
        for (let i = 0; i < 5; i++) {
            const at = {bubbles: true, clientX: area.left + 200 + 100 * i, clientY: area.top + area.height / 2, deltaY: -300, ctrlKey: true, cancelable: true};
            zooms.push(await longest(() => target.dispatchEvent(new WheelEvent("wheel", at))));
            await longest(() => key("0"));
        }
        return [build, median(zooms), idle];
    """)


def words(times):
    return "did not end" if times is None else times if isinstance(times, str) else ", ".join(f"{value:.1f} ms" for value in times)


def main():
    import page
    snapdiff, modules = sys.argv[1], pathlib.Path(sys.argv[2]).resolve()
    for count in map(int, sys.argv[3:] or ("1000", "10000", "100000")):
        with tempfile.TemporaryDirectory() as scratch_name:
            scratch = pathlib.Path(scratch_name)
            text = page.synthetic(scratch / "stacks.txt", count, 1)
            stacks = folded(snapdiff, text)
            for name, measure in (("snapdiff", lambda b: ours(b, snapdiff, page, scratch, text, stacks)),
                                  ("d3-flame-graph", lambda b: d3(b, modules, scratch, stacks)),
                                  ("speedscope", lambda b: speedscope(b, modules, scratch, stacks))):
                browser = page.Browser(scratch)
                try:
                    browser.resize(1280, 900)
                    print(f"{count} stacks, {name}: {words(measure(browser))}", flush=True)
                finally:
                    browser.close()


if __name__ == "__main__":
    main()
