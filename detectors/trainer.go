package detectors

import (
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/cespare/xxhash/v2"

	"recoup/detectors/history"
	"recoup/detectors/index"
	"recoup/detectors/inject"
	"recoup/invoice"
)

// TrainAfter is how much event time of a seller's invoices comes before its first
// training, by default.
const TrainAfter = 7 * 24 * time.Hour

// TrainerOptions say how a Trainer learns. The zero value of a field is its
// default. Whatever they say, a Trainer keeps up to 30 MB of examples for each of up
// to MostTrained sellers: `recoup score` takes up to 2 GB more where it meets so many.
type TrainerOptions struct {
	// After is how much event time of a seller's invoices comes before its first
	// training. By default TrainAfter.
	After time.Duration
	// Without is a cause of which no error is ever put in, so that what the others
	// teach about it can be measured; "" by default.
	Without string
	// Workers is how many goroutines train at once; it changes the duration only.
	// By default 1.
	Workers int
	// Stop, where there is one, is asked between the rounds of a training: when it
	// returns true, the training ends within a second and gives no classifier. It
	// must be safe for concurrent use.
	Stop func() bool
}

// Trainer learns to tell wrong invoices from right ones without anybody
// labelling any: into copies of a seller's own invoices it puts errors (package
// inject), looks at both as the engine would at that moment, and trains a
// Classifier to tell them apart. It is used beside one engine:
//
//	e.Begin(inv, position, received)
//	t.Prepare(e)   // trains and has the engine use it, where a midnight has passed
//	e.Score(&verdict)
//	t.Observe(e)   // looks at the invoice and at altered copies of it
//	e.Teach(verdict.Suspect)
//
// What it does depends on the invoices and the options alone. It is not safe for
// concurrent use.
type Trainer struct {
	options TrainerOptions
	sellers map[string]*examples // at most MostTrained
	waiting map[string]int       // invoices of sellers without examples
	spoilt  invoice.Invoice
	ev      evidence
}

// NewTrainer returns a trainer without examples.
func NewTrainer(o TrainerOptions) *Trainer {
	if o.After <= 0 {
		o.After = TrainAfter
	}
	o.Workers = max(1, o.Workers)
	return &Trainer{options: o, sellers: map[string]*examples{}, waiting: map[string]int{}}
}

// Prepare trains a classifier and has the engine use it, when the invoice last
// begun is the first after a midnight UTC at which its seller's was due. It
// returns it, nil when none was. A first one is due After the seller's first
// invoice, the next ones when there are a fifth more examples, or a week later.
func (t *Trainer) Prepare(e *Engine) *Classifier {
	s := t.sellers[e.cur.inv.Seller]
	if s == nil {
		return nil
	}
	day := dayOf(e.cur.eventMS)
	due := s.first + int64((t.options.After+24*time.Hour-1)/(24*time.Hour))
	if s.trained > 0 {
		due = s.trainedOn + 7
		if s.seen >= s.trained+s.trained/5 {
			due = s.trainedOn + 1
		}
	}
	if day < due || day <= s.triedOn {
		return nil
	}
	s.triedOn = day // where there are too few examples now, another midnight may bring more
	m := t.train(strings.Clone(e.cur.inv.Seller), s)
	if m == nil {
		return nil
	}
	s.trained, s.trainedOn = s.seen, day
	e.UseClassifier(m)
	return m
}

// Train returns a classifier of a seller from all examples so far, nil while
// there are too few.
func (t *Trainer) Train(seller string) *Classifier {
	if s := t.sellers[seller]; s != nil {
		return t.train(seller, s)
	}
	return nil
}

func (t *Trainer) train(seller string, s *examples) *Classifier {
	m := s.train(seller, t.options)
	if t.options.Stop != nil && t.options.Stop() {
		return nil
	}
	return m
}

// Sellers returns the sellers with examples, sorted.
func (t *Trainer) Sellers() (sellers []string) {
	for seller := range t.sellers {
		sellers = append(sellers, seller)
	}
	slices.Sort(sellers)
	return sellers
}

// variants is how many copies of an invoice get an error.
const variants = 2

// Observe takes the invoice that the engine scored last and has not taught yet.
func (t *Trainer) Observe(e *Engine) {
	c := &e.cur
	if c.sight.again || !e.remembered() {
		return
	}
	s := t.examplesOf(c.inv.Seller, dayOf(c.eventMS))
	if s == nil {
		return
	}
	// Invoices of one customer and week stay together, so that no model is judged
	// by what it knows.
	group := uint32(index.Mix(c.ev.facts.Customer, uint64(c.ev.facts.Day)/7))
	if !c.ev.taxChanges() {
		s.addReal(&c.ev, group)
	}
	s.practice.learn(c.inv)
	rng := rand.New(rand.NewPCG(c.sight.identity, 0))
	for range variants {
		t.spoil(e, s, group, rng)
	}
	if rng.IntN(recentEvery) == 0 {
		s.practice.keep(c.inv)
	}
}

// spoil adds an example of a copy with an error.
func (t *Trainer) spoil(e *Engine, s *examples, group uint32, rng *rand.Rand) {
	inv := e.cur.inv
	src := inv
	cause := inject.Pick(rng, t.options.Without).Cause()
	if cause == CauseDuplicate {
		// The original must be in the history already.
		if src = s.practice.recent(rng); src == nil {
			return
		}
	}
	s.practice.context(e, src)
	kind, ok := inject.AnyOf(&t.spoilt, src, cause, rng, &s.practice.ctx)
	if !ok && src == inv {
		kind, ok = inject.Any(&t.spoilt, inv, rng, &s.practice.ctx, CauseDuplicate, t.options.Without)
	}
	if ok {
		e.examine(&t.ev, &t.spoilt)
		s.add(&t.ev, group, kind, true)
	}
}

func dayOf(ms int64) int64 { return hourOf(ms) / 24 }

// practice is how a seller bills, as far as the injector may know it.
type practice struct {
	ctx   inject.Context
	codes map[string]*codeUse
	order []*codeUse // as they came
	// contractCode is the code last met on lines billed under a contract, or one
	// that nobody has.
	contractCode string
	kept         []*invoice.Invoice // a ring of recent invoices, suspect ones too
	oldest       int
	lines        int // of all that are kept
}

// codeUse is how a discount code is used.
type codeUse struct {
	promotion inject.Promotion
	uses      int
	rates     map[uint32]int
}

const (
	recentKept  = 256
	recentLines = 10_000 // of all kept invoices together: some 5 MB
	recentEvery = 4      // of so many invoices one is kept
	mostRates   = 16
	mostCodes   = 256
)

// noContractCode stands for the code of another customer's contract where no code
// of contracts is known.
const noContractCode = "contract of another customer"

func newPractice() practice {
	return practice{codes: map[string]*codeUse{}, contractCode: noContractCode}
}

// keep remembers an invoice to be billed again later, unless it would push too
// many others out.
func (p *practice) keep(inv *invoice.Invoice) {
	if len(inv.Lines) > recentLines/4 {
		return
	}
	p.lines += len(inv.Lines)
	if len(p.kept) < recentKept {
		p.kept = append(p.kept, inv.Clone())
	} else {
		p.lines -= len(p.kept[p.oldest].Lines)
		p.kept[p.oldest] = inv.Clone()
		p.oldest = (p.oldest + 1) % recentKept
	}
	if p.lines <= recentLines {
		return
	}
	p.kept, p.oldest = slices.Concat(p.kept[p.oldest:], p.kept[:p.oldest]), 0
	for p.lines > recentLines {
		p.lines -= len(p.kept[0].Lines)
		p.kept = slices.Delete(p.kept, 0, 1)
	}
}

// recent draws a remembered invoice, the newer ones more often: most duplicates
// come soon. nil without any.
func (p *practice) recent(rng *rand.Rand) *invoice.Invoice {
	n := len(p.kept)
	if n == 0 {
		return nil
	}
	back := min(rng.IntN(n), rng.IntN(n))
	return p.kept[(p.oldest+n-1-back)%n]
}

// learn notes rates, currencies and discount codes.
func (p *practice) learn(inv *invoice.Invoice) {
	if inv.TaxRate.Set && len(p.ctx.TaxRates) < mostRates && !slices.Contains(p.ctx.TaxRates, inv.TaxRate.Value) {
		p.ctx.TaxRates = append(p.ctx.TaxRates, inv.TaxRate.Value)
	}
	if len(p.ctx.Currencies) < mostRates && !slices.Contains(p.ctx.Currencies, inv.Currency) {
		p.ctx.Currencies = append(p.ctx.Currencies, strings.Clone(inv.Currency))
	}
	for i := range inv.Lines {
		if l := &inv.Lines[i]; len(l.PromoCodes) == 1 {
			p.learnCode(l.PromoCodes[0], l, inv.IssuedAt)
		}
	}
}

func (p *practice) learnCode(code string, l *invoice.Line, at time.Time) {
	use := p.codes[code]
	if use == nil {
		if len(p.codes) >= mostCodes {
			return
		}
		code = strings.Clone(code)
		use = &codeUse{promotion: inject.Promotion{Code: code, From: at}, rates: map[uint32]int{}}
		p.codes[code] = use
		p.order = append(p.order, use)
	}
	use.uses++
	promotion := &use.promotion
	promotion.To = at
	rate := rateKey(l.DiscountRate.Value)
	if usual := use.rates[rateKeyOf(promotion.Rate)]; len(use.rates) < mostRates || use.rates[rate] > 0 {
		if use.rates[rate]++; use.rates[rate] > usual {
			promotion.Rate = float64(rate-1) / 10_000
		}
	}
	if len(promotion.Families) < mostRates && !slices.Contains(promotion.Families, l.ProductFamily) {
		promotion.Families = append(promotion.Families, strings.Clone(l.ProductFamily))
	}
}

func rateKeyOf(rate float64) uint32 { return uint32(rate*10_000+0.5) + 1 }

// context has ctx tell what is known of an invoice's customer and products.
func (p *practice) context(e *Engine, src *invoice.Invoice) {
	c := &p.ctx
	c.Recent = p.kept
	c.HasContract, c.ContractRate, c.ContractCode, c.MaxDiscount = false, 0, "", 0
	c.Tiers, c.Promotions = c.Tiers[:0], c.Promotions[:0]
	for _, use := range p.order {
		if !use.ofContracts() {
			c.Promotions = append(c.Promotions, use.promotion)
		}
	}
	if policy, ok := e.references.Policy(src.Seller, src.IssuedAt); ok && policy.MaxDiscountRate.Set {
		c.MaxDiscount = fixedFloat(policy.MaxDiscountRate.Value)
	}
	if src != e.cur.inv {
		return
	}
	f := &e.cur.ev.facts
	for i := range f.Lines {
		c.Tiers = append(c.Tiers, lowerTier(&f.Lines[i]))
	}
	p.contract(f, src)
	if c.ContractCode != "" && c.ContractCode != p.contractCode {
		p.contractCode = strings.Clone(c.ContractCode)
	}
	c.ContractCode = p.contractCode
	if r, ok := e.references.Customer(src.Seller, src.CustomerRef, src.IssuedAt); ok && r.ContractDiscountRate.Set {
		c.HasContract, c.ContractRate = true, fixedFloat(r.ContractDiscountRate.Value)
	}
	if c.HasContract && len(c.ContractRates) < mostRates && !slices.Contains(c.ContractRates, c.ContractRate) {
		c.ContractRates = append(c.ContractRates, c.ContractRate)
	}
}

// ofContracts tells whether a code has ever new rates: then no promotion is meant.
func (u *codeUse) ofContracts() bool {
	const enough, usual = 20, 0.6
	return u.uses >= enough && float64(u.rates[rateKeyOf(u.promotion.Rate)]) < usual*float64(u.uses)
}

// contract takes a code for a contract's when the customer always has the same
// rate with it and the seller's customers have different ones.
func (p *practice) contract(f *history.Facts, src *invoice.Invoice) {
	for i := range src.Lines {
		for _, code := range src.Lines[i].PromoCodes {
			key := index.Mix(index.Mix(f.Seller, tagCode), xxhash.Sum64String(code))
			at := slices.IndexFunc(f.Codes, func(c history.Code) bool { return c.Seller == key })
			if at < 0 || f.Codes[at].OfCustomer == nil || f.Codes[at].OfSeller == nil {
				continue
			}
			rate := f.Codes[at].OfCustomer.Rates.Usual()
			mine, n := f.Codes[at].OfCustomer.Rates.Share(rate)
			if all, _ := f.Codes[at].OfSeller.Rates.Share(rate); rate > 0 && n >= 2 && mine > 0.7 && all < 0.6 {
				p.ctx.HasContract, p.ctx.ContractCode, p.ctx.ContractRate = true, code, float64(rate-1)/10_000
				return
			}
		}
	}
}

// lowerTier returns the highest known price of a line's product that is below
// its own, though not below 60 % of it; 0 without any.
func lowerTier(l *history.Line) (tier invoice.Fixed) {
	if l.OfProduct == nil {
		return 0
	}
	for i := range l.OfProduct.List {
		p := &l.OfProduct.List[i]
		if p.Count >= 2 && p.Price < l.Price && p.Price > l.Price/5*3 && p.Price > tier {
			tier = p.Price
		}
	}
	return tier
}
