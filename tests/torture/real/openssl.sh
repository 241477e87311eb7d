# needs: openssl
seq 1 200000 >f
openssl dgst -sha256 f; openssl enc -aes-256-ctr -pbkdf2 -pass pass:x -S 0102030405060708 -in f | cksum
openssl genrsa -out k 2048 2>/dev/null && openssl req -new -x509 -key k -subj /CN=a -out c -days 1 && openssl verify -CAfile c c
openssl verify missing 2>/dev/null; exit $?
