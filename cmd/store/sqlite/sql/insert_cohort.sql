-- Question:   (adds the live blocks of a site that share a birth epoch)
-- Parameters: as the columns named below.
-- Columns:    none.
INSERT INTO cohort(snapshot_id, site_id, birth_seq, blocks, bytes) VALUES (?, ?, ?, ?, ?);
