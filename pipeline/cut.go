package pipeline

import (
	"encoding/json"
	"strings"

	"recoup/cases"
	"recoup/detectors"
)

// cutSentence is how many bytes are kept of a cause's first sentence of evidence
// in a record that its topic refused for its size.
const cutSentence = 200

// leftOut ends a sentence whose end, or all that followed, was cut.
const leftOut = " …"

// cutEvidence leaves of each cause's evidence the start. All that decides, routes
// and counts stays.
func cutEvidence(causes []detectors.Finding) {
	for i := range causes {
		list := causes[i].Evidence
		if len(list) > 1 || len(list) == 1 && len(list[0]) > cutSentence+len(leftOut) {
			start := list[0][:min(len(list[0]), cutSentence)]
			causes[i].Evidence = []string{strings.ToValidUTF8(start, "") + leftOut}
		}
	}
}

// cutCase shortens a case that its topic refused for its size: the same case
// gives the same bytes, however often it is sent.
func cutCase(body []byte) []byte {
	var c cases.Case
	if err := json.Unmarshal(body, &c); err != nil {
		return body
	}
	cutEvidence(c.Causes)
	short, err := c.Encode()
	if err != nil {
		return body
	}
	return short
}

// cutDecision shortens the i-th decision to be written, and the case that is to be
// published with it, and reports whether that helped.
func (e *effects) cutDecision(i int) bool {
	d, err := decodeDecision(e.decisions[i].Value)
	if err != nil || d.Verdict == nil {
		return false
	}
	cutEvidence(d.Verdict.Causes)
	if d.Case != nil {
		whole := string(d.Case)
		d.Case = cutCase(d.Case)
		for k := range e.cases {
			if string(e.cases[k].Value) == whole {
				e.cases[k].Value = d.Case
			}
		}
	}
	value, err := d.encode()
	if err != nil || len(value) >= len(e.decisions[i].Value) {
		return false
	}
	e.decisions[i].Value = value
	return true
}
