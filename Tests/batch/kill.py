#!/usr/bin/env python3
"""A batch of 500 recordings, 5 of them broken, that is killed twice and started again, against one that is not.

    Tests/batch/kill.py VESTIGE SAMPLES

Both must leave the same outputs and, but for times, the same reports.
"""
import csv, filecmp, glob, os, random, signal, subprocess, sys, tempfile, time

COUNT, BROKEN = 500, 5
FORMATS = ['--to', 'jsonl,csv,perfetto', '--combine', 'all']
vestige, samples = os.path.abspath(sys.argv[1]), sys.argv[2]


def fail(text):
    sys.exit('batch: ' + text)


def make_inputs(folder):
    traces = [open(path, 'rb').read() for path in sorted(glob.glob(samples + '/*/*/*.trace'))]
    broken = [b'', b'no recording\n', bytes(random.Random(1).randbytes(5000)), b'go 1.26 trace\0\0\0' + b'\x01' * 500,
              b'go 1.22 trace\0\0\0' + bytes(random.Random(2).randbytes(3000))]
    for number in range(COUNT):
        content = broken[number // 100] if number % 100 == 50 else traces[number % len(traces)]
        path = '%s/in/%d/%03d.trace' % (folder, number % 7, number)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, 'wb') as file:
            file.write(content)


def command(out):
    words = [word if word != 'all' else out + '/all' for word in FORMATS]
    return [vestige, 'batch', 'in', '--out', out, '-q'] + words


def outputs(folder):
    return sum(len(names) for _, _, names in os.walk(folder)) if os.path.isdir(folder) else 0


def stop_after(folder, out, count, number):
    """Starts the batch and sends it a signal when it has written so many files."""
    process = subprocess.Popen(command(out), cwd=folder, stderr=subprocess.DEVNULL)
    while process.poll() is None and outputs(os.path.join(folder, out)) < count:
        time.sleep(0.01)
    if process.poll() is not None:
        fail('it ended before it could be stopped')
    process.send_signal(number)
    return process.wait()


def report(path):
    with open(path + '/batch-report.csv', newline='') as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        del row['seconds']
        row['output'] = row['output'].split('/', 1)[1]
    return rows


def compare(a, b):
    """Names of files that differ."""
    found = []

    def walk(part):
        found.extend(os.path.join(part.left, n) for n in part.left_only + part.right_only)
        same, different, wrong = filecmp.cmpfiles(part.left, part.right, part.common_files, shallow=False)
        found.extend(os.path.join(part.left, n) for n in different + wrong)
        for inner in part.subdirs.values():
            walk(inner)
    walk(filecmp.dircmp(a, b, ignore=['.vestige-batch', 'batch-report.csv', 'batch-report.json'], hide=['.', '..']))
    return found


def main():
    with tempfile.TemporaryDirectory() as folder:
        make_inputs(folder)
        whole = subprocess.run(command('whole'), cwd=folder, stderr=subprocess.DEVNULL).returncode
        if whole != 1:
            fail('%d instead of 1 where inputs are broken' % whole)
        if stop_after(folder, 'parts', 700, signal.SIGKILL) != -signal.SIGKILL:
            fail('it was not killed')
        if stop_after(folder, 'parts', 2500, signal.SIGINT) != 130:
            fail('interrupted, it did not end with 130')
        left = [n for _, _, names in os.walk(folder + '/parts') for n in names if n.endswith('.partial')]
        again = subprocess.run(command('parts'), cwd=folder, stderr=subprocess.DEVNULL).returncode
        if again != 1:
            fail('%d instead of 1 when it went on' % again)
        rows = report(folder + '/whole')
        if rows != report(folder + '/parts'):
            fail('another report')
        failed = sum(row['result'] == 'failed' for row in rows)
        if len(rows) != 3 * COUNT or failed != 3 * BROKEN:
            fail('%d rows, %d failed' % (len(rows), failed))
        different = compare(folder + '/whole', folder + '/parts')
        if different:
            fail('differences: ' + ' '.join(different[:5]))
        for _, _, names in os.walk(folder + '/parts'):
            if any(name.endswith('.partial') for name in names):
                fail('leftovers')
        start = time.monotonic()
        subprocess.run(command('parts'), cwd=folder, stderr=subprocess.DEVNULL)
        print('batch: %d inputs, %d broken, stopped twice: the same as in one go (%d half done files were left, and '
              'are gone); once more without a change takes %.1f s' % (COUNT, BROKEN, len(left), time.monotonic() - start))


main()
