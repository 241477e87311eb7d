-- Question:   In which order were the snapshots taken?
-- Parameters: none.
-- Columns:    snapshot_id, run_id, position (1 = first).
--
-- By the wall clock between runs and by seq within one: a clock that jumps back moves no snapshot
-- before its predecessor, because each counts as taken at the latest time that its run has seen.
CREATE VIEW snapshot_order AS
SELECT snapshot_id, run_id, row_number() OVER (ORDER BY taken, start_time_ns, pid, run_id, seq, snapshot_id) AS position
FROM (
    SELECT s.id AS snapshot_id, s.run_id, s.seq, r.start_time_ns, r.pid,
           max(s.time_ns) OVER (PARTITION BY s.run_id ORDER BY s.seq, s.id ROWS UNBOUNDED PRECEDING) AS taken
    FROM snapshot AS s JOIN run AS r ON r.id = s.run_id
);
