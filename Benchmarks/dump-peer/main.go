// A reader of goroutine dumps (debug=2) as one writes it in Go: line by line, with the standard library. It keeps
// what Vestige keeps, so that both can be measured on the same file: each goroutine's number, state, creator and
// stack, where frames and stacks are kept once.
package main

import (
	"bufio"
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
)

type frame struct {
	function, file string
	line           int
}

type goroutine struct {
	id      int64
	state   string
	minutes int
	creator int64
	created *frame
	stack   int
}

var header = regexp.MustCompile(`^goroutine (\d+) \[([^,\]]+)(?:, (\d+) minutes)?(?:, locked to thread)?\]:$`)

var (
	frames = map[frame]*frame{}
	stacks = map[string]int{}
)

func intern(f frame) *frame {
	known, ok := frames[f]
	if !ok {
		known = &f
		frames[f] = known
	}
	return known
}

func place(line string) (string, int) {
	line = strings.TrimPrefix(line, "\t")
	if space := strings.LastIndex(line, " +0x"); space >= 0 {
		line = line[:space]
	}
	colon := strings.LastIndexByte(line, ':')
	number, _ := strconv.Atoi(line[colon+1:])
	return line[:colon], number
}

func main() {
	file, err := os.Open(os.Args[1])
	if err != nil {
		panic(err)
	}
	lines := bufio.NewScanner(file)
	lines.Buffer(make([]byte, 1<<20), 1<<20)
	var all []goroutine
	var current *goroutine
	var key strings.Builder
	end := func() {
		if current == nil {
			return
		}
		id, ok := stacks[key.String()]
		if !ok {
			id = len(stacks)
			stacks[key.String()] = id
		}
		current.stack = id
		key.Reset()
		all = append(all, *current)
		current = nil
	}
	for lines.Scan() {
		line := lines.Text()
		if line == "" {
			end()
			continue
		}
		if match := header.FindStringSubmatch(line); match != nil {
			end()
			id, _ := strconv.ParseInt(match[1], 10, 64)
			minutes, _ := strconv.Atoi(match[3])
			current = &goroutine{id: id, state: match[2], minutes: minutes}
			continue
		}
		if current == nil || !lines.Scan() {
			continue
		}
		path, number := place(lines.Text())
		if name, ok := strings.CutPrefix(line, "created by "); ok {
			name, creator, _ := strings.Cut(name, " in goroutine ")
			current.creator, _ = strconv.ParseInt(creator, 10, 64)
			current.created = intern(frame{name, path, number})
			continue
		}
		if open := strings.LastIndexByte(line, '('); open > 0 {
			line = line[:open]
		}
		fmt.Fprintf(&key, "%p ", intern(frame{line, path, number}))
	}
	end()
	fmt.Println(len(all), "goroutines,", len(stacks), "stacks")
}
