-- Question:   How are rows found again in a database that is a file?
-- Parameters: none.
-- Columns:    none; creates the secondary indexes.
CREATE UNIQUE INDEX module_by_hash ON module(hash);
CREATE UNIQUE INDEX frame_by_hash ON frame(hash);
CREATE INDEX snapshot_by_run ON snapshot(run_id, seq, id);
CREATE INDEX frame_by_function ON frame(function);
