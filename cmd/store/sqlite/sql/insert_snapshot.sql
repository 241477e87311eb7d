-- Question:   (adds a snapshot)
-- Parameters: as the columns named below.
-- Columns:    none.
INSERT INTO snapshot(run_id, digest, path, seq, time_ns, mono_ns, label, "trigger", sample_period, sites,
                     live_bytes, live_blocks, allocated_bytes, allocated_blocks)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14);
