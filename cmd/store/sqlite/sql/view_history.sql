-- Question:   What did each site hold in each snapshot?
-- Parameters: none.
-- Columns:    see docs.c.  The sums over a snapshot are its totals.
CREATE VIEW history AS
SELECT l.snapshot_id, p.seq,
       strftime('%Y-%m-%dT%H:%M:%S', p.time_ns / 1000000000, 'unixepoch')
           || printf('.%09dZ', p.time_ns % 1000000000) AS time,
       l.site_id, f.function, f.file, f.line, m.path AS module, s.domain,
       l.bytes AS live_bytes, l.blocks AS live_blocks, l.allocated_bytes, l.allocated_blocks,
       CASE WHEN s.named >= 0 THEN f.function END AS own_function,
       CASE WHEN s.named >= 0 THEN f.file END AS own_file, CASE WHEN s.named >= 0 THEN f.line END AS own_line
FROM live AS l JOIN snapshot AS p ON p.id = l.snapshot_id JOIN site AS s ON s.id = l.site_id
LEFT JOIN frame AS f ON f.id = s.named_frame_id LEFT JOIN module AS m ON m.id = f.module_id;
