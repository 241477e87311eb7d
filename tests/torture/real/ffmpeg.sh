# needs: ffmpeg
ffmpeg -v error -f lavfi -i testsrc=duration=6:size=640x360:rate=25 -c:v mpeg4 -threads 2 -flags +bitexact -f md5 -
ffmpeg -v error -f lavfi -i sine=frequency=440:duration=20 -c:a flac -f flac -y a.flac
ffmpeg -v error -i a.flac -f md5 -
ffmpeg -v error -i missing.mkv -f null - || exit 8
