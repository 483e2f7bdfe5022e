package cases_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"recoup/cases"
	"recoup/invoice"
)

const cent = invoice.Unit / 100

// later is when what was answered at detected is known.
var later = detected.AddDate(0, 0, 1)

// A23, A27: every amount from 0.01 to 10,000.00 in 2 to 12 instalments: exact, none
// empty, none more than a cent above another, the larger ones first.
func TestEveryScheduleAddsUp(t *testing.T) {
	for due := cent; due <= 10_000*invoice.Unit; due += cent {
		for n := 2; n <= 12; n++ {
			parts := cases.Schedule(due, n, cent)
			var sum invoice.Amount
			for _, p := range parts {
				sum += p
			}
			last := parts[len(parts)-1]
			if sum != due || len(parts) != min(n, int(due/cent)) || last <= 0 || parts[0]-last > cent {
				t.Fatalf("%v in %d: %v", due, n, parts)
			}
			if n == 12 && !slices.IsSortedFunc(parts, func(a, b invoice.Amount) int { return int(b - a) }) {
				t.Fatalf("%v in %d: %v is not in falling order", due, n, parts)
			}
		}
	}
}

func TestSchedule(t *testing.T) {
	for _, c := range []struct {
		due  string
		n    int
		coin invoice.Amount
		want string
	}{
		{"25.00", 3, cent, "[8.34 8.33 8.33]"},
		{"0.02", 3, cent, "[0.01 0.01]"},
		{"0.01", 12, cent, "[0.01]"},
		{"0.005", 2, cent, "[0.005]"},
		{"10.0050", 3, cent, "[3.345 3.33 3.33]"},
		{"100", 3, invoice.Coin("JPY"), "[34.00 33.00 33.00]"},
		{"1.000", 3, invoice.Coin("KWD"), "[0.334 0.333 0.333]"},
		{"0", 3, cent, "[]"},
		{"-5", 3, cent, "[]"},
		{"5", 0, cent, "[]"},
	} {
		due, err := invoice.ParseAmount(c.due)
		if err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(cases.Schedule(due, c.n, c.coin)); got != c.want {
			t.Errorf("%s in %d: %s, want %s", c.due, c.n, got, c.want)
		}
	}
}

// plans are n plans of an option, of which k were accepted and paid in full.
func plans(option cases.Option, k, n int) (list []cases.Plan) {
	for i := range n {
		p := cases.Plan{Option: option, Offered: true, Due: 100 * invoice.Unit, OfferedAt: detected, AnsweredAt: detected}
		if i < k {
			p.Accepted, p.Paid, p.SettledAt = true, p.Due, detected
		}
		list = append(list, p)
	}
	return list
}

// said returns options as a person reads them.
func said(list []cases.RecoveryOption) (out []string) {
	for _, o := range list {
		net := "unknown"
		if o.ExpectedNet != nil {
			net = o.ExpectedNet.String()
		}
		out = append(out, fmt.Sprintf("%s %v %s", o.Option, o.Amount, net))
	}
	return out
}

var terms = cases.Terms{Instalments: 3, Goodwill: 1000}

// A21–A26: amicable options first and, as long as nobody answered, in the order of
// the contract; an offset asks for the sum instead of giving it.
func TestOptionsBeforeAnyAnswer(t *testing.T) {
	list := terms.Options(25*invoice.Unit+30, "EUR", "B2C", &cases.State{}, nil, later)
	want := []string{"immediate_payment 25.00 unknown", "instalments 25.00 unknown", "offset_next_order 25.00 unknown",
		"goodwill 25.00 unknown", "write_off 0.00 unknown"}
	if got := said(list); !slices.Equal(got, want) {
		t.Errorf("options %q, want %q", got, want)
	}
	if list[0].PAccept != nil || list[3].Cost != 250*cent || fmt.Sprint(list[1].Schedule) != "[8.34 8.33 8.33]" {
		t.Errorf("options %+v", list)
	}
	if owed := terms.Options(-25*invoice.Unit, "EUR", "", &cases.State{}, nil, later); !slices.Equal(said(owed),
		[]string{"credit_note 25.00 unknown"}) {
		t.Errorf("25.00 too much: %q", said(owed))
	}
	for _, due := range []invoice.Amount{0, cent - 1, 1 - cent} {
		if list := terms.Options(due, "EUR", "", &cases.State{}, nil, later); list != nil {
			t.Errorf("%v is asked for: %v", due, said(list))
		}
	}
}

// The ranking goes by the lower end of acceptance: nine of ten beat the one of one
// that looks like everybody, and a gesture is worth its cost or not.
func TestOptionsAreRankedByTheLowerEnd(t *testing.T) {
	a := &cases.Acceptance{}
	a.Count("B2C", plans(cases.OptionImmediate, 40, 100))
	a.Count("B2C", plans(cases.OptionInstalments, 60, 100))
	a.Count("B2C", plans(cases.OptionOffset, 1, 1))
	a.Count("B2C", plans(cases.OptionGoodwill, 62, 100))
	list := terms.Options(100*invoice.Unit, "EUR", "B2C", &cases.State{}, a, later)
	want := []string{"instalments 100.00 50.2002", "goodwill 100.00 46.9887", "immediate_payment 100.00 30.9401",
		"offset_next_order 100.00 20.6549", "write_off 0.00 unknown"}
	if got := said(list); !slices.Equal(got, want) {
		t.Errorf("options %q, want %q", got, want)
	}
	if s := list[0].Accepts; s.N != 100 || s.P != 0.6 || s.Low >= 0.6 || s.High <= 0.6 || *list[0].PAccept != 0.6 {
		t.Errorf("acceptance %+v", s)
	}
	a.Discount("B2C", plans(cases.OptionInstalments, 60, 100))
	list = terms.Options(100*invoice.Unit, "EUR", "B2C", &cases.State{}, a, later)
	if list[0].Option != cases.OptionGoodwill {
		t.Errorf("options %q after the instalments were taken back", said(list))
	}
}

// A segment speaks for itself from 20 offers on; and what is agreed counts as far as
// it is paid.
func TestAcceptanceOfSegments(t *testing.T) {
	a := &cases.Acceptance{}
	a.Count("B2B", plans(cases.OptionImmediate, 90, 100))
	a.Count("B2C", plans(cases.OptionImmediate, 2, 19))
	if got := a.Of("B2C", cases.OptionImmediate, later).Accepts; got.N != 119 || got.P != 92./119 {
		t.Errorf("few offers: %+v, want all segments'", got)
	}
	broken := plans(cases.OptionImmediate, 1, 1)
	broken[0].Paid = 0
	a.Count("B2C", broken)
	if got := a.Of("B2C", cases.OptionImmediate, later); got.Accepts.P != 0.15 || got.Pays != 2./3 ||
		got.Rate() != got.Accepts.P*got.Pays {
		t.Errorf("its own: %+v", got)
	}
	if best, ok := a.Best("B2B", later); !ok || best.Rate() != 0.9 {
		t.Errorf("best %+v, %v", best, ok)
	}
	if best, ok := (*cases.Acceptance)(nil).Best("B2B", later); ok {
		t.Errorf("best %+v of nothing", best)
	}
}

// A26: a formal notice stands last, and only where an amicable option failed; what
// failed is not offered again, and nothing is offered beside an agreement.
func TestFormalNoticeIsTheLastResort(t *testing.T) {
	s := cases.State{AmicableFailed: true, Plans: []cases.Plan{
		{Option: cases.OptionImmediate, Offered: true, Ended: true}, {Option: cases.OptionOffset, Offered: true}}}
	want := []string{"instalments 25.00 unknown", "offset_next_order 25.00 unknown", "goodwill 25.00 unknown",
		"write_off 0.00 unknown", "formal_notice 25.00 unknown"}
	if got := said(terms.Options(25*invoice.Unit, "EUR", "", &s, nil, later)); !slices.Equal(got, want) {
		t.Errorf("options %q, want %q", got, want)
	}
	s.Agreed = cases.OptionOffset
	if list := terms.Options(25*invoice.Unit, "EUR", "", &s, nil, later); list != nil {
		t.Errorf("options %q beside an agreement", said(list))
	}
}

func TestWilson(t *testing.T) {
	for _, c := range []struct {
		k, n      int64
		low, high string
	}{
		{0, 0, "0.0000", "1.0000"}, {0, 10, "0.0000", "0.2775"}, {10, 10, "0.7225", "1.0000"},
		{15, 500, "0.0183", "0.0489"}, {300, 10_000, "0.0268", "0.0335"},
	} {
		s := cases.Wilson(c.k, c.n)
		if low, high := fmt.Sprintf("%.4f", s.Low), fmt.Sprintf("%.4f", s.High); low != c.low || high != c.high {
			t.Errorf("%d of %d: %s to %s, want %s to %s", c.k, c.n, low, high, c.low, c.high)
		}
	}
}

// What was known on a day stays as it was: an answer counts from the day after it, and
// silence from the fifteenth day after the offer, whatever is answered later.
func TestAcceptanceAsOfADay(t *testing.T) {
	day := func(n int) time.Time { return detected.AddDate(0, 0, n) }
	late := cases.Plan{Option: cases.OptionImmediate, Offered: true, OfferedAt: day(0), Due: cent}
	a := &cases.Acceptance{}
	a.Count("", []cases.Plan{late})
	answered := late
	answered.Accepted, answered.AnsweredAt, answered.Paid, answered.SettledAt = true, day(20), cent, day(20)
	quick := answered
	quick.AnsweredAt, quick.SettledAt = day(2), day(30)
	quick.Paid = 0
	a.Count("", []cases.Plan{quick})
	a.Discount("", []cases.Plan{late})
	a.Count("", []cases.Plan{answered})
	for _, c := range []struct {
		day              int
		offers, accepted int64
		pays             float64
	}{{2, 0, 0, 1}, {3, 1, 1, 1}, {14, 1, 1, 1}, {15, 2, 1, 1}, {21, 2, 1, 1}, {31, 2, 1, 0.5}} {
		got := a.Of("", cases.OptionImmediate, day(c.day))
		if want := (cases.Answer{Accepts: cases.Wilson(c.accepted, c.offers), Pays: c.pays}); got != want {
			t.Errorf("day %d: %+v, want %+v", c.day, got, want)
		}
	}
}
