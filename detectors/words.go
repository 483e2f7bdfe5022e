package detectors

import (
	"strconv"
	"unsafe"

	"recoup/invoice"
)

// prose is what an engine says of one invoice, in memory that the next invoice
// uses again: no sentence costs an allocation. Sentences are right until the next
// Score.
type prose struct {
	text  []byte
	lists []string // evidence of findings, one behind the other
	rules map[[2]string]string
}

// proseLists is how many sentences have their place in lists; more are allocated.
const proseLists = 64

func newProse() prose {
	return prose{lists: make([]string, 0, proseLists), rules: map[[2]string]string{}}
}

// reset has the memory used again.
func (p *prose) reset() { p.text, p.lists = p.text[:0], p.lists[:0] }

// orNew returns p, or a new one where a subject is not an engine's.
func (p *prose) orNew() *prose {
	if p == nil {
		return &prose{}
	}
	return p
}

// take makes a finding's evidence, which may have been appended to, its own:
// nothing that is said later stands in its place.
func (p *prose) take(evidence []string) []string {
	p.lists = p.lists[:min(cap(p.lists), len(p.lists)+len(evidence))]
	return evidence[:len(evidence):len(evidence)]
}

// rule is the finding's code in Verdict.Rules. There are few: each is made once.
func (p *prose) rule(f *Finding) string {
	key := [2]string{f.Code, f.Kind}
	rule, ok := p.rules[key]
	if !ok {
		rule = f.rule()
		p.rules[key] = rule
	}
	return rule
}

// list is the evidence of a finding; it may be appended to.
func (s *Subject) list(sentences ...string) []string {
	p := s.prose.orNew()
	from := len(p.lists)
	p.lists = append(p.lists, sentences...)
	return p.lists[from:]
}

// say writes a sentence as fmt.Sprintf does, with the verbs %s, %v, %d, %% and %.1f
// (any one digit) and the types in appendWord. No argument is moved to the heap.
func (s *Subject) say(format string, args ...any) string {
	p := s.prose.orNew()
	from := len(p.text)
	for i := 0; i < len(format); i++ {
		if format[i] != '%' {
			p.text = append(p.text, format[i])
			continue
		}
		i++
		decimals := -1
		if format[i] == '.' {
			decimals = int(format[i+1] - '0')
			i += 2
		}
		if format[i] == '%' {
			p.text = append(p.text, '%')
			continue
		}
		p.text = appendWord(p.text, args[0], decimals)
		args = args[1:]
	}
	return unsafe.String(unsafe.SliceData(p.text[from:]), len(p.text)-from)
}

// appendWord appends one value of a sentence.
func appendWord(dst []byte, value any, decimals int) []byte {
	switch v := value.(type) {
	case string:
		return append(dst, v...)
	case int:
		return strconv.AppendInt(dst, int64(v), 10)
	case int64:
		return strconv.AppendInt(dst, v, 10)
	case uint32:
		return strconv.AppendUint(dst, uint64(v), 10)
	case float32:
		return strconv.AppendFloat(dst, float64(v), 'f', decimals, 32)
	case float64:
		return strconv.AppendFloat(dst, v, 'f', decimals, 64)
	case invoice.Amount:
		return v.Append(dst)
	case invoice.Fixed:
		return v.Append(dst)
	case percentage:
		return v.append(dst)
	case portion:
		return v.append(dst)
	}
	panic("detectors: no word for a value")
}

// percentage is a rate as people write it: "12.5 %".
type percentage invoice.Fixed

// percent writes a rate for people.
func percent(rate invoice.Fixed) percentage { return percentage(rate) }

func (r percentage) append(dst []byte) []byte {
	return append(invoice.Fixed(r*100).Append(dst), " %"...)
}

// String returns it for sentences that fmt writes.
func (r percentage) String() string { return string(r.append(nil)) }

// portion is a share of a whole in whole per cent: "85 %".
type portion float32

// share writes a share for people.
func share(of float32) portion { return portion(of) }

func (s portion) append(dst []byte) []byte {
	return append(strconv.AppendFloat(dst, float64(100*float32(s)), 'f', 0, 32), " %"...)
}

// String returns it for sentences that fmt writes.
func (s portion) String() string { return string(s.append(nil)) }
