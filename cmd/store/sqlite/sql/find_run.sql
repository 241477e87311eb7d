-- Question:   Which run is this process?
-- Parameters: ?1 host, ?2 pid, ?3 start_time_ns, ?4 program, ?5 command (NULL: unknown).
-- Columns:    id.
SELECT id FROM run
WHERE pid IS ?2 AND start_time_ns IS ?3 AND host IS ?1 AND program IS ?4 AND command IS ?5;
