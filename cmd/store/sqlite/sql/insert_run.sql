-- Question:   (adds a process)
-- Parameters: ?1 host, ?2 pid, ?3 start_time_ns, ?4 program, ?5 command.
-- Columns:    none.
INSERT INTO run(host, pid, start_time_ns, program, command) VALUES (?1, ?2, ?3, ?4, ?5);
