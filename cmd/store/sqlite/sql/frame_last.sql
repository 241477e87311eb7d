-- Question:   What is the highest number of a frame?
-- Parameters: none.
-- Columns:    number; 0 where there is no frame.
SELECT coalesce(max(id), 0) FROM frame;
