-- Question:   What does a snapshot hold?
-- Parameters: ?1 snapshot.
-- Columns:    the scope, call stacks, the four figures.
SELECT 'all' AS scope, count(*) AS stacks,
       CASE WHEN count(l.bytes) = count(*) THEN sum(l.bytes) END AS live_bytes,
       CASE WHEN count(l.blocks) = count(*) THEN sum(l.blocks) END AS live_blocks,
       CASE WHEN count(l.allocated_bytes) = count(*) THEN sum(l.allocated_bytes) END AS allocated_bytes,
       CASE WHEN count(l.allocated_blocks) = count(*) THEN sum(l.allocated_blocks) END AS allocated_blocks
FROM live AS l
WHERE l.snapshot_id = ?1;
