-- Question:   By which way is a block of each group reached?
-- Parameters: none.
-- Columns:    see docs.c; one row for each block on the way.
CREATE VIEW paths AS
SELECT p.snapshot_id, p.id AS path_id, p.group_id, p.root_id, p."offset" AS root_offset, p.skipped,
       s.position, s.group_id AS step_group_id, s.address, s.size, s."offset"
FROM path AS p JOIN step AS s ON s.snapshot_id = p.snapshot_id AND s.path_id = p.id;
