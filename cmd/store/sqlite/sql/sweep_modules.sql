-- Question:   (deletes the modules that no snapshot maps and no frame is in)
-- Parameters: none.
-- Columns:    none.
DELETE FROM module WHERE id NOT IN (SELECT module_id FROM mapping)
AND id NOT IN (SELECT module_id FROM frame WHERE module_id IS NOT NULL);
