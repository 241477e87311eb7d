-- Question:   What do the rows of a report hold in one snapshot of a series?  (its figures are known, and each row is one call stack)
-- Parameters: ?1 snapshot, ?2 side.
-- Columns:    row, live bytes and blocks.
SELECT c.row, l.bytes AS live_bytes, l.blocks AS live_blocks
FROM live AS l CROSS JOIN temp.credit AS c ON c.side = ?2 AND c.site_id = l.site_id
WHERE l.snapshot_id = ?1 ORDER BY l.site_id;
