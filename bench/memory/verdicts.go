package main

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"os"
	"slices"

	"github.com/cespare/xxhash/v2"

	"recoup/detectors"
	"recoup/invoice"
)

// verdicts keeps what a run with a budget says of each invoice, or compares with that what one
// without says. Both learn what is true rather than what they say, so that a verdict differs
// only by what was forgotten.
type verdicts struct {
	file     *os.File
	w        *bufio.Writer // nil: compares
	r        *bufio.Reader
	compared *comparison
	settings detectors.Settings
	scratch  []byte
	lying    bool // some verdicts are made wrong
	lies     int  // told so far
}

// comparison is what came of it.
type comparison struct {
	Invoices    int
	Equal       int // in all that they say
	Rules       int // but for which 15 % rules fired, as also one of two invoices does, and what may be lost by them
	Fewer       int // where baselines rest on fewer invoices, as explains finds right
	Unexplained int // differ in any other way, or do not follow from their baselines
	Unfounded   int // of them, the latter, in either run
	Wrong       int // invoices with an error
	Found       int // of them, without a budget
	FoundFewer  int // of them, with one
	FalseFewer  int // right invoices that are suspect with a budget only
	FalseMore   int // right invoices that are suspect without one only
}

// said is what is kept of a verdict.
type said struct {
	verdict
	digest uint64 // of all but the rest
	rules  uint64 // and the loss, which is theirs where nothing is suspect
	known  [len(levels)]baseline
}

// baseline is what a verdict could rest on at one level: how many invoices, their mean and how
// much they vary.
type baseline struct {
	N    int64
	Mean invoice.Amount
	CV   float64
}

const saidBytes = 51 + 24*len(levels)

// levels are all that have baselines.
var levels = [...]detectors.Level{detectors.LevelTypeProduct, detectors.LevelCustomerType, detectors.LevelProductFamily,
	detectors.LevelSeller}

func openVerdicts(p *plan, into *comparison) (k *verdicts, err error) {
	k = &verdicts{compared: into, settings: detectors.DefaultSettings(), lying: p.Lying && !p.Unbounded}
	if p.Unbounded {
		if k.file, err = os.Open(p.Verdicts); err == nil {
			k.r = bufio.NewReaderSize(k.file, 1<<20)
		}
		return k, err
	}
	if k.file, err = os.Create(p.Verdicts); err == nil {
		k.w = bufio.NewWriterSize(k.file, 1<<20)
	}
	return k, err
}

func (k *verdicts) close() error {
	if k.w != nil {
		if err := k.w.Flush(); err != nil {
			return err
		}
	}
	return k.file.Close()
}

// next takes up the verdict that an engine just gave on an invoice of a segment; met says that the
// segment has taught before.
func (k *verdicts) next(v *detectors.Verdict, e *detectors.Engine, p *plan, d drawn, met, isWrong bool) error {
	now := k.said(v, e)
	if k.w != nil {
		k.lie(&now, met)
		_, err := k.w.Write(now.append(k.scratch[:0]))
		return err
	}
	var b [saidBytes]byte
	if _, err := io.ReadFull(k.r, b[:]); err != nil {
		return fmt.Errorf("cannot compare verdicts: %w", err)
	}
	with := readSaid(b[:])
	founded := with.founded(&k.settings) && now.founded(&k.settings)
	k.compared.add(&with, &now, isWrong, founded, func() bool { return p.explains(&with, &now, d.segment) })
	return nil
}

func (s *said) append(b []byte) []byte {
	b = append(b, byte(number(s.suspect)), levelNumber(s.level), byte(number(s.other)))
	for _, n := range [...]uint64{s.digest, s.rules, uint64(s.n), math.Float64bits(s.cv), uint64(s.billed),
		uint64(s.expected)} {
		b = binary.LittleEndian.AppendUint64(b, n)
	}
	for _, known := range s.known {
		b = binary.LittleEndian.AppendUint64(b, uint64(known.N))
		b = binary.LittleEndian.AppendUint64(b, uint64(known.Mean))
		b = binary.LittleEndian.AppendUint64(b, math.Float64bits(known.CV))
	}
	return b
}

func readSaid(b []byte) (s said) {
	at := b[3:]
	next := func() (n uint64) {
		n, at = binary.LittleEndian.Uint64(at), at[8:]
		return n
	}
	s.suspect, s.level, s.other = b[0] == 1, numberedLevels[b[1]], b[2] == 1
	s.digest, s.rules, s.n, s.cv = next(), next(), int64(next()), math.Float64frombits(next())
	s.billed, s.expected = invoice.Amount(next()), invoice.Amount(next())
	for i := range s.known {
		s.known[i] = baseline{int64(next()), invoice.Amount(next()), math.Float64frombits(next())}
	}
	return s
}

// numberedLevels are all that a verdict can name, by their number in the file.
var numberedLevels = [...]detectors.Level{detectors.LevelNone, detectors.LevelTypeProduct, detectors.LevelCustomerType,
	detectors.LevelProductFamily, detectors.LevelSeller, detectors.LevelCustomer, detectors.LevelCustomerProduct}

func levelNumber(level detectors.Level) byte { return byte(slices.Index(numberedLevels[:], level)) }

// add counts the verdicts with and without a budget on one invoice.
func (c *comparison) add(with, without *said, isWrong, founded bool, explains func() bool) {
	c.Invoices++
	switch {
	case !founded:
		c.Unexplained++
		c.Unfounded++
	case with.digest == without.digest && with.rules == without.rules:
		c.Equal++
	case with.digest == without.digest:
		c.Rules++
	case explains():
		c.Fewer++
	default:
		c.Unexplained++
	}
	switch {
	case isWrong:
		c.Wrong++
		c.Found += number(without.suspect)
		c.FoundFewer += number(with.suspect)
	case with.suspect && !without.suspect:
		c.FalseFewer++
	case without.suspect && !with.suspect:
		c.FalseMore++
	}
}

// explains tells whether all that a verdict with a budget could rest on is right by what an engine
// without one knows, and less: at each level as many invoices and the same mean, or fewer and
// a mean among what such invoices come to; at one level at least fewer.
func (p *plan) explains(with, without *said, segment int) bool {
	fewer := false
	for i, level := range levels {
		has, all := with.known[i], without.known[i]
		switch {
		case has == all, has.N == 0:
		case has.N >= all.N:
			return false
		default:
			least, most := p.amounts(level, segment)
			if has.Mean < least-halfCent || has.Mean > most+halfCent {
				return false
			}
		}
		fewer = fewer || has.N < all.N
	}
	return fewer
}

// halfCent is how far what is expected may be off a mean: it is told in cents.
const halfCent = invoice.Unit / 200

func number(yes bool) int {
	if yes {
		return 1
	}
	return 0
}

// said hashes all that a verdict says of this invoice, and notes what it could rest on.
func (k *verdicts) said(v *detectors.Verdict, e *detectors.Engine) (s said) {
	b := k.scratch[:0]
	for _, amount := range [...]int64{int64(v.Billed), int64(v.Expected), int64(v.ExpectedLow), int64(v.ExpectedHigh),
		v.N} {
		b = binary.LittleEndian.AppendUint64(b, uint64(amount))
	}
	for _, f := range [...]float64{v.PError, v.CV, v.DeviationPct} {
		b = binary.LittleEndian.AppendUint64(b, math.Float64bits(f))
	}
	b = append(b, byte(number(v.Suspect)), byte(number(v.Taught)))
	for _, text := range [...]string{string(v.Decision), string(v.Level), v.InvoiceID} {
		b = append(append(b, text...), 0)
	}
	for i := range v.Causes {
		f := &v.Causes[i]
		b = append(append(append(b, f.Code...), f.Kind...), 0)
		b = binary.LittleEndian.AppendUint64(b, math.Float64bits(f.P))
		if f.Kind != "deviation" { // which names its baseline
			b = appendTexts(b, f.Evidence)
		}
	}
	all := len(b)
	for _, amount := range [...]int64{int64(v.Loss.Point), int64(v.Loss.Low), int64(v.Loss.High)} {
		b = binary.LittleEndian.AppendUint64(b, uint64(amount))
	}
	if v.Suspect {
		all = len(b)
	}
	b = appendTexts(b, v.Rules)
	for i := range v.Causes {
		b = appendTexts(b, v.Causes[i].Evidence)
	}
	k.scratch = b
	s = said{digest: xxhash.Sum64(b[:all]), rules: xxhash.Sum64(b[all:]), verdict: verdict{suspect: v.Suspect,
		level: v.Level, n: v.N, cv: v.CV, billed: v.Billed, expected: v.Expected}}
	for i := range v.Causes {
		s.other = s.other || v.Causes[i].Kind != "deviation"
	}
	for i, level := range levels {
		s.known[i].N, s.known[i].Mean, s.known[i].CV = e.Known(level)
	}
	return s
}

func appendTexts(b []byte, texts []string) []byte {
	for _, text := range texts {
		b = append(append(b, text...), 0)
	}
	return b
}
