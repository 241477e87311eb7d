-- Question:   (finds the holders of a row)
-- Parameters: none.
-- Columns:    none.
CREATE INDEX temp.link_by_held ON link(held, holder);
