#!/usr/bin/env python3
"""Runs the fuzz targets: builds them with clang's sanitizers and libFuzzer, runs each for some
minutes, says how far they come, and stops at the first input that shows a fault.

New inputs are kept below a folder outside the repository and are where the next run begins.
--merge puts what is worth keeping into tests/fuzz/corpus."""
import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
BEGIN, END = '<!-- fuzz: begin -->', '<!-- fuzz: end -->'
FILES_MOST = 100  # of one target in the repository
BYTES_MOST = 4096  # of one such file
ALL_BYTES_MOST = 48 * 1024  # of all of them
REPORT_S = 30
# Scripts of steps are worth something only when they are long, and slow when they are very long.
OPTIONS = {'store': ['-len_control=0', '-max_len=100'], 'server_machine': ['-len_control=10', '-max_len=1500'],
           'node_machine': ['-len_control=10', '-max_len=1500'], 'tile': ['-max_len=200'],
           'proof': ['-max_len=200']}
STATUS = re.compile(r'#(\d+)\s.*cov: (\d+) ft: \d+ corp: (\d+)/\S+')


def say(text):
    print(text, flush=True)


def targets_of(build):
    folder = os.path.join(build, 'tests')
    found = [name[5:-7] for name in os.listdir(folder)
             if name.startswith('fuzz_') and name.endswith('_replay')] if os.path.isdir(folder) else []
    return sorted(name for name in found if os.path.exists(os.path.join(folder, 'fuzz_' + name)))


def build_all(build):
    say(f'building the fuzz targets in {build}')
    subprocess.run(['cmake', '--preset', 'fuzz', '-S', ROOT, '-B', build, '-DSPLOT_TESTS=ON'], cwd=ROOT,
                   check=True, stdout=subprocess.DEVNULL)
    subprocess.run(['cmake', '--build', build, '--target', 'fuzz', '--', '--quiet'], check=True)


class Run:
    """One target, under way or done."""

    def __init__(self, args, name):
        self.args, self.name = args, name
        self.program = os.path.join(args.build_folder, 'tests', 'fuzz_' + name)
        self.corpus = os.path.join(args.keep, name)
        self.crashes = os.path.join(args.keep, 'crashes')
        self.log = os.path.join(args.keep, name + '.log')
        self.began = time.time()
        self.cpu_s = 0
        self.process = None

    def start(self):
        os.makedirs(self.corpus, exist_ok=True)
        os.makedirs(self.crashes, exist_ok=True)
        subprocess.run([self.program + '_replay', '--seeds', self.corpus], check=True,
                       stderr=subprocess.DEVNULL)
        command = [self.program, f'-max_total_time={max(1, int(self.args.minutes * 60))}', '-timeout=25',
                   '-rss_limit_mb=2048', '-print_final_stats=1', '-use_value_profile=0',
                   f'-artifact_prefix={self.crashes}/{self.name}-',
                   *OPTIONS.get(self.name, []), self.corpus]
        dictionary = os.path.join(HERE, self.name + '.dict')
        if os.path.exists(dictionary):
            command.insert(1, '-dict=' + dictionary)
        tree = os.path.join(HERE, 'corpus', self.name)
        if os.path.isdir(tree):
            command.append(tree)
        self.began = time.time()
        with open(self.log, 'wb') as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log,
                                            preexec_fn=lambda: os.nice(15))

    def status(self):
        with open(self.log, 'rb') as log:
            log.seek(0, 2)
            log.seek(max(0, log.tell() - 20000))
            text = log.read().decode(errors='replace')
        last = None
        for last in STATUS.finditer(text):
            pass
        return text, [int(x) for x in last.groups()] if last else [0, 0, 0]

    def watch(self):
        """How much of the processor it had: of a machine that has other work that is less than the minutes."""
        with open(f'/proc/{self.process.pid}/stat', encoding='ascii') as stat:
            fields = stat.read().rsplit(')', 1)[1].split()
        self.cpu_s = (int(fields[11]) + int(fields[12])) / os.sysconf('SC_CLK_TCK')

    def result(self):
        text, (runs, edges, corpus) = self.status()
        final = re.search(r'stat::number_of_executed_units: (\d+)', text)
        return {'target': self.name, 'date': time.strftime('%Y-%m-%d', time.gmtime(self.began)),
                'minutes': round((time.time() - self.began) / 60, 1),
                'cpu_minutes': round(self.cpu_s / 60, 1),
                'runs': int(final.group(1)) if final else runs, 'edges': edges, 'corpus': corpus,
                'findings': findings_of(self.name)}

    def tell_crash(self):
        text, _ = self.status()
        path = re.search(r'Test unit written to (\S+)', text)
        say('\n'.join(text.splitlines()[-40:]))
        say(f'\n{self.name}: FAULT')
        if path:
            say(f'input: {path.group(1)}\nrepeat: {self.program}_replay {path.group(1)}\n'
                f'when it is mended: keep it as tests/fuzz/corpus/{self.name}/crash-NAME')


def findings_of(name):
    folder = os.path.join(HERE, 'corpus', name)
    return sum(x.startswith('crash-') for x in os.listdir(folder)) if os.path.isdir(folder) else 0


def run_all(args, names, results):
    waiting, running, fine = list(names), [], True
    reported = time.time()
    while waiting or running:
        while waiting and len(running) < args.jobs:
            running.append(Run(args, waiting.pop(0)))
            running[-1].start()
        time.sleep(1)
        for run in running:
            run.watch()
        if time.time() - reported > REPORT_S:
            reported = time.time()
            for run in running:
                runs, edges, corpus = run.status()[1]
                say(f'  {run.name}: {int(reported - run.began)} s, {runs} runs, {edges} edges, '
                    f'{corpus} inputs')
        for run in [r for r in running if r.process.poll() is not None]:
            running.remove(run)
            if run.process.returncode != 0 or run.result()['runs'] == 0:
                run.tell_crash()
                fine = False
                if args.go_on:
                    continue
                for other in running:
                    other.process.kill()
                    other.process.wait()
                return False
            results[run.name] = run.result()
            say('{target}: {minutes} min ({cpu_minutes} of the processor), {runs} runs, {edges} edges, {corpus} inputs: no fault'
                .format(**results[run.name]))
            write_summary(args, results)
    return fine


def merge(args, names):
    """What covers as much with few small files, beside inputs that found something."""
    for name in names:
        program = os.path.join(args.build_folder, 'tests', 'fuzz_' + name)
        tree = os.path.join(HERE, 'corpus', name)
        fresh = os.path.join(args.keep, 'merged', name)
        small = os.path.join(args.keep, 'small', name)
        for folder in (fresh, small):
            shutil.rmtree(folder, ignore_errors=True)
            os.makedirs(folder)
        os.makedirs(tree, exist_ok=True)
        for source in (os.path.join(args.keep, name), tree):
            for file in os.listdir(source) if os.path.isdir(source) else []:
                path = os.path.join(source, file)
                if os.path.getsize(path) <= BYTES_MOST and not file.startswith(('crash-', 'seed-')):
                    shutil.copyfile(path, os.path.join(small, file))
        subprocess.run([program, '-set_cover_merge=1', '-timeout=25', fresh, small], check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for file in os.listdir(tree):
            if not file.startswith('crash-'):
                os.remove(os.path.join(tree, file))
        # They were written in the order of what each adds.
        files = sorted(os.listdir(fresh), key=lambda f: os.stat(os.path.join(fresh, f)).st_mtime_ns)
        kept = size = 0
        for file in files:
            bytes_here = os.path.getsize(os.path.join(fresh, file))
            if kept == FILES_MOST or size + bytes_here > ALL_BYTES_MOST:
                continue
            shutil.copyfile(os.path.join(fresh, file), os.path.join(tree, file[:16]))
            kept, size = kept + 1, size + bytes_here
        say(f'{name}: {kept} of {len(files)} files kept, {size} bytes')


def write_summary(args, results):
    with open(args.json, 'w', encoding='utf-8') as out:
        json.dump([results[name] for name in sorted(results)], out, indent=1)
        out.write('\n')


def table(results):
    rows = ['| target | date | minutes | of the processor | runs | edges | inputs | findings kept |',
            '| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |']
    for name in sorted(results):
        rows.append('| {target} | {date} | {minutes:g} | {cpu_minutes} | {runs:,} | {edges:,} | {corpus:,} | {findings} |'
                    .format(**{'cpu_minutes': '–', **results[name]}))
    return '\n'.join(rows)


def write_table(path, results):
    with open(path, encoding='utf-8') as file:
        text = file.read()
    if text.count(BEGIN) != 1 or text.count(END) != 1:
        sys.exit(f'{path}: there is no place for the table between {BEGIN} and {END}')
    before, rest = text.split(BEGIN)
    with open(path, 'w', encoding='utf-8') as file:
        file.write(f'{before}{BEGIN}\n\n{table(results)}\n\n{END}{rest.split(END)[1]}')


def arguments():
    cache = os.environ.get('XDG_CACHE_HOME') or os.path.expanduser('~/.cache')
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('--build-folder', default=os.path.join(ROOT, 'build', 'fuzz'), metavar='B')
    p.add_argument('--minutes', type=float, default=10)
    p.add_argument('--jobs', type=int, default=2)
    p.add_argument('--keep', default=os.path.join(cache, 'splot-fuzz'), metavar='FOLDER',
                   help='where inputs, logs and crashes are kept')
    p.add_argument('--json', metavar='FILE', help='the summary (else in the folder of --keep)')
    p.add_argument('--table', metavar='FILE', help='rewrite the table between the markers of this file')
    p.add_argument('--no-build', action='store_true', help='the targets are built already')
    p.add_argument('--no-run', action='store_true', help='only --merge or --table')
    p.add_argument('--go-on', action='store_true', help='after a fault, run the other targets all the same')
    p.add_argument('--merge', action='store_true', help='put what is worth keeping into the repository')
    p.add_argument('targets', nargs='*', metavar='TARGET')
    args = p.parse_args()
    args.build_folder = os.path.abspath(args.build_folder)
    args.keep = os.path.abspath(args.keep)
    args.json = args.json or os.path.join(args.keep, 'summary.json')
    return args


def main():
    args = arguments()
    if not args.no_build:
        build_all(args.build_folder)
    names = targets_of(args.build_folder)
    unknown = [name for name in args.targets if name not in names]
    if unknown or not names:
        sys.exit(f'no such target: {" ".join(unknown)}; there are: {" ".join(names)}')
    names = args.targets or names
    os.makedirs(args.keep, exist_ok=True)
    results = {}
    if os.path.exists(args.json):
        with open(args.json, encoding='utf-8') as file:
            results = {row['target']: row for row in json.load(file)}
    if not args.no_run and not run_all(args, names, results):
        sys.exit(1)
    if args.merge:
        merge(args, names)
    if args.table:
        write_table(args.table, results)


if __name__ == '__main__':
    main()
