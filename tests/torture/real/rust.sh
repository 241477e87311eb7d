# needs: rustc
"$PREPARED/r"
