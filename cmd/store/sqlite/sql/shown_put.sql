-- Question:   (says which row is shown at a place, and what it is called)
-- Parameters: place, row, key.
-- Columns:    none.
INSERT INTO temp.shown(place, row, key) VALUES (?, ?, ?);
