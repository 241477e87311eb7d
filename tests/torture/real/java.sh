# needs: java
cat >T.java <<'X'
import java.util.*;
public class T {
  public static void main(String[] a) throws Exception {
    long[] sums = new long[4]; Thread[] t = new Thread[4];
    for (int n = 0; n < 4; n++) { final int k = n; t[n] = new Thread(() -> {
      Map<String, byte[]> m = new TreeMap<>();
      for (int i = 0; i < 60000; i++) m.put("k" + i * (k + 1), new byte[i % 100]);
      for (byte[] b : m.values()) sums[k] += b.length; }); t[n].start(); }
    for (Thread x : t) x.join();
    System.out.println(Arrays.toString(sums));
    Process p = new ProcessBuilder("/bin/sh", "-c", "echo child; exit 6").inheritIO().start();
    System.exit(p.waitFor());
  }
}
X
java -XX:-UsePerfData -Xmx256m T.java
