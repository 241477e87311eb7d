-- Question:   Which snapshots are there, in order of capture?
-- Parameters: none.
-- Columns:    the fields of struct store_snapshot, in its order.
SELECT snapshot_id, run_id, seq, pid, time_ns, mono_ns, start_time_ns, path, label, command, program, "trigger",
       host, sample_period, live_bytes, live_blocks, allocated_bytes, allocated_blocks, sites, time,
       EXISTS(SELECT 1 FROM variance AS v WHERE v.snapshot_id = snapshots.snapshot_id),
       (SELECT value FROM meta AS m WHERE m.snapshot_id = snapshots.snapshot_id AND m.key = 'title')
FROM snapshots
ORDER BY position;
