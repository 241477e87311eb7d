-- Question:   What do the sites of a sampled snapshot hold, and how sure is that?
-- Parameters: ?1 snapshot.
-- Columns:    site_id, the four figures, their four variances.
SELECT l.site_id, l.bytes, l.blocks, l.allocated_bytes, l.allocated_blocks,
       v.bytes, v.blocks, v.allocated_bytes, v.allocated_blocks
FROM live AS l LEFT JOIN variance AS v ON v.snapshot_id = l.snapshot_id AND v.site_id = l.site_id
WHERE l.snapshot_id = ?1 ORDER BY l.site_id;
