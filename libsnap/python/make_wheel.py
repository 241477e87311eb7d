#!/usr/bin/env python3
"""Make a wheel of the Python package, with libsnap and the command line inside.  Needs no network and no pip.

usage: make_wheel.py BUILD_DIR VERSION OUTPUT_DIR
"""

import base64
import hashlib
import pathlib
import platform
import sys
import zipfile

HERE = pathlib.Path(__file__).resolve().parent
# The same bytes for the same content: the earliest time that a zip file can say.
TIME = (1980, 1, 1, 0, 0, 0)


def add(wheel, records, name, data, mode=0o644):
    info = zipfile.ZipInfo(name, TIME)
    info.external_attr = (0o100000 | mode) << 16
    info.compress_type = zipfile.ZIP_DEFLATED
    wheel.writestr(info, data)
    digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
    records.append(f"{name},sha256={digest},{len(data)}")


def main():
    build, version, output = pathlib.Path(sys.argv[1]), sys.argv[2], pathlib.Path(sys.argv[3])
    tag = f"py3-none-linux_{platform.machine()}"
    path = output / f"snapdiff-{version}-{tag}.whl"
    info = f"snapdiff-{version}.dist-info"
    records = []
    output.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as wheel:
        for source in sorted((HERE / "snapdiff").iterdir()):
            if source.suffix in (".py", ".typed"):
                add(wheel, records, f"snapdiff/{source.name}", source.read_bytes())
        add(wheel, records, "snapdiff/_native/lib/libsnap.so", (build / "lib" / "libsnap.so").read_bytes(), 0o755)
        add(wheel, records, "snapdiff/_native/bin/snapdiff", (build / "bin" / "snapdiff").read_bytes(), 0o755)
        metadata = (HERE / "dist-info" / "METADATA.in").read_text().replace("@PROJECT_VERSION@", version)
        add(wheel, records, f"{info}/METADATA", metadata.encode())
        add(wheel, records, f"{info}/entry_points.txt", (HERE / "dist-info" / "entry_points.txt").read_bytes())
        add(wheel, records, f"{info}/WHEEL",
            f"Wheel-Version: 1.0\nGenerator: snapdiff\nRoot-Is-Purelib: false\nTag: {tag}\n".encode())
        records.append(f"{info}/RECORD,,")
        wheel.writestr(zipfile.ZipInfo(f"{info}/RECORD", TIME), "\n".join(records) + "\n")
    print(path)


if __name__ == "__main__":
    main()
