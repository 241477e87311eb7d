-- Question:   What do the rows that are shown hold and how far may that be off, and which call stack holds most of each?
-- Parameters: ?1 snapshot, ?2 side, ?3 the figure that decides who holds most.
-- Columns:    the row's key, its place, call stacks, the four figures; their variances, site_id and what it holds.
SELECT s.key, s.place, count(*) AS stacks,
       CASE WHEN count(l.bytes) = count(*) THEN sum(l.bytes) END AS live_bytes,
       CASE WHEN count(l.blocks) = count(*) THEN sum(l.blocks) END AS live_blocks,
       CASE WHEN count(l.allocated_bytes) = count(*) THEN sum(l.allocated_bytes) END AS allocated_bytes,
       CASE WHEN count(l.allocated_blocks) = count(*) THEN sum(l.allocated_blocks) END AS allocated_blocks,
       total(v.bytes) AS live_bytes_variance,
       total(v.blocks) AS live_blocks_variance,
       total(v.allocated_bytes) AS allocated_bytes_variance,
       total(v.allocated_blocks) AS allocated_blocks_variance,
       l.site_id,
       max(ifnull(CASE ?3 WHEN 'live_bytes' THEN l.bytes WHEN 'live_blocks' THEN l.blocks
                          WHEN 'allocated_bytes' THEN l.allocated_bytes ELSE l.allocated_blocks END, 0)) AS most
FROM temp.shown AS s CROSS JOIN temp.credit AS c ON c.side = ?2 AND c.row = s.row
CROSS JOIN live AS l ON l.snapshot_id = ?1 AND l.site_id = c.site_id
LEFT JOIN variance AS v ON v.snapshot_id = l.snapshot_id AND v.site_id = l.site_id
GROUP BY s.place ORDER BY s.place;
