-- Question:   Which snapshots are there, in order of capture?
-- Parameters: none.
-- Columns:    the fields of struct store_snapshot, in its order.
SELECT s.id, s.run_id, s.seq, r.pid, s.time_ns, s.mono_ns, r.start_time_ns, s.path, s.label, r.command, r.program,
       s."trigger", r.host, s.sample_period, s.live_bytes, s.live_blocks, s.allocated_bytes, s.allocated_blocks
FROM snapshot AS s JOIN run AS r ON r.id = s.run_id JOIN snapshot_order AS o ON o.snapshot_id = s.id
ORDER BY o.position;
