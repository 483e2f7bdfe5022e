package detectors

import "strings"

// MostTrained bounds the sellers that examples are kept of, and so those that have
// models of their own; each takes a Trainer up to 30 MB.
const MostTrained = 64

// mostCounted bounds the others, of which only the invoices are counted.
const mostCounted = 4096

// examplesOf returns what is kept of a seller, nil where it has no place: those
// that bill most have one. One that comes late takes the place of the one that
// billed least, with all its examples, once it has billed half as much again; so
// two that bill as much do not push each other out in turns.
func (t *Trainer) examplesOf(seller string, day int64) *examples {
	if s := t.sellers[seller]; s != nil {
		s.invoices++
		return s
	}
	n := t.waiting[seller] + 1
	seller = strings.Clone(seller)
	if len(t.sellers) >= MostTrained {
		least := t.leastBilling()
		if has := t.sellers[least].invoices; n <= has+has/2 {
			t.count(seller, n)
			return nil
		}
		t.count(least, t.sellers[least].invoices)
		delete(t.sellers, least)
	}
	delete(t.waiting, seller)
	s := newExamples(day)
	s.invoices = n
	t.sellers[seller] = s
	return s
}

// leastBilling returns the seller with examples that billed least, of several the
// first by name.
func (t *Trainer) leastBilling() (least string) {
	fewest := 0
	for seller, s := range t.sellers {
		if least == "" || s.invoices < fewest || s.invoices == fewest && seller < least {
			least, fewest = seller, s.invoices
		}
	}
	return least
}

// count notes how much a seller without a place billed. Where there are too many,
// all lose half and those with nothing left are forgotten, whatever the order.
func (t *Trainer) count(seller string, n int) {
	t.waiting[seller] = n
	for len(t.waiting) > mostCounted {
		for other, n := range t.waiting {
			if n /= 2; n > 0 {
				t.waiting[other] = n
			} else {
				delete(t.waiting, other)
			}
		}
	}
}
