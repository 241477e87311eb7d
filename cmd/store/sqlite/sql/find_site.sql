-- Question:   Is this site known, and is it the same?
-- Parameters: ?1 id.
-- Columns:    hash.
SELECT hash FROM site WHERE id = ?1;
