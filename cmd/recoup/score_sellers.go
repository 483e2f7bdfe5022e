package main

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"recoup/detectors"
	"recoup/internal/explain"
	"recoup/invoice"
)

// sellers count who judged the invoices of each seller of a file.
type sellers map[string]*judged

// judged are the invoices of one seller, those that are not judged left out.
type judged struct{ byModel, byPrior int64 }

// count takes in a verdict.
func (s sellers) count(inv *invoice.Invoice, v *detectors.Verdict) {
	j := s[inv.Seller]
	if j == nil {
		j = &judged{}
		s[strings.Clone(inv.Seller)] = j
	}
	switch {
	case inv.Type != invoice.Standard:
	case v.Model.Version == detectors.ModelVersion:
		j.byPrior++
	default:
		j.byModel++
	}
}

// printJudges says how many invoices models and the prior judged, and of stored
// models which of them had nothing to judge and whom they leave out.
func (s sellers) printJudges(w io.Writer, stored *models) {
	var all judged
	for _, j := range s {
		all.byModel, all.byPrior = all.byModel+j.byModel, all.byPrior+j.byPrior
	}
	said := "judged " + explain.English.Invoices(all.byModel) + " by trained models, "
	if all.byModel == 0 {
		said = "judged "
	}
	fmt.Fprintf(w, "%s%s by %s\n", said, explain.English.Invoices(all.byPrior), detectors.ModelVersion)
	if stored == nil {
		return
	}
	for i, seller := range s.most(func(name string) bool { return stored.bySeller[name] != nil }) {
		if i == mostModels {
			break
		}
		fmt.Fprintf(w, "model of %s: %s, judged %s\n", explain.Clean(seller), stored.bySeller[seller].Version(),
			explain.English.Invoices(s[seller].byModel))
	}
	if without := s.most(func(name string) bool { return stored.bySeller[name] == nil }); len(without) > 0 {
		fmt.Fprintf(w, "WARNING: %s has no model of %s: judged by %s\n", stored.file, firstOf(without),
			detectors.ModelVersion)
	}
	unused := maps.Clone(stored.bySeller)
	maps.DeleteFunc(unused, func(name string, _ *detectors.Classifier) bool { return s[name] != nil })
	if len(unused) > 0 {
		fmt.Fprintf(w, "not used, as they have no invoice here: models of %s\n", firstOf(slices.Sorted(maps.Keys(unused))))
	}
}

// most returns the sellers that are meant, the one with the most invoices first.
func (s sellers) most(meant func(seller string) bool) []string {
	invoices := func(name string) int64 { return s[name].byModel + s[name].byPrior }
	return slices.SortedFunc(func(yield func(string) bool) {
		for name := range s {
			if meant(name) && !yield(name) {
				return
			}
		}
	}, func(a, b string) int { return cmp.Or(cmp.Compare(invoices(b), invoices(a)), strings.Compare(a, b)) })
}

// printReferences says how many references concern the sellers of the file.
func (s sellers) printReferences(w io.Writer, k known) {
	all, ours := int64(0), int64(0)
	for seller, n := range k.bySeller {
		if all += n; s[seller] != nil {
			ours += n
		}
	}
	switch {
	case all == 0 || len(s) == 0:
	case ours == 0:
		fmt.Fprintf(w, "WARNING: no reference concerns a seller of this file: they are of %s, the invoices of %s\n",
			firstOf(slices.Sorted(maps.Keys(k.bySeller))), firstOf(slices.Sorted(maps.Keys(s))))
	default:
		fmt.Fprintf(w, "of %d references %d concern sellers of this file\n", all, ours)
	}
}

// firstOf names the first sellers.
func firstOf(names []string) string {
	const most = 5
	said := explain.Clean(strings.Join(names[:min(len(names), most)], ", "))
	if len(names) > most {
		said += fmt.Sprintf(" and %d more", len(names)-most)
	}
	return said
}
