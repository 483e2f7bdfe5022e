// Package house holds the rules of this repository that a program can check:
// who imports whom, sizes, names and documentation. The test beside it applies
// them to every file git knows.
package house

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path"
	"strings"
	"unicode/utf8"
)

// Limits of size. A rule with a limit is broken by one more.
const (
	maxFunction = 70  // lines from "func" to the closing brace
	maxFile     = 500 // lines
	maxTestFile = 800 // lines
	maxColumns  = 120 // characters, a tab is one
)

// File is one file of the repository.
type File struct {
	Path    string // from the root, with slashes
	Content []byte // all of it
}

// Violation is one broken rule.
type Violation struct {
	Path string // from the root, with slashes
	Line int    // from 1
	Rule string // short name of the rule
	Fix  string // what is wrong and what to do
}

// String returns "path:line: rule: fix".
func (v Violation) String() string {
	return fmt.Sprintf("%s:%d: %s: %s", v.Path, v.Line, v.Rule, v.Fix)
}

// Check applies all rules to one file. Files that are not text get no rules.
func Check(file File) []Violation {
	if skip(file) {
		return nil
	}
	found := checkText(file)
	found = append(found, checkName(file.Path)...)
	if path.Ext(file.Path) != ".go" {
		return found
	}
	files := token.NewFileSet()
	tree, err := parser.ParseFile(files, file.Path, file.Content, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return append(found, Violation{file.Path, 1, "syntax", err.Error()})
	}
	source := goFile{File: file, files: files, tree: tree}
	found = append(found, source.checkImports()...)
	if ast.IsGenerated(tree) {
		return found
	}
	found = append(found, checkLength(file)...)
	found = append(found, checkColumns(file)...)
	found = append(found, source.checkFunctions()...)
	found = append(found, source.checkSkips()...)
	if !source.isTest() && tree.Name.Name != "main" {
		found = append(found, source.checkDocs()...)
	}
	return found
}

// goFile is a parsed file.
type goFile struct {
	File
	files *token.FileSet
	tree  *ast.File
}

func (f goFile) isTest() bool { return strings.HasSuffix(f.Path, "_test.go") }

func (f goFile) line(pos token.Pos) int { return f.files.Position(pos).Line }

func (f goFile) violation(pos token.Pos, rule, format string, args ...any) Violation {
	return Violation{f.Path, f.line(pos), rule, fmt.Sprintf(format, args...)}
}

// skip tells files without rules: compressed, pictures, and checksums that a
// tool writes.
func skip(file File) bool {
	switch path.Ext(file.Path) {
	case ".zst", ".png", ".ico", ".woff2":
		return true
	}
	return path.Base(file.Path) == "go.sum" || bytes.IndexByte(file.Content, 0) >= 0
}

func checkLength(file File) []Violation {
	limit := maxFile
	if strings.HasSuffix(file.Path, "_test.go") {
		limit = maxTestFile
	}
	if lines := bytes.Count(file.Content, []byte("\n")); lines > limit {
		return []Violation{{file.Path, limit + 1, "file length",
			fmt.Sprintf("%d lines, at most %d: split it by subject", lines, limit)}}
	}
	return nil
}

func checkColumns(file File) (found []Violation) {
	for i, line := range lines(file.Content) {
		columns := utf8.RuneCountInString(line)
		if columns > maxColumns {
			found = append(found, Violation{file.Path, i + 1, "line length",
				fmt.Sprintf("%d characters, at most %d: break it", columns, maxColumns)})
		}
	}
	return found
}

func (f goFile) checkFunctions() (found []Violation) {
	for _, declaration := range f.tree.Decls {
		function, ok := declaration.(*ast.FuncDecl)
		if !ok || function.Body == nil {
			continue
		}
		if lines := f.line(function.End()) - f.line(function.Pos()) + 1; lines > maxFunction {
			found = append(found, f.violation(function.Pos(), "function length",
				"%s has %d lines, at most %d: split it", function.Name.Name, lines, maxFunction))
		}
	}
	return found
}

// checkSkips finds tests that pass by not running.
func (f goFile) checkSkips() (found []Violation) {
	testers := map[string]bool{} // names that somewhere in the file are a *testing.T or its like
	ast.Inspect(f.tree, func(node ast.Node) bool {
		if field, ok := node.(*ast.Field); ok && isTester(field.Type) {
			for _, name := range field.Names {
				testers[name.Name] = true
			}
		}
		return true
	})
	ast.Inspect(f.tree, func(node ast.Node) bool {
		selector, ok := node.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		receiver, ok := selector.X.(*ast.Ident)
		if ok && testers[receiver.Name] && strings.HasPrefix(selector.Sel.Name, "Skip") {
			found = append(found, f.violation(selector.Pos(), "skipped test",
				"%s: a test runs or fails; start what it needs with internal/testservers", selector.Sel.Name))
		}
		return true
	})
	return found
}

// isTester tells the types testing.TB, *testing.T, *testing.B and *testing.F.
func isTester(expression ast.Expr) bool {
	if star, ok := expression.(*ast.StarExpr); ok {
		expression = star.X
	}
	selector, ok := expression.(*ast.SelectorExpr)
	if !ok {
		return false
	}
	from, ok := selector.X.(*ast.Ident)
	return ok && from.Name == "testing"
}

func lines(content []byte) []string {
	text := strings.TrimSuffix(string(content), "\n")
	if text == "" {
		return nil
	}
	return strings.Split(text, "\n")
}
