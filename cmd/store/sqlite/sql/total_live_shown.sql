-- Question:   How many live bytes do the call stacks hold that count towards any row that is shown?
-- Parameters: ?1 snapshot, ?2 side.
-- Columns:    the scope, bytes.
SELECT 'shown' AS scope, sum(l.bytes) AS live_bytes
FROM live AS l
WHERE l.snapshot_id = ?1
  AND l.site_id IN (SELECT c.site_id FROM temp.shown AS s CROSS JOIN temp.credit AS c ON c.side = ?2 AND c.row = s.row);
