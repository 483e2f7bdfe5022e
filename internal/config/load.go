package config

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"

	"recoup/internal/address"
	"recoup/invoice"
)

// Loaded is a configuration and where it came from.
type Loaded struct {
	Config
	// File is the path that was read; "" when there was none.
	File string
	// Origins says which file position or environment variable set a field, by
	// path. A field that is missing has its default.
	Origins map[string]string
	// Unused are variables that begin with RECOUP_ and nearly name a field, each
	// with the variable that was probably meant.
	Unused []string
}

// Load reads a file over the defaults, then the environment (as os.Environ
// gives it) over the file, then the secrets, and validates the result. file ""
// means no file. The error is an *Error with every problem, or says why the
// file cannot be read.
func Load(file string, environ []string) (*Loaded, error) {
	var content []byte
	if file != "" {
		var err error
		if content, err = os.ReadFile(file); err != nil {
			return nil, fmt.Errorf("cannot read the configuration: %w", err)
		}
	}
	return load(file, content, environ)
}

func load(file string, content []byte, environ []string) (*Loaded, error) {
	l := &loader{out: &Loaded{Config: Default(), File: file, Origins: map[string]string{}}}
	l.leaves, l.sections = fields(&l.out.Config)
	l.file(content)
	l.environment(environ)
	l.secrets()
	if len(l.problems) == 0 {
		for _, p := range l.out.Validate() {
			p.Where = l.out.Origins[p.Field]
			l.problems = append(l.problems, p)
		}
	}
	if len(l.problems) > 0 {
		return nil, &Error{Problems: l.problems}
	}
	return l.out, nil
}

// loader collects settings and all that is wrong with them.
type loader struct {
	out      *Loaded
	leaves   []field
	sections []string
	problems []Problem
}

func (l *loader) problem(where, path, format string, args ...any) {
	l.problems = append(l.problems, Problem{Where: where, Field: path, Text: fmt.Sprintf(format, args...)})
}

// at is the position of a token, as editors and terminals make it a link.
func (l *loader) at(t *token.Token) string {
	return fmt.Sprintf("%s:%d:%d", filepath.ToSlash(l.out.File), t.Position.Line, t.Position.Column)
}

// file reads the YAML; parser and duplicate keys are the library's.
func (l *loader) file(content []byte) {
	tree, err := parser.ParseBytes(content, 0)
	if err != nil {
		var syntax yaml.Error
		if errors.As(err, &syntax) {
			l.problem(l.at(syntax.GetToken()), "", "not valid YAML: %s", syntax.GetMessage())
		} else {
			l.problem(l.out.File, "", "not valid YAML: %v", err)
		}
		return
	}
	documents := 0
	for _, doc := range tree.Docs {
		if doc.Body == nil || doc.Body.Type() == ast.NullType || doc.Body.Type() == ast.CommentType {
			continue
		}
		if documents++; documents > 1 {
			l.problem(l.at(doc.Body.GetToken()), "", "a second YAML document: keep one, without a line \"---\" between")
			return
		}
		l.mapping(doc.Body, "")
	}
}

// mapping reads the keys of one section.
func (l *loader) mapping(node ast.Node, section string) {
	for _, pair := range l.pairs(node, section) {
		key := pair.Key.GetToken()
		path := strings.TrimPrefix(section+"."+key.Value, ".")
		where := l.at(key)
		if i := slices.IndexFunc(l.leaves, func(f field) bool { return f.path == path }); i >= 0 {
			l.out.Origins[path] = where
			l.leaf(l.leaves[i], pair.Value)
			continue
		}
		if slices.Contains(l.sections, path) {
			l.mapping(pair.Value, path)
			continue
		}
		l.problem(where, path, "unknown key%s", l.suggest(path))
	}
}

// suggest ends the message about an unknown key.
func (l *loader) suggest(path string) string {
	known := slices.Clone(l.sections)
	for _, f := range l.leaves {
		known = append(known, f.path)
	}
	if meant := nearest(path, known); meant != "" {
		return "; did you mean " + meant + "?"
	}
	return "; `recoup config print` shows every key there is"
}

// pairs returns the entries of a mapping; an empty section has none.
func (l *loader) pairs(node ast.Node, path string) []*ast.MappingValueNode {
	switch n := node.(type) {
	case *ast.MappingNode:
		return n.Values
	case *ast.MappingValueNode:
		return []*ast.MappingValueNode{n}
	case *ast.NullNode:
		return nil
	default:
		l.problem(l.at(node.GetToken()), path, "cannot use %q: expected keys below it, indented",
			address.Mask(node.GetToken().Value))
		return nil
	}
}

// leaf sets one field from its YAML value.
func (l *loader) leaf(f field, node ast.Node) {
	where := l.at(node.GetToken())
	switch {
	case f.isSecret():
		l.problem(where, f.path, "a secret may not stand in the configuration: write it to a file and name that in "+
			"%s_file, or set the environment variable %s", f.path, f.variable())
	case f.isMap():
		l.amounts(f, node)
	case f.isList():
		sequence, ok := node.(*ast.SequenceNode)
		if !ok {
			l.problem(where, f.path, "cannot use %q: expected a list such as [a, b]", address.Mask(node.GetToken().Value))
			return
		}
		texts := make([]string, 0, len(sequence.Values))
		for _, value := range sequence.Values {
			if text, ok := l.scalar(value, f.path); ok {
				texts = append(texts, text)
			}
		}
		f.setList(texts)
	default:
		text, ok := l.scalar(node, f.path)
		if !ok {
			return
		}
		if err := f.setText(text); err != nil {
			l.problem(where, f.path, "cannot use %q: %v", address.Mask(text), err)
		}
	}
}

// amounts sets a map of amounts. It replaces the default as a whole: who lists
// currencies lists them all.
func (l *loader) amounts(f field, node ast.Node) {
	amounts := map[string]invoice.Amount{}
	for _, pair := range l.pairs(node, f.path) {
		text, ok := l.scalar(pair.Value, f.path)
		if !ok {
			continue
		}
		amount, err := invoice.ParseAmount(text)
		if err != nil {
			l.problem(l.at(pair.Value.GetToken()), f.path+"."+pair.Key.GetToken().Value,
				"cannot use %q: expected an amount such as 50 or 49.90", text)
		}
		amounts[pair.Key.GetToken().Value] = amount
	}
	f.setMap(amounts)
}

// scalar returns the text of a single value.
func (l *loader) scalar(node ast.Node, path string) (string, bool) {
	switch n := node.(type) {
	case *ast.StringNode:
		return n.Value, true
	case *ast.LiteralNode:
		return n.Value.Value, true
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode:
		return n.GetToken().Value, true
	case *ast.NullNode:
		l.problem(l.at(n.GetToken()), path, "no value: write one, or remove the key to keep the default")
	default:
		l.problem(l.at(n.GetToken()), path, "cannot use %q: expected a single value", address.Mask(n.GetToken().Value))
	}
	return "", false
}

// environment sets fields from their variables.
func (l *loader) environment(environ []string) {
	set := map[string]string{}
	for _, pair := range environ {
		if name, value, ok := strings.Cut(pair, "="); ok && strings.HasPrefix(name, "RECOUP_") {
			set[name] = value
		}
	}
	for _, f := range l.leaves {
		value, ok := set[f.variable()]
		if !ok || f.isMap() {
			continue
		}
		delete(set, f.variable())
		l.out.Origins[f.path] = f.variable()
		switch {
		case f.isList():
			f.setList(splitList(value))
		case f.isSecret():
			f.value.SetString(value)
		default:
			if err := f.setText(value); err != nil {
				l.problem(f.variable(), f.path, "cannot use %q: %v", address.Mask(value), err)
			}
		}
	}
	l.unused(slices.Sorted(maps.Keys(set)))
}

// otherVariables begin with RECOUP_ and are no settings.
var otherVariables = []string{"RECOUP_CONFIG", "RECOUP_CACHE", "RECOUP_CLICKHOUSE_CHILD"}

// unused notes variables that look like a misspelt setting. It is no error:
// Kubernetes sets RECOUP_SERVICE_HOST and the like by itself.
func (l *loader) unused(names []string) {
	for _, name := range names {
		for _, f := range l.leaves {
			if !slices.Contains(otherVariables, name) && distance(name, f.variable()) <= 2 {
				l.out.Unused = append(l.out.Unused, name+" is not a setting; did you mean "+f.variable()+"?")
				break
			}
		}
	}
}

// splitList reads "a, b,c".
func splitList(s string) []string {
	list := []string{}
	for part := range strings.SplitSeq(s, ",") {
		if part = strings.TrimSpace(part); part != "" {
			list = append(list, part)
		}
	}
	return list
}

// secrets reads the files that hold them.
func (l *loader) secrets() {
	for _, f := range l.leaves {
		if !f.isSecret() {
			continue
		}
		if err := readSecret(f, l.leaves); err != nil {
			l.problem(l.out.Origins[f.path+"_file"], f.path+"_file", "%v", err)
		}
	}
}
