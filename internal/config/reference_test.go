package config

import (
	"bytes"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"
)

var rewrite = flag.Bool("rewrite", false, "write the example and the reference of the settings anew")

const (
	exampleFile   = "../../deploy/recoup.example.yaml"
	operationFile = "../../docs/OPERATIONS.md"
	beginMark     = "<!-- settings: written by go test ./internal/config -rewrite -->\n"
	endMark       = "<!-- end of settings -->\n"
)

// comments returns the doc comment of every struct field of the settings, by path,
// in one line each.
func comments(t *testing.T) map[string]string {
	t.Helper()
	names, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	structs := map[string]*ast.StructType{}
	for _, name := range names {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if spec, ok := n.(*ast.TypeSpec); ok {
				if s, ok := spec.Type.(*ast.StructType); ok {
					structs[spec.Name.Name] = s
				}
			}
			return true
		})
	}
	docs := map[string]string{}
	var walk func(prefix string, s *ast.StructType)
	walk = func(prefix string, s *ast.StructType) {
		for _, f := range s.Fields.List {
			name, _, _ := strings.Cut(reflect.StructTag(strings.Trim(f.Tag.Value, "`")).Get("yaml"), ",")
			docs[prefix+name] = strings.Join(strings.Fields(f.Doc.Text()), " ")
			if kind, ok := f.Type.(*ast.Ident); ok && structs[kind.Name] != nil {
				walk(prefix+name+".", structs[kind.Name])
			}
		}
	}
	walk("", structs["Config"])
	return docs
}

// byDefault is how a field's comment must name its default.
func byDefault(f field) string {
	text := f.text()
	if text == "" {
		text = "none"
	}
	return "By default " + text
}

// Every field says what it is and its default, and that is the default's literal.
func TestDocumentedDefaultsAreTheLiteral(t *testing.T) {
	docs := comments(t)
	c := Default()
	leaves, sections := fields(&c)
	for _, f := range leaves {
		doc, want := docs[f.path], byDefault(f)
		_, after, found := strings.Cut(doc, want)
		if !found || after != "." && !strings.HasPrefix(after, ": ") {
			t.Errorf("%s: the comment %q does not say %q", f.path, doc, want+".")
		}
	}
	for _, s := range sections {
		if docs[s] == "" {
			t.Errorf("section %s has no comment", s)
		}
	}
	if problems := c.Validate(); len(problems) > 0 {
		t.Errorf("the defaults are not valid: %v", problems)
	}
}

// example writes the defaults as YAML, each key under its comment.
func example(docs map[string]string) string {
	var b strings.Builder
	b.WriteString("# Every setting of recoup with its default. Keep only what differs: a missing key has its default.\n" +
		"# An environment variable overrides each: kafka.sasl.username is RECOUP_KAFKA_SASL_USERNAME; lists are\n" +
		"# comma-separated. `recoup config print` shows what is in force, `recoup doctor` tries it.\n" +
		"# Written by: go test ./internal/config -rewrite\n")
	c := Default()
	leaves, _ := fields(&c)
	opened := map[string]bool{}
	for _, f := range leaves {
		parts := strings.Split(f.path, ".")
		for depth := 1; depth < len(parts); depth++ {
			section := strings.Join(parts[:depth], ".")
			if !opened[section] {
				opened[section] = true
				if depth == 1 {
					b.WriteByte('\n')
				}
				comment(&b, depth-1, docs[section])
				fmt.Fprintf(&b, "%s%s:\n", strings.Repeat("  ", depth-1), parts[depth-1])
			}
		}
		comment(&b, len(parts)-1, docs[f.path])
		exampleValue(&b, strings.Repeat("  ", len(parts)-1), parts[len(parts)-1], f)
	}
	return b.String()
}

func exampleValue(b *strings.Builder, indent, key string, f field) {
	switch {
	case f.isSecret():
		fmt.Fprintf(b, "%s# environment: %s\n", indent, f.variable())
	case f.isMap():
		fmt.Fprintf(b, "%s%s: {%s}\n", indent, key, f.text())
	case f.isList():
		var quoted []string
		for _, text := range f.value.Interface().([]string) {
			quoted = append(quoted, strconv.Quote(text))
		}
		fmt.Fprintf(b, "%s%s: [%s]\n", indent, key, strings.Join(quoted, ", "))
	case f.text() == "":
		fmt.Fprintf(b, "%s%s: \"\"\n", indent, key)
	default:
		fmt.Fprintf(b, "%s%s: %s\n", indent, key, f.text())
	}
}

// comment writes a text in lines of at most 110 columns.
func comment(b *strings.Builder, depth int, text string) {
	indent := strings.Repeat("  ", depth) + "#"
	line := indent
	for word := range strings.FieldsSeq(text) {
		if len(line)+1+len(word) > 110 {
			b.WriteString(line + "\n")
			line = indent
		}
		line += " " + word
	}
	b.WriteString(line + "\n")
}

// reference is the settings' part of docs/OPERATIONS.md.
func reference(docs map[string]string) string {
	var b strings.Builder
	c := Default()
	leaves, _ := fields(&c)
	section := ""
	for _, f := range leaves {
		top, _, _ := strings.Cut(f.path, ".")
		if top != section {
			section = top
			fmt.Fprintf(&b, "\n### %s\n\n%s\n\n| key | meaning |\n|---|---|\n", section, docs[section])
		}
		fmt.Fprintf(&b, "| `%s` | %s |\n", f.path, strings.ReplaceAll(docs[f.path], "|", "\\|"))
	}
	return b.String() + "\n"
}

// The example and the reference are written from the comments in config.go.
func TestExampleAndReferenceAreCurrent(t *testing.T) {
	docs := comments(t)
	current(t, exampleFile, func([]byte) []byte { return []byte(example(docs)) })
	current(t, operationFile, func(old []byte) []byte {
		before, rest, ok := bytes.Cut(old, []byte(beginMark))
		_, after, ok2 := bytes.Cut(rest, []byte(endMark))
		if !ok || !ok2 {
			t.Fatalf("%s has no marks %q and %q", operationFile, beginMark, endMark)
		}
		return bytes.Join([][]byte{before, []byte(beginMark), []byte(reference(docs)), []byte(endMark), after}, nil)
	})
}

func current(t *testing.T, file string, want func(old []byte) []byte) {
	t.Helper()
	old, err := os.ReadFile(file)
	if err != nil && !*rewrite {
		t.Fatal(err)
	}
	now := want(old)
	if bytes.Equal(old, now) {
		return
	}
	if !*rewrite {
		t.Fatalf("%s is not current: run go test ./internal/config -rewrite", file)
	}
	if err := os.WriteFile(file, now, 0o644); err != nil {
		t.Fatal(err)
	}
}

// The example loads, has every key, and every value in it is the default it says.
func TestExampleLoadsToTheDefaults(t *testing.T) {
	l, err := Load(exampleFile, nil)
	if err != nil {
		t.Fatal(err)
	}
	if want := Default(); !reflect.DeepEqual(l.Config, want) {
		t.Errorf("the example loads to %+v\nwant %+v", l.Config, want)
	}
	leaves, _ := fields(&l.Config)
	for _, f := range leaves {
		if l.Origins[f.path] == "" && !f.isSecret() {
			t.Errorf("the example lacks %s", f.path)
		}
	}
}
