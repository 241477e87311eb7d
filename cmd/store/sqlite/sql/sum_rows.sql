-- Question:   What do the rows of a report hold?  (an unknown part makes a sum unknown)
-- Parameters: ?1 snapshot, ?2 side.
-- Columns:    row, call stacks, the four figures.
SELECT c.row, count(*) AS stacks,
       CASE WHEN count(l.bytes) = count(*) THEN sum(l.bytes) END AS live_bytes,
       CASE WHEN count(l.blocks) = count(*) THEN sum(l.blocks) END AS live_blocks,
       CASE WHEN count(l.allocated_bytes) = count(*) THEN sum(l.allocated_bytes) END AS allocated_bytes,
       CASE WHEN count(l.allocated_blocks) = count(*) THEN sum(l.allocated_blocks) END AS allocated_blocks
FROM temp.credit AS c CROSS JOIN live AS l ON l.snapshot_id = ?1 AND l.site_id = c.site_id
WHERE c.side = ?2
GROUP BY c.row ORDER BY c.row;
