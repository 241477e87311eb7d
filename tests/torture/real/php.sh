# needs: php
php -n -r '
$a = []; mt_srand(7);
for ($i = 0; $i < 300000; $i++) $a["k$i"] = ["n" => mt_rand(), "s" => str_repeat("x", $i % 60)];
uasort($a, fn($x, $y) => $x["n"] <=> $y["n"]);
$j = json_encode($a); echo strlen($j), " ", crc32($j), "\n";
preg_match_all("/\"k(\d+)5\"/", $j, $m); echo count($m[1]), "\n";
$b = json_decode($j, true); echo count($b), " ", md5(serialize($b)), "\n";
echo shell_exec("echo a child"); exit(3);'
