# needs: sbcl
sbcl --noinform --no-sysinit --no-userinit --non-interactive --eval '
(let ((h (make-hash-table :test (function equal))))
  (dotimes (i 300000) (setf (gethash (format nil "k~d" i) h) (list i (* i i))))
  (format t "~d ~a~%" (hash-table-count h) (gethash "k777" h))
  (finish-output) (sb-ext:exit :code 6))'
