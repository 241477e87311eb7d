-- Question:   Who refers to the blocks of each group, and to how many?
-- Parameters: none.
-- Columns:    see docs.c; one row for each holder and what it holds.
CREATE VIEW holders AS
SELECT e.snapshot_id, e.to_group_id AS group_id, t.site_id, t.function, t.file, t.line, t.module,
       coalesce(r.kind, h.kind) AS holder_kind,
       coalesce(r.name, h.function || coalesce(' ' || h.file || coalesce(':' || h.line, ''), ''), h.label)
           AS holder,
       e.from_root_id AS holder_root_id, e.from_group_id AS holder_group_id, h.site_id AS holder_site_id,
       e.refs AS refs, e.blocks, e.bytes, e.dominated_blocks, e.dominated_bytes
FROM edge AS e JOIN groups AS t ON t.snapshot_id = e.snapshot_id AND t.group_id = e.to_group_id
LEFT JOIN groups AS h ON h.snapshot_id = e.snapshot_id AND h.group_id = e.from_group_id
LEFT JOIN roots AS r ON r.snapshot_id = e.snapshot_id AND r.root_id = e.from_root_id;
