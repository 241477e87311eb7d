-- Question:   (makes room for the rows that a report shows)
-- Parameters: none.
-- Columns:    none.
CREATE TEMP TABLE shown(place INTEGER PRIMARY KEY, row INTEGER NOT NULL, key TEXT NOT NULL);
