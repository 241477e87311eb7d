# needs: clang
printf 'int f%d(int x) { return x * %d; }\n' $(seq 1 400 | awk '{print $1, $1}') >a.c
echo 'int main(void) { return f7(3); }' >>a.c
clang -O2 -S -o - a.c | cksum
clang -O2 -o a a.c && ./a
