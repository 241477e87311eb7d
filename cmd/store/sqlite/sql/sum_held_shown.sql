-- Question:   What do the rows that are shown hold, where call stacks count towards several, and which call stack holds most of each?
-- Parameters: ?1 snapshot, ?2 side, ?3 the figure that decides who holds most.
-- Columns:    the row's key, its place, call stacks, the four figures; their variances, site_id and what it holds.
SELECT s.key, s.place, sum(h.stacks) AS stacks,
       CASE WHEN sum(h.bytes_known) = sum(h.stacks) THEN sum(h.bytes) END AS live_bytes,
       CASE WHEN sum(h.blocks_known) = sum(h.stacks) THEN sum(h.blocks) END AS live_blocks,
       CASE WHEN sum(h.allocated_bytes_known) = sum(h.stacks) THEN sum(h.allocated_bytes) END AS allocated_bytes,
       CASE WHEN sum(h.allocated_blocks_known) = sum(h.stacks) THEN sum(h.allocated_blocks) END AS allocated_blocks,
       total(h.bytes_variance) AS live_bytes_variance,
       total(h.blocks_variance) AS live_blocks_variance,
       total(h.allocated_bytes_variance) AS allocated_bytes_variance,
       total(h.allocated_blocks_variance) AS allocated_blocks_variance,
       CASE ?3 WHEN 'live_bytes' THEN h.bytes_site WHEN 'live_blocks' THEN h.blocks_site
               WHEN 'allocated_bytes' THEN h.allocated_bytes_site ELSE h.allocated_blocks_site END AS site_id,
       max(ifnull(CASE ?3 WHEN 'live_bytes' THEN h.bytes_most WHEN 'live_blocks' THEN h.blocks_most
                          WHEN 'allocated_bytes' THEN h.allocated_bytes_most ELSE h.allocated_blocks_most END, 0)) AS most
FROM temp.shown AS s CROSS JOIN temp.held AS h ON h.side = ?2 AND h.snapshot_id = ?1 AND h.row = s.row
GROUP BY s.place ORDER BY s.place;
