-- Question:   What changed between two snapshots?  (the figures behind `snapdiff compare`; call stacks are
--             the same here when they are equal, the program also pairs those that an edit moved)
-- Parameters: :snapshots, a JSON array of the old snapshot's id and the new one's.
-- Columns:    site_id, function, file, line, module, old, new and delta of bytes and blocks; largest first.
WITH chosen(old_id, new_id) AS (
    SELECT json_extract(:snapshots, '$[0]'), json_extract(:snapshots, '$[#-1]')
), side(site_id, old_bytes, new_bytes, old_blocks, new_blocks) AS (
    SELECT site_id, bytes, 0, blocks, 0 FROM live WHERE snapshot_id = (SELECT old_id FROM chosen)
    UNION ALL
    SELECT site_id, 0, bytes, 0, blocks FROM live WHERE snapshot_id = (SELECT new_id FROM chosen)
), change AS (
    SELECT site_id, sum(old_bytes) AS old_bytes, sum(new_bytes) AS new_bytes,
           sum(new_bytes) - sum(old_bytes) AS delta_bytes,
           sum(old_blocks) AS old_blocks, sum(new_blocks) AS new_blocks,
           sum(new_blocks) - sum(old_blocks) AS delta_blocks
    FROM side GROUP BY site_id
)
SELECT site_id, function, file, line, module, old_bytes, new_bytes, delta_bytes, old_blocks, new_blocks, delta_blocks
FROM change JOIN sites USING (site_id)
ORDER BY abs(delta_bytes) DESC, abs(delta_blocks) DESC, site_id;
