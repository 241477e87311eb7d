-- Question:   (adds a process)
-- Parameters: ?1 host, ?2 pid, ?3 start_time_ns, ?4 program, ?5 command, ?6 exe.
-- Columns:    none.
INSERT INTO run(host, pid, start_time_ns, program, command, exe) VALUES (?1, ?2, ?3, ?4, ?5, ?6);
