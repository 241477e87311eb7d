-- Question:   (what each call stack adds to each row that it counts towards)
-- Parameters: none.
-- Columns:    none.
--
-- The site and what it holds occur once for each figure, because another engine may already have added up some call stacks: then they are
-- those of the call stack that holds most.
CREATE TEMP VIEW IF NOT EXISTS held AS
SELECT c.side, l.snapshot_id, c.row, 1 AS stacks,
       l.bytes, l.blocks, l.allocated_bytes, l.allocated_blocks,
       l.bytes IS NOT NULL AS bytes_known, l.blocks IS NOT NULL AS blocks_known,
       l.allocated_bytes IS NOT NULL AS allocated_bytes_known, l.allocated_blocks IS NOT NULL AS allocated_blocks_known,
       v.bytes AS bytes_variance, v.blocks AS blocks_variance,
       v.allocated_bytes AS allocated_bytes_variance, v.allocated_blocks AS allocated_blocks_variance,
       l.bytes AS bytes_most, l.blocks AS blocks_most,
       l.allocated_bytes AS allocated_bytes_most, l.allocated_blocks AS allocated_blocks_most,
       l.site_id AS bytes_site, l.site_id AS blocks_site,
       l.site_id AS allocated_bytes_site, l.site_id AS allocated_blocks_site
FROM temp.credit AS c CROSS JOIN live AS l ON l.site_id = c.site_id
LEFT JOIN variance AS v ON v.snapshot_id = l.snapshot_id AND v.site_id = l.site_id;
