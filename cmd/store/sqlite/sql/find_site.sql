-- Question:   Is this site known?
-- Parameters: ?1 hash.
-- Columns:    id.
SELECT id FROM site WHERE hash = ?1;
