package cases

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"recoup/cases/frenchtest"
)

// Sentences of evidence in French (A13): with parts within parts, numbers, days and names
// that stay as they are. The file has each in English and in French.
func TestFrench(t *testing.T) {
	file, err := os.ReadFile("testdata/french.txt")
	if err != nil {
		t.Fatal(err)
	}
	for pair := range strings.SplitSeq(strings.TrimSpace(string(file)), "\n\n") {
		english, want, _ := strings.Cut(pair, "\n")
		if got, ok := French(english); !ok || got != want {
			t.Errorf("%q is\n  %q (%v), want\n  %q", english, got, ok, want)
		}
	}
	for _, other := range []string{"67,6 % de remise", "", "an operator's own note, of 2026-03-02"} {
		if got, ok := French(other); ok || got != other {
			t.Errorf("%q became %q", other, got)
		}
	}
}

// Every sentence, and every part of one, that the detectors write as evidence has a
// French phrase.
func TestEverySentenceIsSaidInFrench(t *testing.T) {
	written := literals(t, "../detectors/*.go", "")
	// No evidence: a hash of the settings, and the name of an error that a trainer injects.
	notSaid := regexp.MustCompile(`^(deviation=|identity_retention=|handling_cost|contract of another customer$)`)
	incidents := literals(t, "desk/shared.go", "told")
	known := make([]string, len(phrases))
	for i, p := range phrases {
		known[i] = bare(p.en)
	}
	for at, text := range incidents {
		written[at] = text
	}
	for at, text := range written {
		part := strings.Trim(bare(text), " %,;")
		if !strings.Contains(part, " ") || notSaid.MatchString(part) {
			continue
		}
		if !slices.ContainsFunc(known, func(p string) bool { return strings.Contains(p, part) }) {
			t.Errorf("%s: %q has no French; add it to phrases", at, text)
		}
	}
	// Filled in, each is French from end to end.
	fill := strings.NewReplacer("%s", "X-7", "%v", "7", "%d", "7", "%.0f", "7", "%.1f", "7", "%.2f", "7", "%.3f", "7",
		"%.4g", "7", "%q", `"X-7"`, "%%", "%")
	for i := range phrases {
		said, ok := French(fill.Replace(phrases[i].en))
		if word := frenchtest.English(said); !ok || word != "" {
			t.Errorf("%q has the English %q in French: %q", phrases[i].en, word, said)
		}
		verbs := verb.FindAllString(strings.ReplaceAll(phrases[i].en, "%%", ""), -1)
		if got := len(place.FindAllString(phrases[i].fr, -1)); got != len(verbs) {
			t.Errorf("%q has %d places in French: %q", phrases[i].en, got, phrases[i].fr)
		}
	}
}

// bare leaves a percent sign of each verb, and of two that a space parts: what is written
// with makes no difference.
func bare(text string) string {
	text = verb.ReplaceAllStringFunc(text, func(v string) string {
		if v == "%%" {
			return "percent"
		}
		return "%"
	})
	return strings.ReplaceAll(text, "% %", "%")
}

// literals returns the strings of Go files, or of one function in them, by where they stand;
// neither what errors say nor what a program prints.
func literals(t *testing.T, files, function string) map[string]string {
	t.Helper()
	found := map[string]string{}
	names, err := filepath.Glob(files)
	if err != nil || len(names) == 0 {
		t.Fatalf("no files %s, %v", files, err)
	}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		set := token.NewFileSet()
		tree, err := parser.ParseFile(set, name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range tree.Decls {
			if f, ok := d.(*ast.FuncDecl); function != "" && (!ok || f.Name.Name != function) {
				continue
			}
			ast.Inspect(d, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.ImportSpec, *ast.Field:
					return false
				case *ast.CallExpr:
					called := calledName(n)
					return called != "panic" && called != "Errorf" && called != "New"
				case *ast.BinaryExpr:
					if text := joined(n); text != "" {
						found[set.Position(n.Pos()).String()] = text
						return false
					}
				case *ast.BasicLit:
					if text := joined(n); text != "" {
						found[set.Position(n.Pos()).String()] = text
					}
				}
				return true
			})
		}
	}
	return found
}

func calledName(call *ast.CallExpr) string {
	switch f := call.Fun.(type) {
	case *ast.Ident:
		return f.Name
	case *ast.SelectorExpr:
		return f.Sel.Name
	}
	return ""
}

// joined is the text of string literals that are added up, "" for anything else.
func joined(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.BasicLit:
		if text, err := strconv.Unquote(e.Value); err == nil && e.Kind == token.STRING {
			return text
		}
	case *ast.BinaryExpr:
		if a, b := joined(e.X), joined(e.Y); a != "" && b != "" {
			return a + b
		}
	}
	return ""
}
