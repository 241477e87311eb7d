-- Question:   (deletes the call stacks of which no snapshot has figures)
-- Parameters: none.
-- Columns:    none.
DELETE FROM site WHERE id NOT IN (SELECT site_id FROM live);
