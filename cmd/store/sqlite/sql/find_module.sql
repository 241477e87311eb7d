-- Question:   Is this module known?
-- Parameters: ?1 hash.
-- Columns:    id.
SELECT id FROM module WHERE hash = ?1;
