-- Question:   What did each site hold over the series?  (the figures behind `snapdiff growth`)
-- Parameters: :snapshots, a JSON array of the ids in their order.
-- Columns:    site_id, function, file, line, module, position in the series, snapshot_id, live_bytes, live_blocks.
SELECT h.site_id, h.function, h.file, h.line, h.module, s.key + 1 AS position, h.snapshot_id, h.live_bytes, h.live_blocks
FROM json_each(:snapshots) AS s JOIN history AS h ON h.snapshot_id = s.value
ORDER BY h.site_id, position;
