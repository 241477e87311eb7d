-- Question:   Which frames lie on the call stacks that hold memory?  (the rows behind `snapdiff peek`)
-- Parameters: :snapshots, a JSON array with the snapshot's id.
-- Columns:    function, file, line, module, position (0 newest), stack_id, the stack's live_bytes and live_blocks.
SELECT f.function, f.file, f.line, f.module, f.position, f.stack_id, l.bytes AS live_bytes, l.blocks AS live_blocks
FROM json_each(:snapshots) AS s JOIN live AS l ON l.snapshot_id = s.value JOIN frames AS f ON f.stack_id = l.site_id
ORDER BY f.stack_id, f.position;
