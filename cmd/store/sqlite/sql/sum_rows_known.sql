-- Question:   What do the rows of a report hold?  (all figures of the snapshot are known)
-- Parameters: ?1 snapshot, ?2 side.
-- Columns:    row, call stacks, the four figures.
SELECT c.row, count(*) AS stacks, sum(l.bytes) AS live_bytes, sum(l.blocks) AS live_blocks,
       sum(l.allocated_bytes) AS allocated_bytes, sum(l.allocated_blocks) AS allocated_blocks
FROM temp.credit AS c CROSS JOIN live AS l ON l.snapshot_id = ?1 AND l.site_id = c.site_id
WHERE c.side = ?2
GROUP BY c.row ORDER BY c.row;
