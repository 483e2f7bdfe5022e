package main

import (
	"fmt"
	"strings"
)

// reportPeers writes what the usual methods reach on the same file.
func reportPeers(b *strings.Builder, set *setResult) {
	if len(set.Peers) == 0 {
		return
	}
	fmt.Fprint(b, "\n### Peers on the same file\n\nEach scores before it learns and has the same warm-up. Totals: "+
		"the log amount, how far it is from the mean of its segment and of its customer, the share of tax, the number "+
		"of lines and the amount per unit.\n\n"+
		"| method | average precision | P = R | precision of the first 1 % | false alerts a day of 100 at P = R | "+
		"at its own threshold: precision | recall | false alerts a day of 100 |\n|---|---|---|---|---|---|---|---|\n")
	for i := range set.Variants {
		v := &set.Variants[i]
		own := peerResult{Name: "recoup, " + v.Variant, Ranking: v.Plain.Ranking, Threshold: true,
			FalseAlertsAtErrors: falseAlertsAtErrors(set.Plain, v.Plain.Ranking.PrecisionAtErrors)}
		reportPeer(b, &own)
	}
	for i := range set.Peers {
		reportPeer(b, &set.Peers[i])
	}
}

// falseAlertsAtErrors is false alerts a day of 100 invoices when flagging as
// many as there are errors.
func falseAlertsAtErrors(size fileSize, precision figure) number {
	return number(100 * ratio(size.Errors, size.Scored) * (1 - precision.Value))
}

func reportPeer(b *strings.Builder, p *peerResult) {
	h := &p.Ranking
	fmt.Fprintf(b, "| %s | %s | %s | %s | %s |", p.Name, cell(h.AveragePrecision, share, nil),
		cell(h.PrecisionAtErrors, share, nil), cell(h.PrecisionAtBudget, share, nil), tenths(float64(p.FalseAlertsAtErrors)))
	if !p.Threshold {
		fmt.Fprintln(b, " – | – | – |")
		return
	}
	fmt.Fprintf(b, " %s | %s | %s |\n", cell(h.PrecisionOfSuspects, share, nil), cell(h.RecallOfSuspects, share, nil),
		cell(h.FalseAlertsPer100, tenths, nil))
}
