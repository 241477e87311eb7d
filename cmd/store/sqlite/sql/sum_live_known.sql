-- Question:   What do the rows of a report hold in one snapshot of a series?  (its figures are known)
-- Parameters: ?1 snapshot, ?2 side.
-- Columns:    row, live bytes and blocks.
SELECT c.row, sum(l.bytes) AS live_bytes, sum(l.blocks) AS live_blocks
FROM temp.credit AS c CROSS JOIN live AS l ON l.snapshot_id = ?1 AND l.site_id = c.site_id
WHERE c.side = ?2
GROUP BY c.row ORDER BY c.row;
