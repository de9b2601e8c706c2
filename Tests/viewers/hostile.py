"""Gives a recording hostile names: reads JSON lines of Vestige on standard input and writes them with other names
of functions, files, regions, tasks, log messages, wait reasons and metrics.
"""

import json
import sys

HOSTILE = [
    b"C:\\",
    b'q"u\\"o',
    b"tab\tline\r\nfeed",
    b"\\",
    b'"',
    b"</script><script>alert(1)</script>",
    b"<img src=x onerror=alert(1)>&amp;",
    b"nul\0 escape\x1b[31m delete\x7f",
    b"not UTF-8: \xff\xfe\xc3(\xe2\x82",
    "right to left \u202e, line \u2028, emoji \U0001f600, C1 \u0085".encode(),
    b"\\u003c\\n\\/ %s%n {{x}} ${y} `z` '';--",
    b"=1+1,\"a\";b",
    b"x" * (1 << 20),
]
KEYS = ("type", "category", "message", "label", "func", "file", "reason")
names = {}


def hostile(key, name):
    # The longest one in every stack would be a file of hundreds of MB.
    count = len(HOSTILE) - (key in ("func", "file"))
    return names.setdefault(name, HOSTILE[len(names) % count])


def rename(record):
    for key in KEYS:
        # Whether it waits on a channel is told by the reason; most keep theirs.
        if not record.get(key) or key == "reason" and len(names) % 3:
            continue
        name = hostile(key, record[key])
        record[key] = name.decode(errors="replace")
        if record[key].encode() != name:
            record[key + "_hex"] = name.hex()


for line in sys.stdin:
    record = json.loads(line)
    rename(record)
    for frame in record.get("frames", []):
        rename(frame)
    print(json.dumps(record, ensure_ascii=False))
