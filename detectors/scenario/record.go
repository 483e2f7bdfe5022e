package scenario

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"recoup/invoice"
)

// record is the form of one invoice, or of many that differ only in their id,
// time and, where several are written, net amount.
type record struct {
	inv    invoice.Invoice
	nets   []invoice.Amount // taken in turn
	issued time.Duration    // issued_at relative to the record's own time

	shipped time.Duration // relative to issued_at
	hasShip bool
	period  int // days of the billed period, which ends at issued_at; 0: none
}

// fields are the keys an invoice is described with.
var fields = map[string]func(*record, string) error{
	"seller":    func(f *record, v string) error { return text(&f.inv.Seller, v) },
	"id":        func(f *record, v string) error { return text(&f.inv.ID, v) },
	"number":    func(f *record, v string) error { return text(&f.inv.Number, v) },
	"currency":  func(f *record, v string) error { return text(&f.inv.Currency, v) },
	"customer":  func(f *record, v string) error { return text(&f.inv.CustomerRef, v) },
	"type":      func(f *record, v string) error { return text(&f.inv.CustomerType, v) },
	"family":    func(f *record, v string) error { return text(&f.inv.ProductFamily, v) },
	"country":   func(f *record, v string) error { return text(&f.inv.Country, v) },
	"delivery":  func(f *record, v string) error { return text(&f.inv.DeliveryRef, v) },
	"order":     func(f *record, v string) error { return text(&f.inv.OrderRef, v) },
	"preceding": func(f *record, v string) error { return text(&f.inv.PrecedingID, v) },
	"contract":  func(f *record, v string) error { return text(&f.inv.ContractRef, v) },
	"list":      func(f *record, v string) error { return text(&f.inv.PriceListVersion, v) },
	"release":   func(f *record, v string) error { return text(&f.inv.SourceRelease, v) },
	"batch":     func(f *record, v string) error { return text(&f.inv.BatchID, v) },
	"system":    func(f *record, v string) error { return text(&f.inv.SourceSystem, v) },
	"stage":     func(f *record, v string) error { return f.inv.Stage.UnmarshalText([]byte(v)) },
	"document":  func(f *record, v string) error { return f.inv.Type.UnmarshalText([]byte(v)) },
	"gross":     func(f *record, v string) error { return amount(&f.inv.GrossAmount, v) },
	"discount":  func(f *record, v string) error { return amount(&f.inv.DiscountAmount, v) },
	"prepaid":   func(f *record, v string) error { return amount(&f.inv.PrepaidAmount, v) },
	"net":       (*record).setNet,
	"tax":       (*record).setTax,
	"lines":     (*record).setLines,
	"codes":     (*record).setCodes,
	"legal":     (*record).setLegal,
	"shipped":   (*record).setShipped,
	"period":    (*record).setPeriod,
	"crm":       (*record).setCRM,
	"taxed":     func(f *record, v string) error { return amount(&f.inv.TaxAmount, v) },
	"revision":  (*record).setRevision,
	"canary":    (*record).setCanary,
	"issued":    (*record).setIssued,
}

// read fills the form. special may take keys that are not of the invoice.
func (f *record) read(c *command, args []argument, special func(argument) (bool, error)) error {
	f.inv.Seller, f.inv.Currency = "acme", "EUR"
	f.inv.CustomerRef = invoice.Anonymous
	for _, a := range args {
		if special != nil {
			ok, err := special(a)
			if err != nil {
				return c.errorf("cannot read %s=%s: %w", a.key, a.value, err)
			}
			if ok {
				continue
			}
		}
		set := fields[a.key]
		if set == nil {
			return c.errorf("cannot read %s=%s: want one of %s", a.key, a.value, known(fields))
		}
		if err := set(f, a.value); err != nil {
			return c.errorf("cannot read %s=%s: %w", a.key, a.value, err)
		}
	}
	if len(f.nets) == 0 {
		net, ok := f.sumOfLines()
		if !ok {
			return c.errorf(`cannot make this invoice: it needs an amount such as net=100.00, or lines`)
		}
		f.nets = append(f.nets, net)
	}
	return nil
}

// encode returns the invoice.v1 record of the i-th invoice of this form.
func (f *record) encode(now time.Time, offset int64, i int, id string) []byte {
	inv := f.inv
	inv.EventID = fmt.Sprintf("e%d", offset)
	inv.IssuedAt = now.Add(f.issued)
	inv.NetAmount = f.nets[i%len(f.nets)]
	if f.hasShip {
		inv.ShippedAt = inv.IssuedAt.Add(f.shipped)
	}
	if f.period > 0 {
		inv.PeriodEnd = inv.IssuedAt.Truncate(24 * time.Hour)
		inv.PeriodStart = inv.PeriodEnd.AddDate(0, 0, 1-f.period)
	}
	for _, name := range []*string{&inv.ID, &inv.CustomerRef, &inv.DeliveryRef, &inv.OrderRef} {
		*name = strings.ReplaceAll(*name, "#", strconv.Itoa(i+1))
	}
	if inv.ID == "" {
		inv.ID = id
	}
	return inv.AppendJSON(nil)
}

func text(to *string, v string) error {
	*to = v
	return nil
}

func amount(to *invoice.OptionalAmount, v string) error {
	a, err := invoice.ParseAmount(v)
	*to = invoice.OptionalAmount{Value: a, Set: true}
	return err
}

func (f *record) setNet(v string) error {
	f.nets = f.nets[:0]
	for part := range strings.SplitSeq(v, ",") {
		a, err := invoice.ParseAmount(part)
		if err != nil {
			return err
		}
		f.nets = append(f.nets, a)
	}
	return nil
}

func (f *record) setRevision(v string) (err error) {
	f.inv.Revision, err = strconv.ParseInt(v, 10, 64)
	return err
}

func (f *record) setCanary(v string) error {
	if v != "yes" && v != "no" {
		return fmt.Errorf("want yes or no")
	}
	f.inv.Canary = v == "yes"
	return nil
}

// setIssued reads when the invoice claims to be issued: "-36d" or "+25h" from
// the record's own time.
func (f *record) setIssued(v string) (err error) {
	f.issued, err = parseDuration(v)
	return err
}

// parseDuration reads a Go duration that may begin with days: "3d", "-1d12h".
func parseDuration(v string) (time.Duration, error) {
	bad := fmt.Errorf(`want a duration such as 90m, 1h, 3d or -1d12h, not %q`, v)
	sign := time.Duration(1)
	rest, negative := strings.CutPrefix(strings.TrimPrefix(v, "+"), "-")
	if negative {
		sign = -1
	}
	var total time.Duration
	if days, after, ok := strings.Cut(rest, "d"); ok {
		n, err := strconv.ParseUint(days, 10, 16)
		if err != nil {
			return 0, bad
		}
		total, rest = time.Duration(n)*24*time.Hour, after
	} else if rest == "" {
		return 0, bad
	}
	if rest != "" {
		d, err := time.ParseDuration(rest)
		if err != nil || d < 0 {
			return 0, bad
		}
		total += d
	}
	return sign * total, nil
}

// known lists the keys of a map for an error message.
func known[V any](m map[string]V) string {
	return strings.Join(slices.Sorted(maps.Keys(m)), ", ")
}
