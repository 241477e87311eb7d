-- Question:   What do the rows of a report hold in one snapshot of a series, where call stacks count towards several?
-- Parameters: ?1 snapshot, ?2 side.
-- Columns:    row, live bytes and blocks as far as known, call stacks, of how many bytes and blocks are known; the variance of the bytes.
SELECT h.row, sum(h.bytes) AS live_bytes, sum(h.blocks) AS live_blocks,
       sum(h.stacks) AS stacks, sum(h.bytes_known) AS known_bytes, sum(h.blocks_known) AS known_blocks,
       total(h.bytes_variance) AS variance
FROM temp.held AS h
WHERE h.side = ?2 AND h.snapshot_id = ?1
GROUP BY h.row ORDER BY h.row;
