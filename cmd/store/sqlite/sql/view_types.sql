-- Question:   How many objects of each type did each snapshot find?
-- Parameters: none.
-- Columns:    see docs.c.
CREATE VIEW types AS
SELECT snapshot_id, type, bytes, count FROM object;
