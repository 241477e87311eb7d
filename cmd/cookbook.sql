-- Questions to a database of snapshots.  Each is one statement; `snapdiff query` and sqlite3 run them,
-- except where a function is named that only snapdiff has.

-- 1. Which modules hold the most memory now?
-- The newest snapshot, summed by program or library.  The top row is where to look first.
SELECT module, sum(live_bytes) AS live_bytes, sum(live_blocks) AS live_blocks
FROM top GROUP BY module ORDER BY live_bytes DESC LIMIT 20;

-- 2. Which functions hold the most memory now?
-- As `snapdiff top -g function`: the function that asked for the memory, whatever its line.
SELECT function, count(*) AS sites, sum(live_bytes) AS live_bytes
FROM top GROUP BY function ORDER BY live_bytes DESC LIMIT 20;

-- 3. What changed between the last two snapshots of a process?
-- Positive figures grew.  Sites that are equal on both sides are left out.
SELECT function, file, line, delta_bytes, delta_blocks
FROM changes WHERE new_snapshot_id = (SELECT max(new_snapshot_id) FROM changes) AND delta_bytes <> 0
ORDER BY abs(delta_bytes) DESC LIMIT 20;

-- 4. Which sites exist in the newest snapshot and did not in the first? These sites came with a
-- request, a release, or a leak.
SELECT function, file, line, live_bytes
FROM top WHERE site_id NOT IN (SELECT site_id FROM history WHERE snapshot_id =
	(SELECT snapshot_id FROM snapshots ORDER BY position LIMIT 1) AND live_blocks > 0)
ORDER BY live_bytes DESC LIMIT 20;

-- 5. What appeared since a release?
-- Compares the newest snapshot with the newest one whose label `release` is another (load --label release=1.4).
-- Without such labels there is no row.
WITH now AS (SELECT snapshot_id, value AS release FROM labels WHERE key = 'release' ORDER BY snapshot_id DESC LIMIT 1),
before AS (SELECT max(l.snapshot_id) AS snapshot_id FROM labels l, now
	WHERE l.key = 'release' AND l.value <> now.release)
SELECT h.function, h.file, h.line, h.live_bytes
FROM history h, now, before WHERE h.snapshot_id = now.snapshot_id
AND h.site_id NOT IN (SELECT site_id FROM history WHERE snapshot_id = before.snapshot_id)
ORDER BY h.live_bytes DESC LIMIT 20;

-- 6. Which sites grow fastest over all snapshots?
-- theil_sen is the median slope, here bytes a snapshot: robust against single jumps.  (A function of snapdiff.)
SELECT function, file, line, round(theil_sen(seq, live_bytes)) AS bytes_a_snapshot, count(*) AS snapshots
FROM history GROUP BY site_id HAVING count(*) >= 3 ORDER BY bytes_a_snapshot DESC LIMIT 20;

-- 7. Which sites only ever rise?
-- mann_kendall above 1.64 means rising with 95 % confidence.  A cache that fills rises too: see growth's verdicts.
SELECT function, file, line, round(mann_kendall(live_bytes), 2) AS z
FROM (SELECT * FROM history ORDER BY site_id, seq) GROUP BY site_id HAVING z > 1.64 ORDER BY z DESC LIMIT 20;

-- 8. Whose blocks live longest?
-- Live memory by the snapshot before which it was allocated; a small birth_seq with much memory is old.
SELECT s.function, s.file, s.line, c.birth_seq, c.live_blocks, c.live_bytes
FROM cohorts c JOIN sites s USING (site_id)
WHERE c.snapshot_id = (SELECT snapshot_id FROM snapshots ORDER BY position DESC LIMIT 1)
ORDER BY c.birth_seq, c.live_bytes DESC LIMIT 20;

-- 9. Which snapshot is the peak, and who made it?
-- The fullest snapshot and its largest sites.
SELECT h.seq, h.function, h.file, h.line, h.live_bytes
FROM history h WHERE h.snapshot_id = (SELECT snapshot_id FROM snapshots ORDER BY live_bytes DESC, position LIMIT 1)
ORDER BY h.live_bytes DESC LIMIT 10;

-- 10. How did memory develop over the snapshots?
-- One row a snapshot, with what was freed again in between.
SELECT seq, time, live_bytes, allocated_bytes, allocated_bytes - live_bytes AS freed_bytes
FROM snapshots ORDER BY position;

-- 11. How much memory does the process have that no allocation explains?
-- Resident memory less live memory and the recorder's own: code, stacks, free memory inside the allocator.
SELECT s.seq, m.value AS rss, s.live_bytes, r.value AS recorder,
	m.value - s.live_bytes - coalesce(r.value, 0) AS other_bytes
FROM snapshots s JOIN metrics m ON m.snapshot_id = s.snapshot_id AND m.name = 'rss'
LEFT JOIN metrics r ON r.snapshot_id = s.snapshot_id AND r.name = 'recorder.memory' ORDER BY s.position;

-- 12. How much growth is there per request?
-- Needs a label that counts (snap_set_label("requests", "1000")).  Bytes per unit of the label.
SELECT round(theil_sen(CAST(l.value AS REAL), s.live_bytes), 1) AS bytes_a_request
FROM snapshots s JOIN labels l ON l.snapshot_id = s.snapshot_id AND l.key = 'requests';

-- 13. Which sites have many small blocks?
-- A candidate for an arena, or for storing values instead of pointers.
SELECT function, file, line, live_blocks, live_bytes, live_bytes / live_blocks AS average_size
FROM top WHERE live_blocks > 0 AND live_bytes / live_blocks < 64 ORDER BY live_blocks DESC LIMIT 20;

-- 14. How are live bytes spread over block sizes?
-- Average sizes of sites in powers of two.
SELECT CASE WHEN a < 32 THEN '< 32' WHEN a < 128 THEN '< 128' WHEN a < 512 THEN '< 512'
	WHEN a < 4096 THEN '< 4 KiB' WHEN a < 65536 THEN '< 64 KiB' ELSE 'larger' END AS average_size,
	count(*) AS sites, sum(live_blocks) AS live_blocks, sum(live_bytes) AS live_bytes
FROM (SELECT *, live_bytes / live_blocks AS a FROM top WHERE live_blocks > 0)
GROUP BY average_size ORDER BY live_bytes DESC;

-- 15. Which sites allocate much and keep little?
-- Churn: time goes into malloc and free, not memory.
SELECT function, file, line, allocated_blocks, live_blocks, allocated_bytes
FROM top WHERE allocated_blocks > 0 ORDER BY allocated_blocks - live_blocks DESC LIMIT 20;

-- 16. Which sites never gave anything back?
-- Everything that was allocated there is still live.
SELECT function, file, line, live_blocks, live_bytes
FROM top WHERE live_blocks = allocated_blocks AND live_blocks > 0 ORDER BY live_bytes DESC LIMIT 20;

-- 17. What does each domain hold?
-- malloc, mmap, python, and the domains that the program records by itself.
SELECT domain, sum(live_bytes) AS live_bytes, sum(live_blocks) AS live_blocks FROM top GROUP BY domain
ORDER BY live_bytes DESC;

-- 18. Which objects does Python have, by type?
-- There are rows where a snapshot was taken with a census.
SELECT type, count, bytes FROM types
WHERE snapshot_id = (SELECT snapshot_id FROM snapshots ORDER BY position DESC LIMIT 1)
ORDER BY bytes DESC LIMIT 20;

-- 19. Which Python lines hold the most?
-- Sites whose file is a Python source.
SELECT file, line, function, live_blocks, live_bytes FROM top WHERE file LIKE '%.py'
ORDER BY live_bytes DESC LIMIT 20;

-- 20. Two runs side by side: which functions differ most?
-- The newest snapshots of the first and the last run in the database.
WITH newest AS (SELECT run_id, max(snapshot_id) AS snapshot_id FROM snapshots GROUP BY run_id),
ends AS (SELECT min(run_id) AS a, max(run_id) AS b FROM newest)
SELECT function, sum(CASE WHEN n.run_id = ends.a THEN live_bytes ELSE 0 END) AS first_bytes,
	sum(CASE WHEN n.run_id = ends.b THEN live_bytes ELSE 0 END) AS last_bytes
FROM history JOIN newest n USING (snapshot_id), ends GROUP BY function
ORDER BY abs(last_bytes - first_bytes) DESC LIMIT 20;

-- 21. What grew between two named snapshots?
-- Replace the labels: snapshots are named by `snap --label` or snap_take("...").
SELECT n.function, n.file, n.line, n.live_bytes - coalesce(o.live_bytes, 0) AS delta_bytes
FROM history n JOIN snapshots b ON b.snapshot_id = n.snapshot_id AND b.label = 'after'
LEFT JOIN history o ON o.site_id = n.site_id AND o.snapshot_id =
	(SELECT snapshot_id FROM snapshots WHERE label = 'before')
ORDER BY delta_bytes DESC LIMIT 20;

-- 22. How did one function develop?
-- For a plot: snapdiff query -f csv.  Replace the name.
SELECT seq, time, sum(live_bytes) AS live_bytes, sum(live_blocks) AS live_blocks
FROM history WHERE function = 'session_remember' GROUP BY snapshot_id ORDER BY seq;

-- 23. Who calls a function, and for how much?
-- Each caller of the frame that is named, by what is held below it.  Replace the name.
SELECT c.function AS caller, sum(t.live_bytes) AS live_bytes
FROM frames f JOIN frames c ON c.stack_id = f.stack_id AND c.position = f.position + 1
JOIN top t ON t.site_id = f.stack_id WHERE f.function = 'handle'
GROUP BY c.function ORDER BY live_bytes DESC LIMIT 20;

-- 24. What did the recording lose?
-- Figures are exact where there is no row.
SELECT s.seq, l.kind, l.count FROM losses l JOIN snapshots s USING (snapshot_id) WHERE l.count > 0
ORDER BY s.position, l.kind;

-- 25. Which sites have stacks that pass through a library?
-- Replace the pattern: any frame of the stack counts.
SELECT t.function, t.file, t.line, t.live_bytes FROM top t
WHERE EXISTS (SELECT 1 FROM frames f WHERE f.stack_id = t.site_id AND f.module LIKE '%libstdc++%')
ORDER BY t.live_bytes DESC LIMIT 20;
