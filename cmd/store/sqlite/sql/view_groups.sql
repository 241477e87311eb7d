-- Question:   Which blocks belong together, how much do they retain, and how many does nothing reach?
-- Parameters: none.
-- Columns:    see docs.c.
CREATE VIEW groups AS
SELECT g.snapshot_id, g.id AS group_id,
       CASE g.kind WHEN 0 THEN 'site' WHEN 1 THEN 'type' ELSE 'kind ' || g.kind END AS kind,
       g.label, g.site_id, f.function, f.file, f.line, m.path AS module, g.blocks, g.bytes, g.retained_bytes,
       g.direct_blocks + g.indirect_blocks AS unreachable_blocks,
       g.direct_bytes + g.indirect_bytes AS unreachable_bytes
FROM block_group AS g LEFT JOIN site AS s ON s.id = g.site_id
LEFT JOIN frame AS f ON f.id = s.named_frame_id LEFT JOIN module AS m ON m.id = f.module_id;
