package cases

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// Sentences of evidence in French (A13): with parts within parts, numbers, days and names
// that stay as they are.
func TestFrench(t *testing.T) {
	for english, french := range map[string]string{
		"the net amount is 0, but its 54 lines add up to 1223.24 GBP": "le montant net est nul, mais la somme de ses " +
			"54 lignes est de 1 223,24 GBP",
		"its 29 lines add up to 3301.38 GBP, but the net amount is -2723.90 GBP": "la somme de ses 29 lignes est de " +
			"3 301,38 GBP, mais le montant net est de -2 723,90 GBP",
		"line 114 (23155): 8.29 GBP is 0.83 GBP with the comma moved by one place; 0.83 GBP is a known price of it": "ligne " +
			"114 (23155) : 8,29 GBP, c'est 0,83 GBP avec la virgule décalée d'un rang ; 0,83 GBP est un prix connu de cet article",
		"line 4, 30 × 6.75 GBP less 2.5 %, has a discount of 2.5 %, 0 % would be usual or allowed": "la ligne 4, 30 × 6,75 " +
			"GBP moins 2,5 %, porte une remise de 2,5 % ; 0 % serait habituel ou permis",
		"the tax rate is 2 %; 20 % is usual, as on all of this customer's last 12 invoices": "le taux de taxe est de 2 % ; " +
			"20 % est habituel, comme sur chacune des 12 dernières factures de ce client",
		"the rate is 2 %, as on none of the last 215 invoices to United Kingdom": "le taux est de 2 %, ce que n'a aucune " +
			"des 215 dernières factures vers United Kingdom",
		"the currency is USD, unlike this customer's last invoice": "la devise est USD, contrairement à la dernière " +
			"facture de ce client",
		"invoice 555352 of 2011-06-02 bills the same products, the same order; different: the net amount (2105.98 there, " +
			"2107.77 here), the delivery (none here), the period": "la facture 555352 du 02/06/2011 a en commun : produits, " +
			"commande ; diffèrent : le montant net (2 105,98 sur l'autre, 2 107,77 sur celle-ci), la livraison (aucune sur " +
			"celle-ci), la période",
		`31 suspects of release "2026.3, the order" since 2026-03-02 have lines that do not add up`: "31 factures suspectes " +
			"ayant en commun la version « 2026.3, the order » depuis le 02/03/2026 ont des lignes dont la somme n'est pas le total",
		"billing_system:rounding: 1031 of 1055 members, 361.96 GBP too low, 5.00 GBP too high; its repair makes 31 usual": "" +
			"billing_system:rounding : 1 031 sur 1 055 membres, 361,96 GBP en moins, 5,00 GBP en trop ; sa correction suffit " +
			"pour 31",
		"promotion SUMMER11 ended on 2026-10-05 …": "la promotion SUMMER11 s'est terminée le 05/10/2026 …",
		"billing read contract version 2.5, the customer system says v3": "la facturation a lu la version de contrat 2.5, " +
			"le système client indique v3",
	} {
		if got, ok := French(english); !ok || got != french {
			t.Errorf("%q is\n  %q (%v), want\n  %q", english, got, ok, french)
		}
	}
	for _, other := range []string{"67,6 % de remise", "", "an operator's own note, of 2026-03-02"} {
		if got, ok := French(other); ok || got != other {
			t.Errorf("%q became %q", other, got)
		}
	}
}

// Every sentence, and every part of one, that the detectors write as evidence has a
// French phrase, and every phrase is written by them.
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
	for i, p := range known {
		part := strings.Trim(p, " %,;")
		live := false
		for _, text := range written {
			text = strings.Trim(bare(text), " %,;")
			live = live || strings.Contains(text, part) || strings.Contains(text, " ") && strings.Contains(part, text)
		}
		if !live {
			t.Errorf("no detector writes %q", phrases[i].en)
		}
		if got := len(place.FindAllString(phrases[i].fr, -1)); got != len(verb.FindAllString(strings.ReplaceAll(phrases[i].en, "%%", ""), -1)) {
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
