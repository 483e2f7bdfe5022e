package detectors

import (
	"recoup/invoice"
)

// slipExplains is how much a slip adds to the proof that an amount is wrong: it
// names the cause, so it stands before the finding that only says so.
const slipExplains = 1.01

// detectNetSlip asks which digits, typed right, make the net amount the sum of the
// lines (A8). A total that is off otherwise is detectLineSum's.
func detectNetSlip(s *Subject) (Finding, bool) {
	e := s.ev
	if e.x[fSumOff] == 0 || !e.sumKnown {
		return Finding{}, false
	}
	slip := amountSlip(e.sum, s.Invoice.NetAmount, s.pays.coin)
	if slip == noSlip {
		return Finding{}, false
	}
	return Finding{Code: CauseDataEntry, Kind: "net_amount", P: slipExplains * e.proves(proofSum), Repaired: s.Pays(e.sum),
		Evidence: s.list(s.say("%s; the net amount of %s is that %s", linesInWords(s, e.sum),
			s.Money(s.Invoice.NetAmount), slip.inWords(int64(e.sum), int64(s.Invoice.NetAmount))))}, true
}

// detectLineSlip asks the same of the amount of a line, where programs calculate it.
func detectLineSlip(s *Subject) (Finding, bool) {
	if s.ev.x[fLineOff] == 0 {
		return Finding{}, false
	}
	coin := s.pays.coin
	r := s.repair()
	f := Finding{Code: CauseDataEntry, Kind: "line_amount", P: slipExplains * s.ev.proves(proofLine)}
	for i := range s.Invoice.Lines {
		l := &s.Invoice.Lines[i]
		due, ok := lineDue(l)
		if off := sub(due, l.Net.Value); !ok || !l.Net.Set || (off <= coin && off >= -coin) {
			continue
		}
		slip := amountSlip(s.pays.coins(due), l.Net.Value, coin)
		if slip == noSlip {
			continue
		}
		r.lineNet(i, due)
		f.Evidence = append(f.Evidence, s.say("%s: %v × %s comes to %s; its amount of %s is that %s",
			s.lineName(i), l.Quantity.Value, s.price(l.UnitPrice.Value), s.Money(s.pays.coins(due)), s.Money(l.Net.Value),
			slip.inWords(int64(s.pays.coins(due)), int64(l.Net.Value))))
	}
	if len(f.Evidence) == 0 || float64(len(f.Evidence)) < float64(s.ev.x[fLineOffShare])*float64(len(s.Invoice.Lines)) {
		return Finding{}, false // a program that cuts amounts is off on most lines
	}
	return f.repairedBy(&r)
}

// amountSlip finds the slip of the keys that makes written of meant. One digit
// that is another proves nothing: many amounts differ by that.
func amountSlip(meant, written, coin invoice.Amount) slip {
	s := slipOf(invoice.Fixed(meant), invoice.Fixed(written), invoice.Fixed(coin))
	if s == slipOtherDigit {
		return noSlip
	}
	return s
}
