-- Question:   Which snapshots are there?
-- Parameters: none.
-- Columns:    see docs.c.
CREATE VIEW snapshots AS
SELECT s.id AS snapshot_id, s.run_id, s.seq,
       strftime('%Y-%m-%dT%H:%M:%S', s.time_ns / 1000000000, 'unixepoch')
           || printf('.%09dZ', s.time_ns % 1000000000) AS time,
       s.label, r.command, r.pid, s.live_bytes, s.live_blocks, s.allocated_bytes, s.allocated_blocks,
       o.position, r.program, r.host, s."trigger", s.sample_period, s.sites, s.path, s.time_ns, s.mono_ns, r.start_time_ns
FROM snapshot AS s JOIN run AS r ON r.id = s.run_id JOIN snapshot_order AS o ON o.snapshot_id = s.id;
