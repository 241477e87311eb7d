-- Question:   (makes room for the rows that may hold or be held: sites, types, roots)
-- Parameters: none.
-- Columns:    none.
CREATE TEMP TABLE node(row INTEGER PRIMARY KEY, key TEXT NOT NULL, kind TEXT NOT NULL);
