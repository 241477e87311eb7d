-- Question:   Is this content loaded already?
-- Parameters: ?1 digest.
-- Columns:    id.
SELECT id FROM snapshot WHERE digest = ?1;
