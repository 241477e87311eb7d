# needs: perl
perl -e '
my %h = map { $_ => "x" x ($_ % 50) } 1 .. 200000; my $s = 0; $s += length for values %h;
my @a = sort { $a cmp $b } keys %h; print "$s $a[777]\n";
for my $i (1 .. 20) { my $p = fork; exit $i unless $p; waitpid $p, 0; print $? >> 8, " "; } print "\n";
print `echo child`; open my $f, "-|", "seq 1 1000" or die; my $n = 0; $n += $_ while <$f>; print "$n\n"; exit 9'
perl -Mthreads -e 'my @t = map { my $n = $_; threads->create(sub { my %h = map { $_ => "y" x $n } 1 .. 5000; scalar keys %h }) } 1 .. 6;
print join(",", map { $_->join } @t), "\n"'
