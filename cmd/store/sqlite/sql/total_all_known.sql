-- Question:   What does a snapshot hold?  (all its figures are known)
-- Parameters: ?1 snapshot.
-- Columns:    the scope, call stacks, the four figures.
SELECT 'all' AS scope, count(*) AS stacks, sum(l.bytes) AS live_bytes, sum(l.blocks) AS live_blocks,
       sum(l.allocated_bytes) AS allocated_bytes, sum(l.allocated_blocks) AS allocated_blocks
FROM live AS l
WHERE l.snapshot_id = ?1;
