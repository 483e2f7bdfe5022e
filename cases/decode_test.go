package cases_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"recoup/cases"
	"recoup/docs/contract"
	"recoup/docs/contract/contracttest"
	"recoup/invoice"
)

// encoder is a record that was decoded.
type encoder interface{ Encode() ([]byte, error) }

// decoders are the decoders of this package, by the schema they read.
var decoders = map[string]func([]byte) (encoder, error){
	cases.EventSchema:    func(b []byte) (encoder, error) { return cases.DecodeEvent(b) },
	cases.RecoverySchema: func(b []byte) (encoder, error) { return cases.DecodeRecovery(b) },
	cases.DisputeSchema:  func(b []byte) (encoder, error) { return cases.DecodeDispute(b) },
}

// examples returns the examples of a schema by file name.
func examples(tb testing.TB, schema string) map[string][]byte {
	tb.Helper()
	files, err := filepath.Glob(filepath.Join("..", "docs", "contract", "examples", schema, "*.json"))
	if err != nil || len(files) < 5 {
		tb.Fatalf("%d examples of %s: %v", len(files), schema, err)
	}
	list := map[string][]byte{}
	for _, file := range files {
		record, err := os.ReadFile(file)
		if err != nil {
			tb.Fatal(err)
		}
		list[filepath.Base(file)] = record
	}
	return list
}

// roundTrip checks what a decoder says of a record: that it agrees with the
// schema, and that what it accepts it writes and reads back as the same.
func roundTrip(t *testing.T, schema string, record []byte) (accepted bool) {
	t.Helper()
	bySchema := contracttest.ValidateAs(schema, record)
	v, err := decoders[schema](record)
	if (err == nil) != (bySchema == nil) {
		t.Errorf("%s\nschema:  %v\ndecoder: %v", record, bySchema, err)
	}
	if err != nil {
		var refused *invoice.DecodeError
		if !errors.As(err, &refused) || refused.Reason == "" || refused.Message == "" ||
			!strings.Contains(err.Error(), schema) {
			t.Errorf("%s: incomplete error %#v", record, err)
		}
		return false
	}
	body, err := v.Encode()
	if err != nil {
		t.Fatalf("%s: %v", record, err)
	}
	if err := contracttest.ValidateAs(schema, body); err != nil {
		t.Errorf("%s is written as %s: %v", record, body, err)
	}
	again, err := decoders[schema](body)
	if err != nil || !reflect.DeepEqual(again, v) {
		t.Errorf("%s is written as %s and read as\n%+v, want\n%+v: %v", record, body, again, v, err)
	}
	return true
}

func TestDecodersAgreeWithTheContractOnExamples(t *testing.T) {
	for schema := range decoders {
		for name, record := range examples(t, schema) {
			t.Run(schema+"/"+name, func(t *testing.T) {
				if accepted := roundTrip(t, schema, record); accepted != strings.HasPrefix(name, "valid-") {
					t.Errorf("accepted: %v", accepted)
				}
			})
		}
	}
}

// values are what each field is set to, one after the other.
var values = []string{
	`null`, `true`, `false`, `0`, `-1`, `1`, `5`, `7`, `12.5`, `""`, `"x"`, `"12.50"`, `"0.00"`, `"-0.0001"`, `"1.00001"`,
	`"1e3"`, `[]`, `{}`, `"EUR"`, `"eur"`, `"2026-03-01"`, `"2026-02-29"`, `"2026-03-01T09:30:00Z"`,
	`"2026-03-01T09:30:00.25+02:00"`, `"1969-06-01T00:00:00Z"`, `"a\tb"`, `"decided"`, `"acknowledged"`, `"goodwill"`,
	`"instalments"`, `"scheduled"`, `"paid"`, `"detector"`, `"confirmed_error"`, `"promotion"`, `"customer_favour"`,
	`"6c0a9f4e-6d0b-5a3c-9a54-6f2f0f3f7d11"`, `"6C0A9F4E-6D0B-5A3C-9A54-6F2F0F3F7D11"`,
	`"6c0a9f4e6d0b5a3c9a546f2f0f3f7d11"`, `"6c0a9f4e-6d0b-5a3c-9a54-6f2f0f3f7d1g"`,
	`"{c0a9f4e-6d0b-5a3c-9a54-6f2f0f3f7d1}"`,
	`{"invoice_is_wrong":true}`, `{"invoice_is_wrong":null}`, `{"invoice_is_wrong":1}`, `{"batch_id":"b","state":"held"}`,
	`{"batch_id":"b"}`, `{"batch_id":null,"state":"held"}`, `{"batch_id":"","state":"held"}`,
	`"` + strings.Repeat("x", 257) + `"`,
}

// Schema and decoder are written apart; every field of every valid example with
// every value shows where they differ. Numbers such as 1.0 for 1 are left out: for
// a schema they are integers, the decoder wants them written as such.
func TestDecodersAgreeOnEveryFieldAndValue(t *testing.T) {
	for schema := range decoders {
		accepted, refused := 0, 0
		text, err := contract.Schema(schema)
		if err != nil {
			t.Fatal(err)
		}
		var tree struct {
			Properties map[string]any `json:"properties"`
		}
		if err := json.Unmarshal(text, &tree); err != nil {
			t.Fatal(err)
		}
		for name, record := range examples(t, schema) {
			var fields map[string]json.RawMessage
			if err := json.Unmarshal(record, &fields); err != nil || !strings.HasPrefix(name, "valid-") {
				continue
			}
			for field := range tree.Properties {
				old, had := fields[field]
				for _, value := range append(values, string(old)) {
					delete(fields, field)
					if value != "" {
						fields[field] = json.RawMessage(value)
					}
					changed, err := json.Marshal(fields)
					if err != nil {
						t.Fatal(err)
					}
					if roundTrip(t, schema, changed) {
						accepted++
					} else {
						refused++
					}
				}
				delete(fields, field)
				if had {
					fields[field] = old
				}
			}
		}
		if accepted < 50 || refused < 100 {
			t.Errorf("%s: %d accepted and %d refused: too few of one to say much", schema, accepted, refused)
		}
	}
}

// G6: what is refused says where, why and what to send instead.
func TestRefusalsNameFieldAndFix(t *testing.T) {
	event := `{"schema":"case_event.v1","event_id":"e","at":"2026-03-01T09:30:00Z",` +
		`"case_id":"6c0a9f4e-6d0b-5a3c-9a54-6f2f0f3f7d11","status":"decided"%s}`
	for _, c := range []struct{ record, field, reason, says string }{
		{fmt.Sprintf(event, ""), "outcome", invoice.ReasonMissingField, "confirmed_error"},
		{fmt.Sprintf(event, `,"outcome":"refunded"`), "outcome", invoice.ReasonUnknownValue, `"refunded" is not known`},
		{fmt.Sprintf(event, `,"outcome":"undetermined","satisfaction":6`), "satisfaction", invoice.ReasonOutOfRange,
			"1 (bad) to 5"},
		{fmt.Sprintf(event, `,"outcome":"undetermined","handling_cost":"5"`), "currency", invoice.ReasonMissingField,
			"ISO 4217"},
		{fmt.Sprintf(event, `,"outcome":"undetermined","handling_cost":5`), "handling_cost", invoice.ReasonNumberInDecimal,
			"12.50"},
		{fmt.Sprintf(event, `,"hold":{"batch_id":"b","state":"stopped"}`), "hold.state", invoice.ReasonUnknownValue,
			"held"},
		{fmt.Sprintf(event, `,"outcome":"undetermined","x":1,"x":2`), "x", invoice.ReasonDuplicateKey, "twice"},
		{`{"schema":"case_event.v1","event_id":"e","at":"2026-03-01T09:30:00Z","case_id":"417","status":"closed"}`, "case_id",
			invoice.ReasonBadUUID, `"417" is not a UUID`},
		{`{"schema":"case.v1"}`, "schema", invoice.ReasonSchema, `reads "case_event.v1"`},
		{``, "", invoice.ReasonEmptyRecord, "no bytes"},
	} {
		_, err := cases.DecodeEvent([]byte(c.record))
		var refused *invoice.DecodeError
		if !errors.As(err, &refused) || refused.Field != c.field || refused.Reason != c.reason ||
			!strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want field %q, reason %q, saying %q", c.record, err, c.field, c.reason, c.says)
		}
	}
}

// A decoded record may be kept when the buffer it came in is used again.
func TestDecodedRecordsShareNoMemory(t *testing.T) {
	for schema, record := range map[string][]byte{
		cases.EventSchema:    examples(t, cases.EventSchema)["valid-decided.json"],
		cases.RecoverySchema: examples(t, cases.RecoverySchema)["valid-instalment.json"],
	} {
		v, err := decoders[schema](record)
		if err != nil {
			t.Fatal(err)
		}
		before, err := v.Encode()
		if err != nil {
			t.Fatal(err)
		}
		clear(record)
		if after, err := v.Encode(); err != nil || !bytes.Equal(before, after) {
			t.Errorf("%s became %s with its buffer: %v", before, after, err)
		}
	}
}

// What nobody could read is not written.
func TestEncodeRefusesWhatDecodeWould(t *testing.T) {
	for _, v := range []encoder{&cases.Event{}, &cases.Recovery{}, &cases.Dispute{},
		&cases.Event{EventID: "e", CaseID: "417", Status: cases.StatusClosed}} {
		if body, err := v.Encode(); err == nil {
			t.Errorf("%+v is written as %s", v, body)
		}
	}
}

// FuzzDecodeRecords: decoder and schema agree on any bytes, but where JSON is
// stricter here than there: names that stand twice, and limits.
func FuzzDecodeRecords(f *testing.F) {
	for schema := range decoders {
		for _, record := range examples(f, schema) {
			f.Add(record)
		}
	}
	f.Fuzz(func(t *testing.T, record []byte) {
		for schema, decode := range decoders {
			v, err := decode(record)
			if err != nil {
				var refused *invoice.DecodeError
				if !errors.As(err, &refused) || refused.Reason == "" {
					t.Fatalf("%q: incomplete error %#v", record, err)
				}
				continue
			}
			if err := contracttest.ValidateAs(schema, record); err != nil {
				t.Fatalf("%q was accepted: %v", record, err)
			}
			body, err := v.Encode()
			if err != nil {
				t.Fatalf("%q: %v", record, err)
			}
			if again, err := decode(body); err != nil || !reflect.DeepEqual(again, v) {
				t.Fatalf("%q is written as %q and read as %+v: %v", record, body, again, err)
			}
		}
	})
}
