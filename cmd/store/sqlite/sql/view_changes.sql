-- Question:   What changed between each snapshot and its predecessor of the same run?
-- Parameters: none.
-- Columns:    see docs.c.  A site that is not in a snapshot counts 0 there.
CREATE VIEW changes AS
WITH pair(old_id, new_id) AS (
    SELECT (SELECT p.id FROM snapshot AS p
            WHERE p.run_id = n.run_id AND (coalesce(p.seq, 0), p.id) < (coalesce(n.seq, 0), n.id)
            ORDER BY coalesce(p.seq, 0) DESC, p.id DESC LIMIT 1), n.id
    FROM snapshot AS n
), change(old_id, new_id, site_id, old_bytes, new_bytes, old_blocks, new_blocks) AS (
    SELECT pair.old_id, pair.new_id, n.site_id,
           CASE WHEN o.site_id IS NULL THEN 0 ELSE o.bytes END, n.bytes,
           CASE WHEN o.site_id IS NULL THEN 0 ELSE o.blocks END, n.blocks
    FROM pair JOIN live AS n ON n.snapshot_id = pair.new_id
    LEFT JOIN live AS o ON o.snapshot_id = pair.old_id AND o.site_id = n.site_id
    WHERE pair.old_id IS NOT NULL
    UNION ALL
    SELECT pair.old_id, pair.new_id, o.site_id, o.bytes, 0, o.blocks, 0
    FROM pair JOIN live AS o ON o.snapshot_id = pair.old_id
    WHERE NOT EXISTS (SELECT 1 FROM live AS n WHERE n.snapshot_id = pair.new_id AND n.site_id = o.site_id)
)
SELECT c.old_id AS old_snapshot_id, c.new_id AS new_snapshot_id, c.site_id, f.function, f.file, f.line,
       m.path AS module, c.old_bytes, c.new_bytes, c.new_bytes - c.old_bytes AS delta_bytes,
       c.old_blocks, c.new_blocks, c.new_blocks - c.old_blocks AS delta_blocks, s.domain,
       CASE WHEN s.named >= 0 THEN f.function END AS own_function,
       CASE WHEN s.named >= 0 THEN f.file END AS own_file, CASE WHEN s.named >= 0 THEN f.line END AS own_line
FROM change AS c JOIN site AS s ON s.id = c.site_id
LEFT JOIN frame AS f ON f.id = s.named_frame_id LEFT JOIN module AS m ON m.id = f.module_id;
