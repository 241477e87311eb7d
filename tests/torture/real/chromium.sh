# needs: chromium
i=0; { echo '<body>'; while [ $i -lt 2000 ]; do echo "<p id=p$i>text $i</p>"; i=$((i + 1)); done
echo '<script>document.title = document.querySelectorAll("p").length</script>'; } >p.html
chromium --headless --no-sandbox --disable-gpu --user-data-dir="$PWD/u" --dump-dom "file://$PWD/p.html" 2>/dev/null | cksum
