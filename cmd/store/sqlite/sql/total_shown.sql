-- Question:   What do the call stacks that count towards any row that is shown hold?
-- Parameters: ?1 snapshot, ?2 side.
-- Columns:    the scope, call stacks, the four figures.
SELECT 'shown' AS scope, count(*) AS stacks,
       CASE WHEN count(l.bytes) = count(*) THEN sum(l.bytes) END AS live_bytes,
       CASE WHEN count(l.blocks) = count(*) THEN sum(l.blocks) END AS live_blocks,
       CASE WHEN count(l.allocated_bytes) = count(*) THEN sum(l.allocated_bytes) END AS allocated_bytes,
       CASE WHEN count(l.allocated_blocks) = count(*) THEN sum(l.allocated_blocks) END AS allocated_blocks
FROM live AS l
WHERE l.snapshot_id = ?1
  AND l.site_id IN (SELECT o.site_id FROM temp.counted AS o WHERE o.side = ?2 AND o.shown = 1);
