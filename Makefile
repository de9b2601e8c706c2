# make demo     build, convert the samples into every format, say how to look at the results
# make test     run all tests
# make test-live  capture from a real program under a real Delve, and from net/http/pprof (installs both);
#                 LIVE_GO names the commands of other Go toolchains for the latter
# make record   write the outputs that the golden test expects anew
# make bench    measure reading and converting, beside Go's own reader where that is at hand
# make bench-viewers  measure making traces ready for a browser, beside go tool trace
# make bench-csv  measure writing CSV, beside the text of go tool trace (GO names the command; TRACES one recording)
# make bench-archive  measure archives beside gzip and zstd; with SLOW=--slow also beside zstd -19 and xz (TRACES names others)
# make fuzz     fuzz every target for SECONDS (default 60) each
# make fuzz-replay  run what fuzzing has found, samples and hostile inputs through every target, once
# make format   format the sources
# make build    the command, optimised: .build/release/vestige

.PHONY: build demo test test-live record bench bench-viewers bench-csv bench-archive fuzz fuzz-replay format system clean

# Exclusive access is checked in all tests; without the checks Chrome JSON is written 1.4 times as fast.
FAST = -Xswiftc -enforce-exclusivity=unchecked

build: system
	swift build -c release --product vestige --static-swift-stdlib $(FAST)

demo: build
	scripts/demo.sh .build/release/vestige demo-out

test: system
	swift test

test-live: build
	scripts/system-packages.sh delve golang-go python3
	Tests/live/check.py .build/release/vestige go $(LIVE_GO)

record: system
	-VESTIGE_RECORD=1 swift test --filter GoldenTests
	git status --short samples

bench: build
	Benchmarks/bench .build/release/vestige
	@if command -v "$${GO:-go}" >/dev/null; then Benchmarks/dumps .build/release/vestige; \
	else echo 'bench: no Go here (GO names the command), so no goroutine dumps are measured'; fi

bench-viewers: build
	Benchmarks/viewer .build/release/vestige

bench-csv: build
	Benchmarks/csv .build/release/vestige $(TRACES)

bench-archive: build
	Benchmarks/archive $(SLOW) .build/release/vestige $(TRACES)

SECONDS ?= 60

fuzz: system
	Fuzz/fuzz run $(SECONDS)

fuzz-replay: system
	Fuzz/fuzz replay

format:
	swift format --in-place --recursive --parallel Package.swift Sources Tests Fuzz/Package.swift Fuzz/Entry Fuzz/Targets

system:
	@scripts/system-packages.sh

clean:
	rm -rf .build demo-out
