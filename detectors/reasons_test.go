package detectors

import (
	"slices"
	"testing"

	"recoup/detectors/history"
	"recoup/invoice"
)

// priced is an invoice line of a product at a price, in whole units, with its facts.
func priced(product string, price, quantity invoice.Fixed) (invoice.Line, history.Line) {
	set := func(v invoice.Fixed) invoice.OptionalFixed { return invoice.OptionalFixed{Value: v, Set: true} }
	return invoice.Line{ProductID: product, Quantity: set(quantity * invoice.One), UnitPrice: set(price)},
		history.Line{Product: 1, Price: price, Quantity: float32(quantity), LogQuantity: logOf(float64(quantity)),
			Priced: true, OfProduct: &history.Product{Lines: 50}}
}

// unusual is an engine whose last invoice has two lines, the second at nearly twice
// its price and at a discount of 30 %.
func unusual() *Engine {
	e := &Engine{}
	c := &e.cur
	c.inv = &invoice.Invoice{Seller: "acme", Currency: "EUR", NetAmount: 30 * invoice.Unit}
	c.ev.inv = c.inv
	for _, line := range []struct {
		product         string
		price, quantity invoice.Fixed
	}{{"bread", 2 * invoice.One, 1}, {"gasoline", 20 * invoice.One, 1}} {
		l, known := priced(line.product, line.price, line.quantity)
		c.inv.Lines = append(c.inv.Lines, l)
		c.ev.facts.Lines = append(c.ev.facts.Lines, known)
	}
	c.ev.lines = make([]lineEvidence, 2)
	c.ev.lines[1] = lineEvidence{known: true, off: 1, stable: 0.9, expected: 105 * invoice.One / 10, log: 0.64}
	c.inv.Lines[1].DiscountRate = invoice.OptionalFixed{Value: 30 * invoice.One / 100, Set: true}
	given := &c.ev.facts.Lines[1].OfProduct.Rates
	given[0] = history.Rate{Key: 1000, Count: 40}
	c.subject = Subject{Invoice: c.inv, pays: payableOf(c.inv)}
	return e
}

// A cause without a repair still names what can be checked, the strongest first
// (C5, evidence that a person can check).
func TestReasons(t *testing.T) {
	price := "line 2 (gasoline): unit price 20.00 EUR, usual 10.50 EUR"
	discount := "line 2 (gasoline): discount of 30 %, this product's usual ones are at most 10 %"
	for _, c := range []struct {
		name   string
		change func(e *Engine)
		want   []string
	}{
		{"price before discount", func(*Engine) {}, []string{price, discount}},
		{"no more than three", func(e *Engine) {
			ev := &e.cur.ev
			ev.set(fCodeTwice, 1)
			ev.set(fNoDelivery, 0.97)
			ev.set(fNoFamily, 0.5)
		}, []string{"the same discount code stands twice on a line", price,
			"there is no delivery reference; 97 % of the seller's such invoices have one"}},
		{"few lines", func(e *Engine) {
			ev := &e.cur.ev
			quiet(e)
			ev.facts.Known.Customer = &history.Customer{Lines: history.Moments{N: 20, Mean: 2.74, Variance: 0.0625}}
			ev.set(fLinesZ, -4)
		}, []string{"2 lines, this customer's invoices usually have 12 to 20"}},
		{"far from what the customer pays", func(e *Engine) {
			ev := &e.cur.ev
			quiet(e)
			ev.facts.Known.Customer = &history.Customer{}
			ev.facts.Known.Customer.Net = history.Moments{N: 20, Mean: 5, Variance: 0.01}
			ev.set(fNetZ, -4)
		}, []string{"net 30.00 EUR, this customer's invoices usually come to 134.29 EUR to 164.02 EUR"}},
		{"nothing that has words", quiet, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := unusual()
			c.change(e)
			if got := e.reasons(); !slices.Equal(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// quiet takes what is unusual off the lines.
func quiet(e *Engine) {
	clear(e.cur.ev.lines)
	e.cur.inv.Lines[1].DiscountRate = invoice.OptionalFixed{}
}

func TestSharesOfThePast(t *testing.T) {
	of := func(total, met uint16) *history.Habit {
		return &history.Habit{Total: total, Values: [len(history.Habit{}.Values)]history.HabitValue{{Key: 7, Count: met}}}
	}
	for _, c := range []struct {
		habit *history.Habit
		want  string
	}{
		{of(0, 0), ""},
		{of(1, 1), ", as on the last invoice to DE"},
		{of(1, 0), ", unlike the last invoice to DE"},
		{of(40, 0), ", as on none of the last 40 invoices to DE"},
		{of(40, 40), ", as on all of the last 40 invoices to DE"},
		{of(40, 3), ", as on 3 of the last 40 invoices to DE"},
	} {
		if got := asOn(c.habit, 7, "the", " to DE"); got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}

func TestUnitPricesInWords(t *testing.T) {
	s := Subject{Invoice: &invoice.Invoice{Currency: "GBP"}}
	for text, want := range map[string]string{"649.5": "649.50 GBP", "4.95": "4.95 GBP", "7": "7.00 GBP",
		"0.125": "0.125 GBP", "0.00000001": "0.00000001 GBP"} {
		price, err := invoice.ParseFixed(text)
		if err != nil {
			t.Fatal(err)
		}
		if got := s.price(price); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestMissingDigitInWords(t *testing.T) {
	for _, c := range []struct {
		meant, written int64
		want           string
	}{
		{255, 55, "without its first digit"}, {1050, 150, "without its second digit"}, {1234, 124, "without its third digit"},
		{1234, 123, "without its last digit"}, {123456, 12356, "with a digit missing"},
	} {
		if got := slipMissing.inWords(c.meant, c.written); got != c.want {
			t.Errorf("%d as %d: got %q, want %q", c.meant, c.written, got, c.want)
		}
	}
}
