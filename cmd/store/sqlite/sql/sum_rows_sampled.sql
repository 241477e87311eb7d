-- Question:   What do the rows of a report hold and how far may that be off?  (an unknown part makes a sum unknown)
-- Parameters: ?1 snapshot, ?2 side.
-- Columns:    row, call stacks, the four figures; their variances.
SELECT c.row, count(*) AS stacks,
       CASE WHEN count(l.bytes) = count(*) THEN sum(l.bytes) END AS live_bytes,
       CASE WHEN count(l.blocks) = count(*) THEN sum(l.blocks) END AS live_blocks,
       CASE WHEN count(l.allocated_bytes) = count(*) THEN sum(l.allocated_bytes) END AS allocated_bytes,
       CASE WHEN count(l.allocated_blocks) = count(*) THEN sum(l.allocated_blocks) END AS allocated_blocks,
       total(v.bytes) AS live_bytes_variance,
       total(v.blocks) AS live_blocks_variance,
       total(v.allocated_bytes) AS allocated_bytes_variance,
       total(v.allocated_blocks) AS allocated_blocks_variance
FROM temp.credit AS c CROSS JOIN live AS l ON l.snapshot_id = ?1 AND l.site_id = c.site_id
LEFT JOIN variance AS v ON v.snapshot_id = l.snapshot_id AND v.site_id = l.site_id
WHERE c.side = ?2
GROUP BY c.row ORDER BY c.row;
