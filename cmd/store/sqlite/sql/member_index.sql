-- Question:   (finds the groups of blocks and the roots of a row)
-- Parameters: none.
-- Columns:    none.
CREATE INDEX temp.member_by_row ON member(row);
