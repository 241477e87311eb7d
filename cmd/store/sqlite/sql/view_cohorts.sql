-- Question:   When were the live blocks of each site born?
-- Parameters: none.
-- Columns:    see docs.c.
CREATE VIEW cohorts AS
SELECT snapshot_id, site_id, birth_seq, blocks AS live_blocks, bytes AS live_bytes FROM cohort;
