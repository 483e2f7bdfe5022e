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
	scratch  []byte
}

// comparison is what came of it.
type comparison struct {
	Invoices    int
	Equal       int // in all that they say
	Rules       int // but for which 15 % rules fired, as also one of two invoices does, and what may be lost by them
	Wider       int // by a wider level, or by fewer invoices, as explains finds right
	Unexplained int // differ in any other way
	Wrong       int // invoices with an error
	Found       int // of them, without a budget
	FoundWider  int // of them, with one
	FalseWider  int // right invoices that are suspect with a budget only
}

// said is what is kept of a verdict.
type said struct {
	digest   uint64 // of all but the rest
	rules    uint64 // and the loss, which is theirs where nothing is suspect
	expected invoice.Amount
	n        uint32
	level    uint8 // its place in levels
	suspect  bool
}

const saidBytes = 30

// levels are numbered by their place, the narrowest first.
var levels = []detectors.Level{detectors.LevelCustomerProduct, detectors.LevelCustomer, detectors.LevelTypeProduct,
	detectors.LevelCustomerType, detectors.LevelProductFamily, detectors.LevelSeller, detectors.LevelNone}

func openVerdicts(p *plan, into *comparison) (k *verdicts, err error) {
	k = &verdicts{compared: into}
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

// next takes up the verdict on the next invoice. explains tells whether what was said with a budget
// is what is to be said of fewer invoices, or at a wider level.
func (k *verdicts) next(v *detectors.Verdict, isWrong bool, explains func(with said) bool) error {
	now := k.said(v)
	var b [saidBytes]byte
	if k.w != nil {
		binary.LittleEndian.PutUint64(b[:], now.digest)
		binary.LittleEndian.PutUint64(b[8:], now.rules)
		binary.LittleEndian.PutUint64(b[16:], uint64(now.expected))
		binary.LittleEndian.PutUint32(b[24:], now.n)
		b[28], b[29] = now.level, byte(number(now.suspect))
		_, err := k.w.Write(b[:])
		return err
	}
	if _, err := io.ReadFull(k.r, b[:]); err != nil {
		return fmt.Errorf("cannot compare verdicts: %w", err)
	}
	k.compared.add(said{binary.LittleEndian.Uint64(b[:]), binary.LittleEndian.Uint64(b[8:]),
		invoice.Amount(binary.LittleEndian.Uint64(b[16:])), binary.LittleEndian.Uint32(b[24:]), b[28], b[29] == 1},
		now, isWrong, explains)
	return nil
}

// add counts the verdicts with and without a budget on one invoice.
func (c *comparison) add(with, without said, isWrong bool, explains func(said) bool) {
	c.Invoices++
	switch {
	case with.digest == without.digest && with.rules == without.rules:
		c.Equal++
	case with.digest == without.digest:
		c.Rules++
	case (with.level > without.level || with.n < without.n) && explains(with):
		c.Wider++
	default:
		c.Unexplained++
	}
	switch {
	case isWrong:
		c.Wrong++
		c.Found += number(without.suspect)
		c.FoundWider += number(with.suspect)
	case with.suspect && !without.suspect:
		c.FalseWider++
	}
}

// explains tells whether an engine without a budget, which has just scored an invoice of a
// segment, knows what was said of it with one: at that level as many invoices, and then they
// come to the same; or more, and then what was said lies among what they come to.
func (w *world) explains(e *detectors.Engine, segment int, with said) bool {
	level := levels[with.level]
	if level == detectors.LevelNone {
		return with.n == 0
	}
	n, mean := e.Known(level)
	least, most := mean, mean
	if int64(with.n) < n {
		least, most = w.amounts(level, segment)
	}
	return int64(with.n) <= n && with.expected >= least-halfCent && with.expected <= most+halfCent
}

// halfCent is how far what is expected may be off a mean: it is told in cents.
const halfCent = invoice.Unit / 200

func number(yes bool) int {
	if yes {
		return 1
	}
	return 0
}

// said hashes all that a verdict says of this invoice.
func (k *verdicts) said(v *detectors.Verdict) said {
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
	return said{xxhash.Sum64(b[:all]), xxhash.Sum64(b[all:]), v.Expected, uint32(v.N),
		uint8(slices.Index(levels, v.Level)), v.Suspect}
}

func appendTexts(b []byte, texts []string) []byte {
	for _, text := range texts {
		b = append(append(b, text...), 0)
	}
	return b
}
