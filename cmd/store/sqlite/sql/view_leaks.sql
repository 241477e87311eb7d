-- Question:   Which blocks does nothing reach?
-- Parameters: none.
-- Columns:    see docs.c; one row for each group that has such blocks.
CREATE VIEW leaks AS
SELECT g.snapshot_id, g.id AS group_id, g.site_id, f.function, f.file, f.line, m.path AS module, g.label,
       g.direct_blocks + g.indirect_blocks AS unreachable_blocks,
       g.direct_bytes + g.indirect_bytes AS unreachable_bytes,
       g.direct_blocks, g.direct_bytes, g.indirect_blocks, g.indirect_bytes, g.ring_blocks
FROM block_group AS g LEFT JOIN site AS s ON s.id = g.site_id
LEFT JOIN frame AS f ON f.id = s.named_frame_id LEFT JOIN module AS m ON m.id = f.module_id
WHERE g.direct_blocks + g.indirect_blocks > 0;
