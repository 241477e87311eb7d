# needs: rustc
cp "$REAL/rust.prepare.sh" p.sh
sh p.sh && ./r
