package invoice

import (
	"encoding/json"
	"testing"
)

func TestEnumsInJSON(t *testing.T) {
	type both struct {
		Stage Stage `json:"stage"`
		Type  Type  `json:"invoice_type"`
	}
	for _, c := range []struct {
		value both
		text  string
	}{
		{both{Issued, Standard}, `{"stage":"issued","invoice_type":"invoice"}`},
		{both{PreIssue, CreditNote}, `{"stage":"pre_issue","invoice_type":"credit_note"}`},
		{both{Issued, Correction}, `{"stage":"issued","invoice_type":"correction"}`},
	} {
		data, err := json.Marshal(c.value)
		if err != nil || string(data) != c.text {
			t.Errorf("got %s, %v; want %s", data, err, c.text)
		}
		var back both
		if err := json.Unmarshal([]byte(c.text), &back); err != nil || back != c.value {
			t.Errorf("%s reads as %+v, %v", c.text, back, err)
		}
	}
	for _, bad := range []string{`{"stage":"draft"}`, `{"stage":""}`, `{"stage":1}`, `{"invoice_type":"Invoice"}`} {
		if err := json.Unmarshal([]byte(bad), new(both)); err == nil {
			t.Errorf("%s was accepted", bad)
		}
	}
	if _, err := json.Marshal(both{Stage: 7}); err == nil {
		t.Error("stage 7 was written")
	}
	if got := Type(9).String(); got != "unknown(9)" {
		t.Errorf("Type(9) = %q", got)
	}
}
