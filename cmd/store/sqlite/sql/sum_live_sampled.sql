-- Question:   What do the rows of a report hold in one snapshot of a series?
-- Parameters: ?1 snapshot, ?2 side.
-- Columns:    row, live bytes and blocks as far as known, call stacks, of how many bytes and blocks are known; the variance of the bytes.
SELECT c.row, sum(l.bytes) AS live_bytes, sum(l.blocks) AS live_blocks,
       count(*) AS stacks, count(l.bytes) AS known_bytes, count(l.blocks) AS known_blocks, total(v.bytes) AS variance
FROM temp.credit AS c CROSS JOIN live AS l ON l.snapshot_id = ?1 AND l.site_id = c.site_id
LEFT JOIN variance AS v ON v.snapshot_id = l.snapshot_id AND v.site_id = l.site_id
WHERE c.side = ?2
GROUP BY c.row ORDER BY c.row;
