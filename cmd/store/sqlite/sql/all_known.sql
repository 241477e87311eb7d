-- Question:   Are all figures of a snapshot known, so that those of each of its call stacks are?
-- Parameters: ?1 snapshot.
-- Columns:    1 or 0.
SELECT live_bytes IS NOT NULL AND live_blocks IS NOT NULL AND allocated_bytes IS NOT NULL
       AND allocated_blocks IS NOT NULL
FROM snapshot WHERE id = ?1;
