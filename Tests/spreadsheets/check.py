"""The checks of check.sh."""
import csv, datetime, glob, json, os, re, shutil, subprocess, sys, tempfile

import duckdb, openpyxl, pandas
from openpyxl.utils.escape import unescape

root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
# Comma, quote, UTF-8, from line 1, no formats, default language, quoted fields may be numbers, and dates and
# truth values are recognised: what the dialogue of LibreOffice offers, and Excel does without asking.
filter_options = '--infilter=CSV:44,34,76,1,,1033,false,true,false'
failures = 0


def fail(where, what):
    global failures
    failures += 1
    print('FAILED %s: %s' % (where, what[:300]))


def schema(table):
    with open(os.path.join(root, 'Schemas', 'csv', table + '.json')) as file:
        return json.load(file)['fields']


def rows_of(path):
    """The rows as Python's own reader of RFC 4180 gives them: strings, the header first."""
    csv.field_size_limit(1 << 30)
    with open(path, newline='', encoding='utf-8-sig') as file:
        return list(csv.reader(file))


def integers(rows, column):
    return [int(row[column]) for row in rows if row[column] != '']


def check_pandas(where, path, rows, fields):
    frame = pandas.read_csv(path)
    if list(frame.columns) != rows[0] or len(frame) != len(rows) - 1:
        return fail(where, 'pandas reads %d rows of %s' % (len(frame), list(frame.columns)))
    for position, field in enumerate(fields):
        if field['type'] != 'integer':
            continue
        values = integers(rows[1:], position)
        # Columns with gaps become floating point numbers.
        found = [int(value) for value in frame[field['name']].dropna()]
        is_exact = all(abs(value) < 1 << 53 for value in values)
        if is_exact and found != values or len(found) != len(values):
            fail(where, 'pandas reads other numbers in %s' % field['name'])


def check_duckdb(where, path, rows, fields):
    table = duckdb.read_csv(path)
    if table.columns != rows[0]:
        return fail(where, 'DuckDB finds the columns %s' % table.columns)
    numbers = [f['name'] for f in fields if f['type'] == 'integer']
    wanted = ', '.join('sum("%s"::hugeint), count("%s")' % (name, name) for name in numbers)
    found = table.query('t', 'select count(*)%s from t' % (', ' + wanted if numbers else '')).fetchall()[0]
    if found[0] != len(rows) - 1:
        return fail(where, 'DuckDB reads %d rows instead of %d' % (found[0], len(rows) - 1))
    for position, name in enumerate(numbers):
        values = integers(rows[1:], rows[0].index(name))
        if (found[1 + 2 * position] or 0) != sum(values) or found[2 + 2 * position] != len(values):
            fail(where, 'DuckDB has another sum of %s' % name)
    booleans = [f['name'] for f in fields if f['type'] == 'boolean']
    for name in booleans if len(rows) > 1 else []:
        kind = str(table.types[table.columns.index(name)])
        if kind != 'BOOLEAN':
            fail(where, 'DuckDB takes %s for %s' % (name, kind))


def check_truth(name, folder, truth):
    """Sums by DuckDB against what Go's own reader says."""
    def one(query):
        return duckdb.sql(query.replace('$', folder + '/')).fetchall()[0]

    expected = {'running': 0, 'runnable': 0, 'syscall': 0, 'undetermined': 0, 'waiting': 0}
    reasons = {}
    for goroutine in truth['goroutines']:
        for state, value in goroutine['ns'].items():
            if isinstance(value, dict):
                for reason, nanoseconds in value.items():
                    reasons[reason] = reasons.get(reason, 0) + nanoseconds
                value = sum(value.values())
            expected[state] += value
    if len(truth['goroutines']) == truth['goroutine_count']:
        for state, nanoseconds in expected.items():
            found = one("select coalesce(sum(%s_ns::bigint), 0) from '$goroutines.csv'" % state)[0]
            spans = one("select coalesce(sum(duration_ns::bigint), 0) from '$spans.csv' where lower(state) = '%s'" % state)[0]
            if found != nanoseconds or spans != nanoseconds:
                fail(name, '%s: truth %d, goroutines %d, spans %d' % (state, nanoseconds, found, spans))
        waits = duckdb.sql("select coalesce(reason, ''), sum(total_ns::bigint) from '%s/waits.csv' group by 1" % folder).fetchall()
        if {r: int(n) for r, n in waits if n} != {r: n for r, n in reasons.items() if n}:
            fail(name, 'waits: truth %s, found %s' % (reasons, waits))
    for table, summary in [('regions', 'region_summary'), ('tasks', 'task_summary'), ('ranges', 'range_summary')]:
        count = sum(s['count'] - s['open_at_end'] for s in truth[summary].values())
        total = sum(s['total_ns'] for s in truth[summary].values())
        found = one("select count(*), coalesce(sum(duration_ns::bigint), 0) from '$%s.csv' where not "
                    "(began_before::boolean or open::boolean or broken::boolean)" % table)
        if found != (count, total):
            fail(name, '%s: truth %s, found %s' % (table, (count, total), found))
    for kind, count in truth['by_kind'].items():
        found = one("select count(*) from '$events.csv' where kind = '%s'" % kind)[0]
        if found != count:
            fail(name, '%s: truth %d, events %d' % (kind, count, found))
    if one("select count(*) from '$logs.csv'")[0] != truth['log_count']:
        fail(name, 'logs')
    if one("select coalesce(sum(samples::bigint), 0) from '$stacks.csv'")[0] != truth['by_kind'].get('StackSample', 0):
        fail(name, 'samples')
    if one("select count(*) from '$metrics.csv'")[0] != truth['by_kind'].get('Metric', 0):
        fail(name, 'metrics')


def plain_text(text):
    """Text but for what a cell of a spreadsheet cannot hold: kinds of line breaks and control characters."""
    text = unescape(text).replace('\r\n', '\n').replace('\r', '\n')
    return re.sub('[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff]', '', text)


def is_same(kind, cell, expected):
    value = cell.value
    if expected == '':
        return value is None or value == ''
    if kind == 'number':
        if expected.startswith("'"):  # longer than what a spreadsheet keeps
            return value == expected
        return isinstance(value, (int, float)) and not isinstance(value, bool) and \
            abs(value - float(expected)) <= abs(float(expected)) * 1e-15
    if kind == 'time':
        wanted = datetime.datetime.strptime(expected, '%Y-%m-%d %H:%M:%S.%f')
        return isinstance(value, datetime.datetime) and abs(value - wanted) < datetime.timedelta(milliseconds=1)
    if kind == 'boolean':
        return value is (expected == 'true')
    return isinstance(value, str) and plain_text(value) == plain_text(expected)[:32767]


def check_spreadsheet(where, path, rows, fields, is_typed):
    sheet = openpyxl.load_workbook(path).active
    found = list(sheet.iter_rows())
    if len(found) != len(rows) or len(found[0]) != len(rows[0]):
        return fail(where, 'LibreOffice reads %d rows instead of %d' % (len(found), len(rows)))
    kinds = []
    for field, name in zip(fields, rows[0]):
        kind = {'integer': 'number', 'boolean': 'boolean', 'string': 'text'}[field['type']]
        kinds.append('time' if name.endswith('time_utc') else kind)
    for number, (cells, row) in enumerate(zip(found, rows)):
        for name, kind, cell, expected in zip(rows[0], kinds, cells, row):
            if cell.data_type == 'f':
                return fail(where, 'row %d: %s is a formula: %s' % (number, name, cell.value))
            if is_typed and not is_same('text' if number == 0 else kind, cell, expected):
                return fail(where, 'row %d: %s is %r instead of %r' % (number, name, cell.value, expected))


def open_in_spreadsheet(folder, scratch):
    """Converts every table of a folder to xlsx."""
    out = os.path.join(scratch, os.path.basename(folder) + '-xlsx')
    profile = '-env:UserInstallation=file://' + os.path.join(scratch, 'profile')
    command = ['soffice', profile, '--headless', filter_options, '--convert-to', 'xlsx', '--outdir', out]
    subprocess.run(command + sorted(glob.glob(folder + '/*.csv')), check=True, capture_output=True, timeout=600)
    return out


def main():
    vestige, traces = sys.argv[1], sys.argv[2:]
    has_office = shutil.which('soffice') is not None
    if not has_office:
        print('skipped: LibreOffice (soffice) is not here')
    scratch = tempfile.mkdtemp()
    cells = 0
    try:
        for number, trace in enumerate(traces):
            name = os.path.basename(trace).rsplit('.', 1)[0]
            plain, excel = (os.path.join(scratch, '%s-%d' % (style, number)) for style in ('plain', 'excel'))
            subprocess.run([vestige, 'convert', '-q', trace, '--to', 'csv', '-o', plain], check=True, stderr=subprocess.DEVNULL)
            subprocess.run([vestige, 'convert', '-q', trace, '--to', 'csv', '--excel', '-o', excel], check=True,
                           stderr=subprocess.DEVNULL)
            sheets = {folder: open_in_spreadsheet(folder, scratch) for folder in (plain, excel)} if has_office else {}
            for path in sorted(glob.glob(plain + '/*.csv')):
                table = os.path.basename(path)[:-4]
                where, fields, rows = '%s %s' % (name, table), schema(table), rows_of(path)
                check_pandas(where, path, rows, fields)
                check_duckdb(where, path, rows, fields)
                for folder, sheet in sheets.items():
                    rows = rows_of(os.path.join(folder, table + '.csv'))
                    cells += sum(map(len, rows))
                    check_spreadsheet(where + ' ' + os.path.basename(folder), os.path.join(sheet, table + '.xlsx'), rows,
                                      fields, folder == excel)
            truth = trace.rsplit('.', 1)[0] + '.truth.json'
            if os.path.exists(truth):
                with open(truth) as file:
                    check_truth(name, plain, json.load(file))
            shutil.rmtree(plain), shutil.rmtree(excel)
    finally:
        shutil.rmtree(scratch)
    if failures:
        sys.exit('%d failures' % failures)
    note = ', %d cells through LibreOffice' % cells if has_office else ''
    print('%d recordings: pandas, DuckDB and the truth agree%s' % (len(traces), note))


main()
