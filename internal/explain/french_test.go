package explain

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

	"recoup/invoice"
)

func TestFrench(t *testing.T) {
	for english, want := range map[string]string{
		"its 3 lines add up to 75.00 EUR, but the net amount is 7.50 EUR": "ses 3 lignes font au total 75.00 EUR, mais le " +
			"montant net est de 7.50 EUR",
		"line 2 (gasoline): unit price 20.00 EUR, usual 10.50 EUR": "ligne 2 (gasoline) : prix unitaire de 20.00 EUR, " +
			"habituel 10.50 EUR",
		"billed as customer type B2B, as on 1 of this customer's last 9 invoices": "facturé comme type de client B2B, " +
			"comme sur 1 des 9 dernières factures de ce client",
		"1 of 4 lines is at a price of 0": "1 ligne sur 4 est à un prix de 0",
		"there is no delivery reference; 97 % of the seller's such invoices have one": "il manque : " +
			"référence de livraison ; 97 % de telles factures du vendeur l'ont",
		"delivery D$1 was already invoiced with invoice F-7": "la livraison D$1 figure déjà sur la facture F-7",
		"nobody ever said this":                              "nobody ever said this",
	} {
		if got := French(english); got != want {
			t.Errorf("%q\n is %q\nwant %q", english, got, want)
		}
	}
}

// partsOnly are formats of detectors that are parts of sentences, with nothing to translate.
var partsOnly = []string{"%v %s", "%s less %s", "line %s, %v × %s", "; %v is %v %s", "%d other suspect lines",
	"contract version", "discount rate"}

// Each sentence that detectors can say has French: who adds one adds it here, too.
func TestEverySentenceHasFrench(t *testing.T) {
	files, n := token.NewFileSet(), 0
	names, err := filepath.Glob("../../detectors/*.go")
	if err != nil {
		t.Fatal(err)
	}
	verb := regexp.MustCompile(`%(\.\d)?[a-z]`)
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(files, name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(node ast.Node) bool {
			call, ok := node.(*ast.CallExpr)
			if !ok || !speaks(call) {
				return true
			}
			for _, argument := range call.Args {
				format, ok := literal(argument)
				if !ok || !strings.Contains(format, " ") || slices.Contains(partsOnly, format) {
					continue
				}
				n++
				format = strings.NewReplacer("%s%s", "%s, %s", "usual%s", "usual, %s").Replace(format) // ends that asOn says
				said := strings.ReplaceAll(verb.ReplaceAllString(format, "7"), "%%", "%")
				if French(said) == said {
					t.Errorf("%s: no French for %q", files.Position(argument.Pos()), format)
				}
			}
			return true
		})
	}
	if n < 60 {
		t.Errorf("%d sentences found", n)
	}
}

// speaks tells whether a call makes a sentence of evidence.
func speaks(call *ast.CallExpr) bool {
	switch f := call.Fun.(type) {
	case *ast.SelectorExpr:
		return f.Sel.Name == "say" || f.Sel.Name == "list"
	case *ast.Ident:
		return f.Name == "proved"
	}
	return false
}

// literal is a text that stands in the source, also in parts.
func literal(e ast.Expr) (string, bool) {
	switch v := e.(type) {
	case *ast.BasicLit:
		text, err := strconv.Unquote(v.Value)
		return text, err == nil && v.Kind == token.STRING
	case *ast.BinaryExpr:
		left, ok := literal(v.X)
		right, also := literal(v.Y)
		return left + right, ok && also
	}
	return "", false
}

// TestTitleInFrench: the title says what kind of document it is, as the English one does.
func TestTitleInFrench(t *testing.T) {
	for want, inv := range map[string]invoice.Invoice{
		"Facture A1":                          {ID: "A1", Type: invoice.Standard, Number: "A1"},
		"Avoir A1":                            {ID: "A1", Type: invoice.CreditNote},
		"Rectificatif A1, révision 2":         {ID: "A1", Type: invoice.Correction, Revision: 2},
		"Projet de facture A1, numéro F-2026": {ID: "A1", Type: invoice.Standard, Stage: invoice.PreIssue, Number: "F-2026"},
		"Projet d'avoir A1":                   {ID: "A1", Type: invoice.CreditNote, Stage: invoice.PreIssue},
	} {
		if got := titleInFrench(&inv); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
