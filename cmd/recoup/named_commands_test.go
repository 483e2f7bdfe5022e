package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

// Every command that a page, a help text, a message or a case names exists, and has the
// flags it is named with: whoever is woken at night copies it. Of examples in full, all
// of the line is read as the program would.
func TestNamedCommandsExist(t *testing.T) {
	named := 0
	for _, at := range namedCommands(t) {
		named++
		words := shellWords(at.text)
		if at.whole {
			if err := parses(words[1:]); err != nil {
				t.Errorf("%s: %s: %v", at.where, at.text, err)
			}
			continue
		}
		if wrong := unknownIn(t, words[1:]); wrong != "" {
			t.Errorf("%s: %s: %s", at.where, at.text, wrong)
		}
	}
	if named < 150 {
		t.Errorf("found %d commands: they are not read any more", named)
	}
}

// named is a command that a text names.
type named struct {
	where, text string
	whole       bool // nothing is left out
}

// namedCommands reads all pages, the sources and the help texts.
func namedCommands(t *testing.T) (all []named) {
	t.Helper()
	err := filepath.WalkDir("../..", func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (entry.Name() == "testdata" || strings.HasPrefix(entry.Name(), ".") && len(entry.Name()) > 2):
			return fs.SkipDir
		case strings.HasSuffix(path, ".md"), strings.HasSuffix(path, ".yaml"), strings.HasSuffix(path, ".yml"):
			page, err := os.ReadFile(path)
			all = append(all, commandsOfPage(path, string(page))...)
			return err
		case strings.HasSuffix(path, ".go") && !strings.HasSuffix(path, "_test.go"):
			all = append(all, commandsOfSource(t, path)...)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	kong.Visit(newParser(t).Model, func(node kong.Visitable, next kong.Next) error {
		if n, ok := node.(*kong.Node); ok {
			all = append(all, commandsOfPage(n.Path()+" --help", n.Detail)...)
		}
		return next(nil)
	})
	return all
}

var (
	// quotedCommand is one in the middle of a sentence.
	quotedCommand = regexp.MustCompile("`recoup ([a-z][^`]*)`")
	// example is a line that is nothing but a command.
	example = regexp.MustCompile(`^ *(?:- )?(?:go run \./cmd/)?recoup ([a-z].*)$`)
	// said is one in a message, to where a sentence goes on.
	said = regexp.MustCompile("recoup ((?:" + strings.Join(slices.Sorted(slices.Values(commandNames())), "|") +
		")\\b[^,;:()`\"'\\n]*)")
	// rest is what a shell does with what a command writes.
	rest = regexp.MustCompile(` +(\||>|#|&&|;|2>).*$`)
)

// commandsOfPage finds the commands of a page: in sentences, and the lines of examples.
func commandsOfPage(path, page string) (all []named) {
	fenced := false
	for i, line := range strings.Split(page, "\n") {
		where := path + ":" + strconv.Itoa(i+1)
		if strings.HasPrefix(strings.TrimSpace(line), "```") {
			fenced = !fenced
		}
		if m := example.FindStringSubmatch(line); m != nil && (fenced || strings.HasPrefix(line, "    ")) {
			all = append(all, named{where, "recoup " + rest.ReplaceAllString(m[1], ""), true})
		}
		for _, m := range quotedCommand.FindAllStringSubmatch(line, -1) {
			all = append(all, named{where, "recoup " + rest.ReplaceAllString(m[1], ""), false})
		}
	}
	return all
}

// commandsOfSource finds those that the strings of a Go file name.
func commandsOfSource(t *testing.T, path string) (all []named) {
	t.Helper()
	set := token.NewFileSet()
	tree, err := parser.ParseFile(set, path, nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(tree, func(n ast.Node) bool {
		lit, ok := n.(*ast.BasicLit)
		if !ok || lit.Kind != token.STRING {
			return true
		}
		text, _ := strconv.Unquote(lit.Value)
		if strings.Contains(text, "Examples:\n") {
			return true // read as help
		}
		for _, m := range said.FindAllStringSubmatch(text, -1) {
			all = append(all, named{set.Position(lit.Pos()).String(), "recoup " + strings.TrimRight(m[1], ". "), false})
		}
		return true
	})
	return all
}

func newParser(t *testing.T) *kong.Kong {
	t.Helper()
	p, err := kong.New(&commandLine{}, kong.Name("recoup"), kong.Writers(io.Discard, io.Discard), kong.Exit(func(int) {}))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func commandNames() (names []string) {
	p, err := kong.New(&commandLine{}, kong.Name("recoup"))
	if err != nil {
		panic(err)
	}
	for _, n := range p.Model.Children {
		names = append(names, n.Name)
	}
	return names
}

// placeholders are what stands for a value in capitals, and one of its kind.
var placeholders = map[string]string{"AMOUNT": "1.00", "MONTANT": "1.00", "N": "2", "I": "1", "DAY": "2026-03-01",
	"TIME": "2026-03-02T09:30:00Z", "CODE": "EUR"}

// parses reads a command line as the program does, with values for placeholders.
func parses(words []string) error {
	words = slices.Clone(words)
	for i, w := range words {
		if value, ok := placeholders[w]; ok {
			words[i] = value
		}
	}
	ended := false // by a flag that needs nothing else, such as --help
	p, err := kong.New(&commandLine{}, kong.Name("recoup"), kong.Writers(io.Discard, io.Discard),
		kong.Exit(func(int) { ended = true }))
	if err != nil {
		return err
	}
	if _, err = p.Parse(words); ended {
		return nil
	}
	return err
}

// unknownIn returns what of a command that may leave something out the program does not
// have: a command, a subcommand or a flag.
func unknownIn(t *testing.T, words []string) string {
	t.Helper()
	node := newParser(t).Model.Node
	for _, w := range words {
		if name, isFlag := strings.CutPrefix(w, "--"); isFlag {
			name, _, _ = strings.Cut(name, "=")
			if !hasFlag(node, name) {
				return "no flag --" + name
			}
			continue
		}
		if len(node.Children) == 0 {
			continue // an argument
		}
		at := slices.IndexFunc(node.Children, func(n *kong.Node) bool { return n.Name == w })
		if at < 0 {
			if node.Parent == nil || regexp.MustCompile(`^[a-z]`).MatchString(w) {
				return "no command " + w
			}
			continue
		}
		node = node.Children[at]
	}
	return ""
}

func hasFlag(node *kong.Node, name string) bool {
	if name == "help" {
		return true
	}
	for _, group := range node.AllFlags(false) {
		for _, f := range group {
			if f.Name == name || f.Tag.Negatable != "" && "no-"+f.Name == name {
				return true
			}
		}
	}
	return false
}

// shellWords takes a line apart as a shell does, as far as pages need it.
func shellWords(line string) (words []string) {
	var word strings.Builder
	var quote rune
	open := false
	for _, r := range line {
		switch {
		case quote != 0 && r == quote:
			quote = 0
		case quote == 0 && (r == '\'' || r == '"'):
			quote, open = r, true
		case quote == 0 && r == ' ':
			if open {
				words = append(words, word.String())
			}
			word.Reset()
			open = false
		default:
			word.WriteRune(r)
			open = true
		}
	}
	if open {
		words = append(words, word.String())
	}
	return words
}

// The help of each command that is more than its name has an example to start from.
func TestEveryCommandHasAnExample(t *testing.T) {
	for _, n := range newParser(t).Model.Leaves(false) {
		example := "Examples:\n\n    recoup " + strings.Fields(n.Path())[0]
		if len(n.Flags)+len(n.Positional) > 0 && !strings.Contains(n.Detail, example) {
			t.Errorf("recoup %s --help has no example", n.Path())
		}
	}
}
