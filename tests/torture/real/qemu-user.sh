# needs: qemu-x86_64
qemu-x86_64 /usr/bin/sort -n -r <<X
$(seq 1 3000)
X
qemu-x86_64 /usr/bin/perl -e 'my %h = map { $_ => "x" x $_ } 1..3000; print scalar(keys %h), "\n"; exit 7'
