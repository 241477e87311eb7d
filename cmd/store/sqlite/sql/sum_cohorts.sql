-- Question:   When were the live blocks of the rows of a report allocated?
-- Parameters: ?1 snapshot, ?2 side.
-- Columns:    row, birth_seq, blocks, bytes.
SELECT c.row, o.birth_seq, sum(o.blocks) AS blocks, sum(o.bytes) AS bytes
FROM temp.credit AS c CROSS JOIN cohort AS o ON o.snapshot_id = ?1 AND o.site_id = c.site_id
WHERE c.side = ?2 AND o.blocks IS NOT NULL AND o.bytes IS NOT NULL
GROUP BY c.row, o.birth_seq ORDER BY c.row, o.birth_seq;
