# needs: g++ gcc make
cat >a.cpp <<'X'
#include <iostream>
#include <map>
#include <regex>
int main() { std::map<std::string, int> m; std::regex r("([a-z]+)([0-9]+)"); std::smatch s;
for (int i = 0; i < 2000; i++) { std::string t = "abc" + std::to_string(i); if (std::regex_match(t, s, r)) m[s[2]]++; }
std::cout << m.size() << "\n"; return 5; }
X
for i in 1 2 3 4; do echo "int f$i(int x) { int s = 0; for (int i = 0; i < x; i++) s += i * $i; return s; }" >f$i.c; done
printf 'all: f1.o f2.o f3.o f4.o\n%%.o: %%.c\n\tgcc -O3 -c -o $@ $<\n' >Makefile
make -s -j4 && cksum f?.o
g++ -O2 -o a a.cpp && ./a
echo $?
gcc -c -o missing.o missing.c 2>&1
