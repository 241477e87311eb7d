-- Question:   What was dropped, truncated or recovered in each snapshot?
-- Parameters: none.
-- Columns:    see docs.c.
CREATE VIEW losses AS
SELECT snapshot_id, kind, count FROM loss;
