cat >g.go <<'X'
package main
// #include <stdlib.h>
// #include <string.h>
// static long work(long n) { char *p = malloc(n + 1000); memset(p, 1, n); long r = p[n / 2]; free(p); return r; }
import "C"
import ("fmt"; "os"; "os/exec"; "sync")
func main() {
	var wait sync.WaitGroup
	sums := make([]int64, 16)
	for n := range sums {
		wait.Add(1)
		go func(n int) { defer wait.Done(); for i := 0; i < 3000; i++ { sums[n] += int64(C.work(C.long(i*n + 1))) } }(n)
	}
	wait.Wait()
	out, err := exec.Command("/bin/echo", "child").Output()
	fmt.Print(sums, string(out), err, "\n")
	os.Exit(3)
}
X
GOCACHE="$PWD/cache" GO111MODULE=off go build -o g g.go
