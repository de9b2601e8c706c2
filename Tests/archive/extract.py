#!/usr/bin/env python3
"""A second decoder of archives, written by Schemas/archive-format.md alone.

    Tests/archive/extract.py ARCHIVE FOLDER

writes every entry into FOLDER, proved by its SHA-256. Slow and simple: it shows that the text is enough.
"""
import ctypes, hashlib, os, struct, sys

U64 = (1 << 64) - 1
zstd = ctypes.CDLL('libzstd.so.1')
zstd.ZSTD_decompress.restype = ctypes.c_size_t
xxhash = ctypes.CDLL('libxxhash.so.0')
xxhash.XXH64.restype = ctypes.c_uint64


def xxh64(data, seed=0):
    return xxhash.XXH64(bytes(data), ctypes.c_size_t(len(data)), ctypes.c_uint64(seed))


def unpack(frame, size):
    out = ctypes.create_string_buffer(size or 1)
    count = zstd.ZSTD_decompress(out, ctypes.c_size_t(size), bytes(frame), ctypes.c_size_t(len(frame)))
    check(count == size, 'a frame of another size')
    return out.raw[:size]


def check(condition, what):
    if not condition:
        sys.exit('extract: ' + what)


def unzigzag(n):
    return (n >> 1) ^ (-(n & 1) & U64)


class Input:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, count):
        check(self.at + count <= len(self.data), 'the end of the data')
        self.at += count
        return self.data[self.at - count:self.at]

    def varint(self):
        value, shift = 0, 0
        while True:
            byte = self.take(1)[0]
            value |= (byte & 127) << shift
            if byte < 128:
                return value & U64
            shift += 7

    def signed(self):
        return unzigzag(self.varint())

    def text(self):
        return self.take(self.varint()).decode()

    def number(self, wide):
        first = self.take(1)[0]
        return first if first < 248 else int.from_bytes(wide.take(first - 247), 'little')


def varint(value):
    out = bytearray()
    while value >= 128:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return out


COUNTS = dict(zip(range(9, 49), [2, 2, 0, 3, 2, 3, 1, 2, 0, 0, 2, 2, 3, 2, 0, 0, 3, 2, 0, 1, 2, 1, 1, 1, 2, 1, 1, 0, 1, 1,
                                 1, 4, 2, 3, 3, 4, 2, 2, 3, 4]))
COUNTS.update(zip(range(128, 137), [3, 3, 1, 2, 2, 1, 2, 2, 1]))
ROWS = {kind: row for row, kind in enumerate(sorted(COUNTS), 1)}
OTHER, RUNNABLE, WAITING = 0, 1, 2
STACK, OWN, REASON, TARGET, NAME, CLASS, PARENT, LABEL = range(8)


class Goroutine:
    def __init__(self, **fields):
        self.id = self.seq = self.task = self.waker = self.stack = self.status = self.waitclass = 0
        self.__dict__.update(fields)


class Proc:
    seq = created = next = thread = 0


class Thread:
    def __init__(self, m):
        self.m, self.g, self.p, self.batches, self.end = m, 0, 0, [], 0


class Batch:
    pass


class Model:
    """Decodes one segment."""

    def __init__(self, columns):
        self.columns = columns
        self.goroutines, self.procs, self.pairs, self.last = {}, {}, {}, {}
        self.R, self.W = [[] for _ in range(257)], [[] for _ in range(256)]
        self.highest = self.task = self.gc = 0

    # What is remembered

    def G(self, id):
        return self.goroutines.setdefault(id % (1 << 14), Goroutine())

    def P(self, id):
        return self.procs.setdefault(id % 256, Proc())

    def C(self, kind, a, b=0):
        k, l = 0x9e3779b97f4a7c15, 0xc2b2ae3d27d4eb4f
        mixed = (a * k & U64) ^ ((b + (kind << 56) & U64) * l & U64)
        return self.pairs.setdefault((mixed * k & U64) >> 50, [0, 0])

    def put(self, queue, x):
        queue.append(x)
        if len(queue) > 128:
            del queue[0]

    def first(self, queue, is_there):
        while queue:
            if is_there(queue[0]):
                return queue[0]
            del queue[0]
        return 0

    def runnable(self, number):
        return self.first(self.R[number], lambda x: self.G(x).id == x and self.G(x).status == RUNNABLE)

    def waiting(self, number):
        return self.first(self.W[number], lambda x: self.G(x).id == x and self.G(x).status == WAITING
                          and self.G(x).waitclass == number)

    def make_runnable(self, x, p):
        self.G(x).id, self.G(x).status = x, RUNNABLE
        if self.P(p).next:
            self.put(self.R[p % 256], self.P(p).next)
        self.P(p).next = x

    # Values

    def number(self, i):
        column = 5052 + 2 * (4 * ROWS[self.kind] + i)
        return self.columns[column].number(self.columns[column + 1])

    def near(self, i, e):
        return e + unzigzag(self.number(i)) & U64

    def near_last(self, i, step=0):
        key = (self.kind, i)
        self.last[key] = self.near(i, self.last.get(key, 0) + step & U64)
        return self.last[key]

    def either(self, i, pair):
        code = self.number(i)
        value = pair[code] if code < 2 else code - 2
        if value != pair[0]:
            pair[1], pair[0] = pair[0], value
        return value

    def chosen(self, i, candidates):
        code = self.number(i)
        for index, candidate in enumerate(candidates):
            value = candidate()
            if index == code:
                return value
        return self.highest - unzigzag(code - len(candidates)) & U64

    def stack(self, i, t):
        record = self.G(t.g)
        record.stack = self.either(i, self.C(STACK, record.stack, self.kind))
        return record.stack

    def current_task(self, i, t):
        record = self.G(t.g)
        record.task = self.near(i, record.task)
        return record.task

    # Events

    def event(self, kind, t):
        self.kind = kind
        a = [0] * COUNTS[kind]
        G, P, C = self.G, self.P, self.C
        if kind == 16:
            own = t.p % 256
            a[0] = self.chosen(0, [lambda: P(t.p).next, lambda: self.runnable(own), lambda: self.runnable(256),
                                   lambda: self.runnable(own ^ 1)])
            if a[0] == P(t.p).next:
                P(t.p).next = 0
            a[1] = self.near(1, G(a[0]).seq + 1)
            G(a[0]).id, G(a[0]).seq, G(a[0]).status = a[0], a[1], OTHER
            t.g = a[0]
        elif kind in (19, 20):
            a[1] = self.stack(1, t)
            a[0] = self.either(0, C(REASON, a[1], kind))
            record = G(t.g)
            record.id = t.g
            if kind == 19:
                record.status = RUNNABLE
                self.put(self.R[256], t.g)
            else:
                record.status, record.waitclass = WAITING, a[1] % 256
                self.put(self.W[a[1] % 256], t.g)
            t.g = 0
        elif kind == 21:
            a[2] = self.stack(2, t)
            k = C(TARGET, t.g, a[2])[0]
            w = lambda: self.waiting(C(CLASS, a[2])[0] % 256)
            if G(k).status == WAITING:
                candidates = [lambda: k, w]
            else:
                first = w()
                candidates = [lambda: first, lambda: k]
            a[0] = self.chosen(0, candidates + [lambda: G(t.g).waker])
            a[1] = self.near(1, G(a[0]).seq + 1)
            C(TARGET, t.g, a[2])[0] = a[0]
            C(CLASS, a[2])[0] = G(a[0]).waitclass
            G(a[0]).id, G(a[0]).seq, G(a[0]).waker = a[0], a[1], t.g
            self.make_runnable(a[0], t.p)
        elif kind in (14, 47):
            a[2] = self.stack(2, t)
            a[1] = self.either(1, C(OWN, a[2]))
            created = P(t.p).created
            e = created + 1 if created % 16 else (self.highest + 15 & U64) // 16 * 16 + 1
            a[0] = P(t.p).created = self.near(0, e)
            self.highest = max(self.highest, a[0])
            G(a[0]).id = a[0]
            self.goroutines[a[0] % (1 << 14)] = Goroutine(id=a[0], task=G(t.g).task, waker=t.g, stack=a[1])
            if kind == 14:
                self.make_runnable(a[0], t.p)
            else:
                G(a[0]).status = WAITING
        elif kind in (25, 48):
            a[2] = self.near_last(2)
            a[0] = self.near_last(0, 1)
            a[1] = self.near(1, t.m if a[2] in (2, 3) else U64)
            status = {1: RUNNABLE, 4: WAITING}.get(a[2], OTHER)
            self.goroutines[a[0] % (1 << 14)] = Goroutine(id=a[0], task=G(a[0]).task, status=status)
            if kind == 48:
                a[3] = G(a[0]).stack = self.near_last(3)
            if a[2] in (2, 3):
                t.g = a[0]
            self.highest = max(self.highest, a[0])
        elif kind in (45, 46):
            a[0] = self.either(0, C(TARGET, t.g, kind))
            a[1] = self.near(1, G(a[0]).seq + 1)
            G(a[0]).id, G(a[0]).seq, G(a[0]).status = a[0], a[1], OTHER
            if kind == 45:
                G(t.g).seq = G(t.g).seq + 1 & U64
            t.g = a[0]
        elif kind in (17, 18, 24):
            t.g = 0
        elif kind == 22:
            a[0] = P(t.p).seq = self.near(0, P(t.p).seq + 1)
            a[1] = self.stack(1, t)
        elif kind == 10:
            a[0] = self.near(0, t.p)
            a[1] = P(a[0]).seq = self.near(1, P(a[0]).seq + 1)
            P(a[0]).thread, t.p = t.m, a[0]
        elif kind == 12:
            a[0] = self.near_last(0)
            a[1] = self.near(1, P(a[0]).seq + 1)
            a[2] = self.near(2, P(a[0]).thread)
            P(a[0]).seq = a[1]
        elif kind == 13:
            a[0] = self.near_last(0, 1)
            a[1] = self.near_last(1)
            P(a[0]).seq = 0
            if a[1] in (1, 3):
                t.p, P(a[0]).thread = a[0], t.m
        elif kind in (42, 43):
            a[2] = self.stack(2, t)
            a[1] = self.either(1, C(NAME, a[2], kind))
            a[0] = self.current_task(0, t)
        elif kind == 40:
            a[3] = self.stack(3, t)
            a[2] = self.either(2, C(NAME, a[3], kind))
            a[1] = self.either(1, C(PARENT, a[3]))
            a[0] = self.near(0, self.task + 1)
            self.task = max(self.task, a[0])
            G(t.g).task = a[0]
        elif kind == 41:
            a[1] = self.stack(1, t)
            a[0] = self.current_task(0, t)
        elif kind == 44:
            a[3] = self.stack(3, t)
            a[1] = self.either(1, C(NAME, a[3], kind))
            a[2] = self.either(2, C(LABEL, a[3], a[1]))
            a[0] = self.current_task(0, t)
        elif kind in (29, 30):
            a[0] = self.gc = self.near(0, self.gc + 1)
            if kind == 29:
                a[1] = self.stack(1, t)
        elif kind in (9, 26):
            a[0] = self.near_last(0)
            a[1] = self.stack(1, t)
        elif kind in (32, 35):
            a[0] = self.stack(0, t)
        else:
            for i in range(len(a)):
                a[i] = self.near_last(i)
        return a

    # The segment

    def decode(self, length):
        pieces, threads, order, generation = [], {}, [], 0
        layout, stored = self.columns[0], self.columns[1]
        while True:
            pieces.append(stored.take(layout.varint()))
            mark = layout.varint()
            if mark == 0:
                break
            batch = Batch()
            generation = generation + layout.signed() & U64
            m = layout.varint()
            if m in threads:
                before = threads[m].end
            else:
                before = order[-1].end if order else 0
                threads[m] = Thread(m)
                order.append(threads[m])
            thread = threads[m]
            time = before + layout.signed() & U64
            batch.size, count = layout.varint(), layout.varint()
            size = varint(batch.size)
            if mark == 2:
                size = bytes((batch.size >> 7 * i) & 127 | 128 for i in range(9)) + b'\0'
            pieces.append(b'\1' + varint(generation) + varint(m) + varint(time) + size)
            batch.events, row, now = [], 0, time
            for _ in range(count):
                kind = self.columns[2 + row].take(1)[0]
                column = 52 + 2 * (50 * row + ROWS[kind])
                delta = self.columns[column].number(self.columns[column + 1])
                row, now = ROWS[kind], now + delta & U64
                batch.events.append((kind, delta, now))
            thread.end = now
            batch.bytes = bytearray()
            thread.batches.append(batch)
            pieces.append(batch)
        self.walk(order)
        for piece in pieces:
            if isinstance(piece, Batch):
                check(len(piece.bytes) == piece.size, 'a batch of another size')
        result = b''.join(bytes(p.bytes) if isinstance(p, Batch) else bytes(p) for p in pieces)
        check(len(result) == length, 'a segment of another size')
        return result

    def walk(self, threads):
        queues = [[(batch, event) for batch in t.batches for event in batch.events] for t in threads]
        places = [0] * len(threads)
        while True:
            least = None
            for number, queue in enumerate(queues):
                if places[number] < len(queue):
                    time = queue[places[number]][1][2]
                    if least is None or time < least[0]:
                        least = (time, number)
            if least is None:
                return
            number = least[1]
            batch, (kind, delta, _) = queues[number][places[number]]
            places[number] += 1
            batch.bytes.append(kind)
            batch.bytes += varint(delta)
            for argument in self.event(kind, threads[number]):
                batch.bytes += varint(argument)


class Archive:
    def __init__(self, path):
        self.data = open(path, 'rb').read()
        check(self.data[:8] == b'\x89VEST\r\n\x1a' and self.data[8:16] == b'\1\0\0\0\0\0\0\0', 'no archive')
        slots = [self.slot(16), self.slot(64)]
        number, offset, size, raw, total = max(s for s in slots if s)
        packed = self.data[offset:offset + size]
        check(xxh64(packed) == total, 'an index that is damaged')
        self.read_index(Input(unpack(packed, raw)))

    def slot(self, at):
        data = self.data[at:at + 48]
        *fields, total = struct.unpack('<6Q', data)
        return tuple(fields) if fields[0] and xxh64(data[:40], 1) == total else None

    def read_index(self, index):
        version = index.varint()
        check(version in (1, 2), 'an index of another version')
        index.varint()
        self.blocks, end = [], 0
        for _ in range(index.varint()):
            offset = end + index.signed() & U64
            header, payload, raw = index.varint(), index.varint(), index.varint()
            self.blocks.append((offset, header, payload, raw))
            end = offset + header + payload
        self.entries = []
        for _ in range(index.varint()):
            index.varint()
            name, size, total = index.text(), index.varint(), index.take(index.varint())
            index.varint(), index.varint(), index.text(), index.text(), index.take(index.varint())
            chunks, carries, block = [], [], 0
            for _ in range(index.varint()):
                block = block + index.signed() & U64
                chunks.append((block, index.varint(), index.varint()))
                self.skip_content(index)
                length = index.varint() if version == 2 else 0
                if length:
                    carries.append((block + index.signed() & U64, index.varint(), length))
            self.entries.append((name, size, total, chunks, carries))
        check(index.at == len(index.data), 'an index with more behind it')

    def skip_content(self, index):
        known = index.varint()
        if not known:
            return
        for _ in range(2 + (known == 2)):
            index.varint()
        for _ in range(2 * index.varint()):
            index.varint()
        for _ in range(index.varint()):
            index.text()

    def segments(self, number):
        """The bytes of a block's segments."""
        offset, header, payload, raw = self.blocks[number]
        data = self.data[offset:offset + header]
        mark, length, size, total, payload_sum, content_sum, sum = struct.unpack('<4sI5Q', data[:48])
        check(mark == b'VBLK' and (length, size, total) == (header, payload, raw), 'another block')
        check(sum == xxh64(data[48:], xxh64(data[:40], offset)), 'a header that is damaged')
        body = self.data[offset + header:offset + header + payload]
        check(xxh64(body) == payload_sum, 'a payload that is damaged')
        columns = self.columns(Input(body))
        table, result = Input(data[48:]), []
        for _ in range(table.varint()):
            table.varint(), table.text(), table.varint(), table.varint()
            length, method = table.varint(), table.varint()
            check(method < 4, 'a segment with another method')
            result.append(columns[1].take(length) if method & 1 == 0 else Model(columns).decode(length))
        check(all(c.at == len(c.data) for c in columns.values()), 'columns with more in them')
        check(xxh64(b''.join(result)) == content_sum, 'content that is damaged')
        return result

    def columns(self, payload):
        packed, size = struct.unpack('<II', payload.take(8))
        directory = Input(unpack(payload.take(packed), size))
        number, sizes = 0, []
        for _ in range(directory.varint()):
            number += directory.varint()
            sizes.append((number, directory.varint()))
        columns = {number: Input(b'') for number in range(5452)}
        small = [(n, s) for n, s in sizes if s < 1024]
        if small:
            pool = Input(unpack(payload.take(directory.varint()), sum(s for _, s in small)))
            for number, size in small:
                columns[number] = Input(pool.take(size))
        for number, size in sizes:
            if size >= 1024:
                columns[number] = Input(unpack(payload.take(directory.varint()), size))
        check(payload.at == len(payload.data), 'frames with more behind them')
        return columns

    def check_carry(self, carry, length):
        """A carry is one generation: batches of one number, and since Go 1.26 its end."""
        check(len(carry) == length, 'a carry of another size')
        batches, numbers = Input(carry), set()
        while batches.at < length:
            kind = batches.take(1)[0]
            if kind == 52:
                break
            check(kind == 1, 'a carry with something else in it')
            number, _, _, size = (batches.varint() for _ in range(4))
            numbers.add(number)
            batches.take(size)
        check(batches.at == length and len(numbers) == 1, 'a carry that is not one generation')

    def extract(self, folder):
        known = {}
        for name, size, total, chunks, carries in self.entries:
            content = bytearray()
            for block, segment, length in chunks:
                if block not in known:
                    known = {block: self.segments(block)}
                check(len(known[block][segment]) == length, 'a chunk of another size')
                content += known[block][segment]
            for block, segment, length in carries:
                if block not in known:
                    known = {block: self.segments(block)}
                self.check_carry(known[block][segment], length)
            check(len(content) == size and hashlib.sha256(content).digest() == total, name + ' is damaged')
            check(not os.path.isabs(name) and '..' not in name.split('/'), 'a name that leads elsewhere')
            path = os.path.join(folder, name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, 'wb') as file:
                file.write(content)


if __name__ == '__main__':
    Archive(sys.argv[1]).extract(sys.argv[2])
