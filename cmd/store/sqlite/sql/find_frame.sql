-- Question:   Is this frame known?
-- Parameters: ?1 hash.
-- Columns:    id.
SELECT id FROM frame WHERE hash = ?1;
