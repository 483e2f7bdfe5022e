package scenario

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// divider stands between a command and what is expected of it.
const divider = "----"

// file is a parsed scenario file.
type file struct {
	name     string
	lines    []string // as they stand
	commands []*command
}

// command is one line that does something, with what is expected of it.
type command struct {
	file     string
	line     int // from 1
	verb     string
	words    []string   // bare words behind the verb
	args     []argument // key=value
	rest     string     // the line behind the verb
	compared bool       // a divider follows
	expected []expectation
	actual   []expectation // filled by the run, for rewriting
}

type argument struct{ key, value string }

// expectation is one line "key: value" behind a divider.
type expectation struct {
	line       int
	key, value string
}

// errorf is an error at the command's line.
func (c *command) errorf(format string, args ...any) error {
	return fmt.Errorf("%s:%d: "+format, append([]any{c.file, c.line}, args...)...)
}

// parse reads a file; the error names every line that is wrong.
func parse(name, text string) (*file, error) {
	f := &file{name: name, lines: strings.Split(strings.TrimSuffix(text, "\n"), "\n")}
	var problems []error
	var last *command // takes expectations, when its divider has passed
	for i, raw := range f.lines {
		line := strings.TrimSpace(raw)
		at := &command{file: name, line: i + 1}
		switch {
		case strings.HasPrefix(line, "#"):
		case line == "":
			last = nil
		case line == divider:
			if last == nil || last.compared {
				problems = append(problems, at.errorf("cannot compare: %s must follow a load or score line", divider))
				continue
			}
			last.compared = true
		case last != nil && last.compared:
			key, value, ok := strings.Cut(line, ":")
			if !ok {
				problems = append(problems, at.errorf(`cannot read %q: want "key: value", and a blank line behind the last`, line))
				continue
			}
			last.expected = append(last.expected, expectation{i + 1, strings.TrimSpace(key), strings.TrimSpace(value)})
		default:
			if err := at.read(line); err != nil {
				problems = append(problems, err)
				continue
			}
			f.commands = append(f.commands, at)
			last = at
		}
	}
	return f, errors.Join(problems...)
}

// read takes a command line apart.
func (c *command) read(line string) error {
	verb, rest, _ := strings.Cut(line, " ")
	c.verb, c.rest = verb, strings.TrimSpace(rest)
	if verb == "scenario" {
		return nil // its title is free text
	}
	for rest = c.rest; rest != ""; rest = strings.TrimLeft(rest, " \t") {
		word := rest
		if end := strings.IndexAny(rest, " \t\""); end >= 0 {
			word = rest[:end]
		}
		rest = rest[len(word):]
		if strings.HasPrefix(rest, `"`) {
			quoted, err := strconv.QuotedPrefix(rest)
			if err != nil {
				return c.errorf("cannot read %q: its quote does not end", rest)
			}
			rest = rest[len(quoted):]
			unquoted, err := strconv.Unquote(quoted)
			if err != nil {
				return c.errorf("cannot read %s: %v", quoted, err)
			}
			word += unquoted
		}
		if key, value, ok := strings.Cut(word, "="); ok {
			c.args = append(c.args, argument{key, value})
		} else {
			c.words = append(c.words, word)
		}
	}
	return nil
}

// text returns the file with what was found in place of what was expected.
func (f *file) text() string {
	var b strings.Builder
	next := 0 // first line not written yet
	for _, c := range f.commands {
		if !c.compared {
			continue
		}
		end := c.line // just behind the divider
		for strings.TrimSpace(f.lines[end-1]) != divider {
			end++
		}
		for _, line := range f.lines[next:end] {
			fmt.Fprintln(&b, line)
		}
		next = end
		for _, a := range c.actual {
			fmt.Fprintf(&b, "%s: %s\n", a.key, a.value)
		}
		for next < len(f.lines) && strings.TrimSpace(f.lines[next]) != "" {
			if line := strings.TrimSpace(f.lines[next]); strings.HasPrefix(line, "#") {
				fmt.Fprintln(&b, line)
			}
			next++
		}
	}
	for _, line := range f.lines[next:] {
		fmt.Fprintln(&b, line)
	}
	return b.String()
}
