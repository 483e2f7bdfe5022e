package invoice

import (
	"cmp"
	"fmt"
	"strings"
)

// Reasons of a DecodeError. They are stable: metrics, dead letters and their
// readers use them as labels.
const (
	ReasonEmptyRecord      = "empty_record"      // no bytes: a tombstone
	ReasonTooLarge         = "too_large"         // more bytes than Limits.Bytes
	ReasonSyntax           = "syntax"            // not JSON
	ReasonTruncated        = "truncated"         // JSON that ends too early
	ReasonTrailingData     = "trailing_data"     // something follows the object
	ReasonNotObject        = "not_object"        // JSON, but no object
	ReasonInvalidUTF8      = "invalid_utf8"      // bytes or escapes that are no Unicode text
	ReasonTooDeep          = "too_deep"          // more nesting than Limits.Depth
	ReasonTooManyLines     = "too_many_lines"    // more than Limits.Lines
	ReasonTooManyItems     = "too_many_items"    // more strings in one list than Limits.Items
	ReasonTooManyFields    = "too_many_fields"   // more unknown fields in one object than Limits.UnknownFields
	ReasonDuplicateKey     = "duplicate_key"     // one name twice in one object
	ReasonWrongType        = "wrong_type"        // a known field of another JSON type
	ReasonNumberInDecimal  = "number_in_decimal" // a JSON number where a decimal string belongs
	ReasonBadDecimal       = "bad_decimal"       // not a plain decimal, or too precise for money
	ReasonBadInteger       = "bad_integer"       // not a whole number, or negative
	ReasonOverflow         = "overflow"          // a number outside the range of its type
	ReasonSchema           = "schema"            // a schema this release does not know
	ReasonMissingField     = "missing_field"     // a required field is absent or null
	ReasonEmptyField       = "empty_field"       // a required field is ""
	ReasonUnknownValue     = "unknown_value"     // not a value of the enumeration
	ReasonUnknownCurrency  = "unknown_currency"  // not in ISO 4217
	ReasonBadTime          = "bad_time"          // not RFC 3339
	ReasonTimeOutOfRange   = "time_out_of_range" // before 1970 or after 2200
	ReasonControlCharacter = "control_character" // in an identity
	ReasonTooLong          = "too_long"          // an identity of more than 256 bytes
	ReasonBadUUID          = "bad_uuid"          // not a UUID
	ReasonOutOfRange       = "out_of_range"      // a number the field may not have
)

// DecodeError says why a record was refused: a bad record, never a broken
// world. Trying the same bytes again gives the same answer.
type DecodeError struct {
	Field   string // path of the field, such as lines[3].line_net; "" when it is the record as a whole
	Reason  string // one of the Reason constants
	Message string // for a person: the bad value and what was expected

	schema string // of the record; "" is Schema
}

// Error returns field, message and reason in one line.
func (e *DecodeError) Error() string {
	schema := cmp.Or(e.schema, Schema)
	if e.Field == "" {
		return fmt.Sprintf("cannot decode %s record: %s (%s)", schema, e.Message, e.Reason)
	}
	return fmt.Sprintf("cannot decode %s record: field %s: %s (%s)", schema, e.Field, e.Message, e.Reason)
}

// in puts the name of the enclosing field before the path, while the error
// travels up; so that the path costs nothing while all is well.
func (e *DecodeError) in(name string) *DecodeError {
	if e == nil {
		return nil
	}
	name = strings.ToValidUTF8(quotable(name), "�")
	switch {
	case e.Field == "":
		e.Field = name
	case e.Field[0] == '[':
		e.Field = name + e.Field
	default:
		e.Field = name + "." + e.Field
	}
	return e
}

func refuse(reason, format string, args ...any) *DecodeError {
	return &DecodeError{Reason: reason, Message: fmt.Sprintf(format, args...)}
}
