-- Question:   (deletes the processes that have no snapshot left)
-- Parameters: none.
-- Columns:    none.
DELETE FROM run WHERE id NOT IN (SELECT run_id FROM snapshot);
