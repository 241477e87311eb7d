# needs: tclsh
echo 'set l {}; for {set i 0} {$i < 100000} {incr i} {lappend l "k[expr {$i * 7919 % 100003}]"}
puts [lindex [lsort $l] 777]; puts [exec echo child]; array set a $l; puts [array size a]; exit 5' >t.tcl
tclsh t.tcl
