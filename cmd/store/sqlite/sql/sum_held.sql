-- Question:   What do the rows of a report hold, where call stacks count towards several?  (an unknown part makes a sum unknown)
-- Parameters: ?1 snapshot, ?2 side.
-- Columns:    row, call stacks, the four figures; their variances.
SELECT h.row, sum(h.stacks) AS stacks,
       CASE WHEN sum(h.bytes_known) = sum(h.stacks) THEN sum(h.bytes) END AS live_bytes,
       CASE WHEN sum(h.blocks_known) = sum(h.stacks) THEN sum(h.blocks) END AS live_blocks,
       CASE WHEN sum(h.allocated_bytes_known) = sum(h.stacks) THEN sum(h.allocated_bytes) END AS allocated_bytes,
       CASE WHEN sum(h.allocated_blocks_known) = sum(h.stacks) THEN sum(h.allocated_blocks) END AS allocated_blocks,
       total(h.bytes_variance) AS live_bytes_variance,
       total(h.blocks_variance) AS live_blocks_variance,
       total(h.allocated_bytes_variance) AS allocated_bytes_variance,
       total(h.allocated_blocks_variance) AS allocated_blocks_variance
FROM temp.held AS h
WHERE h.side = ?2 AND h.snapshot_id = ?1
GROUP BY h.row ORDER BY h.row;
