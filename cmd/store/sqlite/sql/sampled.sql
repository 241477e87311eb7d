-- Question:   Is a snapshot sampled?
-- Parameters: ?1 snapshot.
-- Columns:    sample_period.
SELECT sample_period FROM snapshot WHERE id = ?1;
