"""What was measured, held against the project's goals: tables, computed from the same run."""
import statistics

AIMS = {"deep": 1.9, "deep4": 1.5, "churn": 1.5, "sqlite": 1.12, "cc1": 1.12, "python": 1.45, "factor": 1.6,
        "covers": 1.35}
OF_HEAPTRACK_IN_PROCESS = 1 / 3
OF_HEAPTRACK = 1 / 7
ABOVE_FORWARDING = 0.03
MIB = 1024 * 1024


def allowed_exact(about):
    """Bytes that recording everything may take."""
    return 0.30 * about.peak + 64 * about.stacks + 8e6


def allowed_sampled(about):
    return 0.01 * about.peak + 8e6


def judged(text, value, most):
    return text + ("" if value <= most else " (missed)")


def cpu(results, way):
    """The median CPU ratio; None if that was not measured or failed."""
    return results[way].median("cpu") if way in results else None


def added_part(results, peer, most):
    """What exact capture adds as a part of what a peer adds."""
    ours, theirs = cpu(results, "snapdiff exact"), cpu(results, peer)
    if ours is None or theirs is None:
        return "it did not end well" if peer in results and results[peer].trouble else ""
    if theirs <= 1.02:
        return "it adds nothing"
    return judged("%.2f" % ((ours - 1) / (theirs - 1)), (ours - 1) / (theirs - 1), most)


def above_forwarding(results, prefix=""):
    """Sampled against forwarding only: both ratios of a pair come from the same round."""
    sampled = results.get(prefix + "snapdiff 512 KiB")
    forward = results.get(prefix + "forward only")
    if not sampled or not forward or sampled.trouble or forward.trouble or not sampled.ratios["cpu"]:
        return ""
    pairs = [ours - floor for ours, floor in zip(sampled.ratios["cpu"], forward.ratios["cpu"])]
    if not pairs:
        return ""
    middle = statistics.median(pairs)
    return judged("%+.3f" % middle, middle, ABOVE_FORWARDING)


def memory(results, way, allowed):
    result = results.get(way)
    if not result or result.trouble or not result.added_memory:
        return ""
    added = statistics.median(result.added_memory)
    return judged("%.1f of %.1f" % (added / MIB, allowed / MIB), added, allowed)


def absolute(results, name):
    ours = cpu(results, "snapdiff exact")
    if ours is None or name not in AIMS:
        return "" if ours is None else "%.2f" % ours
    return judged("%.2f, aim %.2f" % (ours, AIMS[name]), ours, AIMS[name])


def tables(measured, descriptions):
    """Lines of markdown."""
    yield "\n### The workloads, by their exact snapshots\n"
    yield "| workload | allocations | frames on average | distinct stacks | peak heap, MiB |"
    yield "| --- | ---: | ---: | ---: | ---: |"
    for name, about in descriptions.items():
        if about:
            yield "| %s | %.1f M | %.1f | %s | %.1f |" % (name, about.allocations / 1e6, about.frames,
                                                        format(about.stacks, ","), about.peak / MIB)
    yield "\n### Against the goals\n"
    yield ("Added CPU: exact capture's as a part of heaptrack's (goals: a third of its in-process part, a seventh of the"
           " whole). Sampled: CPU ratio at 512 KiB minus that of forwarding (goal: at most 0.03), over glibc, jemalloc,"
           " tcmalloc, each next to itself. Memory: MiB of resident memory added, of what is allowed (exact: 30 % of"
           " the peak heap, 64 bytes a distinct stack and 8 MB; sampled: 1 % and 8 MB).\n")
    yield ("| workload | exact CPU | of heaptrack in-process | of heaptrack | sampled | jemalloc | tcmalloc |"
           " exact memory | sampled memory |")
    yield "| --- | --- | --- | --- | --- | --- | --- | --- | --- |"
    for name, results in measured.items():
        about = descriptions.get(name)
        cells = [absolute(results, name), added_part(results, "heaptrack in-process", OF_HEAPTRACK_IN_PROCESS),
                 added_part(results, "heaptrack", OF_HEAPTRACK), above_forwarding(results),
                 above_forwarding(results, "jemalloc, "), above_forwarding(results, "tcmalloc, "),
                 memory(results, "snapdiff exact", allowed_exact(about)) if about else "",
                 memory(results, "snapdiff 512 KiB", allowed_sampled(about)) if about else ""]
        yield "| %s | %s |" % (name, " | ".join(cells))
