-- Question:   What holds the most memory?  (the figures behind `snapdiff top`, before its filters)
-- Parameters: :snapshots, a JSON array with the snapshot's id.
-- Columns:    function, file, line, module, the four figures; largest first.
SELECT function, file, line, module,
       sum(live_bytes) AS live_bytes, sum(live_blocks) AS live_blocks,
       sum(allocated_bytes) AS allocated_bytes, sum(allocated_blocks) AS allocated_blocks
FROM history
WHERE snapshot_id IN (SELECT value FROM json_each(:snapshots))
GROUP BY function, file, line, module
ORDER BY live_bytes DESC, live_blocks DESC, function, file, line, module;
