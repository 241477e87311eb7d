-- Question:   Which tables and views does the database have, and how were they made?
-- Parameters: none.
-- Columns:    type, name, sql.
SELECT type, name, sql FROM sqlite_schema WHERE type IN ('table', 'view');
